"""Cells that an older version wrote: read as this one has them, or said to be read again; never empty, never wrong."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from raito_pipeline.model import TABLES, S3Bucket
from raito_pipeline.model.schema import IfMissing, arrow_schema, from_batch, schema_version
from raito_pipeline.storage import CellUnusable, Store
from raito_pipeline.storage.footer import UnusableFile
from raito_pipeline.storage.versions import older_columns

from .sample_rows import all_tables, place_of, sample_rows


@dataclass(frozen=True, slots=True)
class OlderPart:
    """A nested record."""

    name: Annotated[str, "its name"]
    size: Annotated[int, "bytes"]
    note: Annotated[str, "a note", IfMissing("none was taken")] = ""


@dataclass(frozen=True, slots=True)
class OlderRow:
    """A row of a table as this version has it."""

    name: Annotated[str, "its name"]
    share: Annotated[float, "a share"]
    region: Annotated[str | None, "its region"]
    count: Annotated[int, "how many", IfMissing(0)]
    tags: Annotated[tuple[str, ...], "its tags", IfMissing(("older",))]
    owner: Annotated[str | None, "whose it is", IfMissing(None)]
    parts: Annotated[tuple[OlderPart, ...], "its parts", IfMissing(())]


def footer(table: pa.Table) -> pq.FileMetaData:
    written = pa.BufferOutputStream()
    pq.write_table(table, written)
    return pq.read_metadata(pa.BufferReader(written.getvalue()))


def read(table: pa.Table) -> tuple[str, list[OlderRow]]:
    """What is said of a file, and its rows as this version has them."""
    older = older_columns(footer(table), OlderRow)
    assert older is not None
    batches = table.select(list(older.names)).to_batches()
    return older.said, [row for batch in batches for row in from_batch(OlderRow, older.read(batch))]


PARTS = [[{"name": "a", "size": 1, "note": "n"}], []]
NOW = pa.table(
    {
        "name": ["one", "two"], "share": [0.5, 1.0], "region": ["r", None], "count": [1, 2], "tags": [["t"], []],
        "owner": ["o", None], "parts": PARTS,
    },
    schema=arrow_schema(OlderRow),
)  # fmt: skip
ROWS = [
    OlderRow("one", 0.5, "r", 1, ("t",), "o", (OlderPart("a", 1, "n"),)),
    OlderRow("two", 1.0, None, 2, (), None, ()),
]


def records(**members: pa.DataType) -> pa.DataType:
    return pa.list_(pa.struct([pa.field(name, kind, nullable=False) for name, kind in members.items()]))


def with_column(name: str, values: Any, nullable: bool = True) -> pa.Table:
    array = pa.array(values) if not isinstance(values, pa.Array) else values
    at = NOW.schema.get_field_index(name)
    return NOW.set_column(at, pa.field(name, array.type, nullable), array)


def test_a_file_of_this_version_is_read_as_it_is() -> None:
    assert older_columns(footer(NOW), OlderRow) is None


def test_columns_that_came_later_have_their_defaults_and_those_that_are_gone_are_left_out() -> None:
    older = NOW.drop_columns(["count", "tags", "owner", "parts"]).append_column("old", pa.array([1, 2]))

    said, rows = read(older)

    assert rows == [OlderRow(r.name, r.share, r.region, 0, ("older",), None, ()) for r in ROWS]
    assert "without column count, tags, owner, parts, which is given its default" in said
    assert "with column old, which is left out" in said


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("count", pa.array([1, 2], pa.int32())),
        ("name", pa.array(["one", "two"], pa.large_string())),
        ("parts", pa.array(PARTS, records(name=pa.string(), size=pa.int16(), note=pa.string()))),
    ],
)
def test_a_type_that_was_narrower_is_widened(name: str, values: pa.Array) -> None:
    said, rows = read(with_column(name, values, nullable=False))

    assert rows == ROWS
    assert said == f"with another type of column {name}, which is widened"


def test_whole_numbers_become_fractions_and_another_order_is_put_right() -> None:
    _, rows = read(with_column("share", [1, 2], nullable=False))
    assert [row.share for row in rows] == [1.0, 2.0]
    said, rows = read(NOW.select(list(reversed(NOW.column_names))))
    assert rows == ROWS
    assert said == "with columns in another order"


def test_null_where_there_is_none_any_more_is_the_default_that_is_declared() -> None:
    _, rows = read(with_column("count", [None, 7]))
    assert [row.count for row in rows] == [0, 7]


def test_a_member_that_a_nested_record_lacks_has_its_default() -> None:
    shorter = [[{"name": "a", "size": 1}], []]
    kind = records(name=pa.string(), size=pa.int64())
    _, rows = read(with_column("parts", pa.array(shorter, kind), nullable=False))
    assert rows[0].parts == (OlderPart("a", 1, "none was taken"),)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda: NOW.drop_columns(["name"]), "without column name"),
        (lambda: NOW.drop_columns(["region"]), "without column region"),  # null may be true there, or not
        (lambda: with_column("name", [1, 2], nullable=False), "with another type of column name"),
        (lambda: with_column("name", ["one", None]), "with another type of column name"),
        (lambda: with_column("count", [1.5, 2.0], nullable=False), "with another type of column count"),
        (lambda: with_column("tags", ["t", "u"], nullable=False), "with another type of column tags"),
        (
            lambda: with_column("parts", pa.array([[{"name": "a"}], []], records(name=pa.string())), nullable=False),
            "without size in column parts",
        ),
    ],
)
def test_what_cannot_be_read_right_is_not_read(change: Callable[[], pa.Table], problem: str) -> None:
    with pytest.raises(UnusableFile, match=f"another version of the project wrote it, .*{problem}"):
        older_columns(footer(change()), OlderRow)


# -- whole cells -----------------------------------------------------------------------------------------------------

_NEWER = ("schema", "content", "digest")


def as_of_before(path: Path, change: Callable[[pa.Table], pa.Table] = lambda table: table) -> None:
    """The file as the version before columns were noted wrote it."""
    noted = pq.read_metadata(path).metadata
    kept = {
        key: value
        for key, value in noted.items()
        if key.startswith(b"raito_pipeline.") and key.decode().partition(".")[2] not in _NEWER
    }
    pq.write_table(change(pq.read_table(path, partitioning=None)).replace_schema_metadata(kept), path)


@pytest.mark.parametrize("table", all_tables())
def test_a_cell_of_the_version_before_is_read_and_the_next_write_notes_its_columns(table: str, tmp_path: Path) -> None:
    store, spec = Store.open(tmp_path, "run-1", "sync-1"), TABLES[table]
    place, rows = place_of(spec), sample_rows(spec.row_type, 5)
    path = Path(store.write(table, rows, *place).uri)
    as_of_before(path)

    info = store.info(table, *place)

    assert info is not None
    assert (info.schema, info.sync, info.rows) == ("", "sync-1", 5)
    assert list(store.rows(spec.row_type, *place, table=table)) == rows
    assert store.write(table, rows, *place).schema == schema_version(spec.row_type)


@pytest.mark.parametrize("table", all_tables())
def test_a_cell_with_a_column_that_is_gone_and_others_in_another_order_reads_the_same_everywhere(
    table: str, tmp_path: Path
) -> None:
    said: list[str] = []
    store, spec = replace(Store.open(tmp_path, "run-1", "sync-1"), warn=said.append), TABLES[table]
    place, rows = place_of(spec), sample_rows(spec.row_type, 5)
    path = Path(store.write(table, rows, *place).uri)
    key, whole = spec.key[0], store.dataset(table, *place).to_table()
    first = whole.column(key)[0]
    smallest = pc.min(whole.column(key)).as_py()  # type: ignore[attr-defined]  # made when pyarrow is imported
    as_of_before(path, lambda t: t.select(t.column_names[::-1]).append_column("gone", pa.array(["x"] * len(t))))

    for _ in range(2):
        assert list(store.rows(spec.row_type, *place, table=table)) == rows
    assert [line.count("with column gone, which is left out") for line in said] == [1]
    dataset = store.dataset(table, *place)
    assert dataset.to_table().equals(whole)
    assert dataset.to_table([key], {key: [first.as_py()]}).num_rows >= 1
    assert dataset.head(2).equals(whole.slice(0, 2))
    assert store.smallest(table, key, *place) == smallest

    confirmed = Store.open(tmp_path, "run-2", "sync-2").confirm(table, *place)

    assert (confirmed.sync, confirmed.schema) == ("sync-2", schema_version(spec.row_type))
    assert confirmed.upgrades is not None
    assert "with column gone" in confirmed.upgrades
    assert pq.read_schema(path).names == [field.name for field in arrow_schema(spec.row_type)]
    assert list(store.rows(spec.row_type, *place, table=table)) == rows


def test_a_cell_that_lacks_what_has_no_default_is_read_again_and_not_taken_for_empty(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    path = Path(store.write("s3_buckets", sample_rows(S3Bucket, 5), "1").uri)
    as_of_before(path, lambda table: table.drop_columns(["region"]))

    with pytest.raises(CellUnusable, match=r"without column region. It counts as never read; the next sync reads it"):
        list(store.rows(S3Bucket, "1"))
    again = store.write("s3_buckets", sample_rows(S3Bucket, 5), "1")
    assert again.replaces is not None
    assert "without column region" in again.replaces
