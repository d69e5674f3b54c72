"""Small tables as Dagster metadata: the first rows of a cell, or of what a step wants to show.

The event log keeps each of them for good, so they are small whatever the rows hold: a few rows and columns, and values
of at most 60 characters.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import dagster as dg
import pyarrow as pa

from raito_pipeline.model import TABLES, Column, columns
from raito_pipeline.orchestration.recording.markdown import plain
from raito_pipeline.storage import CellInfo, Store

ROWS = 5
COLUMNS = 6
WIDTH = 60
"""characters of a value"""
Value = str | int | float | bool | None


def preview(store: Store, info: CellInfo) -> dg.TableMetadataValue:
    """The first rows of a stored cell: the columns of the key, then the others in their order, as far as they fit."""
    spec = TABLES[info.table]
    by_name = {column.name: column for column in columns(spec.row_type)}
    shown = [by_name[name] for name in dict.fromkeys((*spec.key, *by_name))][:COLUMNS]
    records: list[dict[str, Any]] = []
    if info.rows:
        head = store.dataset(info.table, info.account, info.region).head(ROWS)
        records = head.select([column.name for column in shown]).to_pylist()
    return small_table(records, {column.name: _type_name(column) for column in shown}, ROWS)


def small_table(
    records: Iterable[Mapping[str, Any]], types: Mapping[str, str], most_rows: int
) -> dg.TableMetadataValue:
    """The first records as a table. `types` are the names of the columns with their types, for people."""
    schema = dg.TableSchema([dg.TableColumn(name, type=kind) for name, kind in types.items()])
    rows = [dg.TableRecord({name: _cut(each.get(name)) for name in types}) for each in islice(records, most_rows)]
    return dg.MetadataValue.table(rows, schema=schema)


def _cut(value: Any) -> Value:
    if value is None or isinstance(value, bool | int | float):
        return value
    text = " ".join(str(value).split())
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 1]}…"


def _type_name(column: Column) -> str:
    """The type of a column in one word: what is nested is shown as text."""
    kind = column.arrow_type
    if pa.types.is_list(kind):
        return "list"
    return "record" if pa.types.is_struct(kind) else str(kind).partition("[")[0]


def bullets(lines: Sequence[str]) -> dg.MarkdownMetadataValue:
    """Lines as a list; the word `none` where there are none."""
    return dg.MetadataValue.md("\n".join(f"- {plain(line)}" for line in lines) or "none")
