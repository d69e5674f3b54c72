"""Builds the estate in the emulated AWS, without calls and the same each time (log files: for the same day)."""

from collections.abc import Sequence

from moto.s3.models import s3_backends

from raito_pipeline.sandbox.aws.accounts import install_access_key
from raito_pipeline.sandbox.aws.estate.bucket_policies import seed_bucket_policies
from raito_pipeline.sandbox.aws.estate.buckets import folders, seed_access_points, seed_buckets
from raito_pipeline.sandbox.aws.estate.cloudtrail import seed_cloudtrail
from raito_pipeline.sandbox.aws.estate.glue import seed_glue
from raito_pipeline.sandbox.aws.estate.iam import seed_iam
from raito_pipeline.sandbox.aws.estate.identity_center import INSTANCE_ARN, REGION, STORE_ID, seed_identity_center
from raito_pipeline.sandbox.aws.estate.model import Estate, EstateAccount, EstateSettings, Mode
from raito_pipeline.sandbox.aws.estate.names import LOGS
from raito_pipeline.sandbox.aws.estate.organization import seed_organization

_MASTER = "210000000001"
_MEMBERS: tuple[tuple[str, str, tuple[str, ...], Mode], ...] = (
    ("210000000012", "marketing", ("us-east-1", "eu-west-1", "eu-central-1"), "s3"),
    ("210000000023", "finance", ("us-east-1", "eu-central-1"), "s3"),
    ("210000000034", "research", ("eu-west-1", "us-east-1"), "glue"),
)
_SOME_KEYS = 40


def build_estate(settings: EstateSettings | None = None) -> Estate:
    """Fill the emulated AWS, which has to be empty, with the estate."""
    sizes = settings or EstateSettings()
    members = tuple(_member(*member, sizes) for member in _MEMBERS)
    users, groups = seed_identity_center(
        _MASTER, [(member.account_id, tuple(member.folders or ())) for member in members], sizes
    )
    master = _account(_MASTER, "organization", (REGION,), "s3")
    seed_organization(_MASTER, [member.account_id for member in members])
    return Estate(master, members, REGION, INSTANCE_ARN, STORE_ID, users, groups)


def _neighbour(account_id: str) -> str:
    """The member account after this one."""
    members = [member[0] for member in _MEMBERS]
    return members[(members.index(account_id) + 1) % len(members)]


def _account(account_id: str, name: str, regions: Sequence[str], mode: Mode) -> EstateAccount:
    key, secret = f"AKIA{account_id}ROOT", f"embedded-estate-{name}"
    install_access_key(account_id, key, secret)
    return EstateAccount(account_id, name, name, tuple(regions), mode, f"{name}-{LOGS}", key, secret)


def _member(account_id: str, name: str, regions: tuple[str, ...], mode: Mode, sizes: EstateSettings) -> EstateAccount:
    account = _account(account_id, name, regions, mode)
    buckets = seed_buckets(account_id, name, regions, sizes.keys)
    data = [bucket for bucket in buckets if bucket != account.cloudtrail_bucket]
    iam = seed_iam(account_id, _MASTER, data, sizes)
    seed_access_points(account_id, buckets, iam.users, iam.roles)
    seed_bucket_policies(account_id, _neighbour(account_id), data, iam.roles)
    tables = seed_glue(account_id, regions, buckets, sizes.tables)
    s3 = s3_backends[account_id]["aws"]
    keys = {bucket: list(s3.buckets[bucket].keys.keys())[:_SOME_KEYS] for bucket in data}
    touched = (
        keys if mode == "s3" else {bucket: [f"{path}/part.parquet" for path in tables[bucket]] for bucket in tables}
    )
    seed_cloudtrail(account_id, buckets, touched, iam.users, sizes.log_days)
    known = {
        bucket: (buckets[bucket], folders(3) if mode == "s3" else tuple(tables.get(bucket, ())[:3])) for bucket in data
    }
    return EstateAccount(
        account_id,
        name,
        name,
        regions,
        mode,
        account.cloudtrail_bucket,
        account.access_key_id,
        account.secret_access_key,
        iam.users,
        iam.groups,
        known,
        iam.retired_role,
    )
