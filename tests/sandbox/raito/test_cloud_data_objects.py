"""Import of data sources: the tree of data objects, compared with what is known."""

import json
import uuid
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from raito_pipeline.sandbox.raito.reading import CHUNK
from raito_pipeline.sandbox.raito.server import LocalRaitoCloud

from .wire import ACCOUNT, BUCKET, Wire, data_object, data_source_object, metadata, small_tree


def counted(result: dict[str, Any], added: int = 0, updated: int = 0, removed: int = 0) -> bool:
    found = [result[f"dataObjects{what}"] for what in ("Added", "Updated", "Removed")]
    return found == [added, updated, removed]


def names(wire: Wire, source: str) -> list[str]:
    found = wire.ask(f'{{ dataObjects(dataSource: "{source}", limit: 10000) {{ items {{ fullName }} }} }}')
    return [item["fullName"] for item in found["items"]]


def test_a_tree_arrives(wire: Wire, source: str) -> None:
    tree = small_tree()
    tree[1]["tags"] = [{"key": "owner", "value": "x", "source": "aws-s3"}]

    result = wire.result("data-objects", source, tree)

    assert counted(result, added=5)
    assert result["warnings"] == []
    assert wire.counts()["dataSources"][source]["dataObjects"] == {
        "bucket": 1,
        "datasource": 1,
        "file": 2,
        "folder": 1,
    }
    found = wire.ask(
        f'{{ dataObjects(dataSource: "{source}", type: "bucket") {{ total items {{ externalId name fullName type'
        " description parentExternalId dataType tags { key value source } } } }"
    )
    assert found["items"] == [{**tree[1], "dataType": None}]


def test_columns_keep_their_data_type(wire: Wire, cloud: LocalRaitoCloud, source: str) -> None:
    content = metadata()
    content["dataObjectTypes"] += [{"name": "glue-table", "type": "table"}, {"name": "column"}]
    cloud.catalog.set_data_source_metadata(source, content)
    table = f"{BUCKET}/t"
    tree = [
        *small_tree()[:2],
        data_object(table, "glue-table", BUCKET, description="table 0"),
        data_object(f"{table}/a", "column", table, dataType="int"),
    ]

    assert counted(wire.result("data-objects", source, tree), added=4)
    found = wire.ask(f'{{ dataObjects(dataSource: "{source}", type: "column") {{ items {{ dataType fullName }} }} }}')
    assert found["items"] == [{"dataType": "int", "fullName": f"{table}/a"}]


def test_the_same_again_changes_nothing(wire: Wire, source: str) -> None:
    wire.result("data-objects", source, small_tree())

    assert counted(wire.result("data-objects", source, small_tree()))


CHANGES = [
    ("a description", {"description": "new"}, 1),
    ("a tag", {"tags": [{"key": "a", "value": "b", "source": "aws-s3"}]}, 1),
    ("a data type", {"dataType": "int"}, 1),
    ("another parent", {"parentExternalId": BUCKET}, 1),
    ("another type", {"type": "folder"}, 1),
    ("another full name", {"fullName": "other"}, 1),
    ("an empty list of tags", {"tags": []}, 0),
]


@pytest.mark.parametrize(("change", "updated"), [case[1:] for case in CHANGES], ids=[case[0] for case in CHANGES])
def test_a_change_counts_as_an_update(wire: Wire, source: str, change: dict[str, Any], updated: int) -> None:
    wire.result("data-objects", source, small_tree())
    tree = small_tree()
    tree[4].update(change)

    assert counted(wire.result("data-objects", source, tree), updated=updated)
    assert counted(wire.result("data-objects", source, tree))


def test_what_the_file_lacks_is_removed(wire: Wire, source: str) -> None:
    wire.result("data-objects", source, small_tree())

    assert counted(wire.result("data-objects", source, small_tree()[:2], deleteUntouched=True), removed=3)
    assert names(wire, source) == [ACCOUNT, BUCKET]


def test_a_partial_file_removes_nothing_and_builds_on_what_is_known(wire: Wire, source: str) -> None:
    wire.result("data-objects", source, small_tree())
    subtree = [data_object(f"{BUCKET}/a/three.csv", "file", f"{BUCKET}/a")]

    result = wire.result("data-objects", source, subtree, deleteUntouched=False)

    assert counted(result, added=1)
    assert result["warnings"] == []
    assert len(names(wire, source)) == 6


def test_other_data_sources_are_not_touched(wire: Wire, cloud: LocalRaitoCloud, source: str) -> None:
    other = cloud.catalog.create_data_source("Another account")
    cloud.catalog.set_data_source_metadata(other, metadata())
    wire.result("data-objects", source, small_tree())
    wire.result("data-objects", other, small_tree())

    wire.result("data-objects", other, [data_source_object()])

    assert len(names(wire, source)) == 5
    assert len(names(wire, other)) == 1


FIRST = [
    ("nothing", [], "an empty file"),
    ("a bucket", [data_object(BUCKET, "bucket", "")], f"{BUCKET} of type bucket"),
    ("a data source with a parent", [data_object(ACCOUNT, "datasource", "x")], f"{ACCOUNT} of type datasource"),
]


@pytest.mark.parametrize(("content", "found"), [case[1:] for case in FIRST], ids=[case[0] for case in FIRST])
def test_a_whole_file_begins_with_the_data_source(wire: Wire, source: str, content: list[Any], found: str) -> None:
    wire.result("data-objects", source, small_tree())

    failed = wire.imported("data-objects", source, content)

    assert failed["status"] == "FAILED"
    assert failed["errors"] == [
        f"the first data object has to be the data source (type datasource, no parent), found {found}"
    ]
    assert len(names(wire, source)) == 5


def test_what_has_no_parent_before_it_is_left_out_with_all_below(wire: Wire, source: str) -> None:
    tree = small_tree()
    folder = tree.pop(2)
    tree.append(folder)

    result = wire.result("data-objects", source, tree)

    assert counted(result, added=3)
    assert sorted(names(wire, source)) == [ACCOUNT, BUCKET, f"{BUCKET}/a"]
    assert len(result["warnings"]) == 2


def test_orphans_of_orphans(wire: Wire, source: str) -> None:
    tree = [data_source_object(), *small_tree()[2:]]

    result = wire.result("data-objects", source, tree)

    assert counted(result, added=1)
    assert len(result["warnings"]) == 3


def test_nothing_is_its_own_parent(wire: Wire, source: str) -> None:
    result = wire.result("data-objects", source, [data_source_object(), data_object(BUCKET, "bucket", BUCKET)])

    assert counted(result, added=1)


def test_unknown_types_are_left_out_with_all_below(wire: Wire, source: str) -> None:
    tree = small_tree()
    tree[2]["type"] = "directory"

    result = wire.result("data-objects", source, tree)

    assert counted(result, added=2)
    assert result["warnings"][0] == "1 data objects of the unknown type 'directory' were left out"


def test_an_element_that_stands_there_twice_counts_once(wire: Wire, source: str) -> None:
    tree = [*small_tree(), data_object(BUCKET, "folder", ACCOUNT)]

    result = wire.result("data-objects", source, tree)

    assert counted(result, added=5)
    assert result["warnings"] == [f"data object {BUCKET} stands in the file twice; the first one counts"]


def test_many_warnings_are_cut_short_but_counted(wire: Wire, source: str) -> None:
    tree = [data_source_object(), *(data_object(f"x{number}", "bucket", "nowhere") for number in range(100))]

    result = wire.result("data-objects", source, tree)

    assert len(result["warnings"]) == 21
    assert result["warnings"][-1] == "80 more data objects without their parent were left out"


HALF_GOOD: list[tuple[str, list[Any], str]] = [
    ("no external id", [{"name": "x"}], "data source file, element 6: Object missing required field `externalId`"),
    (
        "a list for a name",
        [{**data_object("x", "bucket", ACCOUNT), "name": []}],
        "element 6: Expected `str`, got `array`",
    ),
    ("tags of another shape", [data_object("x", "bucket", ACCOUNT, tags={"a": "b"})], "element 6"),
    ("an empty full name", [data_object("x", "bucket", ACCOUNT, fullName="")], "lacks externalId, fullName or type"),
    ("a number", [5], "element 6"),
]


@pytest.mark.parametrize(("more", "message"), [case[1:] for case in HALF_GOOD], ids=[case[0] for case in HALF_GOOD])
def test_a_file_with_a_wrong_element_changes_nothing(wire: Wire, source: str, more: list[Any], message: str) -> None:
    wire.result("data-objects", source, [data_source_object()])

    failed = wire.imported("data-objects", source, [*small_tree(), *more])

    assert failed["status"] == "FAILED"
    assert message in failed["errors"][0]
    assert names(wire, source) == [ACCOUNT]


def test_no_more_than_fifty_errors_are_told(wire: Wire, source: str) -> None:
    failed = wire.imported("data-objects", source, [{"name": "x"}] * 200)

    assert len(failed["errors"]) == 50


def test_tags_of_sources_outside_the_scope_stay(wire: Wire, source: str) -> None:
    by_hand, from_aws = ({"key": "k", "value": origin, "source": origin} for origin in ("by-hand", "aws-s3"))
    tree = small_tree()
    tree[1]["tags"] = [by_hand, from_aws]
    wire.result("data-objects", source, tree)

    kept = wire.result("data-objects", source, small_tree(), tagSourcesScope=["aws-s3"])
    gone = wire.result("data-objects", source, small_tree(), tagSourcesScope=["aws-s3", "by-hand"])

    assert counted(kept, updated=1)
    assert counted(gone, updated=1)


def test_without_metadata_types_are_not_checked(wire: Wire, cloud: LocalRaitoCloud) -> None:
    bare = cloud.catalog.create_data_source("Bare")

    result = wire.result("data-objects", bare, small_tree())

    assert counted(result, added=5)
    assert result["warnings"] == ["no metadata is set for this data source; types were not checked"]


def test_searching_data_objects(wire: Wire, source: str) -> None:
    wire.result("data-objects", source, small_tree())

    found = wire.ask(
        f'{{ dataObjects(dataSource: "{source}", search: "one", limit: 1) {{ total next items {{ name }} }} }}'
    )
    below = wire.ask(f'{{ dataObjects(dataSource: "{source}", parent: "{BUCKET}/a") {{ total }} }}')

    assert found == {"total": 1, "next": None, "items": [{"name": "one.csv"}]}
    assert below == {"total": 2}


def test_imports_are_worked_off_in_their_order(wire: Wire, source: str) -> None:
    keys = [wire.upload(json.dumps(tree).encode()) for tree in (small_tree(), small_tree()[:2], small_tree())]

    started = [wire.start("data-objects", source, fileKey=key) for key in keys]

    results = [wire.wait(*one)["result"] for one in started]
    expected = ((5,), (0, 0, 3), (3,))
    assert all(counted(result, *numbers) for result, numbers in zip(results, expected, strict=True))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=st.sets(st.integers(0, 30)), second=st.sets(st.integers(0, 30)), removes=st.booleans())
def test_counts_are_those_of_sets(
    wire: Wire, cloud: LocalRaitoCloud, first: set[int], second: set[int], removes: bool
) -> None:
    source = cloud.catalog.create_data_source(str(uuid.uuid4()))
    cloud.catalog.set_data_source_metadata(source, metadata())

    def tree(numbers: set[int], description: str) -> list[dict[str, Any]]:
        objects = [data_object(f"b{n}", "bucket", ACCOUNT, description=description * (n % 2)) for n in numbers]
        return [data_source_object(), *objects]

    wire.result("data-objects", source, tree(first, "a"))
    result = wire.result("data-objects", source, tree(second, "b"), deleteUntouched=removes)

    changed = {number for number in first & second if number % 2}
    assert counted(result, len(second - first), len(changed), len(first - second) if removes else 0)
    there = second if removes else first | second
    assert wire.counts()["dataSources"][source]["dataObjects"].get("bucket", 0) == len(there)


def test_a_long_file_is_read_in_pieces(wire: Wire, source: str) -> None:
    tree = [*small_tree(), *(data_object(f"{BUCKET}/f{n:05}", "file", BUCKET) for n in range(20_000))]

    assert len(json.dumps(tree)) > 3 * CHUNK
    assert counted(wire.result("data-objects", source, tree), added=20_005)
    assert counted(wire.result("data-objects", source, tree))
