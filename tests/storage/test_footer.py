"""The footer of a Parquet file: what is no whole file, and which columns do not fit."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from raito_pipeline.storage.footer import UnusableFile, misfit, read_footer

WANTED = pa.schema([pa.field("name", pa.string(), nullable=False), pa.field("tags", pa.list_(pa.string()))])


def parquet(schema: pa.Schema = WANTED, **metadata: str) -> bytes:
    written = io.BytesIO()
    pq.write_table(schema.with_metadata(metadata or None).empty_table(), written)
    return written.getvalue()


def footer(content: bytes) -> pq.FileMetaData:
    return read_footer(pa.PythonFile(io.BytesIO(content), mode="r"))


def test_a_whole_file_is_read_also_where_its_footer_is_longer_than_the_first_look() -> None:
    assert footer(parquet()).num_rows == 0
    assert footer(parquet(note="x" * 200_000)).metadata[b"note"] == b"x" * 200_000


@pytest.mark.parametrize(
    "content", [b"", b"PAR1", b"no Parquet at all, but long enough", parquet()[:-1], parquet()[:40]]
)
def test_what_is_no_whole_file(content: bytes) -> None:
    with pytest.raises(UnusableFile, match="no whole Parquet file"):
        footer(content)


def test_a_length_that_is_longer_than_the_file() -> None:
    content = parquet()

    with pytest.raises(UnusableFile, match="no whole Parquet file"):
        footer(content[:-8] + (len(content)).to_bytes(4, "little") + b"PAR1")


def test_a_footer_that_is_damaged() -> None:
    content = bytearray(parquet())
    content[-60:-20] = b"\xff" * 40

    with pytest.raises(UnusableFile, match="its footer is damaged"):
        footer(bytes(content))


NAME, TAGS = WANTED.field("name"), WANTED.field("tags")


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ([NAME, TAGS], None),
        ([NAME], "without column tags"),
        ([NAME, TAGS, pa.field("more", pa.int64())], "with column more"),
        ([pa.field("name", pa.int64(), nullable=False), TAGS], "with another type of column name"),
        ([pa.field("name", pa.string()), TAGS], "with another type of column name"),  # nulls where none may be
        ([NAME, pa.field("tags", pa.list_(pa.string()), nullable=False)], None),  # never null where null may be
        ([TAGS, NAME], "with columns in another order"),
        ([NAME, pa.field("old", pa.string())], "without column tags and with column old"),
    ],
)
def test_columns_of_another_version(columns: "list[pa.Field[pa.DataType]]", problem: str | None) -> None:
    found = misfit(footer(parquet(pa.schema(columns))), WANTED)

    assert (found is None) == (problem is None)
    if problem is not None:
        assert found is not None
        assert found.startswith("another version of the project wrote it, ")
        assert problem in found
