"""A part of the data objects, as Raito Cloud asks for it: what lies below one, less what is excluded."""

import pytest

from raito_pipeline.aws.data_objects.glue import glue_objects
from raito_pipeline.aws.data_objects.subtree import NoSubtree, Subtree
from raito_pipeline.model import DataObject
from raito_pipeline.model.glue import GlueColumn, GlueTable

TOP = "111122223333:eu-west-1:sales"
PART = Subtree.of(f"{TOP}/2026", [f"{TOP}/2026/draft", " ", f"{TOP}/2026/a.csv"])


@pytest.mark.parametrize(
    ("name", "inside"),
    [
        (f"{TOP}/2026/b.csv", True),
        (f"{TOP}/2026/m/c.csv", True),
        (f"{TOP}:file/2026/b.csv", True),  # a file beside a folder of its path
        (f"{TOP}/2026", False),  # itself
        (f"{TOP}/20261/b.csv", False),
        (f"{TOP}/2026/draft", False),
        (f"{TOP}/2026/draft/x.csv", False),
        (f"{TOP}/2026/drafts", True),
        (f"{TOP}/2026/a.csv", False),
        (f"{TOP}2/2026/b.csv", False),
        ("111122223333:us-east-1:sales/2026/b.csv", False),
        ("999988887777:eu-west-1:sales/2026/b.csv", False),
        (TOP, False),
        ("111122223333", False),
    ],
)
def test_what_is_in_it(name: str, inside: bool) -> None:
    assert PART.contains(name) is inside


@pytest.mark.parametrize(("name", "above"), [
    (TOP, True), (f"{TOP}/2026", True), (f"{TOP}/2026/b.csv", False), (f"{TOP}/2027", False), (f"{TOP}2", False),
    (f"{TOP}:db.root", False),
])  # fmt: skip
def test_what_it_lies_in(name: str, above: bool) -> None:
    assert PART.lies_in(name) is above


def test_below_a_bucket_is_everything_in_it_and_not_the_bucket() -> None:
    bucket = Subtree.of(TOP)

    assert bucket.contains(f"{TOP}/a")
    assert not bucket.contains(TOP)


def _table(name: str, path: str, created: int) -> GlueTable:
    columns = (GlueColumn("id", "int"), GlueColumn("b", "int"))
    return GlueTable("db", name, f"s3://sales{path}", columns=columns, created=created)


# The oldest is `TOP/a/b`, and `TOP/c`; the others have marks: `TOP:db.root`, `TOP:db.above/a`, `TOP:db.twin/c`.
_TABLES = [_table("old", "/a/b", 1), _table("c", "/c", 1), _table("root", "", 2), _table("above", "/a", 2)]
CATALOG, _ = glue_objects([*_TABLES, _table("twin", "/c", 2)], "111122223333", "eu-west-1", ())
ROWS = {row.full_name: row for row in CATALOG}


def _is_below(row: DataObject, above: str) -> bool:
    parent = ROWS.get(row.parent_full_name)
    return parent is not None and (parent.full_name == above or _is_below(parent, above))


def _in(subtree: Subtree) -> set[str]:
    return {row.full_name for row in CATALOG if subtree.holds(row)}


@pytest.mark.parametrize("parent", [TOP, f"{TOP}/a", f"{TOP}/a/b", *(n for n in ROWS if n.startswith(f"{TOP}:"))])
def test_what_is_below_a_part_of_a_catalog_is_there_with_its_columns(parent: str) -> None:
    assert {":db.root", ":db.above/a", ":db.twin/c", "/c/id"} <= {name.removeprefix(TOP) for name in ROWS}

    assert _in(Subtree.of(parent)) == {name for name, row in ROWS.items() if _is_below(row, parent)}


@pytest.mark.parametrize("out", [n for n, row in ROWS.items() if row.type in ("folder", "glue-table") and n != TOP])
def test_what_is_excluded_of_a_catalog_goes_with_its_columns_and_nothing_else_does(out: str) -> None:
    beside = {f"{TOP}:db.twin/c{name}" for name in ("", "/id", "/b")} if out == f"{TOP}/c" else set()
    gone = {out, *beside, *(name for name, row in ROWS.items() if _is_below(row, out))}

    assert _in(Subtree.of(TOP, [out])) == ROWS.keys() - gone - {TOP}


def test_a_run_carries_it_as_tags_which_are_read_back() -> None:
    assert Subtree.from_tags(PART.tags()) == PART
    assert Subtree.from_tags({}) is None
    assert PART.excluded_paths == ("2026/draft", "2026/a.csv")


@pytest.mark.parametrize("name", ["", "sales", "111122223333:eu-west-1", "111122223333:eu-west-1:/x"])
def test_what_is_no_full_name_is_refused_with_the_form_of_one(name: str) -> None:
    with pytest.raises(NoSubtree, match="ACCOUNT:REGION:BUCKET"):
        Subtree.of(name)
    with pytest.raises(NoSubtree):
        Subtree.of(TOP, [name or "x"])
