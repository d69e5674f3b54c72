"""Writes `docs/tables.md` from the row types: `python -m raito_pipeline.model.docs docs/tables.md`."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa

from raito_pipeline.model import TABLES, TableSpec, columns
from raito_pipeline.model.schema import nested_types

_LAYOUT = {
    "account": "`<storage>/{table}/account=<account>/data.parquet`",
    "account_region": "`<storage>/{table}/account=<account>/region=<region>/data.parquet`",
    "organization": "`<storage>/{table}/account=<master account>/region=<Identity Center region>/data.parquet`",
}
_INTRODUCTION = """# Tables

Generated from the row types in `raito_pipeline/model/` by `make docs`; do not edit by hand.

Every table is a Dagster asset of the same name, stored as Parquet, one file a partition. Besides its rows each file
carries, in its key-value metadata: `raito_pipeline.status` (`complete`, `partial`, `denied`, `throttled`, `opted_out`,
`out_of_scope`), `raito_pipeline.problems` (what could not be read, as a JSON list), `raito_pipeline.read_at` (when the
read began, UTC), `raito_pipeline.run_id` (the Dagster run), `raito_pipeline.sync` (the sync that the run belonged to)
and `raito_pipeline.schema` (the version of its columns). A table in which a later sync found nothing new is not written
again: `_confirmed.json` beside it, or on S3 `_notes/account=....json` for all tables of an account, names that sync.
"""


def render() -> str:
    """The whole page."""
    parts = [_INTRODUCTION, *(_table(spec) for spec in TABLES.values()), *_nested()]
    return "\n".join(parts)


def _table(spec: TableSpec) -> str:
    place = _LAYOUT[spec.partitioned_by].format(table=spec.name)
    facts = [f"Key: `{', '.join(spec.key)}`. Stored at {place}.", *_origin(spec)]
    lines = [f"## {spec.name}", "", spec.description, "", *facts, ""]
    return "\n".join([*lines, *_columns(spec.row_type), ""])


def _origin(spec: TableSpec) -> Iterator[str]:
    """Which layer of a sync makes a table, and of what."""
    yield ""
    made = f"Made by the layer `{spec.layer}` of a sync"
    parts = [f"of {_listed(spec.reads)}"] if spec.reads else []
    parts += [f"read from {_listed(spec.sources)}"] if spec.sources else []
    parts += [f"after {_listed(spec.after)}"] if spec.after else []
    parts += [f"sent to {_listed(spec.sinks)}"] if spec.sinks else []
    yield f"{', '.join([made, *parts])}."
    if spec.remembered_for:
        yield f"The next sync looks at it when it makes `{spec.remembered_for}`."


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _columns(row_type: type) -> Iterator[str]:
    yield "| column | type | null | meaning |"
    yield "| --- | --- | --- | --- |"
    for c in columns(row_type):
        meaning = c.description.replace("|", "\\|")
        yield f"| `{c.name}` | {type_name(c.arrow_type)} | {'yes' if c.nullable else ''} | {meaning} |"


def type_name(arrow_type: pa.DataType) -> str:
    """An Arrow type in short: nested records by their fields."""
    if pa.types.is_list(arrow_type):
        return f"list of {type_name(arrow_type.value_type)}"
    if pa.types.is_struct(arrow_type):
        return "record (" + ", ".join(f"`{arrow_type.field(i).name}`" for i in range(arrow_type.num_fields)) + ")"
    return "timestamp (UTC)" if pa.types.is_timestamp(arrow_type) else str(arrow_type)


def _nested() -> Iterator[str]:
    yield "# Records inside columns\n"
    for record in nested_types():
        yield "\n".join([f"## {record.__name__}", "", " ".join((record.__doc__ or "").split()), ""])
        yield "\n".join([*_columns(record), ""])


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(render(), encoding="utf-8")
