"""Records of CloudTrail -> usage statements: the permission, the objects, the person, the outcome."""

from pathlib import Path
from time import tzset
from typing import Any

import pytest

from raito_pipeline.aws.usage.known import KnownObjects
from raito_pipeline.aws.usage.statements import seconds
from tests.aws.usage.logs import ACCOUNT, BUCKET, REGION, Usage, event, objects

PERMISSIONS = {
    "GetObject": ("s3:GetObject", "read"),
    "HeadObject": ("s3:GetObject", "read"),
    "SelectObjectContent": ("s3:GetObject", "read"),
    "GetObjectTagging": ("s3:GetObjectTagging", "read"),
    "GetObjectAcl": ("s3:GetObjectAcl", "read"),
    "PutObject": ("s3:PutObject", "write"),
    "CreateMultipartUpload": ("s3:PutObject", "write"),
    "UploadPart": ("s3:PutObject", "write"),
    "CompleteMultipartUpload": ("s3:PutObject", "write"),
    "AbortMultipartUpload": ("s3:AbortMultipartUpload", "write"),
    "CopyObject": ("s3:PutObject", "write"),
    "DeleteObject": ("s3:DeleteObject", "write"),
    "PutObjectTagging": ("s3:PutObjectTagging", "admin"),
    "ListParts": ("s3:ListMultipartUploadParts", "read"),
}


@pytest.mark.parametrize("name", PERMISSIONS)
def test_an_event_needs_the_permission_of_its_action(tmp_path: Path, name: str) -> None:
    usage = Usage(tmp_path)
    usage.logs.put("one", event(name=name))
    usage.sync()
    (statement,) = usage.statements
    (item,) = statement.accessed
    assert (item.permissions, statement.global_permission) == ((PERMISSIONS[name][0],), PERMISSIONS[name][1])
    assert (item.data_object.full_name, item.data_object.type) == (f"{BUCKET}/a/b/c.csv", "file")


@pytest.mark.parametrize(
    ("name", "action"), [("GetObject", "GetObjectVersion"), ("DeleteObject", "DeleteObjectVersion")]
)
def test_a_version_needs_an_action_of_its_own(tmp_path: Path, name: str, action: str) -> None:
    usage = Usage(tmp_path)
    usage.logs.put("one", event(name=name, requestParameters={"bucketName": "data", "key": "a", "versionId": "3/L4"}))
    usage.sync()
    assert usage.statements[0].accessed[0].permissions == (f"s3:{action}",)


@pytest.mark.parametrize(("name", "prefix", "found"), [
    ("ListObjectsV2", "a/b/", "/a/b"), ("ListObjects", "a/b/c", "/a/b"), ("ListObjectVersions", None, ""),
    ("HeadBucket", None, ""), ("ListObjectsV2", "nowhere/", ""),
])  # fmt: skip
def test_a_listing_is_of_the_folder_that_was_asked_for(
    tmp_path: Path, name: str, prefix: str | None, found: str
) -> None:
    usage = Usage(tmp_path)
    asked = {"bucketName": "data"} if prefix is None else {"bucketName": "data", "prefix": prefix}
    usage.logs.put("one", event(None, name, requestParameters=asked))
    usage.sync()
    assert [item.data_object.full_name for item in usage.statements[0].accessed] == [f"{BUCKET}{found}"]


CLOSEST = {
    "itself": ("a/b/c.csv", "/a/b/c.csv"),
    "its folder": ("a/b/new.csv", "/a/b"),
    "the folder above": ("a/x/y/z", "/a"),
    "the bucket": ("elsewhere/z", ""),
    "a folder by its own key": ("a/b/", "/a/b"),
}


@pytest.mark.parametrize("case", CLOSEST)
def test_a_statement_points_at_the_closest_known_object(tmp_path: Path, case: str) -> None:
    key, found = CLOSEST[case]
    usage = Usage(tmp_path)
    usage.logs.put("one", event(key))
    usage.sync()
    assert [item.data_object.full_name for item in usage.statements[0].accessed] == [f"{BUCKET}{found}"]


def test_a_file_beside_a_folder_of_its_name_is_meant_by_its_key(tmp_path: Path) -> None:
    known = objects("a/", "a/x")
    known.add([f"{BUCKET}:file/a"], ["file"])
    usage = Usage(tmp_path, known=known)
    usage.logs.put("one", event("a"))
    usage.sync()
    assert usage.statements[0].accessed[0].data_object.full_name == f"{BUCKET}:file/a"


BELOW: dict[str, tuple[dict[str, str], str | None, str, str]] = {
    # what is known, the key (or, of a listing, the prefix), and which of them is meant
    "a listing of a folder with a file beside it": ({"/a": "folder", ":file/a": "file"}, None, "a/", "/a"),
    "a listing below a file": ({"/a": "file"}, None, "a/", ""),
    "a listing of the folder without a name": ({"/": "folder"}, None, "/x", "/"),
    "a listing of a marker, where there are no folders": ({"/a/": "file"}, None, "a/", ""),
    "a key below a file": ({"/a": "file"}, "a/new.csv", "", ""),
    "a key deep below a file": ({"/a": "folder", "/a/b": "file"}, "a/b/c/d", "", "/a"),
    "the key of a folder with a file beside it": ({"/a": "folder", ":file/a": "file"}, "a/", "", "/a"),
    "the key of a folder of which only a file is known": ({"/a": "file"}, "a/", "", ""),
    "the key of a marker, where there are no folders": ({"/a": "file", "/a/": "file"}, "a/", "", "/a/"),
}


@pytest.mark.parametrize("case", BELOW)
def test_nothing_lies_below_a_file_and_a_slash_at_the_end_is_of_a_folder(tmp_path: Path, case: str) -> None:
    there, key, prefix, found = BELOW[case]
    known = objects()
    known.add([f"{BUCKET}{name}" for name in there], list(there.values()))
    usage = Usage(tmp_path, known=known)
    asked = {"bucketName": "data", **({"key": key} if key else {"prefix": prefix})}
    usage.logs.put("one", event(key, "PutObject" if key else "ListObjects", requestParameters=asked))
    usage.sync()
    (item,) = usage.statements[0].accessed
    assert item.data_object.full_name == f"{BUCKET}{found}"
    assert item.data_object.type == there.get(found, "bucket")


@pytest.mark.parametrize("named", ["arn:aws:s3:eu-west-1:111122223333:accesspoint/lake", "lake-x1-s3alias", "lake"])
@pytest.mark.parametrize(("name", "asked"), [("ListObjects", {"prefix": "a/b/"}), ("PutObject", {"key": "a/b/c.csv"})])
def test_the_listed_bucket_wins_over_the_access_point_that_was_asked(
    tmp_path: Path, name: str, asked: dict[str, str], named: str
) -> None:
    resources = [
        {"type": "AWS::S3::Object", "ARNPrefix": "arn:aws:s3:::data/a/b/"},
        {"type": "AWS::S3::AccessPoint", "ARN": "arn:aws:s3:eu-west-1:111122223333:accesspoint/lake"},
        {"type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::data"},
    ]
    usage = Usage(tmp_path)
    usage.logs.put("one", event(None, name, requestParameters={"bucketName": named, **asked}, resources=resources))
    usage.sync()
    (item,) = usage.statements[0].accessed
    assert item.data_object.full_name == f"{BUCKET}/a/b{'/c.csv' if 'key' in asked else ''}"


def test_a_parameter_may_be_a_list_of_one(tmp_path: Path) -> None:
    usage = Usage(tmp_path)
    key = {"bucketName": ["data"], "key": ["a/b/c.csv"], "versionId": ["3/L4"]}
    prefix = {"bucketName": ["data"], "prefix": ["a/b/"]}
    usage.logs.put("one", event(None, "GetObject", eventID="1", requestParameters=key, resources=[]),
                   event(None, "ListObjects", eventID="2", requestParameters=prefix, resources=[]))  # fmt: skip
    usage.sync()
    assert [(item.data_object.full_name, *item.permissions) for row in usage.statements for item in row.accessed] == [
        (f"{BUCKET}/a/b/c.csv", "s3:GetObjectVersion"), (f"{BUCKET}/a/b", "s3:ListBucket"),
    ]  # fmt: skip


OBJECT, POINT = "arn:aws:s3:::data/", "arn:aws:s3:eu-west-1:111122223333:accesspoint/lake"
COPIES: dict[str, tuple[str, str, list[str], str]] = {
    # bucket and source of the request, objects that AWS lists, permission on the source
    "both listed": ("data", "data/in/a b.csv", ["out.csv", "in/a b.csv"], "s3:GetObject"),
    "the source listed first": ("data", "data/in/a b.csv", ["in/a b.csv", "out.csv"], "s3:GetObject"),
    "only the target listed": ("data", "/data/in/a%20b.csv", ["out.csv"], "s3:GetObject"),
    "only the source listed": ("data", "/data/in/a%20b.csv", ["in/a b.csv"], "s3:GetObject"),
    "nothing listed": ("data", "data/in/a%20b.csv", [], "s3:GetObject"),
    "wholly encoded": ("data", "data%2Fin%2Fa+b.csv", ["out.csv"], "s3:GetObject"),
    "of a version": ("data", "data/in/a%20b.csv?versionId=3/L4k", ["out.csv", "in/a b.csv"], "s3:GetObjectVersion"),
    "of no version": ("data", "data/in/a%20b.csv?versionId=null", ["out.csv"], "s3:GetObject"),
    "into an access point": (POINT, "data/in/a%20b.csv", ["out.csv", "in/a b.csv"], "s3:GetObject"),
    "out of an access point": ("data", f"{POINT}/object/in/a b.csv", ["out.csv", "in/a b.csv"], "s3:GetObject"),
    "between access points": (POINT, f"{POINT}/object/in/a b.csv?versionId=3", ["in/a b.csv", "out.csv"],
                              "s3:GetObjectVersion"),
    "out of an alias": ("data", "lake-x1-s3alias/in/a b.csv", ["out.csv", "in/a b.csv"], "s3:GetObject"),
}  # fmt: skip


@pytest.mark.parametrize("name", ["CopyObject", "UploadPartCopy"])
@pytest.mark.parametrize("case", COPIES)
def test_a_copy_writes_its_target_and_reads_its_source_however_both_are_named(
    tmp_path: Path, case: str, name: str
) -> None:
    bucket, source, listed, read = COPIES[case]
    usage = Usage(tmp_path, known=objects("in/", "in/a b.csv", "out.csv"))
    asked = {"bucketName": bucket, "key": "out.csv", "x-amz-copy-source": source}
    resources = [{"type": "AWS::S3::Object", "ARN": OBJECT + key} for key in listed]
    resources.insert(1, {"type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::data"})
    usage.logs.put("one", event(name=name, requestParameters=asked, resources=resources))
    usage.sync()
    (statement,) = usage.statements
    assert {(item.data_object.full_name, item.permissions, item.global_permission) for item in statement.accessed} == {
        (f"{BUCKET}/out.csv", ("s3:PutObject",), None), (f"{BUCKET}/in/a b.csv", (read,), "read"),
    }  # fmt: skip
    assert statement.global_permission == "write"


def test_a_copy_onto_itself_reads_and_writes_and_a_rename_reads_what_it_moves(tmp_path: Path) -> None:
    usage = Usage(tmp_path, known=objects("a.csv", "b.csv"))
    itself = {"bucketName": "data", "key": "a.csv", "x-amz-copy-source": ["data/a.csv"]}
    rename = {"bucketName": "data", "key": "b.csv", "x-amz-rename-source": "/data/a.csv"}
    usage.logs.put("files", event("a.csv", "CopyObject", eventID="1", requestParameters=itself),
                   event("b.csv", "RenameObject", eventID="2", requestParameters=rename))  # fmt: skip
    usage.sync()
    assert [[(item.data_object.full_name, *item.permissions) for item in row.accessed] for row in usage.statements] == [
        [(f"{BUCKET}/a.csv", "s3:PutObject"), (f"{BUCKET}/a.csv", "s3:GetObject")],
        [(f"{BUCKET}/b.csv", "s3:PutObject"), (f"{BUCKET}/a.csv", "s3:GetObject")],
    ]


def test_a_source_that_cannot_be_known_leaves_what_is_written(tmp_path: Path) -> None:
    usage = Usage(tmp_path, known=objects("out.csv"))
    sources = ("", "data", "/", "trail/x.json.gz", "other/x", f"{POINT}/object/", 7, None)
    for number, source in enumerate(sources):
        asked = {"bucketName": "data", "key": "out.csv", "x-amz-copy-source": source}
        usage.logs.put(f"file{number}", event("out.csv", "CopyObject", requestParameters=asked))
    usage.sync()
    assert len(usage.statements) == len(sources)
    assert {item.permissions for row in usage.statements for item in row.accessed} == {("s3:PutObject",)}


def test_a_copy_reads_its_source_and_a_batch_touches_each_of_its_objects(tmp_path: Path) -> None:
    usage = Usage(tmp_path, known=objects("from.csv", "to.csv", "one", "two"))
    asked = {"bucketName": "data", "key": "to.csv", "x-amz-copy-source": "/data/from.csv?versionId=7"}
    batch = [{"type": "AWS::S3::Object", "ARN": f"arn:aws:s3:::data/{key}"} for key in ("one", "two", "one")]
    usage.logs.put("files", event("to.csv", "CopyObject", eventID="1", requestParameters=asked),
                   event(None, "DeleteObjects", eventID="2", resources=batch))  # fmt: skip
    usage.sync()
    copy, deleted = usage.statements
    assert [(item.data_object.full_name, item.permissions) for item in copy.accessed] == [
        (f"{BUCKET}/to.csv", ("s3:PutObject",)), (f"{BUCKET}/from.csv", ("s3:GetObjectVersion",)),
    ]  # fmt: skip
    assert [item.data_object.full_name for item in deleted.accessed] == [f"{BUCKET}/one", f"{BUCKET}/two"]
    assert all(item.permissions == ("s3:DeleteObject",) for item in deleted.accessed)


def assumed(session: str, role: str = "etl", **more: Any) -> dict[str, Any]:
    arn = f"arn:aws:sts::1:assumed-role/{role}/{session}"
    issuer = {"sessionIssuer": {"type": "Role", "userName": role}}
    return {"type": "AssumedRole", "principalId": f"AROA:{session}", "arn": arn, "sessionContext": issuer, **more}


FEDERATED = "arn:aws:sts::1:federated-user/dan"
PEOPLE: dict[str, tuple[dict[str, Any], tuple[str, str | None]]] = {
    "an IAM user": ({"type": "IAMUser", "userName": "ada"}, ("ada", None)),
    "a session of a role": (assumed("nightly"), ("nightly", "etl")),
    "a person of Identity Center": (
        assumed("bob@example.com", "AWSReservedSSO_Reader_0a1b"), ("bob@example.com", "AWSReservedSSO_Reader_0a1b"),
    ),
    "on behalf of somebody": (assumed("job", onBehalfOf={"userId": "u-1"}), ("carol@example.com", "etl")),
    "on behalf of somebody unknown": (assumed("job", onBehalfOf={"userId": "u-9"}), ("job", "etl")),
    "the root user": ({"type": "Root", "principalId": "1"}, ("root", None)),
    "a service": ({"type": "AWSService", "invokedBy": "glue.amazonaws.com"}, ("glue.amazonaws.com", None)),
    "another account": ({"type": "AWSAccount", "accountId": "999999999999"}, ("999999999999", None)),
    "a federated user": ({"type": "FederatedUser", "arn": FEDERATED}, (FEDERATED, None)),
}  # fmt: skip


@pytest.mark.parametrize("case", PEOPLE)
def test_who_it_was(tmp_path: Path, case: str) -> None:
    identity, (user, role) = PEOPLE[case]
    usage = Usage(tmp_path, people={"u-1": "carol@example.com"})
    usage.logs.put("one", event(userIdentity=identity))
    usage.sync()
    assert (usage.statements[0].user, usage.statements[0].role) == (user, role)


def test_a_failed_call_is_a_failure_with_its_reason(tmp_path: Path) -> None:
    usage = Usage(tmp_path)
    usage.logs.put(
        "one", event(errorCode="AccessDenied", errorMessage="Access Denied", eventID="1"), event(eventID="2")
    )
    usage.sync()
    refused, done = usage.statements
    assert (refused.success, refused.status, refused.error) == (False, "AccessDenied", "Access Denied")
    assert (done.success, done.status, done.error, done.bytes, done.start_time) == (True, None, None, 10, 1773914400)


@pytest.mark.parametrize("name", ["GetObject", "CopyObject"])
def test_an_error_without_a_code_is_none(tmp_path: Path, name: str) -> None:
    usage = Usage(tmp_path)
    usage.logs.put("one", event(name=name, errorCode="", errorMessage=""))
    usage.sync()
    assert [(row.success, row.status, row.error) for row in usage.statements] == [(True, None, None)]


@pytest.mark.parametrize(("into", "out", "expected"), [
    (3.0, 4.0, 7), (3, 4, 7), (None, 4.0, 4), ("3", 4.0, 4), (-3.0, 4.0, 4), (1e300, 4.0, 4), (10**400, 4, 4),
], ids=["floats", "integers", "one", "text", "negative", "too large", "far too large"])  # fmt: skip
def test_how_much_was_moved(tmp_path: Path, into: object, out: object, expected: int) -> None:
    usage = Usage(tmp_path)
    data = {"bytesTransferredIn": into, "bytesTransferredOut": out}
    usage.logs.put("one", event(eventID="1", additionalEventData=data), event(eventID="2", additionalEventData=...))
    usage.sync()
    assert [row.bytes for row in usage.statements] == [expected, 0]


@pytest.mark.parametrize(
    "time", ["2026-03-19T10:00:00Z", "2026-03-19T10:00:00.999Z", "2026-03-19T12:00:00+02:00", "2026-03-19T10:00:00"]
)
def test_a_time_is_in_utc_wherever_it_is_read(monkeypatch: pytest.MonkeyPatch, time: str) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    tzset()
    try:
        assert seconds.__wrapped__(time) == 1773914400
    finally:
        monkeypatch.undo()
        tzset()


def test_a_key_that_looks_like_an_arn_is_no_arn(tmp_path: Path) -> None:
    """Objects behind an access point have an ARN with two colons where others have three, and any key."""
    point = f"arn:aws:s3:{REGION}:{ACCOUNT}:accesspoint/point/object/x:::data/a/b/c.csv"
    usage = Usage(tmp_path)
    on_point = [{"type": "AWS::S3::Object", "ARN": point}]
    usage.logs.put("one", event(None, "GetObject", resources=on_point, requestParameters={"bucketName": "alias"}))
    assert (usage.sync().skipped, usage.statements) == ((("touches no known data object", 1),), [])


def test_the_arns_of_another_partition(tmp_path: Path) -> None:
    known = KnownObjects("aws-cn")
    known.add([BUCKET, f"{BUCKET}/a/b/c.csv"], ["bucket", "file"])
    usage = Usage(tmp_path, known=known)
    at = [{"type": "AWS::S3::Object", "ARN": f"arn:aws-cn:s3:::data/{key}"} for key in ("a/b/c.csv", "a/new.csv")]
    usage.logs.put(
        "one", *(event(None, "GetObject", eventID=each["ARN"], resources=[each], requestParameters=...) for each in at)
    )
    usage.sync()
    found = [row.accessed[0].data_object for row in usage.statements]
    assert [(each.full_name, each.type) for each in found] == [(f"{BUCKET}/a/b/c.csv", "file"), (BUCKET, "bucket")]


def in_bucket(name: str) -> dict[str, Any]:
    return event(None, requestParameters={"bucketName": name, "key": "x"}, resources=[])


NONE: dict[str, tuple[dict[str, Any], str]] = {
    "a management event": (event(eventCategory="Management", managementEvent=True), "no S3 data event"),
    "of another service": (event(eventSource="lambda.amazonaws.com"), "no S3 data event"),
    "on the log bucket": (in_bucket("trail"), "on the CloudTrail bucket"),
    "on an unknown bucket": (in_bucket("other"), "touches no known data object"),
    "of an unknown name": (event(name="JustInvented"), "of no permission that Raito Cloud knows"),
}  # fmt: skip


@pytest.mark.parametrize("case", NONE)
def test_what_gives_no_statement_is_counted_by_its_reason(tmp_path: Path, case: str) -> None:
    record, reason = NONE[case]
    usage = Usage(tmp_path)
    usage.logs.put("one", record, event())
    report = usage.sync()
    assert report.skipped == ((reason, 1),)
    assert (report.records, report.new_statements) == (2, 1)
    assert [row.skipped for row in usage.manifest.values()] == [1]


@pytest.mark.parametrize("broken", [
    event(eventID=...), event(eventTime=...), event(eventTime="yesterday"),
    event(eventTime="0001-01-01T00:00:00Z"), event(userIdentity=...),
    event(eventName=...),
    event(None, requestParameters=..., resources=[]), event(userIdentity={}), "not a record", 7, None,
    event(resources="nonsense"), event(userIdentity=["x"]),
])  # fmt: skip
def test_a_record_without_what_a_statement_needs_is_counted_and_loses_nothing_else(tmp_path: Path, broken: Any) -> None:
    usage = Usage(tmp_path)
    usage.logs.put("one", event(), broken, event())
    report = usage.sync()
    assert (report.records, report.broken, report.new_statements) == (3, 1, 2)
    assert [(row.records, row.broken, row.statements) for row in usage.manifest.values()] == [(3, 1, 2)]
