"""A disk without room where files for Raito Cloud are written: what was tried, where, and what to do."""

from pathlib import Path

import pytest

from raito_pipeline.raito.client import RaitoClient
from raito_pipeline.raito.exchange import ExchangeFolder
from raito_pipeline.raito.files.writer import JsonArrayWriter
from raito_pipeline.storage import StorageError

from .conftest import Answer, ScriptedServer, connection_to

SAID = r"No space left on device\. What to do: make room there\."


@pytest.fixture
def full(tmp_path: Path) -> Path:
    """A file that takes nothing: Linux has a device for that."""
    file = tmp_path / "objects.json"
    file.symlink_to("/dev/full")
    return file


@pytest.mark.parametrize("size", [1, 1 << 22], ids=["at its end", "while it is written"])
def test_an_import_file(full: Path, size: int) -> None:
    with (
        pytest.raises(StorageError, match=f"the file objects.json for Raito Cloud .*{SAID}"),
        JsonArrayWriter(full) as file,
    ):
        file.write({"name": "x" * size})
    assert not full.is_symlink()


def test_an_error_of_what_is_written_is_not_taken_for_one_of_the_disk(full: Path) -> None:
    with pytest.raises(OSError, match="of AWS"), JsonArrayWriter(full) as file:
        file.write("x")
        raise OSError("of AWS")


def test_a_download(full: Path, scripted: ScriptedServer) -> None:
    scripted.on("GET", "/file", Answer({"text": "x" * 100_000}))
    with RaitoClient(connection_to(scripted.url)) as client, pytest.raises(StorageError, match=f"the export .*{SAID}"):
        client.download(f"{scripted.url}/file", full, what="the export")


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(StorageError, match="the folder of the files of access"),
        ExchangeFolder("t", "access", parent=tmp_path / "file"),
    ):
        pass
