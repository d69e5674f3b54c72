"""A record of runs that was damaged gives one line and the way out."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from raito_pipeline.cli.errors import InstanceDamaged
from raito_pipeline.cli.instance import instance_of_this_directory

SHIPPED = Path(__file__).parents[2] / "dagster.yaml"
DATABASES = ("history/runs.db", "history/runs/index.db", "schedules/schedules.db")
DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "garbage": lambda content: b"garbage" * len(content),
    "cut in the middle": lambda content: content[: len(content) // 2],
    "cut after its header": lambda content: content[:100],
    "overwritten": lambda content: content[:4096] + b"\xaa" * (len(content) - 4096),
}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an instance in which something was recorded."""
    home = tmp_path_factory.mktemp("sound")
    shutil.copy(SHIPPED, home)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DAGSTER_HOME", raising=False)
        patch.chdir(home)
        with instance_of_this_directory() as instance:
            instance.report_runless_asset_event(dg.AssetMaterialization("iam_users"))
    return home


@pytest.fixture
def home(sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    shutil.copytree(sound, tmp_path / "home")
    monkeypatch.chdir(tmp_path / "home")
    return tmp_path / "home"


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("database", DATABASES)
def test_a_damaged_record_of_runs_is_one_line_that_names_the_file_and_the_way_out(
    home: Path, database: str, damage: str
) -> None:
    file = home / ".dagster" / database
    for rest in file.parent.glob(f"{file.name}-*"):
        rest.unlink()
    file.write_bytes(DAMAGES[damage](file.read_bytes()))
    with pytest.raises(InstanceDamaged) as damaged, instance_of_this_directory():
        pass
    words = str(damaged.value)
    assert words.startswith(f"Dagster's record of runs is damaged: {file} (")
    assert f"Move {home / '.dagster'} away" in words
    assert "\n" not in words
    shutil.move(home / ".dagster", home / "moved")
    with instance_of_this_directory() as instance:
        assert instance.get_runs() == []


def test_another_error_in_the_block_is_left_as_it_is(home: Path) -> None:
    assert home.is_dir()
    with pytest.raises(ValueError, match="of something else"), instance_of_this_directory():
        raise ValueError("of something else")


def test_a_record_of_runs_is_opened_without_what_colours_errors(home: Path) -> None:
    """What is loaded later may have it all the same."""
    script = (
        "import sys\n"
        "from raito_pipeline.cli.instance import instance_of_this_directory\n"
        "with instance_of_this_directory() as instance:\n"
        "    print([name in sys.modules for name in ('alembic', 'mako', 'pygments')])\n"
        "    import mako.ext.pygmentplugin, rich.traceback\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], cwd=home, capture_output=True, text=True, check=False)

    assert (ended.stdout, ended.returncode) == ("[True, True, False]\n", 0), ended.stderr
