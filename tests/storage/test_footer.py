"""The footer of a Parquet file: what is no whole file."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from raito_pipeline.storage.footer import UnusableFile, read_footer

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
