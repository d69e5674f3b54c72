"""Stage `access`: access points of each region, and access providers made of everything that IAM and S3 say."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TypeVar

import dagster as dg

from raito_pipeline.aws.access import AccessInputs, build_access_providers
from raito_pipeline.aws.access.external_ids import PERMISSION_SET, permission_set_name
from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.readers.access_points import read_access_points
from raito_pipeline.config import AccountTarget
from raito_pipeline.model import (
    AccessPoint,
    AccessProvider,
    IamAttachment,
    IamGroup,
    IamPolicy,
    IamRole,
    IamUser,
    OrgAccountAssignment,
    OrgPermissionSet,
    PushTarget,
    S3Bucket,
    table_of,
)
from raito_pipeline.orchestration import gone, partitions
from raito_pipeline.orchestration.cells import CellLog
from raito_pipeline.orchestration.grid import Cell, Grid, cell_of
from raito_pipeline.orchestration.guard import judge
from raito_pipeline.orchestration.layers import region_cells, upstream_needs
from raito_pipeline.orchestration.makers import CellMaker
from raito_pipeline.orchestration.meter import Meter
from raito_pipeline.orchestration.previews import small_table
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.orchestration.specs import table_spec
from raito_pipeline.storage import CellMissing, ReadStatus, Store

GROUP = "access"
R = TypeVar("R")
_MOST_REASONS = 10
_OF_THE_ORGANIZATION = ("org_permission_sets", "org_account_assignments")
_BUILT_OF = "built of"
"""Key in the extra fields of `access_providers`: the cells of access points and of the organization that it is of."""


def specs(grid: Grid) -> list[dg.AssetSpec]:
    """The access providers of an account, part of its last layer (`assets/last_layer.py`)."""
    return [table_spec("access_providers", grid, group=GROUP, kinds={"iam", "s3"})]


def make(log: CellLog, services: Services, grid: Grid, cell: Cell) -> None:
    """Work out who may do what from the stored tables, where the run selected it; AWS is not asked."""
    if log.wants("access_providers"):
        with log.attempt(cell, "access_providers"):
            _build(log, services, grid, cell)


def _build(log: CellLog, services: Services, grid: Grid, cell: Cell) -> None:
    target = services.account(cell.account)
    if target.skip_data_access_sync:
        log.out_of_scope("access_providers", cell, "skip-data-access-sync is on")
        return
    meter = Meter()
    read_at = datetime.now(UTC)
    needs = upstream_needs("access_providers", cell, services.options, grid, log.store)
    verdict = judge(log.attempts, log.store, needs)
    for reason in gone.reasons(services.options, log.store, cell.account):
        verdict = verdict.but(reason)
    built_of = optional_inputs(log.store, services, grid, cell.account)
    try:
        _require_what_was_there(log.store, services, grid, cell, built_of)
        inputs = access_inputs(log.store, services, grid, cell.account)
        # What lies in a region that may be gone by mistake keeps its access.
        left = gone.gone_regions(services.options, log.store, cell.account)
        options = target.model_copy(update={"regions": (*target.regions, *left)})
        rows = build_access_providers(inputs, options, ACCESS_PROVIDER_TYPES.imported)
    except CellMissing as error:
        rows, verdict = _of_the_previous_sync(log.store, cell, error), verdict.but(f"it could not be built: {error}")
        built_of = _built_of(log.store, cell)
    info = log.store.write(
        "access_providers",
        rows,
        cell.account,
        status=ReadStatus.COMPLETE if verdict.complete else ReadStatus.PARTIAL,
        problems=verdict.reasons,
        read_at=read_at,
        extra={_BUILT_OF: json.dumps([list(each) for each in built_of])},
    )
    log.record(cell, info, {**meter.cost().metadata(), **incomplete_metadata(rows)})


def _of_the_previous_sync(store: Store, cell: Cell, error: CellMissing) -> tuple[AccessProvider, ...]:
    """The access providers as they were; raises `error`, which says what is missing, where they never were built."""
    if store.info("access_providers", cell.account) is None:
        raise error
    return tuple(store.rows(AccessProvider, cell.account))


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


def _built_of(store: Store, cell: Cell) -> tuple[Input, ...]:
    """The optional inputs of the access providers that are stored."""
    info = store.info("access_providers", cell.account)
    stored = json.loads(info.extra.get(_BUILT_OF, "[]")) if info else []
    return tuple((table, account, region) for table, account, region in stored)


def _require_what_was_there(store: Store, services: Services, grid: Grid, cell: Cell, there: Sequence[Input]) -> None:
    """Raise `CellMissing` where a cell that the stored access providers are built of is not there any more.

    Without it, who has them or what they give would be lost. A region or organization that the account does not have
    any more is none of its inputs.
    """
    key = partitions.organization_of(services.options, cell.account)
    regions = {each.region for each in region_cells(services.options, grid, cell.account)}
    for table, account, region in _built_of(store, cell):
        ours = region in regions if table == "access_points" else key == f"{account}_{region}"
        if ours and (table, account, region) not in there:
            raise CellMissing(table, account, region, store.uri(table, account, region))


def access_inputs(store: Store, services: Services, grid: Grid, account: str) -> AccessInputs:
    """The stored tables of an account and its organization.

    Raises `CellMissing` where IAM or the buckets were never read.
    """
    there = optional_inputs(store, services, grid, account)

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
        pushed_permission_sets=frozenset(_pushed_permission_sets(store, account)),
    )


def _pushed_permission_sets(store: Store, account: str) -> Iterator[str]:
    """The permission sets of Raito by what was last planned: an organization that was read before lacks new ones."""
    for target in store.earlier(PushTarget, account):
        named = (target.external_id or "").removeprefix(PERMISSION_SET)
        if target.external_id != named and permission_set_name(named) == named:
            yield named


def incomplete_metadata(rows: Sequence[AccessProvider]) -> dict[str, dg.MetadataValue]:
    """How many access providers there are by type, how many are incomplete, and the most frequent reasons why."""
    reasons = Counter(reason for row in rows for reason in row.incomplete_reasons)
    counted = ({"times": times, "reason": reason} for reason, times in reasons.most_common(_MOST_REASONS))
    return {
        "by type": dg.MetadataValue.json(dict(sorted(Counter(row.type for row in rows).items()))),
        "incomplete": dg.MetadataValue.int(sum(row.incomplete for row in rows)),
        "most frequent reasons": small_table(counted, {"times": "int64", "reason": "string"}, _MOST_REASONS),
    }


def regional_specs(grid: Grid) -> list[dg.AssetSpec]:
    """The regional table of this stage."""
    return [table_spec("access_points", grid, group=GROUP, kinds={"s3"})]


def _switched_off(target: AccountTarget) -> str | None:
    if target.skip_data_access_sync:
        return "skip-data-access-sync is on"
    return "aws-access-skip-s3-access-points is on" if target.aws_access_skip_s3_access_points else None


def _make(log: CellLog, services: Services, cell: Cell) -> None:
    target = services.account(cell.account)
    clients = services.aws(target)
    meter = Meter(clients)
    assert cell.region is not None
    earlier = log.store.earlier(AccessPoint, *cell.place)
    read = read_access_points(
        clients, target.account_id, cell.region, target.aws_concurrency, services.progress, earlier=earlier
    )
    log.store_read("access_points", cell, read, meter)


MAKERS = (CellMaker(("access_points",), _switched_off, _make),)
