"""Usage statements: each element as recorded from a real client, in files below the limit."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from raito_pipeline.model import AccessedObject, DataObjectReference, UsageStatement
from raito_pipeline.model.schema import to_batch
from raito_pipeline.raito.files.usage import usage_elements, write_usage

from .reading import ACCOUNT, read


def statement(number: int, **changes: Any) -> UsageStatement:
    values: dict[str, Any] = {
        "external_id": f"00000000-0000-0000-0001-{number:012d}",
        "file_key": "k",
        "accessed": (
            AccessedObject(DataObjectReference(f"{ACCOUNT}:eu-central-1:data-02/a.parquet", "file"), ("s3:GetObject",)),
        ),
        "global_permission": "read",
        "user": "user0000",
        "role": None,
        "success": True,
        "status": None,
        "error": None,
        "start_time": 1795468319,
        "bytes": 1234,
    }
    return UsageStatement(**{**values, **changes})


def batch(*rows: UsageStatement) -> pa.RecordBatch:
    return to_batch(UsageStatement, rows)


def elements(*rows: UsageStatement) -> list[dict[str, Any]]:
    return [json.loads(text) for text in usage_elements(batch(*rows)).to_pylist()]


def test_a_statement_as_recorded() -> None:
    (text,) = usage_elements(batch(statement(0))).to_pylist()
    assert json.loads(text) == {
        "externalId": "00000000-0000-0000-0001-000000000000",
        "accessedDataObjects": [
            {
                "permissions": ["s3:GetObject"],
                "globalPermission": "read",
                "dataObject": {"fullName": f"{ACCOUNT}:eu-central-1:data-02/a.parquet", "type": "file"},
            }
        ],
        "user": "user0000",
        "success": True,
        "query": "",
        "startTime": 1795468319,
        "bytes": 1234,
    }
    assert list(json.loads(text))[:3] == ["externalId", "accessedDataObjects", "user"]


def test_a_failed_statement_says_why() -> None:
    (element,) = elements(statement(1, success=False, status="AccessDenied", error="no", role="reader"))
    assert [element[name] for name in ("success", "status", "error", "role")] == [False, "AccessDenied", "no", "reader"]


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
ITEM = st.builds(
    AccessedObject,
    st.builds(DataObjectReference, TEXT, TEXT),
    st.lists(TEXT, min_size=1, max_size=3).map(tuple),
    st.none() | st.sampled_from(["read", "write", "admin"]),
)
STATEMENT = st.builds(
    UsageStatement,
    external_id=TEXT,
    file_key=TEXT,
    accessed=st.lists(ITEM, max_size=3).map(tuple),
    global_permission=st.sampled_from(["read", "write", "admin"]),
    user=TEXT,
    role=st.none() | TEXT,
    success=st.booleans(),
    status=st.none() | TEXT,
    error=st.none() | TEXT,
    start_time=st.integers(0, 2**40),
    bytes=st.integers(0, 2**60),
)


@given(st.lists(STATEMENT, max_size=4), st.integers(0, 3))
def test_any_text_arrives_as_it_is_and_what_is_empty_is_left_out(rows: list[UsageStatement], first: int) -> None:
    found = [json.loads(text) for text in usage_elements(batch(*rows).slice(first)).to_pylist()]
    for element, row in zip(found, rows[first:], strict=True):
        assert (element["externalId"], element["user"]) == (row.external_id, row.user)
        assert (element["success"], element["bytes"]) == (row.success, row.bytes)
        for name, value in (
            ("role", row.role), ("status", row.status), ("error", row.error), ("startTime", row.start_time)
        ):  # fmt: skip
            assert element.get(name) == (value or None)
        assert [
            (item["dataObject"]["fullName"], item["dataObject"]["type"], tuple(item["permissions"]))
            for item in element["accessedDataObjects"]
        ] == [(item.data_object.full_name, item.data_object.type, item.permissions) for item in row.accessed]
        assert [item["globalPermission"] for item in element["accessedDataObjects"]] == [
            item.global_permission or row.global_permission for item in row.accessed
        ]


@pytest.mark.parametrize("size", [1, 7, 40])
@pytest.mark.parametrize("limit", [1, 300, 1000, 2500, 10_000_000])
def test_usage_files_stay_below_the_limit(tmp_path: Path, limit: int, size: int) -> None:
    rows = [statement(number) for number in range(40)]
    files = write_usage(tmp_path, [batch(*rows[at : at + size]) for at in range(0, 40, size)], limit)
    found = [element["externalId"] for file in files for element in read(file)]
    assert found == [row.external_id for row in rows]
    assert all(file.bytes <= limit or file.elements == 1 for file in files)
    assert len({file.path for file in files}) == len(files)
    # None could have taken the first statement of the next one.
    one = files[0].bytes // files[0].elements
    assert all(file.bytes + one + 2 > limit for file in files[:-1])


def test_no_statements_no_file(tmp_path: Path) -> None:
    assert write_usage(tmp_path, [], 1000) == ()
    assert list(tmp_path.iterdir()) == []


def test_a_usage_file_that_broke_off_is_removed(tmp_path: Path) -> None:
    def broken() -> Iterable[pa.RecordBatch]:
        yield batch(statement(1))
        raise RuntimeError("the reading broke off")

    with pytest.raises(RuntimeError):
        write_usage(tmp_path, broken(), 10_000)
    assert list(tmp_path.iterdir()) == []
