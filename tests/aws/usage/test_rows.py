"""The short way of plain records gives, row by row, what the long way of all others gives."""

import json
from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from raito_pipeline.aws.usage.records import Record, decode
from raito_pipeline.aws.usage.rows import StatementRows
from raito_pipeline.aws.usage.statements import SkipReason, StatementMaker, UsageEntry, UsagePlace
from raito_pipeline.config.groups import UsageOptions
from tests.aws.usage.logs import ACCOUNT, BUCKET, REGION, event, objects

KEYS = st.sampled_from(["a/b/c.csv", "a/b/", "a/b", "a", "x", "a/new.csv", "a//b", "/a", "deep/er/x", "ä.csv", ""])
ARNS = st.one_of(
    KEYS.map(lambda key: f"arn:aws:s3:::data/{key}"),
    st.sampled_from([
        "arn:aws:s3:::data", "arn:aws:s3:::dat", "arn:aws:s3:::trail/x", "arn:aws:s3:::other/x", "nonsense", "", None,
        "arn:aws-cn:s3:::data/a/b/c.csv", f"arn:aws:s3:{REGION}:{ACCOUNT}:accesspoint/point/object/a:::data/a/b/c.csv",
    ]),
)  # fmt: skip
RESOURCES = st.lists(
    st.fixed_dictionaries({"type": st.sampled_from(["AWS::S3::Object", "AWS::S3::Bucket", None]), "ARN": ARNS}),
    max_size=3,
)
NUMBERS = st.sampled_from([0.0, 10.0, 1.5, 7, -3, 1e300, 10**400, "12", None, True])
PEOPLE = st.sampled_from([
    {"type": "IAMUser", "userName": "ada"}, {"type": "Root"}, {}, None, "x",
    {"type": "AssumedRole", "principalId": "A:job", "sessionContext": {"sessionIssuer": {"userName": "etl"}}},
])  # fmt: skip
CHANGES = st.fixed_dictionaries({}, optional={
    "resources": st.one_of(RESOURCES, st.none()),
    "eventName": st.sampled_from(["GetObject", "CopyObject", "PutObject", "Invented", ""]),
    "eventCategory": st.sampled_from(["Data", "Management", ...]),
    "eventSource": st.sampled_from(["s3.amazonaws.com", "lambda.amazonaws.com"]),
    "eventTime": st.sampled_from(["2026-03-19T10:00:00Z", "yesterday", "", ...]),
    "eventID": st.sampled_from(["1", "2", "", ...]),
    "userIdentity": PEOPLE,
    "errorCode": st.sampled_from(["AccessDenied", "", None]),
    "errorMessage": st.sampled_from(["Access Denied", None]),
    "requestParameters": st.sampled_from([
        None, "text", {"bucketName": "data", "key": "a/b/c.csv", "versionId": "3"}, {"bucketName": "data"},
        {"bucketName": "data", "key": "x", "x-amz-copy-source": "/data/a/b/c.csv"}, {"versionId": "null"},
        {"bucketName": "data", "key": "x", "x-amz-copy-source": "/trail/x?versionId=3"},
    ]),
    "additionalEventData": st.one_of(
        st.none(), st.fixed_dictionaries({}, optional={"bytesTransferredIn": NUMBERS, "bytesTransferredOut": NUMBERS})
    ),
})  # fmt: skip
KNOWN = objects("a/", "a/b/", "a/b/c.csv", "a//b", "x", "ä.csv")
KNOWN.add([f"{BUCKET}:file/a", f"{ACCOUNT}:{REGION}:dat"], ["file", "bucket"])
PLACE, OPTIONS = UsagePlace(ACCOUNT, REGION, {}, {"data": REGION}), UsageOptions(aws_s3_cloudtrail_bucket="trail")


def row(made: UsageEntry, file_key: str) -> dict[str, Any]:
    """The row of a statement, in the order and with the names of the table."""
    user, role = made.person
    return {
        "external_id": made.external_id,
        "file_key": file_key,
        "accessed": [
            {
                "data_object": {"full_name": name, "type": kind},
                "permissions": [permission],
                "global_permission": global_permission,
            }
            for name, kind, permission, global_permission in made.accessed
        ],
        "global_permission": made.global_permission,
        "user": user,
        "role": role,
        "success": made.status is None,
        "status": made.status,
        "error": made.error,
        "start_time": made.start_time,
        "bytes": int(made.bytes),
    }


def read(changes: list[dict[str, Any]]) -> list[Record]:
    return decode(json.dumps({"Records": [event(**each) for each in changes]}).encode())[0]


@given(st.lists(st.lists(CHANGES, max_size=8), max_size=4))
@settings(max_examples=400)
def test_both_ways_give_the_same_rows_and_the_same_reasons(files: list[list[dict[str, Any]]]) -> None:
    rows, long_way = StatementRows(StatementMaker(KNOWN, PLACE, OPTIONS)), StatementMaker(KNOWN, PLACE, OPTIONS)
    keys = [f"file-{number}" for number in range(len(files))]
    expected: list[dict[str, Any]] = []
    reasons: list[Counter[SkipReason]] = []
    records = [read(changes) for changes in files]
    for key, each_file in zip(keys, records, strict=True):
        made = [long_way.make(record) for record in each_file]
        expected += [row(each, key) for each in made if isinstance(each, UsageEntry)]
        reasons.append(Counter(each for each in made if isinstance(each, SkipReason)))
    assert [rows.add(each_file) for each_file in records] == reasons
    assert len(rows) == len(expected)
    taken = rows.take(keys)
    assert sorted(map(json.dumps, taken.batch.to_pylist())) == sorted(map(json.dumps, expected))
    assert [keys[number] for number in taken.of_file] == taken.batch.column("file_key").to_pylist()
    assert taken.ids == taken.batch.column("external_id").to_pylist()
    assert (len(rows), rows.take([]).batch.num_rows) == (0, 0)
