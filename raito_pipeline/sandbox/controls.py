"""Sets the local Raito Cloud up for the embedded estate, with access controls that `make run` pushes."""

from raito_pipeline.sandbox.aws.estate import Estate, EstateAccount
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
    return seed_raito_cloud(cloud, [seeded_account(account) for account in estate.members], _organization(estate))


def _organization(estate: Estate) -> SeedOrganization:
    master = estate.master.account_id
    return SeedOrganization(master, "AWS organization", estate.organization_users, estate.organization_groups)


def seeded_account(account: EstateAccount) -> SeedAccount:
    """An account of the estate as Raito Cloud is set up for it: who and what its access controls may name."""
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
