"""Data objects: each element as recorded from a real client, whole files byte by byte, memory bounded."""

import json
import subprocess
import sys
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raito_pipeline.model import (
    DataObject,
    Tag,
)
from raito_pipeline.model.schema import to_batch
from raito_pipeline.raito.files.data_objects import data_object_elements, write_data_objects
from raito_pipeline.storage import CellMissing, Store

from .reading import ACCOUNT, read


def data_object(
    full_name: str,
    kind: str,
    tags: tuple[Tag, ...] | None = None,
    description: str = "",
    data_type: str | None = None,
) -> DataObject:
    parent = full_name.rpartition("/")[0] or ACCOUNT
    name = full_name.rpartition("/")[2] if "/" in full_name else full_name.split(":")[-1]
    return DataObject(full_name, name, kind, parent, description, data_type, tags)


def test_data_objects_as_recorded(tmp_path: Path) -> None:
    bucket = f"{ACCOUNT}:eu-central-1:data-00"
    store = Store.open(tmp_path / "store")
    rows = [
        data_object(bucket, "bucket"),
        data_object(f"{bucket}/lvl0-0", "folder"),
        data_object(f"{bucket}/lvl0-0/t000", "glue-table", (Tag("owner", "x"),), "table 0"),
        data_object(f"{bucket}/lvl0-0/t000/a", "column", (), "", "int"),
        data_object(f"{bucket}/lvl0-0/object.parquet", "file"),
    ]
    store.write("data_objects", rows, ACCOUNT, "eu-central-1")
    file = write_data_objects(tmp_path / "out.json", store, ACCOUNT, ["eu-central-1"], ACCOUNT, owner_key="owner")
    common = {"description": "", "tags": None}
    assert read(file) == [
        {
            "externalId": ACCOUNT,
            "name": ACCOUNT,
            "fullName": ACCOUNT,
            "type": "datasource",
            "description": "DataSource for AWS account 111122223333",
            "parentExternalId": "",
            "tags": None,
        },
        {
            **common,
            "externalId": bucket,
            "name": "data-00",
            "fullName": bucket,
            "type": "bucket",
            "parentExternalId": ACCOUNT,
        },
        {
            **common,
            "externalId": f"{bucket}/lvl0-0",
            "name": "lvl0-0",
            "fullName": f"{bucket}/lvl0-0",
            "type": "folder",
            "parentExternalId": bucket,
        },
        {
            "externalId": f"{bucket}/lvl0-0/t000",
            "name": "t000",
            "fullName": f"{bucket}/lvl0-0/t000",
            "type": "glue-table",
            "description": "table 0",
            "parentExternalId": f"{bucket}/lvl0-0",
            "tags": [
                {"key": "owner", "value": "x", "source": "aws-s3"},
                {"key": "raito_owner", "value": "x", "source": "aws-s3"},
            ],
        },
        {
            "externalId": f"{bucket}/lvl0-0/t000/a",
            "name": "a",
            "fullName": f"{bucket}/lvl0-0/t000/a",
            "type": "column",
            "description": "",
            "parentExternalId": f"{bucket}/lvl0-0/t000",
            "tags": [],
            "dataType": "int",
        },
        {
            **common,
            "externalId": f"{bucket}/lvl0-0/object.parquet",
            "name": "object.parquet",
            "fullName": f"{bucket}/lvl0-0/object.parquet",
            "type": "file",
            "parentExternalId": f"{bucket}/lvl0-0",
        },
    ]


texts = st.text(max_size=20)
tag_lists = st.none() | st.lists(st.builds(Tag, texts, texts), max_size=3).map(tuple)
rows_of_any_kind = st.lists(
    st.builds(DataObject, texts, texts, texts, texts, texts, st.none() | texts, tag_lists), max_size=8
)


@given(rows_of_any_kind, st.integers(0, 3))
def test_any_row_becomes_the_json_that_says_the_same(rows: list[DataObject], skipped: int) -> None:
    batch = to_batch(DataObject, rows).slice(skipped)
    found = json.loads(b"[" + bytes(data_object_elements(batch)) + b"]")
    assert found == [expected_data_object(row) for row in rows[skipped:]]


def expected_data_object(row: DataObject) -> dict[str, Any]:
    tags = None if row.tags is None else [{"key": t.key, "value": t.value, "source": "aws-s3"} for t in row.tags]
    element: dict[str, Any] = {
        "externalId": row.full_name,
        "name": row.name,
        "fullName": row.full_name,
        "type": row.type,
        "description": row.description,
        "parentExternalId": row.parent_full_name,
        "tags": tags,
    }
    return element if row.data_type is None else {**element, "dataType": row.data_type}


def stored(tmp_path: Path, cells: dict[str, list[DataObject]]) -> Store:
    store = Store.open(tmp_path / "store")
    for region, rows in cells.items():
        store.write("data_objects", rows, ACCOUNT, region)
    return store


def assert_parents_come_first(elements: Iterable[dict[str, Any]]) -> None:
    seen = {""}
    for element in elements:
        assert element["parentExternalId"] in seen, element
        assert element["externalId"] not in seen, element
        seen.add(element["externalId"])


def test_regions_that_name_the_same_bucket_are_merged(tmp_path: Path) -> None:
    shared, own = f"{ACCOUNT}:eu-west-1:lake", f"{ACCOUNT}:us-east-1:own"
    store = stored(
        tmp_path,
        {
            "eu-west-1": [
                data_object(shared, "bucket", (Tag("team", "a"),)),
                data_object(f"{shared}/sales", "folder"),
                data_object(f"{shared}/sales/eu", "glue-table"),
                data_object(f"{shared}/sales/eu/id", "column", None, "", "int"),
                data_object(f"{ACCOUNT}:eu-west-1:lake2", "bucket"),
            ],
            "us-east-1": [
                data_object(shared, "bucket"),
                data_object(f"{shared}/sales", "glue-table", None, "all sales"),
                data_object(f"{shared}/sales/id", "column", None, "", "int"),
                data_object(f"{shared}/sales/eu", "folder"),
                data_object(f"{shared}/sales/eu/deep", "glue-table"),
                data_object(own, "bucket"),
                data_object(f"{own}/t", "glue-table"),
            ],
        },
    )
    elements = read(write_data_objects(tmp_path / "x.json", store, ACCOUNT, ["eu-west-1", "us-east-1"], ACCOUNT))
    assert_parents_come_first(elements)
    kinds = {element["externalId"].removeprefix(f"{ACCOUNT}:"): element["type"] for element in elements}
    assert kinds == {
        ACCOUNT: "datasource",
        "eu-west-1:lake": "bucket",
        "eu-west-1:lake/sales": "glue-table",
        "eu-west-1:lake/sales/id": "column",
        "eu-west-1:lake/sales/eu": "glue-table",
        "eu-west-1:lake/sales/eu/id": "column",
        "eu-west-1:lake/sales/eu/deep": "glue-table",
        "eu-west-1:lake2": "bucket",
        "us-east-1:own": "bucket",
        "us-east-1:own/t": "glue-table",
    }
    assert next(e for e in elements if e["externalId"] == shared)["tags"] is not None


def test_a_table_of_two_catalogs_that_does_not_have_the_name_of_its_location_is_there_once(tmp_path: Path) -> None:
    lake = f"{ACCOUNT}:eu-west-1:lake"
    marked = [data_object(f"{lake}:db.t", "glue-table"), data_object(f"{lake}:db.t/id", "column", None, "", "int")]
    marked += [data_object(f"{lake}:db.u/a/b", "glue-table"), data_object(f"{lake}:db.u/a/b/id", "column")]
    rows = [data_object(lake, "bucket"), data_object(f"{lake}/a", "glue-table"), *marked]
    store = stored(tmp_path, {"eu-west-1": rows, "us-east-1": rows})
    elements = read(write_data_objects(tmp_path / "x.json", store, ACCOUNT, ["eu-west-1", "us-east-1"], ACCOUNT))
    assert [element["externalId"] for element in elements] == [ACCOUNT, *(row.full_name for row in rows)]


def test_a_missing_cell_is_an_error_and_leaves_no_file(tmp_path: Path) -> None:
    store = stored(tmp_path, {"eu-west-1": []})
    with pytest.raises(CellMissing, match="us-east-1"):
        write_data_objects(tmp_path / "x.json", store, ACCOUNT, ["eu-west-1", "us-east-1"], ACCOUNT)
    assert not (tmp_path / "x.json").exists()


def test_equal_rows_give_equal_bytes_whatever_their_batches(tmp_path: Path) -> None:
    bucket = f"{ACCOUNT}:eu-west-1:b"
    rows = [data_object(bucket, "bucket"), *(data_object(f"{bucket}/é{n}", "file") for n in range(1000))]
    written = []
    for size in (1, 7, 2000):
        store = Store.open(tmp_path / f"store-{size}")
        with store.writer("data_objects", ACCOUNT, "eu-west-1") as writer:
            for start in range(0, len(rows), size * 50):
                writer.write_batch(to_batch(DataObject, rows[start : start + size * 50]))
        written.append(write_data_objects(tmp_path / f"{size}.json", store, ACCOUNT, ["eu-west-1"], ACCOUNT))
    assert len({file.sha256 for file in written}) == 1
    assert written[0].path.read_bytes() == written[2].path.read_bytes()
    assert written[0].elements == 1002


MEMORY = """
    import sys
    from pathlib import Path
    from raito_pipeline.raito.files.data_objects import write_data_objects
    from raito_pipeline.storage import Store
    folder = Path(sys.argv[1])
    file = write_data_objects(folder / "out.json", Store.open(folder), "111122223333", ["eu-west-1"], "111122223333")
    # Not `ru_maxrss`: a new process takes that over from the one that started it.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
    print(int(status["VmHWM"].split()[0]) // 1024, file.elements)
"""


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="the peak of a process is read from /proc")
def test_memory_does_not_grow_with_the_account(tmp_path: Path) -> None:
    """The peak of a process of its own, so that nothing else is in it: 100,000 rows against 10,000."""
    peaks = {}
    for count in (10_000, 100_000):
        folder = tmp_path / str(count)
        store = Store.open(folder)
        bucket = f"{ACCOUNT}:eu-west-1:big"
        with store.writer("data_objects", ACCOUNT, "eu-west-1") as writer:
            writer.write_rows([data_object(bucket, "bucket")])
            for start in range(0, count, 10_000):
                writer.write_rows(
                    data_object(f"{bucket}/object-{start + n:09d}.parquet", "file") for n in range(10_000)
                )
        command = [sys.executable, "-c", textwrap.dedent(MEMORY), str(folder)]
        answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        assert int(answer[1]) == count + 2
        peaks[count] = int(answer[0])
    assert peaks[100_000] < 400
    assert peaks[100_000] < peaks[10_000] + 30
