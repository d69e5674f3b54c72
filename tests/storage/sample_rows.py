"""Rows of any table, derived from its declaration, so that a test can ask something of every table."""

import types
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from raito_pipeline.model import TABLES, TableSpec

ACCOUNT, REGION = "111122223333", "eu-west-1"


def sample_rows(row_type: type, count: int) -> list[Any]:
    """`count` rows that differ in every column that can differ; the optional columns of every third row are None."""
    return [_record(row_type, number) for number in range(count)]


def place_of(spec: TableSpec) -> tuple[str, str | None]:
    """Account and region of a cell of this table."""
    return ACCOUNT, None if spec.partitioned_by == "account" else REGION


def all_tables() -> list[str]:
    """The names of all stored tables."""
    return sorted(TABLES)


def _record(row_type: type, number: int) -> Any:
    hints = get_type_hints(row_type, include_extras=True)
    return row_type(**{field.name: _value(hints[field.name], field.name, number) for field in fields(row_type)})


def _value(hint: Any, name: str, number: int) -> Any:
    if get_origin(hint) is Annotated:
        return _value(get_args(hint)[0], name, number)
    if get_origin(hint) in (Union, types.UnionType):
        (inner,) = (part for part in get_args(hint) if part is not type(None))
        return None if number % 3 == 0 else _value(inner, name, number)
    if get_origin(hint) is tuple:
        return tuple(_value(get_args(hint)[0], name, number + at) for at in range(number % 3))
    if is_dataclass(hint) and isinstance(hint, type):
        return _record(hint, number)
    values = {str: f"{name} {number}", int: number * 7919, float: number / 3, bool: number % 2 == 0}
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number) if hint is datetime else values[hint]
