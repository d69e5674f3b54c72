"""What a killed sync left in the temporary directory is removed by the next one; what is in use or kept is not."""

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from raito_pipeline.raito.exchange import ExchangeFolder
from raito_pipeline.storage.temporary import temporary_folder

OPEN_AND_DIE = textwrap.dedent("""
    import os, signal, sys
    from pathlib import Path
    from raito_pipeline.raito.exchange import ExchangeFolder
    from raito_pipeline.storage.temporary import temporary_folder
    parent, delete = Path(sys.argv[1]), sys.argv[2] == "delete"
    exchange = ExchangeFolder("research", "data_source", delete, parent=parent)
    with exchange as folder, temporary_folder("inventory", parent):
        (folder / "data-objects.json").write_text("[]")
        os.kill(os.getpid(), signal.SIGKILL)
""")


def _kill_one(parent: Path, how: str) -> None:
    subprocess.run([sys.executable, "-c", OPEN_AND_DIE, str(parent), how], check=False)


def test_what_a_killed_sync_left_is_removed_by_the_next_and_what_lives_is_not(tmp_path: Path) -> None:
    _kill_one(tmp_path, "delete")
    left = set(tmp_path.iterdir())
    assert len(left) == 2
    with ExchangeFolder("marketing", "data_usage", parent=tmp_path) as mine:
        assert list(tmp_path.iterdir()) == [mine]
        with temporary_folder("inventory", tmp_path) as second:
            assert set(tmp_path.iterdir()) == {mine, second}
    assert list(tmp_path.iterdir()) == []


def test_folders_that_are_to_be_kept_stay_after_a_kill_too(tmp_path: Path) -> None:
    _kill_one(tmp_path, "keep")
    with ExchangeFolder("marketing", "data_usage", parent=tmp_path):
        pass
    (kept,) = tmp_path.iterdir()
    assert [file.name for file in kept.iterdir()] == ["data-objects.json"]


@pytest.mark.parametrize(("hours", "stays"), [(1, True), (25, False)])
def test_what_another_machine_left_goes_when_it_is_a_day_old(tmp_path: Path, hours: int, stays: bool) -> None:
    with temporary_folder("inventory", tmp_path) as mine:
        elsewhere = tmp_path / mine.name.replace(mine.name.split("~")[1], "0123456789")
        elsewhere.mkdir()
        at = time.time() - hours * 3600
        os.utime(elsewhere, (at, at))
        with temporary_folder("inventory", tmp_path):
            assert elsewhere.exists() is stays


def test_folders_of_others_with_a_similar_name_are_left_alone(tmp_path: Path) -> None:
    for name in ("raito-report", "raito-a~b", "raito-x~1~2~3", "another~0123456789~1~1.x"):
        (tmp_path / name).mkdir()
    with temporary_folder("inventory", tmp_path):
        pass
    assert len(list(tmp_path.iterdir())) == 4
