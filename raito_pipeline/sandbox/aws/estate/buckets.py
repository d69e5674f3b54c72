"""Buckets of one account of the estate, with their keys and access points."""

import json
from collections.abc import Sequence
from typing import Any

from moto.s3.models import S3Backend, s3_backends
from moto.s3control.models import s3control_backends

from raito_pipeline.sandbox.aws.estate.names import LOGS, bucket_names

ODD_KEYS = (
    "a//b.csv",
    "/leading/slash.csv",
    "empty-folder/",
    "same",
    "same/inside.csv",
    "up/../down.csv",
    "größe/日本語.csv",
    "with space/and+plus&amp.csv",
    "/".join(f"d{level:02}" for level in range(24)) + "/deep.csv",
    "long/" + "x" * 1_019,
    "percent%2Fencoded/file.csv",
)
"""Keys that have gone wrong somewhere before."""
_FOLDERS = ("2023", "2024", "daily", "home", "secret")


def seed_buckets(account_id: str, name: str, regions: Sequence[str], keys: int) -> dict[str, str]:
    """The buckets with data and the one with logs; gives their regions."""
    s3 = s3_backends[account_id]["aws"]
    names = bucket_names(name)
    for number, bucket in enumerate(names):
        s3.create_bucket(bucket, regions[number % len(regions)])
        if number % 2 == 0:
            s3.put_bucket_tagging(bucket, {"purpose": bucket.rpartition("-")[2], "owner": "data-platform"})
    each = keys // len(names)
    for number, bucket in enumerate(names):
        odd = ODD_KEYS if bucket.endswith("-landing") else ()
        _keys(s3, bucket, odd, (keys - each * (len(names) - 1) if number == 0 else each) - len(odd))
    s3.create_bucket(f"{name}-{LOGS}", regions[0])
    buckets = {bucket: regions[number % len(regions)] for number, bucket in enumerate(names)}
    return {**buckets, f"{name}-{LOGS}": regions[0]}


def folders(count: int) -> tuple[str, ...]:
    """Some folders that every bucket has."""
    return _FOLDERS[:count]


def _keys(s3: S3Backend, bucket: str, odd: Sequence[str], count: int) -> None:
    for key in odd:
        s3.put_object(bucket, key, b"")
    for number in range(count):
        folder = _FOLDERS[number % len(_FOLDERS)]
        below = number // len(_FOLDERS)
        s3.put_object(bucket, f"{folder}/{below % 12:02}/{below % 29:02}/part-{number:05}.parquet", b"")


def seed_access_points(account_id: str, regions: dict[str, str], users: Sequence[str], roles: Sequence[str]) -> None:
    """Six access points, with policies of several kinds."""
    data = [bucket for bucket in regions if not bucket.endswith(f"-{LOGS}")][:6]
    for number, bucket in enumerate(data):
        region = regions[bucket]
        control = s3control_backends[account_id]["aws"]
        point = control.create_access_point(account_id, f"point-{number}", bucket, {}, {})
        statements = _statements(
            account_id, f"arn:aws:s3:{region}:{account_id}:accesspoint/point-{number}", users, roles
        )
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements[number % len(statements)]})
        if number != 5:
            control.put_access_point_policy(account_id, point.name, policy)


def _statements(account_id: str, arn: str, users: Sequence[str], roles: Sequence[str]) -> list[list[dict[str, Any]]]:
    one, two = (f"arn:aws:iam::{account_id}:user/{user}" for user in users[1:3])
    role = f"arn:aws:iam::{account_id}:role/{roles[0]}"
    return [
        [_allow({"AWS": one}, ["s3:GetObject"], f"{arn}/object/2024/*")],
        [_allow({"AWS": [one, two]}, "s3:ListBucket", arn), _allow({"AWS": [one, two]}, "s3:Get*", f"{arn}/object/*")],
        [_allow({"AWS": role}, ["s3:GetObject", "s3:PutObject"], f"{arn}/object/*")],
        [_allow({"AWS": one}, "s3:GetObject", f"{arn}/object/*"), _allow({"AWS": two}, "s3:ListBucket", arn)],
        # Everybody; the plain "*" means the same, and makes the Raito CLI panic.
        [_allow({"AWS": "*"}, "s3:GetObject", f"{arn}/object/*")],
    ]


def _allow(principal: Any, action: Any, resource: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource}
