"""The partitions of a configuration: its accounts, their regions, and the organizations that they belong to.

Pure functions from options to plain keys; nothing else is read. No key holds `|`, `,`, `[` or `]`, to which Dagster
gives a meaning.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from raito_pipeline.aws.data_objects.names import DataObjectName
from raito_pipeline.config import AccountTarget, Options, OrganizationLink, OrganizationTarget
from raito_pipeline.config.names import as_key


@dataclass(frozen=True)
class OrganizationPartition:
    """One Identity Center.

    `instance_arn` and `identity_store_id` (of AWS) are known where an account's target names them; else they are None.
    """

    key: str
    profile: str | None
    region: str
    instance_arn: str | None
    identity_store_id: str | None
    target: str | None


def accounts(options: Options) -> tuple[str, ...]:
    """The account keys, in the order of the file: `ACCOUNT`, or `ACCOUNT-TARGET` for all but its first target."""
    return tuple(target.partition for target in options.accounts)


def regions(options: Options) -> tuple[str, ...]:
    """Every region of any account, sorted."""
    return tuple(sorted({region_key(region) for target in options.accounts for region in target.regions}))


def in_scope(options: Options, account: str, region: str) -> bool:
    """Whether the account with the key `account` is read in `region`; false for an unknown account."""
    target = options.accounts_by_partition.get(account)
    return target is not None and region in map(region_key, target.regions)


def regions_of_part(target: AccountTarget, place: DataObjectName) -> tuple[str, ...]:
    """The keys of the regions in which a target reads what lies at and below `place`; none where it does not.

    With Glue these are all: each catalog may name buckets of any region.
    """
    if place.account != target.account_id:
        return ()
    regions = (region for region in target.regions if target.aws_glue_enabled or region == place.region)
    return tuple(map(region_key, regions))


def region_key(region: str) -> str:
    """The key of `region`: its name, in which only a placeholder needs changes."""
    return as_key(region)


def organizations(options: Options) -> tuple[OrganizationPartition, ...]:
    """The organizations to read: those of targets in the order of the file, then those that only accounts link.

    An organization that `only-targets` leaves out is still there where a selected account needs its permission sets.
    """
    by_key: dict[str, OrganizationPartition] = {}
    for target in options.organizations:
        by_key.setdefault(key_of_organization(target), _of_target(options, target))
    for account in options.accounts:
        if account.organization is not None:
            partition = _linked(options, account.organization)
            by_key.setdefault(partition.key, partition)
    return tuple(by_key.values())


def linked_organizations(options: Options) -> dict[str, OrganizationLink]:
    """The organizations that are the target of nothing, by the profile by which accounts link them."""
    return {link.profile: link for link in _links(options) if _target_of(options, link) is None}


def organization_of(options: Options, account: str) -> str | None:
    """The key of the organization that the account with the key `account` links, or None where it links none."""
    target = options.accounts_by_partition.get(account)
    return _linked(options, target.organization).key if target is not None and target.organization else None


def members_of_organization(options: Options, key: str) -> frozenset[str]:
    """The ids of all accounts of the file that link the organization of that key, selected or not."""
    linked = [(account.account_id, account.organization) for account in options.accounts]
    members = (*linked, *options.other_members)
    return frozenset(account for account, link in members if link is not None and _linked(options, link).key == key)


def _linked(options: Options, link: OrganizationLink) -> OrganizationPartition:
    target = _target_of(options, link)
    if target is not None:
        return _of_target(options, target)
    return OrganizationPartition(
        key=f"{as_key(link.identity_store_id)}_{as_key(link.region)}",
        profile=link.profile,
        region=link.region,
        instance_arn=link.instance_arn,
        identity_store_id=link.identity_store_id,
        target=None,
    )


def _target_of(options: Options, link: OrganizationLink) -> OrganizationTarget | None:
    """The target with the profile and region of `link`; else the only one of the region, unless its store is another.

    An account may reach the organization through a profile of its own, so the profile alone does not decide.
    """
    targets = (*options.organizations, *options.other_organizations)
    in_region = [target for target in targets if target.region == link.region]
    for target in in_region:
        if target.profile == link.profile:
            return target
    if len(in_region) != 1:
        return None
    proven = _proven_link(options, in_region[0])
    return in_region[0] if proven is None or proven.identity_store_id == link.identity_store_id else None


def _proven_link(options: Options, target: OrganizationTarget) -> OrganizationLink | None:
    """A link with the very profile and region of `target`: it tells the identity store, which the target does not."""
    same = (link for link in _all_links(options) if (link.profile, link.region) == (target.profile, target.region))
    return next(same, None)


def _links(options: Options) -> Iterator[OrganizationLink]:
    """How the accounts that link an organization do it."""
    return (account.organization for account in options.accounts if account.organization is not None)


def _all_links(options: Options) -> Iterator[OrganizationLink]:
    """How all accounts of the file do it: what an organization is called does not depend on the selection."""
    yield from _links(options)
    yield from (link for _, link in options.other_members)


def _of_target(options: Options, target: OrganizationTarget) -> OrganizationPartition:
    meant = (link for link in _all_links(options) if _target_of(options, link) is target)
    link = _proven_link(options, target) or next(meant, None)
    return OrganizationPartition(
        key=key_of_organization(target),
        profile=target.profile,
        region=target.region,
        instance_arn=link.instance_arn if link else None,
        identity_store_id=link.identity_store_id if link else None,
        target=target.name,
    )


def key_of_organization(target: OrganizationTarget) -> str:
    """The key of the organization of a target."""
    return f"{as_key(target.account_id)}_{as_key(target.region)}"
