"""Policies of the buckets of one account of the estate: those that real accounts have, one a bucket."""

from collections.abc import Sequence
from typing import Any

from moto.s3.models import s3_backends
from moto.s3control.models import s3control_backends

from raito_pipeline.sandbox.aws.estate.documents import allow, deny, text

_BLOCK = {"BlockPublicAcls": True, "IgnorePublicAcls": True}


def seed_bucket_policies(account_id: str, neighbour: str, buckets: Sequence[str], roles: Sequence[str]) -> None:
    """Five of the buckets get a policy; `neighbour` is another account of the estate, which has the same roles."""
    s3: Any = s3_backends[account_id]["aws"]
    for bucket, policy in zip(buckets, _policies(account_id, neighbour, buckets, roles), strict=False):
        s3.put_bucket_policy(bucket, policy.encode())
    s3.put_bucket_ownership_controls(buckets[1], "BucketOwnerEnforced")
    s3control_backends[account_id]["aws"].put_public_access_block(account_id, _BLOCK)


def _policies(account_id: str, neighbour: str, buckets: Sequence[str], roles: Sequence[str]) -> tuple[str, ...]:
    sales, reports, raw, landing, archive = (f"arn:aws:s3:::{bucket}" for bucket in buckets[:5])
    role, other = (f"arn:aws:iam::{owner}:role/{roles[0]}" for owner in (account_id, neighbour))
    admin = f"arn:aws:sts::{account_id}:assumed-role/{roles[4]}/janitor"
    admins = [f"arn:aws:iam::{account_id}:role/{roles[4]}", admin, f"arn:aws:iam::{account_id}:root"]
    return (
        text(deny("s3:*", [sales, f"{sales}/*"], Principal="*", Condition={"Bool": {"aws:SecureTransport": "false"}})),
        text(
            allow("s3:ListBucket", reports, Principal={"AWS": role}),
            allow("s3:GetObject", f"{reports}/2024/*", Principal={"AWS": [role, other]}),
        ),
        text(
            allow(
                ["s3:GetObject", "s3:ListBucket"],
                [raw, f"{raw}/*"],
                Principal={"AWS": f"arn:aws:iam::{neighbour}:root"},
            )
        ),
        text(deny(["s3:DeleteObject", "s3:DeleteObjectVersion"], f"{landing}/*", NotPrincipal={"AWS": admins})),
        text(allow("s3:GetObject", f"{archive}/2023/*", Principal="*")),
    )
