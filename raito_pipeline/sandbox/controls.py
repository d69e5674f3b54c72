"""Sets the local Raito Cloud up for the embedded estate, with access controls that `make run` pushes."""

from raito_pipeline.sandbox.aws.estate import Account, Estate
from raito_pipeline.sandbox.raito.seed import (
    SeedAccount,
    SeedBucket,
    SeededIds,
    SeedOrganization,
    seed_raito_cloud,
)
from raito_pipeline.sandbox.raito.server import LocalRaitoCloud


def seed_access_controls(cloud: LocalRaitoCloud, estate: Estate) -> SeededIds:
    """Identity stores, data sources, and some access controls of all types. Seeding twice changes nothing."""
    organization = SeedOrganization(
        estate.master.account_id, "AWS organization", estate.organization_users, estate.organization_groups
    )
    return seed_raito_cloud(cloud, [_account(account) for account in estate.members], organization)


def _account(account: Account) -> SeedAccount:
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
