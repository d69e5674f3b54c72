"""One JSON array in a file: whole, or not there."""

from pathlib import Path

import pytest

from raito_pipeline.raito.files.writer import ImportFile, JsonArrayWriter, write_json_array

from .reading import read


def test_an_empty_array(tmp_path: Path) -> None:
    file = write_json_array(tmp_path / "deep" / "x.json", [])
    assert read(file) == []
    assert ImportFile.of(file.path) == file


def test_a_file_that_broke_off_is_removed(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), JsonArrayWriter(tmp_path / "x.json") as writer:
        writer.write({"a": 1})
        raise RuntimeError("broke off")
    assert not (tmp_path / "x.json").exists()
