"""Policy documents of the estate: plain ones, and every oddity that real accounts have."""

import json
from collections.abc import Sequence
from typing import Any

VERSION = "2012-10-17"
READ = ["s3:GetObject"]
WRITE = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]


def text(*statements: dict[str, Any]) -> str:
    """A policy document as IAM stores it."""
    return json.dumps({"Version": VERSION, "Statement": list(statements)})


def allow(action: str | Sequence[str], resource: str | Sequence[str], **more: Any) -> dict[str, Any]:
    """An Allow statement."""
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: str | Sequence[str], resource: str | Sequence[str], **more: Any) -> dict[str, Any]:
    """A Deny statement."""
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


def trust(principal: Any, action: str | Sequence[str] = "sts:AssumeRole", **more: Any) -> str:
    """A trust policy with one statement."""
    return text({"Effect": "Allow", "Principal": principal, "Action": action, **more})


def documents(buckets: Sequence[str]) -> tuple[str, ...]:
    """Documents about some buckets, to be handed out in turn."""
    one, two, three = (f"arn:aws:s3:::{bucket}" for bucket in buckets[:3])
    stem = one.rpartition("-")[0]
    return (
        text(allow(READ, f"{one}/2024/*")),
        text(allow("s3:ListBucket", one), allow(WRITE, [f"{one}/*", f"{two}/daily/*"])),
        text(allow("s3:Get*", "*")),
        text(allow("s3:*", [two, f"{two}/*"])),
        json.dumps({"Version": VERSION, "Statement": allow("S3:GETOBJECT", f"{three}/*")}),
        text(allow(["s3:GetObject", "kms:Decrypt"], [f"{one}/*", "arn:aws:kms:us-east-1:111111111111:key/k"])),
        text(allow("s3:ListBucket", f"{stem}-*")),
        text({"Effect": "Allow", "NotAction": ["s3:Delete*", "iam:*"], "Resource": f"{two}/*"}),
        text(allow("s3:*", [one, f"{one}/*"]), deny("s3:DeleteObject", f"{one}/*")),
        text(allow("s3:GetObject", f"{one}/*"), deny("s3:*", f"{one}/secret/*")),
        text(allow("s3:GetObject", f"{one}/*", Condition={"Bool": {"aws:SecureTransport": "true"}})),
        text(allow("s3:PutObject", f"{two}/home/${{aws:username}}/*")),
        text({"Effect": "Allow", "Action": "s3:GetObject", "NotResource": f"{three}/*"}),
        text(allow("ec2:Describe*", "*"), allow("logs:*", "*", Sid="Logs")),
        text(allow("s3:GetObject", "arn:aws:s3:::somebody-elses-bucket/*")),
        text(allow("s3:GetObject*", f"{three}/report.csv")),
        text(allow("s3:Fly", f"{one}/*"), allow("s3:ListBucket", one, Sid="List")),
    )


INVALID = '{"Version": "2012-10-17", "Statement": [{"Effect": "Permit", "Action": "s3:*", "Resource": "*"}]}'
"""A document that AWS would not take today."""
