"""The columns of a row type, and the Arrow schema and rows that derive from them.

A row type is a class decorated with `row` (`model.tables`). Each column is an annotated field:
`name: Annotated[type, "what it means, with its unit"]`. The types that a column may have are `str`,
`int`, `float`, `bool`, `datetime` (UTC), another record type, a tuple of one of these, or any of them
with `| None`.
"""

import types
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from typing import (
    Annotated,
    Any,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import pyarrow as pa

from raito_pipeline.model.tables import TABLES

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class IfMissing:
    """What a column that was added later holds in cells of before: `Annotated[int, "rows", IfMissing(0)]`.

    It must say there what is true of those cells: where nothing is, leave it out, and they are read again.
    """

    value: Any


@dataclass(frozen=True, slots=True)
class Column:
    """One column as people and Parquet see it."""

    name: str
    arrow_type: pa.DataType
    nullable: bool
    description: str
    if_missing: IfMissing | None = None
    """what it holds in cells that an older version wrote without it; None: those are read again"""
    record: type | None = None
    """the type of the records that it nests, where it does"""


@cache
def columns(row_type: type) -> tuple[Column, ...]:
    """The columns of a row or nested record type, in order of declaration."""
    hints = get_type_hints(row_type, include_extras=True)
    return tuple(_column(field.name, hints[field.name]) for field in fields(row_type))


def _column(name: str, hint: Any) -> Column:
    if get_origin(hint) is not Annotated:
        raise TypeError(f"column {name!r} has no description")
    inner, description, *more = get_args(hint)
    arrow_type, nullable = _arrow_type(inner)
    if_missing = next((each for each in more if isinstance(each, IfMissing)), None)
    return Column(name, arrow_type, nullable, str(description), if_missing, _record_type(inner))


def _record_type(hint: Any) -> type | None:
    """The record type that a column holds one or several of; None where it holds none."""
    if is_dataclass(hint) and isinstance(hint, type):
        return hint
    return next((record for part in get_args(hint) if (record := _record_type(part)) is not None), None)


def _arrow_type(hint: Any) -> tuple[pa.DataType, bool]:
    if get_origin(hint) in (Union, types.UnionType):
        (inner,) = (part for part in get_args(hint) if part is not type(None))
        return _arrow_type(inner)[0], True
    if get_origin(hint) is tuple:
        return pa.list_(_arrow_type(get_args(hint)[0])[0]), False
    if is_dataclass(hint) and isinstance(hint, type):
        members = [pa.field(c.name, c.arrow_type, c.nullable) for c in columns(hint)]
        return pa.struct(members), False
    simple: dict[type, pa.DataType] = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
    if hint is datetime:
        return pa.timestamp("us", tz="UTC"), False
    return simple[hint], False


@cache
def arrow_schema(row_type: type) -> pa.Schema:
    """The Arrow (and so Parquet) schema of a row type; each field carries its `description`."""
    return pa.schema(
        [pa.field(c.name, c.arrow_type, c.nullable, metadata={"description": c.description}) for c in columns(row_type)]
    )


def schema_version(row_type: type) -> str:
    """Eight hexadecimal digits that change with the names, types and order of the columns."""
    text = "\n".join(f"{c.name} {c.arrow_type} {c.nullable}" for c in columns(row_type))
    return sha256(text.encode()).hexdigest()[:8]


def to_batch(row_type: type, rows: Iterable[Any]) -> pa.RecordBatch:
    """Turn rows of one type into a record batch of `arrow_schema(row_type)`."""
    listed = list(rows)
    schema = arrow_schema(row_type)
    arrays = [pa.array([plain(getattr(r, c.name)) for r in listed], type=c.arrow_type) for c in columns(row_type)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def plain(value: Any) -> Any:
    """A value of a column as Arrow takes it: records as dictionaries, tuples as lists."""
    if isinstance(value, tuple):
        return [plain(part) for part in value]
    if is_dataclass(value):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    return value


def from_batch(row_type: type[R], batch: pa.RecordBatch | pa.Table) -> Iterator[R]:
    """Turn a record batch (or table) that has the columns of `row_type` back into rows."""
    build: Callable[[dict[str, Any]], R] = _builder(row_type)  # type: ignore[arg-type]  # lru_cache wants Hashable
    for record in batch.to_pylist():
        yield build(record)


@cache
def _builder(row_type: type) -> Callable[[dict[str, Any]], Any]:
    hints = get_type_hints(row_type)
    convert = {field.name: _converter(hints[field.name]) for field in fields(row_type)}

    def build(record: dict[str, Any]) -> Any:
        return row_type(**{name: turn(record[name]) for name, turn in convert.items()})

    return build


def _converter(hint: Any) -> Callable[[Any], Any]:
    if get_origin(hint) in (Union, types.UnionType):
        (inner,) = (part for part in get_args(hint) if part is not type(None))
        turn = _converter(inner)
        return lambda value: None if value is None else turn(value)
    if get_origin(hint) is tuple:
        each = _converter(get_args(hint)[0])
        return lambda value: tuple(each(part) for part in value)
    if is_dataclass(hint) and isinstance(hint, type):
        return _builder(hint)
    if hint is datetime:
        return lambda value: value.astimezone(UTC)
    return lambda value: value


def nested_types() -> tuple[type, ...]:
    """The record types that columns of stored tables nest, in the order in which they are met."""
    record_types: dict[type, None] = {}

    def visit(hint: Any) -> None:
        if is_dataclass(hint) and isinstance(hint, type):
            record_types.setdefault(hint)
            walk(hint)
        for part in get_args(hint):
            visit(part)

    def walk(record: type) -> None:
        for member in get_type_hints(record).values():
            visit(member)

    for spec in TABLES.values():
        walk(spec.row_type)
    return tuple(record_types)
