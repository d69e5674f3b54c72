"""Something new in AWS and in Raito Cloud, so that a sync has something to read, to upload and to push."""

import gzip
import json
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3

from raito_pipeline.sandbox.embedded import Embedded

ACCOUNT, REGION, BUCKET, LOGS = "210000000012", "us-east-1", "marketing-sales", "marketing-cloudtrail"


def change_something(embedded: Embedded, number: int) -> None:
    """A new object with a statement about it, a new IAM user, a new access control; an earlier one is to be deleted."""
    session = boto3.Session(profile_name="marketing")
    s3, key = session.client("s3", region_name=REGION), f"change-{number}/data.csv"
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"")
    _log_file(s3, key)
    iam = session.client("iam", region_name=REGION)
    name = f"change-{number}-{uuid.uuid4().hex[:6]}"
    iam.create_user(UserName=name)
    users = embedded.estate.members[0].users
    embedded.raito.define_access_control(f"ds-{ACCOUNT}", _control(number, users))
    if number % 3 == 2:
        embedded.raito.define_access_control(f"ds-{ACCOUNT}", {**_control(number - 2, users), "delete": True})


def _control(number: int, users: Sequence[str]) -> dict[str, object]:
    bucket = {"fullName": f"{ACCOUNT}:{REGION}:{BUCKET}", "type": "bucket"}
    return {
        "id": f"change-{number}",
        "name": f"Change {number}",
        "description": "",
        "type": "aws_role" if number % 2 else "aws_policy",
        "action": "grant",
        "who": {"users": list(users[:1])},
        "what": [{"dataObject": bucket, "permissions": ["s3:ListBucket"]}],
    }


def _log_file(s3: Any, key: str) -> None:
    """A log file that comes late: of the last day that the estate has usage of."""
    at, event = datetime.now(UTC) - timedelta(days=1), str(uuid.uuid4())
    record = {
        "eventID": event,
        "eventTime": f"{at:%Y-%m-%d}T08:30:00Z",
        "eventSource": "s3.amazonaws.com",
        "eventName": "GetObject",
        "eventCategory": "Data",
        "managementEvent": False,
        "userIdentity": {"type": "IAMUser", "userName": "ada"},
        "requestParameters": {"bucketName": BUCKET, "key": key},
        "resources": [
            {"type": "AWS::S3::Object", "ARN": f"arn:aws:s3:::{BUCKET}/{key}"},
            {"type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{BUCKET}"},
        ],
    }
    folder = f"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/{at:%Y/%m/%d}"
    body = gzip.compress(json.dumps({"Records": [record]}).encode())
    s3.put_object(Bucket=LOGS, Key=f"{folder}/{ACCOUNT}_CloudTrail_{REGION}_{event}.json.gz", Body=body)
