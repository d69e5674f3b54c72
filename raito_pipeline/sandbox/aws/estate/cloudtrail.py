"""CloudTrail log files of one account of the estate: S3 data events of the last days, the same for the same day."""

import gzip
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from moto.s3.models import s3_backends

from raito_pipeline.sandbox.aws.estate.names import LOGS

_FILES_A_DAY = 2
_EVENTS_A_FILE = 30
_EVENTS = (
    "GetObject", "PutObject", "HeadObject", "ListObjects", "GetObject", "DeleteObject", "CopyObject",
    "UploadPart", "CompleteMultipartUpload", "GetObjectTagging", "PutObjectAcl", "HeadBucket",
)  # fmt: skip


def seed_cloudtrail(
    account_id: str, regions: Mapping[str, str], paths: Mapping[str, Sequence[str]], users: Sequence[str], days: int
) -> None:
    """Log files for each region with buckets; `paths` are keys (or folders of tables) to touch, by bucket."""
    s3 = s3_backends[account_id]["aws"]
    bucket = next(name for name in regions if name.endswith(f"-{LOGS}"))
    today = datetime.now(UTC).date()
    for region in sorted(set(regions.values())):
        here = {name: keys for name, keys in paths.items() if regions[name] == region and keys}
        for back in range(days, 0, -1):
            for key, content in _files(account_id, region, today - timedelta(days=back), here, users, bucket):
                s3.put_object(bucket, key, content)


def _files(
    account: str, region: str, day: date, paths: Mapping[str, Sequence[str]], users: Sequence[str], logs: str
) -> Iterator[tuple[str, bytes]]:
    folder = f"AWSLogs/{account}/CloudTrail/{region}/{day:%Y/%m/%d}"
    for number in range(_FILES_A_DAY):
        at = datetime(day.year, day.month, day.day, 8 + number, tzinfo=UTC)
        records = [
            _record(account, region, at, number * _EVENTS_A_FILE + n, paths, users)
            for n in range(_EVENTS_A_FILE)
            if paths
        ]
        # What CloudTrail writes is in the log as well, a management event is beside the data events, and one event
        # is delivered again in the next file.
        records.append(_record(account, region, at, 900 + number, {logs: ["AWSLogs/x.json.gz"]}, users))
        records.append({**records[0], "eventID": _id(account, region, at, 990), **_MANAGEMENT})
        if paths:
            records.append(_record(account, region, at.replace(hour=8), 0, paths, users))
        text = json.dumps({"Records": records}).encode()
        name = f"{account}_CloudTrail_{region}_{at:%Y%m%dT%H%MZ}_{_id(account, region, at, 0)[:16]}.json.gz"
        yield f"{folder}/{name}", gzip.compress(text, mtime=0)
    digest = f"AWSLogs/{account}/CloudTrail-Digest/{region}/{day:%Y/%m/%d}/digest.json.gz"
    yield digest, gzip.compress(b"{}", mtime=0)


_MANAGEMENT = {"eventName": "PutBucketPolicy", "managementEvent": True, "eventCategory": "Management"}


def _record(
    account: str, region: str, at: datetime, number: int, paths: Mapping[str, Sequence[str]], users: Sequence[str]
) -> dict[str, Any]:
    bucket = sorted(paths)[number % len(paths)]
    key = paths[bucket][number % len(paths[bucket])]
    name = _EVENTS[number % len(_EVENTS)]
    asked = {"bucketName": bucket} if name in ("ListObjects", "HeadBucket") else {"bucketName": bucket, "key": key}
    if name == "CopyObject":
        asked["x-amz-copy-source"] = f"{bucket}/{paths[bucket][0]}"
    resources = [{"type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{bucket}", "accountId": account}]
    if "key" in asked:
        resources.insert(0, {"type": "AWS::S3::Object", "ARN": f"arn:aws:s3:::{bucket}/{key}"})
    failed = {"errorCode": "AccessDenied", "errorMessage": "Access Denied"} if number % 13 == 5 else {}
    return {
        "eventVersion": "1.09",
        "userIdentity": _identity(account, number, users),
        "eventTime": (at + timedelta(seconds=number)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": "s3.amazonaws.com",
        "eventName": name,
        "awsRegion": region,
        "sourceIPAddress": "198.51.100.7",
        "requestParameters": asked,
        "additionalEventData": {"bytesTransferredIn": number % 5 * 100, "bytesTransferredOut": number * 10},
        "eventID": _id(account, region, at, number),
        "readOnly": not name.startswith(("Put", "Delete", "Copy", "Upload", "Complete")),
        "resources": resources,
        "eventType": "AwsApiCall",
        "managementEvent": False,
        "recipientAccountId": account,
        "eventCategory": "Data",
        **failed,
    }


def _identity(account: str, number: int, users: Sequence[str]) -> dict[str, Any]:
    user = users[number % len(users)]
    if number % 7 == 3:
        return {"type": "Root", "principalId": account, "arn": f"arn:aws:iam::{account}:root", "accountId": account}
    if number % 7 == 5:
        return {"type": "AWSService", "invokedBy": "glue.amazonaws.com"}
    if number % 3 == 1:
        role = "reader-role-00"
        return {
            "type": "AssumedRole",
            "principalId": f"AROAEXAMPLE0000000000:{user}",
            "arn": f"arn:aws:sts::{account}:assumed-role/{role}/{user}",
            "accountId": account,
            "sessionContext": {"sessionIssuer": {"type": "Role", "userName": role}},
        }
    return {"type": "IAMUser", "arn": f"arn:aws:iam::{account}:user/{user}", "accountId": account, "userName": user}


def _id(account: str, region: str, at: datetime, number: int) -> str:
    text = hashlib.sha256(f"{account}/{region}/{at:%Y%m%d%H}/{number}".encode()).hexdigest()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:32]}"
