"""Sets the local Raito Cloud up for the embedded estate, with access controls that `make run` pushes."""

from raito_pipeline.sandbox.aws.estate import Estate, EstateAccount
from raito_pipeline.sandbox.raito.seed import (
    SeedAccount,
    SeedBucket,
    SeededIds,
    SeedOrganization,
    access_controls_of,
    seed_raito_cloud,
)
from raito_pipeline.sandbox.raito.server import LocalRaitoCloud

NOT_PUSHED_YET: frozenset[str] = frozenset()
"""Types of access controls that the plan of a push refuses today."""


def seed_access_controls(cloud: LocalRaitoCloud, estate: Estate) -> SeededIds:
    """Identity stores, data sources, and some access controls of all types. Seeding twice changes nothing."""
    return seed_raito_cloud(cloud, [_account(account) for account in estate.members], _organization(estate))


def refused_today(estate: Estate) -> frozenset[str]:
    """The ids of the access controls whose types a push cannot make yet."""
    controls = (c for account in estate.members for c in access_controls_of(_account(account), _organization(estate)))
    return frozenset(str(control["id"]) for control in controls if control["type"] in NOT_PUSHED_YET)


def _organization(estate: Estate) -> SeedOrganization:
    master = estate.master.account_id
    return SeedOrganization(master, "AWS organization", estate.organization_users, estate.organization_groups)


def _account(account: EstateAccount) -> SeedAccount:
    buckets = [
        SeedBucket(name, region, tuple(folders))
        for name, (region, folders) in (account.folders or {}).items()
        if folders
    ]
    return SeedAccount(
        account.account_id,
        account.name,
        account.users,
        account.groups,
        tuple(buckets),
        account.retired_role,
        "folder" if account.mode == "s3" else "glue-table",
    )
