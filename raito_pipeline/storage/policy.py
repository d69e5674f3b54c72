"""The least IAM policy of whoever reads and writes the tables on S3: what `info --iam-policy storage` prints."""

from collections.abc import Mapping
from typing import Any

from raito_pipeline.storage.s3 import S3Files


def storage_policy(location: str, partition: str = "aws") -> Mapping[str, Any]:
    """The policy document, as JSON values. `partition` is that of ARNs (`aws-cn` in China).

    Listing stops at the prefix. `IfExists`, because a GET carries no prefix: without the right to list, S3 answers 403
    for what is not there, and a table that was never written could not be told from one that is denied.
    """
    files = S3Files(location)
    bucket = f"arn:{partition}:s3:::{files.bucket}"
    inside = files.key(f"{files.root}/") if files.root != files.bucket else ""
    within = {"Condition": {"StringLikeIfExists": {"s3:prefix": f"{inside}*"}}} if inside else {}
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "ListTables", "Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": [bucket], **within},
            {
                "Sid": "FindUnfinishedUploads",
                "Effect": "Allow",
                "Action": ["s3:ListBucketMultipartUploads"],
                "Resource": [bucket],
            },
            {
                "Sid": "ReadAndWriteTables",
                "Effect": "Allow",
                "Action": ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
                "Resource": [f"{bucket}/{inside}*"],
            },
        ],
    }
