"""The footer of a Parquet file, read so that a storage that fails and a file that is damaged are told apart."""

from functools import cache
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


def misfit(footer: pq.FileMetaData, wanted: pa.Schema) -> str | None:
    """How the columns of a file differ from those that its table has in this version; None where they fit."""
    try:
        schema = footer.schema.to_arrow_schema()
        if schema.equals(_as_stored(wanted)):
            return None
        found = {column.name: column for column in schema}
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        return f"its columns are damaged: {' '.join(str(error).split()).rstrip('.')}"
    missing = [name for name in wanted.names if name not in found]
    more = [name for name in found if name not in wanted.names]
    other = [c.name for c in wanted if c.name in found and not _fits(found[c.name], c)]
    parts = [(missing, "without column"), (more, "with column"), (other, "with another type of column")]
    said = [f"{words} {', '.join(names)}" for names, words in parts if names]
    if said:
        return f"another version of the project wrote it, {' and '.join(said)}"
    return (
        None
        if list(found) == wanted.names
        else "another version of the project wrote it, with columns in another order"
    )


@cache
def _as_stored(schema: pa.Schema) -> pa.Schema:
    """A schema as Parquet gives it back (elements of lists have another name there)."""
    written = pa.BufferOutputStream()
    pq.write_table(schema.empty_table(), written)
    return pq.read_metadata(pa.BufferReader(written.getvalue())).schema.to_arrow_schema()


def _fits(found: "pa.Field[Any]", wanted: "pa.Field[Any]") -> bool:
    """Whether a column can be read as the wanted one: the same type; null only where null may be."""
    if found.nullable and not wanted.nullable:
        return False
    if pa.types.is_list(wanted.type):
        return pa.types.is_list(found.type) and _same(found.type.value_type, wanted.type.value_type)
    return _same(found.type, wanted.type)


def _same(found: pa.DataType, wanted: pa.DataType) -> bool:
    if pa.types.is_list(wanted):
        return pa.types.is_list(found) and _same(found.value_type, wanted.value_type)
    if pa.types.is_struct(wanted):
        if not pa.types.is_struct(found) or found.num_fields != wanted.num_fields:
            return False
        pairs = [(found.field(n), wanted.field(n)) for n in range(wanted.num_fields)]
        return all(a.name == b.name and _fits(a, b) for a, b in pairs)
    return bool(found == wanted)
