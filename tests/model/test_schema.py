"""The row types: what derives from their declarations, and that every table can be stored and read back."""

from dataclasses import is_dataclass, make_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pyarrow as pa
import pytest

from raito_pipeline.model import TABLES, TableSpec, arrow_schema, columns, docs
from raito_pipeline.model.schema import from_batch, to_batch

ALL = [pytest.param(spec, id=spec.name) for spec in TABLES.values()]
PAGE = Path(__file__).parents[2] / "docs" / "tables.md"


def example(hint: Any, *, null: bool) -> Any:
    """A value of a column's type: the smallest one with `null`, else one with something in it."""
    options = get_args(hint)
    if type(None) in options:
        return None if null else example(next(o for o in options if o is not type(None)), null=null)
    if options and hint.__origin__ is tuple:
        return () if null else (example(options[0], null=null),)
    if is_dataclass(hint):
        return example_row(hint, null=null)
    return {str: "é/x", int: 2**40, float: 0.5, bool: True, datetime: datetime(2026, 1, 2, 3, 4, 5, 6, UTC)}[hint]


def example_row(row_type: Any, *, null: bool) -> Any:
    return row_type(**{name: example(hint, null=null) for name, hint in get_type_hints(row_type).items()})


@pytest.mark.parametrize("spec", ALL)
@pytest.mark.parametrize("null", [True, False])
def test_rows_survive_the_way_through_arrow(spec: TableSpec, null: bool) -> None:
    rows = [example_row(spec.row_type, null=null)] * 2
    batch = to_batch(spec.row_type, rows)
    assert batch.schema.equals(arrow_schema(spec.row_type))
    assert list(from_batch(spec.row_type, batch)) == rows


@pytest.mark.parametrize("spec", ALL)
def test_every_column_is_documented_and_every_key_is_a_column(spec: TableSpec) -> None:
    named = {c.name: c for c in columns(spec.row_type)}
    assert all(len(c.description) > 3 for c in named.values())
    assert set(spec.key) <= set(named)
    assert spec.description.endswith(".")


@pytest.mark.parametrize("spec", ALL)
def test_arrow_refuses_null_where_the_row_type_does(spec: TableSpec) -> None:
    fields = {f.name: f for f in arrow_schema(spec.row_type)}
    for name, hint in get_type_hints(spec.row_type).items():
        assert fields[name].nullable == (type(None) in get_args(hint)), name


def test_documentation_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == docs.render(), "run `make docs`"


def test_a_type_without_a_description_is_refused() -> None:
    bare = make_dataclass("Bare", [("x", str)])
    with pytest.raises(TypeError, match="'x' has no description"):
        columns(bare)


def test_nested_records_are_structs() -> None:
    what = next(c for c in columns(TABLES["access_providers"].row_type) if c.name == "what")
    assert pa.types.is_struct(what.arrow_type.value_type)
