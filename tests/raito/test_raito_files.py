"""The import files: each element as recorded from a real client, whole files byte by byte, memory bounded."""

import hashlib
import json
import subprocess
import sys
import textwrap
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raito_pipeline.config.patterns import NamePattern
from raito_pipeline.model import (
    AccessControl,
    AccessProvider,
    DataObject,
    DataObjectReference,
    IamGroup,
    IamUser,
    OrgGroup,
    OrgUser,
    PushResult,
    Tag,
    UsageStatement,
    WhatItem,
    WhoEntry,
)
from raito_pipeline.model.schema import to_batch
from raito_pipeline.raito.files import (
    JsonArrayWriter,
    access_provider_element,
    data_object_elements,
    usage_element,
    write_access_providers,
    write_account_identities,
    write_data_objects,
    write_feedback,
    write_json_array,
    write_organization_identities,
    write_usage,
)
from raito_pipeline.raito.files.writer import ImportFile
from raito_pipeline.storage import CellMissing, Store

ACCOUNT = "111122223333"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def read(file: ImportFile) -> list[dict[str, Any]]:
    """The elements of a file, once its length, hash and count have been checked."""
    content = file.path.read_bytes()
    assert len(content) == file.bytes
    assert hashlib.sha256(content).hexdigest() == file.sha256
    elements: list[dict[str, Any]] = json.loads(content)
    assert len(elements) == file.elements
    return elements


# --- identities


def iam_user(number: str, name: str, groups: tuple[str, ...] = (), tags: tuple[Tag, ...] = ()) -> IamUser:
    return IamUser(number, name, f"arn:aws:iam::{ACCOUNT}:user/{name}", "/", LONG_AGO, groups, None, tags)


def iam_group(number: str, name: str) -> IamGroup:
    return IamGroup(number, name, f"arn:aws:iam::{ACCOUNT}:group/{name}", "/", LONG_AGO)


def test_users_and_groups_of_an_account(tmp_path: Path) -> None:
    users = [
        iam_user("AIDA1", "user0003", ("group000",), (Tag("email", "user0003@example.com"),)),
        iam_user("AIDA2", "user0049"),
        iam_user("AIDA3", "robot", (), (Tag("Kind", "Machine"), Tag("work-email", "b@x"), Tag("a-email", "a@x"))),
        iam_user("AIDA4", "svc-hidden", ("group000",), (Tag("email", "hidden@example.com"),)),
    ]
    users_file, groups_file = write_account_identities(
        tmp_path,
        ACCOUNT,
        users,
        [iam_group("AGPA1", "group000")],
        excluded=[NamePattern("svc-.*"), NamePattern("user00")],
        machine_tag="kind:machine",
    )
    assert users_file.path.name == "users.json"
    assert read(users_file) == [
        {
            "externalId": "AIDA1",
            "name": "user0003",
            "userName": "user0003",
            "email": "user0003@example.com",
            "groupExternalIds": ["AGPA1"],
            "tags": [{"key": "email", "value": "user0003@example.com", "source": "aws-s3"}],
            "isMachine": None,
        },
        {
            "externalId": "AIDA2",
            "name": "user0049",
            "userName": "user0049",
            "email": "user0049",
            "groupExternalIds": [],
            "tags": [],
            "isMachine": None,
        },
        {
            "externalId": "AIDA3",
            "name": "robot",
            "userName": "robot",
            "email": "a@x",
            "groupExternalIds": [],
            "tags": [
                {"key": "Kind", "value": "Machine", "source": "aws-s3"},
                {"key": "work-email", "value": "b@x", "source": "aws-s3"},
                {"key": "a-email", "value": "a@x", "source": "aws-s3"},
            ],
            "isMachine": True,
        },
        {
            "externalId": "AIDA4",
            "name": "svc-hidden",
            "userName": "svc-hidden",
            "email": "svc-hidden",
            "groupExternalIds": ["AGPA1"],
            "tags": None,
            "isMachine": None,
        },
        {
            "externalId": "arn:aws:iam::111122223333:user/root",
            "name": "root",
            "userName": "root",
            "email": "root@111122223333",
            "groupExternalIds": None,
            "tags": None,
            "isMachine": None,
        },
    ]
    assert read(groups_file) == [
        {
            "externalId": "AGPA1",
            "name": "group000",
            "displayName": "group000",
            "description": "",
            "parentGroupExternalIds": None,
            "tags": None,
        }
    ]


def test_users_and_groups_of_an_organization(tmp_path: Path) -> None:
    users_file, groups_file = write_organization_identities(
        tmp_path,
        [
            OrgUser("d-1", "f45e", "person000", "Person", "p0@example.com", ("9eec",)),
            OrgUser("d-1", "c8", "p1", "", None, ()),
        ],
        [OrgGroup("d-1", "9eec", "team0", "the team")],
    )
    assert read(users_file) == [
        {
            "externalId": "f45e",
            "name": "person000",
            "userName": "person000",
            "email": "p0@example.com",
            "groupExternalIds": ["9eec"],
            "tags": None,
            "isMachine": None,
        },
        {
            "externalId": "c8",
            "name": "p1",
            "userName": "p1",
            "email": "p1",
            "groupExternalIds": [],
            "tags": None,
            "isMachine": None,
        },
    ]
    assert [(group["displayName"], group["description"]) for group in read(groups_file)] == [("team0", "the team")]


# --- data objects


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
    from raito_pipeline.raito.files import write_data_objects
    from raito_pipeline.storage import Store
    folder = Path(sys.argv[1])
    file = write_data_objects(folder / "out.json", Store.open(folder), "111122223333", ["eu-west-1"], "111122223333")
    # Not `ru_maxrss`: a new process takes that over from the one that started it.
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
    print(int(status["VmHWM"].split()[0]) // 1024, file.elements)
"""


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="the peak of a process is read from /proc")
def test_memory_does_not_grow_with_the_account(tmp_path: Path) -> None:
    """The peak of a process of its own, so that nothing else is in it: 200,000 rows against 20,000."""
    peaks = {}
    for count in (20_000, 200_000):
        folder = tmp_path / str(count)
        store = Store.open(folder)
        bucket = f"{ACCOUNT}:eu-west-1:big"
        with store.writer("data_objects", ACCOUNT, "eu-west-1") as writer:
            writer.write_rows([data_object(bucket, "bucket")])
            for start in range(0, count, 20_000):
                writer.write_rows(
                    data_object(f"{bucket}/object-{start + n:09d}.parquet", "file") for n in range(20_000)
                )
        command = [sys.executable, "-c", textwrap.dedent(MEMORY), str(folder)]
        answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        assert int(answer[1]) == count + 2
        peaks[count] = int(answer[0])
    assert peaks[200_000] < 400
    assert peaks[200_000] < peaks[20_000] + 60


# --- access providers


def access_provider(**changes: Any) -> AccessProvider:
    values: dict[str, Any] = {
        "external_id": "role:role0020",
        "name": "role0020",
        "naming_hint": "role0020",
        "actual_name": "role0020",
        "type": "aws_role",
        "action": "grant",
        "policy": "{}",
        "who_users": ("user0020", "user0021"),
        "who_groups": (),
        "who_access_providers": None,
        "what": (WhatItem(DataObjectReference(ACCOUNT, "datasource"), ("s3:GetObject",)),),
        "incomplete": False,
        "incomplete_reasons": (),
        "not_internalizable": False,
        "who_locked": None,
        "inheritance_locked": None,
        "what_locked": None,
        "name_locked": None,
        "delete_locked": None,
        "owners_locked": None,
        "tags": None,
    }
    return AccessProvider(**{**values, **changes})


def test_an_access_provider_as_recorded(tmp_path: Path) -> None:
    elements = read(write_access_providers(tmp_path / "ap.json", [access_provider()]))
    assert elements == [
        {
            "externalId": "role:role0020",
            "name": "role0020",
            "namingHint": "role0020",
            "type": "aws_role",
            "access": None,
            "action": "grant",
            "policy": "{}",
            "who": {
                "users": ["user0020", "user0021"],
                "groups": [],
                "accessProviders": None,
                "recipients": None,
            },
            "notInternalizable": False,
            "actualName": "role0020",
            "what": [{"dataObject": {"fullName": ACCOUNT, "type": "datasource"}, "permissions": ["s3:GetObject"]}],
            "incomplete": False,
            "tags": None,
        }
    ]


@pytest.mark.parametrize("lock", ["who", "inheritance", "what", "name", "delete", "owners"])
def test_a_lock_is_there_only_where_something_is_locked(lock: str) -> None:
    plain = access_provider_element(access_provider())
    locked = access_provider_element(access_provider(**{f"{lock}_locked": "because"}))
    assert {key: locked[key] for key in locked.keys() - plain.keys()} == {
        f"{lock}Locked": True,
        f"{lock}LockedReason": "because",
    }


# --- usage


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


# --- feedback


def control(identifier: str, position: int) -> AccessControl:
    nobody = WhoEntry((), (), (), ())
    return AccessControl(
        position=position,
        id=identifier,
        name=identifier,
        description="",
        naming_hint="",
        type="aws_role",
        external_id=None,
        action="grant",
        delete=False,
        actual_name=None,
        who=nobody,
        deleted_who=None,
        what=(),
        delete_what=(),
        who_locked=False,
        inheritance_locked=False,
        what_locked=False,
        delete_locked=False,
        owners=(),
    )


def test_feedback_as_recorded(tmp_path: Path) -> None:
    controls = [control("ap-del-1", 2), control("ap-role-1", 0), control("ap-lost", 1)]
    results = [
        PushResult("ap-del-1", "gone", "aws_role", "", None, 1, 0, (), ()),
        PushResult("ap-role-1", "n", "aws_role", "Sales_readers", "role:Sales_readers", 3, 0, (), ("tag differs",)),
    ]
    assert read(write_feedback(tmp_path / "feedback.json", controls, results)) == [
        {
            "externalId": "ap-role-1",
            "access": [
                {
                    "accessId": "ap-role-1",
                    "actualName": "Sales_readers",
                    "externalId": "role:Sales_readers",
                    "type": "aws_role",
                    "errors": None,
                    "warnings": ["tag differs"],
                }
            ],
        },
        {
            "externalId": "ap-lost",
            "access": [
                {
                    "accessId": "ap-lost",
                    "actualName": "",
                    "externalId": None,
                    "type": "aws_role",
                    "errors": ["The push ended before this access control; nothing was changed for it."],
                    "warnings": None,
                }
            ],
        },
        {
            "externalId": "ap-del-1",
            "access": [
                {
                    "accessId": "ap-del-1",
                    "actualName": "",
                    "externalId": None,
                    "type": "aws_role",
                    "errors": None,
                    "warnings": None,
                }
            ],
        },
    ]


# --- the writer


def test_an_empty_array(tmp_path: Path) -> None:
    file = write_json_array(tmp_path / "deep" / "x.json", [])
    assert read(file) == []
    assert ImportFile.of(file.path) == file


def test_a_file_that_broke_off_is_removed(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), JsonArrayWriter(tmp_path / "x.json") as writer:
        writer.write({"a": 1})
        raise RuntimeError("broke off")
    assert not (tmp_path / "x.json").exists()
