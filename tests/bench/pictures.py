"""Pictures of the UI, by a headless Chromium of this machine."""

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
PAGES: Mapping[str, str] = {
    "runs": "runs",
    "timeline": "overview/timelines?groupBy=job",
    "sensors": "automation",
    "assets": "asset-groups",
}
"""Pages of Dagster's UI, by the name of the picture."""
_SIZE = "1600,1100"
_MILLISECONDS = 25_000
"""of the page's own clock: it is a picture once what it asks for has come"""


def take_pictures(url: str, folder: Path) -> list[Path]:
    """Take a picture of each page of the UI at `url` (with a slash at its end); none where there is no Chromium."""
    program = next((found for name in PROGRAMS if (found := shutil.which(name))), None)
    if program is None:
        return []
    folder.mkdir(parents=True, exist_ok=True)
    taken = []
    for name, page in PAGES.items():
        file = folder / f"{name}.png"
        with tempfile.TemporaryDirectory() as profile:
            command = [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
            command += [f"--user-data-dir={profile}", f"--window-size={_SIZE}", f"--screenshot={file}"]
            command += [f"--virtual-time-budget={_MILLISECONDS}", f"{url}{page}"]
            subprocess.run(command, check=False, capture_output=True, timeout=180)
        if file.is_file():
            taken.append(file)
    return taken
