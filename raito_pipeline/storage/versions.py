"""Cells that an older version of the project wrote: read as if this one had written them, or said to be read again.

A table changes by columns that come, go, are put elsewhere, or take more than before. What an older cell lacks has the
value that its column declares for it (`model.schema.IfMissing`); a column that is gone is left out; a type that takes
all that the older one took is widened. Anything else, and a new column that declares nothing, makes the cell unusable:
it counts as never read, and the next sync reads it again. It is never taken for empty.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from raito_pipeline.model.schema import Column, IfMissing, arrow_schema, columns, plain
from raito_pipeline.storage.footer import UnusableFile

Convert = Callable[[Any], Any]
"""turns a value of the older type into one of this version"""


class _NotReadable(Exception):
    """A column that cannot be read as the one of this version."""


@dataclass(frozen=True)
class OlderColumns:
    """How the columns of a file become those of its table: `said` is what is done, in words."""

    row_type: type
    said: str
    converters: tuple[tuple[str, Convert], ...]
    """by column, in the order of the table; each takes the record batch of the file"""
    names: tuple[str, ...]
    """the columns of the file that are read"""

    def read(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """A batch of the file as this version has it. Raises `pa.ArrowException` where a value does not fit."""
        arrays = [convert(batch) for _name, convert in self.converters]
        return pa.RecordBatch.from_arrays(arrays, schema=arrow_schema(self.row_type))


def older_columns(footer: pq.FileMetaData, row_type: type) -> OlderColumns | None:
    """How a file is read whose columns are not those of its table; None where they are.

    Raises `UnusableFile` where it cannot be read as this version has it.
    """
    wanted = arrow_schema(row_type)
    try:
        schema = footer.schema.to_arrow_schema()
        if schema.equals(_as_stored(wanted)):
            return None
        fields = {field.name: field for field in schema}
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise UnusableFile(f"its columns are damaged: {' '.join(str(error).split()).rstrip('.')}") from None
    return _compared(row_type, fields)


def _compared(row_type: type, fields: "dict[str, pa.Field[Any]]") -> OlderColumns | None:
    """Raises `UnusableFile`."""
    converters: list[tuple[str, Convert]] = []
    missing: list[str] = []
    wider: list[str] = []
    problems: dict[str, list[str]] = {}
    for column in columns(row_type):
        field = fields.get(column.name)
        try:
            if field is None:
                missing.append(column.name)
                converters.append((column.name, _default(column)))
            else:
                changed, convert = _column(field, column)
                wider += [column.name] if changed else []
                converters.append((column.name, convert))
        except _NotReadable as error:
            problems.setdefault(str(error), []).append(column.name)
    if problems:
        words = " and ".join(f"{problem} {', '.join(names)}" for problem, names in problems.items())
        raise UnusableFile(f"another version of the project wrote it, {words}")
    wanted = [name for name, _convert in converters]
    gone = [name for name in fields if name not in wanted]
    parts = (
        (missing, "without column {}, which is given its default"),
        (gone, "with column {}, which is left out"),
        (wider, "with another type of column {}, which is widened"),
    )
    said = [words.format(", ".join(names)) for names, words in parts if names]
    if not said and [name for name in fields if name in wanted] == wanted:
        return None
    words = " and ".join(said) or "with columns in another order"
    return OlderColumns(row_type, words, tuple(converters), tuple(name for name in wanted if name in fields))


def _default(column: Column) -> Convert:
    """The value that a column declares for cells that lack it, in each row. Raises `_NotReadable`."""
    if column.if_missing is None:
        raise _NotReadable("without column")
    value = plain(column.if_missing.value)
    return lambda batch: pa.array([value] * batch.num_rows, type=column.arrow_type)


def _column(field: "pa.Field[Any]", column: Column) -> tuple[bool, Convert]:
    """Whether the values of a column are changed, and how they are read. Raises `_NotReadable`."""
    fill = _filled(field.nullable, column)
    convert = _value(field.type, column.arrow_type, column)
    name = column.name
    if fill is None and convert is None:
        return False, lambda batch: batch.column(batch.schema.get_field_index(name))

    def read(batch: pa.RecordBatch) -> Any:
        values = batch.column(batch.schema.get_field_index(name)).to_pylist()
        if fill is not None:
            values = [fill.value if value is None else value for value in values]
        if convert is not None:
            values = [None if value is None else convert(value) for value in values]
        return pa.array(values, type=column.arrow_type)

    return True, read


def _filled(nullable: bool, column: Column) -> IfMissing | None:
    """What stands for null where this version has none. Raises `_NotReadable` where nothing does."""
    if not nullable or column.nullable:
        return None
    if column.if_missing is None:
        raise _NotReadable("with another type of column")
    return IfMissing(plain(column.if_missing.value))


def _value(stored: pa.DataType, wanted: pa.DataType, column: Column) -> Convert | None:
    """How a value (not null) of an older type is read; None where it is the same. Raises `_NotReadable`."""
    if pa.types.is_list(wanted) and pa.types.is_list(stored):
        each = _value(stored.value_type, wanted.value_type, column)
        return None if each is None else lambda values: [None if value is None else each(value) for value in values]
    if pa.types.is_struct(wanted) and pa.types.is_struct(stored) and column.record is not None:
        return _record(stored, columns(column.record))
    if stored == wanted:
        return None
    if (pa.types.is_integer(stored) or pa.types.is_floating(stored)) and pa.types.is_float64(wanted):
        return float
    if pa.types.is_integer(stored) and pa.types.is_int64(wanted) and stored != pa.uint64():
        return int
    if (
        pa.types.is_timestamp(stored)
        and pa.types.is_timestamp(wanted)
        and stored.tz == wanted.tz
        and stored.unit != "ns"
    ):
        return lambda value: value
    if pa.types.is_large_string(stored) and pa.types.is_string(wanted):
        return str
    raise _NotReadable("with another type of column")


def _record(stored: pa.DataType, members: Sequence[Column]) -> Convert | None:
    """How a nested record is read, by the same rules as a row. Raises `_NotReadable`."""
    fields = {stored.field(n).name: stored.field(n) for n in range(stored.num_fields)}
    converters: dict[str, Convert] = {}
    for member in members:
        field = fields.get(member.name)
        if field is None:
            if member.if_missing is None:
                raise _NotReadable(f"without {member.name} in column")
            converters[member.name] = _always(plain(member.if_missing.value))
            continue
        fill = _filled(field.nullable, member)
        convert = _value(field.type, member.arrow_type, member)
        converters[member.name] = _member(member.name, fill, convert)
    same = list(fields) == [member.name for member in members] and all(
        not fields[m.name].nullable or m.nullable for m in members
    )
    if same and all(_value(fields[m.name].type, m.arrow_type, m) is None for m in members):
        return None
    return lambda value: {name: turn(value) for name, turn in converters.items()}


def _always(value: Any) -> Convert:
    return lambda _record: value


def _member(name: str, fill: IfMissing | None, convert: Convert | None) -> Convert:
    def read(record: Any) -> Any:
        value = record[name]
        if value is None:
            return None if fill is None else fill.value
        return value if convert is None else convert(value)

    return read


@cache
def _as_stored(schema: pa.Schema) -> pa.Schema:
    """A schema as Parquet gives it back (elements of lists have another name there)."""
    written = pa.BufferOutputStream()
    pq.write_table(schema.empty_table(), written)
    return pq.read_metadata(pa.BufferReader(written.getvalue())).schema.to_arrow_schema()
