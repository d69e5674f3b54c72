"""The partitions of a configuration: its accounts, their regions, and the organizations that they belong to.

Pure functions from options to plain keys; nothing else is read. No key holds `|`, `,`, `[` or `]`, to which Dagster
gives a meaning.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from raito_pipeline.config.names import as_key
from raito_pipeline.config.options import AccountTarget, Options, OrganizationLink, OrganizationTarget


@dataclass(frozen=True)
class OrganizationPartition:
    """One Identity Center.

    `instance_arn` and `identity_store_id` (of AWS) are known where an account's target names them, and
    `raito_identity_store_id` where an organization's target does; otherwise they are None.
    """

    key: str
    profile: str | None
    region: str
    instance_arn: str | None
    identity_store_id: str | None
    raito_identity_store_id: str | None
    target: str | None


def accounts(options: Options) -> tuple[str, ...]:
    """The account keys, in the order of the file: `ACCOUNT`, or `ACCOUNT-TARGET` where several targets share one."""
    return tuple(target.partition for target in options.accounts)


def regions(options: Options) -> tuple[str, ...]:
    """Every region of any account, sorted."""
    return tuple(sorted({region_key(region) for target in options.accounts for region in target.regions}))


def in_scope(options: Options, account: str, region: str) -> bool:
    """Whether the account with the key `account` is read in `region`; false for an unknown account."""
    return any(target.partition == account and region in map(region_key, target.regions) for target in options.accounts)


def region_key(region: str) -> str:
    """The key of `region`: its name, in which only a placeholder needs changes."""
    return as_key(region)


def organizations(options: Options) -> tuple[OrganizationPartition, ...]:
    """The organizations to read: those of targets in the order of the file, then those that only accounts link.

    An organization that `only-targets` leaves out is still there where a selected account needs its permission sets.
    """
    found: dict[str, OrganizationPartition] = {}
    for target in options.organizations:
        found.setdefault(_target_key(target), _of_target(options, target))
    for account in options.accounts:
        if account.organization is not None:
            partition = _linked(options, account.organization)
            found.setdefault(partition.key, partition)
    return tuple(found.values())


def organization_of(options: Options, account: str) -> str | None:
    """The key of the organization that the account with the key `account` links, or None where it links none."""
    for target in options.accounts:
        if target.partition == account and target.organization is not None:
            return _linked(options, target.organization).key
    return None


def _linked(options: Options, link: OrganizationLink) -> OrganizationPartition:
    """The organization of `link`: the target with its profile and region, else the only target of its region, else its own."""
    known = (*options.organizations, *options.other_organizations)
    in_region = [target for target in known if target.region == link.region]
    same = [target for target in in_region if target.profile == link.profile]
    if same or len(in_region) == 1:
        return _of_target(options, (same or in_region)[0])
    return OrganizationPartition(
        key=f"{as_key(link.identity_store_id)}_{as_key(link.region)}",
        profile=link.profile,
        region=link.region,
        instance_arn=link.instance_arn,
        identity_store_id=link.identity_store_id,
        raito_identity_store_id=None,
        target=None,
    )


def _of_target(options: Options, target: OrganizationTarget) -> OrganizationPartition:
    link = next(_links_of(options, target), None)
    return OrganizationPartition(
        key=_target_key(target),
        profile=target.profile,
        region=target.region,
        instance_arn=link.instance_arn if link else None,
        identity_store_id=link.identity_store_id if link else None,
        raito_identity_store_id=target.identity_store_id,
        target=target.name,
    )


def _links_of(options: Options, target: OrganizationTarget) -> Iterator[OrganizationLink]:
    for account in options.accounts:
        link = account.organization
        if link is not None and link.region == target.region and _is_same(options, target, link):
            yield link


def _is_same(options: Options, target: OrganizationTarget, link: OrganizationLink) -> bool:
    known = (*options.organizations, *options.other_organizations)
    return target.profile == link.profile or sum(other.region == link.region for other in known) == 1


def _target_key(target: OrganizationTarget) -> str:
    return f"{as_key(target.account_id)}_{as_key(target.region)}"


def account_target(options: Options, account: str) -> AccountTarget:
    """The target of the account key `account`. Raises KeyError where there is none."""
    return options.account(account)
