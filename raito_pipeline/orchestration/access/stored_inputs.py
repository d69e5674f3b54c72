"""The stored tables that the access of an account is worked out of, and whether what was there before still is."""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import TypeVar

from raito_pipeline.aws.access import AccessInputs
from raito_pipeline.aws.access.external_ids import PERMISSION_SET, permission_set_name
from raito_pipeline.model import (
    AccessPoint,
    IamAttachment,
    IamGroup,
    IamPolicy,
    IamRole,
    IamUser,
    OrgAccount,
    OrgAccountAssignment,
    OrgControlPolicy,
    OrgPermissionSet,
    OrgPolicyTarget,
    Outside,
    PushTarget,
    S3Bucket,
    S3BucketPolicy,
    table_of,
)
from raito_pipeline.model.batches import texts
from raito_pipeline.orchestration.access.bucket_owners import REMEMBERED, BucketOwners
from raito_pipeline.orchestration.access.known_data_objects import known_paths_of
from raito_pipeline.orchestration.partitioning import gone, partitions
from raito_pipeline.orchestration.partitioning.grid import Cell, Grid, cell_of
from raito_pipeline.orchestration.recording.layers import region_cells
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.storage import CellMissing, Store

_OF_THE_ORGANIZATION = ("org_permission_sets", "org_account_assignments", *Outside.AWS_ORGANIZATIONS.feeds)
BUILT_OF = "built of"
"""Key in the extra fields of `access_providers`: the cells of access points and of the organization that it is of."""
R = TypeVar("R")
Input = tuple[str, str, str]
"""table, account (or organization) and region of a cell"""


def optional_inputs(store: Store, services: Services, grid: Grid, account: str) -> tuple[Input, ...]:
    """The stored cells of access points and of the organization: an account has access providers without them, too."""
    options = services.options
    regions = [cell.region for cell in region_cells(options, grid, account) if cell.region is not None]
    inputs = [("access_points", account, region) for region in (*regions, *gone.gone_regions(options, store, account))]
    key = partitions.organization_of(options, account)
    if key is not None:
        place = cell_of("organization", key)
        inputs += [(table, place.account, place.region or "") for table in _OF_THE_ORGANIZATION]
    return tuple(each for each in inputs if store.info(*each) is not None)


def built_of_before(store: Store, cell: Cell) -> tuple[Input, ...]:
    """The optional inputs of the access providers that are stored.

    Access points are the account's own, under whatever key they lay then: tables follow their target to another one.
    """
    info = store.info("access_providers", cell.account)
    stored = json.loads(info.extra.get(BUILT_OF, "[]")) if info else []
    return tuple(
        (table, cell.account if table == "access_points" else account, region) for table, account, region in stored
    )


def require_what_was_there(store: Store, services: Services, grid: Grid, cell: Cell, there: Sequence[Input]) -> None:
    """Raise `CellMissing` where a cell that the stored access providers are built of is not there any more.

    Without it, who has them or what they give would be lost. A region or organization that the account does not have
    any more is none of its inputs.
    """
    key = partitions.organization_of(services.options, cell.account)
    regions = {each.region for each in region_cells(services.options, grid, cell.account)}
    for table, account, region in built_of_before(store, cell):
        ours = region in regions if table == "access_points" else key == f"{account}_{region}"
        if ours and (table, account, region) not in there:
            raise CellMissing(table, account, region, store.uri(table, account, region))


def bucket_owners(store: Store, services: Services, account: str) -> BucketOwners:
    """Where the buckets are that policies of an account name, as its stored access providers noted it."""
    info = store.info("access_providers", account)
    noted = "" if info is None else info.extra.get(REMEMBERED, "")
    return BucketOwners.remembering(store, services.options.every_account, noted)


def access_inputs(
    store: Store,
    services: Services,
    grid: Grid,
    account: str,
    left: Collection[str],
    owners: BucketOwners | None = None,
) -> AccessInputs:
    """The stored tables of an account and its organization; `owners` looks up the buckets of others.

    `left` holds the external ids of what pushes left in AWS: the last plan names none of what it refused.
    Raises `CellMissing` where IAM or the buckets were never read.
    """
    there = optional_inputs(store, services, grid, account)
    owners = owners or bucket_owners(store, services, account)
    planned = {each.external_id for each in store.earlier(PushTarget, account)}
    pushed = frozenset(each for each in {*planned, *left} if each)

    def of(row_type: type[R]) -> tuple[R, ...]:
        places = ((one, region) for table, one, region in there if table == table_of(row_type).name)
        return tuple(row for place in places for row in store.rows(row_type, *place))

    return AccessInputs(
        account_id=services.account(account).account_id,
        users=tuple(store.rows(IamUser, account)),
        groups=tuple(store.rows(IamGroup, account)),
        roles=tuple(store.rows(IamRole, account)),
        policies=tuple(store.rows(IamPolicy, account)),
        attachments=tuple(store.rows(IamAttachment, account)),
        buckets=tuple(store.rows(S3Bucket, account)),
        access_points=of(AccessPoint),
        permission_sets=of(OrgPermissionSet),
        assignments=of(OrgAccountAssignment),
        pushed_permission_sets=frozenset(_pushed_permission_sets(pushed)),
        pushed=_not_imported(store, account, pushed),
        bucket_policies=tuple(store.rows(S3BucketPolicy, account)),
        org_accounts=of(OrgAccount),
        org_policy_targets=of(OrgPolicyTarget),
        org_control_policies=of(OrgControlPolicy),
        bucket_policy_use=services.options.pipeline.bucket_policies,
        linked={each.account_id: each.name for each in services.options.every_account if each.partition != account},
        look_up=partial(known_paths_of, store, owners, services.account(account)),
    )


def _pushed_permission_sets(pushed: Iterable[str]) -> Iterator[str]:
    """The permission sets of Raito by what pushes made: an organization that was read before lacks new ones."""
    for external_id in pushed:
        named = external_id.removeprefix(PERMISSION_SET)
        if external_id != named and permission_set_name(named) == named:
            yield named


def _not_imported(store: Store, account: str, pushed: frozenset[str]) -> frozenset[str]:
    """The external ids of what pushes made or kept, less what the import before this one shows.

    An access control that was imported has a target of the push, too, edited or not: what it names is others' own.
    """
    if pushed:
        with suppress(CellMissing):
            pushed -= set(texts(store.dataset("access_providers", account).to_table(["external_id"]), "external_id"))
    return pushed
