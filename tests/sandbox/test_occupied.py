"""`make run` beside `make ui`: the second estate of a directory says where the first one is, and changes nothing."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from raito_pipeline.cli import main
from raito_pipeline.sandbox.occupied import SandboxRunning, occupied

HOLD = """
import sys, time
from pathlib import Path
from raito_pipeline.sandbox.occupied import occupied
with occupied(Path(sys.argv[1])) as note:
    note({"emulated AWS": "http://127.0.0.1:5001", "local Raito Cloud": "http://127.0.0.1:5002"})
    print("held", flush=True)
    time.sleep(120)
"""


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_second_estate_names_the_first_one_and_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == b"held\n"
        (tmp_path / "raito.yml").write_text("of the first")
        before = _contents(tmp_path)
        for mode in ([], ["--sync"], ["--ui"]):
            assert main(["sandbox", "--directory", str(tmp_path), *mode]) == 2
            words = capsys.readouterr().err
            assert words.startswith(f"an embedded estate runs already in {tmp_path} (process {first.pid}, since ")
            assert "emulated AWS http://127.0.0.1:5001, local Raito Cloud http://127.0.0.1:5002" in words
            assert words.count("\n") == 1
        assert _contents(tmp_path) == before
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
        for _ in range(2):
            with occupied(tmp_path), pytest.raises(SandboxRunning, match=f"process {os.getpid()}"), occupied(tmp_path):
                pass
