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
from raito_pipeline.sandbox.aws.estate.large_organization import add_discovered_role
from raito_pipeline.sandbox.aws.estate.model import Estate, EstateAccount, EstateSettings, Mode
from raito_pipeline.sandbox.aws.estate.names import LOGS
from raito_pipeline.sandbox.aws.estate.organization import seed_organization

Member = tuple[str, str, tuple[str, ...], Mode]
"""id, name, regions and mode of an account"""

_MASTER = "210000000001"
_MEMBERS: tuple[Member, ...] = (
    ("210000000012", "marketing", ("us-east-1", "eu-west-1", "eu-central-1"), "s3"),
    ("210000000023", "finance", ("us-east-1", "eu-central-1"), "s3"),
    ("210000000034", "research", ("eu-west-1", "us-east-1"), "glue"),
)
_MORE_REGIONS = (("us-east-1", "eu-west-1"), ("eu-central-1", "us-east-1"))
_SOME_KEYS = 40


def build_estate(settings: EstateSettings | None = None) -> Estate:
    """Fill the emulated AWS, which has to be empty, with the estate."""
    sizes = settings or EstateSettings()
    wanted = _members(sizes)
    ids = [account_id for account_id, *_ in wanted]
    members = tuple(
        _member(member, neighbour, sizes) for member, neighbour in zip(wanted, [*ids[1:], ids[0]], strict=True)
    )
    users, groups = seed_identity_center(
        _MASTER, [(member.account_id, tuple(member.folders or ())) for member in members], sizes
    )
    master = _account(_MASTER, "organization", (REGION,), "s3")
    seed_organization(_MASTER, ids)
    listed, unlisted = members[: sizes.accounts], members[sizes.accounts :]
    for account in unlisted:
        add_discovered_role(account.account_id, _MASTER)
    return Estate(master, listed, REGION, INSTANCE_ARN, STORE_ID, users, groups, unlisted)


def _members(sizes: EstateSettings) -> list[Member]:
    """The member accounts, those that `raito.yml` names first."""
    more = range(len(_MEMBERS), sizes.accounts)
    listed: list[Member] = [
        *_MEMBERS[: sizes.accounts],
        *((_id(n), f"team-{n:02}", _MORE_REGIONS[n % 2], "glue" if n % 3 == 2 else "s3") for n in more),
    ]
    ids = [_id(sizes.accounts + number) for number in range(sizes.unlisted)]
    # Called by their ids, so that one pattern of discovery names the bucket with the logs of each.
    return [*listed, *((account_id, account_id, _MORE_REGIONS[0], "s3") for account_id in ids)]


def _id(number: int) -> str:
    return f"21000000{1_000 + number}"


def _account(account_id: str, name: str, regions: Sequence[str], mode: Mode) -> EstateAccount:
    key, secret = f"AKIA{account_id}ROOT", f"embedded-estate-{name}"
    install_access_key(account_id, key, secret)
    return EstateAccount(account_id, name, name, tuple(regions), mode, f"{name}-{LOGS}", key, secret)


def _member(member: Member, neighbour: str, sizes: EstateSettings) -> EstateAccount:
    account_id, name, regions, mode = member
    account = _account(account_id, name, regions, mode)
    buckets = seed_buckets(account_id, name, regions, sizes.keys)
    data = [bucket for bucket in buckets if bucket != account.cloudtrail_bucket]
    iam = seed_iam(account_id, _MASTER, data, sizes)
    seed_access_points(account_id, buckets, iam.users, iam.roles)
    seed_bucket_policies(account_id, neighbour, data, iam.roles)
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
