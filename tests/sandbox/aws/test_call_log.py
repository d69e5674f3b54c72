import json
import urllib.request
from typing import Any

import pytest

from raito_pipeline.sandbox.aws.server import EmulatedAws
from tests.sandbox.aws.conftest import ACCOUNT, OTHER_ACCOUNT, REGION, ClientOf

BUCKET = "bucket-one"
LOCATION = {"LocationConstraint": REGION}
CALLS: list[tuple[str, str, dict[str, Any], str, bool]] = [
    ("iam", "list_roles", {}, "iam", False),
    ("iam", "create_user", {"UserName": "ann"}, "iam", True),
    ("sts", "get_caller_identity", {}, "sts", False),
    ("s3", "list_buckets", {}, "s3", False),
    ("s3", "create_bucket", {"Bucket": "bucket-two", "CreateBucketConfiguration": LOCATION}, "s3", True),
    ("s3", "head_bucket", {"Bucket": BUCKET}, "s3", False),
    ("s3", "list_objects_v2", {"Bucket": BUCKET}, "s3", False),
    ("s3", "list_objects", {"Bucket": BUCKET}, "s3", False),
    ("s3", "put_object", {"Bucket": BUCKET, "Key": "folder/key"}, "s3", True),
    ("s3", "get_object", {"Bucket": BUCKET, "Key": "old"}, "s3", False),
    ("s3", "head_object", {"Bucket": BUCKET, "Key": "old"}, "s3", False),
    ("s3", "copy_object", {"Bucket": BUCKET, "Key": "new", "CopySource": f"{BUCKET}/old"}, "s3", True),
    ("s3", "delete_object", {"Bucket": BUCKET, "Key": "old"}, "s3", True),
    ("s3", "delete_objects", {"Bucket": BUCKET, "Delete": {"Objects": [{"Key": "old"}]}}, "s3", True),
    ("s3", "get_bucket_location", {"Bucket": BUCKET}, "s3", False),
    ("s3", "put_bucket_tagging", {"Bucket": BUCKET, "Tagging": {"TagSet": [{"Key": "a", "Value": "b"}]}}, "s3", True),
    ("s3", "get_bucket_versioning", {"Bucket": BUCKET}, "s3", False),
    ("s3", "delete_bucket_policy", {"Bucket": BUCKET}, "s3", True),
    ("s3control", "list_access_points", {"AccountId": ACCOUNT}, "s3control", False),
    ("s3control", "create_access_point", {"AccountId": ACCOUNT, "Name": "ap1", "Bucket": BUCKET}, "s3control", True),
    ("glue", "get_databases", {}, "glue", False),
    ("glue", "create_database", {"DatabaseInput": {"Name": "db"}}, "glue", True),
    ("sso-admin", "list_instances", {}, "sso", False),
    ("identitystore", "list_users", {"IdentityStoreId": "d-1234567890"}, "identitystore", False),
]


@pytest.mark.parametrize(
    ("service", "method", "arguments", "logged", "writes"), CALLS, ids=[f"{call[0]}-{call[1]}" for call in CALLS]
)
def test_calls_are_logged_by_their_names(
    client: ClientOf,
    aws: EmulatedAws,
    service: str,
    method: str,
    arguments: dict[str, Any],
    logged: str,
    writes: bool,
) -> None:
    client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=LOCATION)
    client("s3").put_object(Bucket=BUCKET, Key="old")
    caller = client(service)
    mark = aws.calls.mark
    getattr(caller, method)(**arguments)
    (call,) = aws.calls.since(mark)
    assert (call.service, call.operation, call.writes) == (logged, caller.meta.method_to_api_mapping[method], writes)
    assert (call.account, call.region, call.status // 100, call.fault) == (ACCOUNT, REGION, 2, "")


def test_counting(client: ClientOf, aws: EmulatedAws) -> None:
    for account in (ACCOUNT, ACCOUNT, OTHER_ACCOUNT):
        client("iam", account).list_roles()
    client("sso-admin").list_instances()
    client("iam").create_user(UserName="ann")
    count = aws.calls.count
    assert (count(), count("iam"), count("iam", "ListRoles"), count(account=OTHER_ACCOUNT)) == (5, 4, 3, 1)
    assert count("sso-admin") == count("sso") == 1
    assert [call.operation for call in aws.calls.writing()] == ["CreateUser"]
    assert aws.calls.writing(aws.calls.mark) == []


def get(aws: EmulatedAws, path: str, method: str = "GET") -> dict[str, Any]:
    request = urllib.request.Request(aws.endpoint_url + path, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return dict(json.loads(answer.read()))


def test_other_processes_read_the_log(client: ClientOf, aws: EmulatedAws) -> None:
    client("iam").list_roles()
    client("sts").get_caller_identity()
    found = get(aws, "/sandbox-api/calls?service=iam")
    assert [(call["operation"], call["status"]) for call in found["calls"]] == [("ListRoles", 200)]
    assert get(aws, f"/sandbox-api/calls?since={found['mark']}")["calls"] == []
    get(aws, "/sandbox-api/calls/reset", "POST")
    assert len(aws.calls) == 0
    assert get(aws, "/sandbox-api/calls")["mark"] == found["mark"]
