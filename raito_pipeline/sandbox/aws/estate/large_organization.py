"""An organization of many accounts in nested units, some of them closed, for discovery and its figures."""

from collections.abc import Sequence
from dataclasses import dataclass

from moto.organizations.models import FakeAccount, OrganizationsBackend, organizations_backends

from raito_pipeline.sandbox.aws.accounts import iam_of
from raito_pipeline.sandbox.aws.estate.documents import trust

ROLE = "raito-sync"
_REGION = "us-east-1"


@dataclass(frozen=True)
class LargeOrganization:
    """What was made: ids of the member accounts, those of them that are closed, and the names of the units."""

    accounts: tuple[str, ...]
    closed: tuple[str, ...]
    units: tuple[str, ...]


def seed_large_organization(
    master: str, count: int, units: Sequence[str] = ("production", "production/analytics", "sandboxes"), every: int = 10
) -> LargeOrganization:
    """Make an organization of `master` with `count` members in turn in `units` (paths); every so many is closed.

    An account is called `team-NUMBER`, has the tag `stage` = `live` or `test` in turn, and the role `raito-sync`, which
    trusts the management account.
    """
    backend = organizations_backends[master]["aws"]
    backend.create_organization(_REGION)
    places = _units(backend, units)
    accounts = tuple(f"{310_000_000_000 + number:012}" for number in range(count))
    closed = []
    for number, account_id in enumerate(accounts):
        account = add_member(backend, account_id, f"team-{number:04}", places[number % len(places)])
        account.tags = {"stage": ("live", "test")[number % 2]}
        if every and number % every == every - 1:
            account.close()
            closed.append(account_id)
    return LargeOrganization(accounts, tuple(closed), tuple(units))


def add_member(backend: OrganizationsBackend, account_id: str, name: str, unit: str) -> FakeAccount:
    """Add an account with the role that trusts the management account."""
    assert backend.org is not None
    account = FakeAccount(backend.org, AccountName=name, Email=f"{account_id}@example.com")
    account.id, account.parent_id = account_id, unit
    backend.accounts.append(account)
    organizations_backends.master_accounts[account_id] = (backend.account_id, "aws")
    add_discovered_role(account_id, backend.account_id)
    return account


def add_discovered_role(account_id: str, master: str) -> None:
    """Give an account the role that discovery assumes, which trusts the management account `master`."""
    trusting = trust({"AWS": f"arn:aws:iam::{master}:root"})
    iam_of(account_id).create_role(ROLE, trusting, "/", None, "", [], "3600")


def _units(backend: OrganizationsBackend, paths: Sequence[str]) -> list[str]:
    made = {"": backend.ou[0].id}
    for path in paths:
        above, _, name = path.rpartition("/")
        unit = backend.create_organizational_unit(Name=name, ParentId=made[above])["OrganizationalUnit"]
        made[path] = unit["Id"]
    return [made[path] for path in paths]
