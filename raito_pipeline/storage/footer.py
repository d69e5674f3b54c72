"""The footer of a Parquet file, read so that a storage that fails and a file that is damaged are told apart."""

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

_MAGIC = b"PAR1"
_TAIL = 64 * 1024


class UnusableFile(Exception):
    """A file that was read and is not what it should be."""


def read_footer(source: Any) -> pq.FileMetaData:
    """The footer of an open Parquet file. Raises `UnusableFile`, and what `source` raises where it cannot be read.

    The bytes are fetched first and made sense of then: an error of the second half is one of the file.
    https://parquet.apache.org/docs/file-format/
    """
    size = source.size()
    tail = _last(source, size, min(size, _TAIL))
    if len(tail) < 12 or tail[-4:] != _MAGIC:
        raise UnusableFile("it is no whole Parquet file")
    length = int.from_bytes(tail[-8:-4], "little") + 8
    if length > size - 4:
        raise UnusableFile("it is no whole Parquet file")
    if length > len(tail):
        tail = _last(source, size, length)
    try:
        return pq.read_metadata(pa.BufferReader(_MAGIC + tail[-length:]))
    except (OSError, pa.ArrowException, pa.ArrowMemoryError, UnicodeDecodeError) as error:
        raise UnusableFile(f"its footer is damaged: {' '.join(str(error).split()).rstrip('.')}") from None


def _last(source: Any, size: int, count: int) -> bytes:
    source.seek(size - count)
    return bytes(source.read(count))
