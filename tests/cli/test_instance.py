"""A record of runs that was damaged gives one line and the way out."""

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from raito_pipeline.cli.errors import InstanceDamaged, InstanceUnusable
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


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("storage: [a", "while parsing a flow sequence"),
        ("stoorage: {}\n", 'unexpected config entry "stoorage" at the root'),
        ("storage: {sqlite: {base_dir: dagster.yaml/below}}\n", "dagster.yaml"),
    ],
)
def test_an_instance_that_cannot_be_opened_is_one_line_that_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, said: str
) -> None:
    (tmp_path / "dagster.yaml").write_text(content)
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InstanceUnusable) as unusable, instance_of_this_directory():
        pass
    words = str(unusable.value)
    assert words.startswith(f"Dagster's record of runs cannot be used, that of {tmp_path}: ")
    assert said in words
    assert "\n" not in words
    assert len(words) < 800


def test_a_folder_of_the_instance_that_is_none_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "nowhere"))
    with pytest.raises(InstanceUnusable, match=r"nowhere.* does not exist"), instance_of_this_directory():
        pass


@pytest.mark.usefixtures("home")
def test_a_disk_that_is_full_in_the_block_is_said() -> None:
    full = sqlite3.connect(":memory:")
    full.execute("pragma max_page_count = 1")
    with pytest.raises(InstanceUnusable, match="database or disk is full"), instance_of_this_directory(), full:
        full.execute("create table one (a)")


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
