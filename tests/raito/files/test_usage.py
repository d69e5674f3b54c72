"""Usage statements: each element as recorded from a real client, in files below the limit."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from raito_pipeline.model import (
    DataObjectReference,
    UsageStatement,
    WhatItem,
)
from raito_pipeline.raito.files import (
    usage_element,
    write_usage,
)

from .reading import ACCOUNT, read


def statement(number: int, **changes: Any) -> UsageStatement:
    values: dict[str, Any] = {
        "external_id": f"00000000-0000-0000-0001-{number:012d}",
        "file_key": "k",
        "accessed": (
            WhatItem(DataObjectReference(f"{ACCOUNT}:eu-central-1:data-02/a.parquet", "file"), ("s3:GetObject",)),
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


def test_a_statement_as_recorded() -> None:
    assert usage_element(statement(0)) == {
        "externalId": "00000000-0000-0000-0001-000000000000",
        "accessedDataObjects": [
            {
                "permissions": ("s3:GetObject",),
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


def test_a_failed_statement_says_why() -> None:
    element = usage_element(statement(1, success=False, status="AccessDenied", error="no", role="reader"))
    assert [element[name] for name in ("success", "status", "error", "role")] == [False, "AccessDenied", "no", "reader"]


@pytest.mark.parametrize("limit", [1, 300, 1000, 2500, 10_000_000])
def test_usage_files_stay_below_the_limit(tmp_path: Path, limit: int) -> None:
    rows = [statement(number) for number in range(40)]
    files = write_usage(tmp_path, rows, limit)
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
    def broken() -> Iterable[UsageStatement]:
        yield statement(1)
        raise RuntimeError("the reading broke off")

    with pytest.raises(RuntimeError):
        write_usage(tmp_path, broken(), 10_000)
    assert list(tmp_path.iterdir()) == []
