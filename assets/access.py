"""Stage `access`: access points of each region, and access providers made of everything that IAM and S3 say."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from itertools import product
from typing import TypeVar

import dagster as dg
import pyarrow as pa

from raito_pipeline.aws.access.account import Account
from raito_pipeline.aws.access.basis import TracedProvider, basis_batches
from raito_pipeline.aws.access.build import traced_access_providers
from raito_pipeline.aws.access.effective import effective_batches
from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.readers.access_points import read_access_points
from raito_pipeline.config import AccountTarget
from raito_pipeline.model import AccessPoint, AccessProvider, IamRole, IamUser, OrgUser
from raito_pipeline.model.batches import texts
from raito_pipeline.model.schema import to_batch
from raito_pipeline.orchestration.access.bucket_owners import REMEMBERED, BucketOwners
from raito_pipeline.orchestration.access.incomplete import incomplete_metadata
from raito_pipeline.orchestration.access.stored_inputs import (
    BUILT_OF,
    Input,
    access_inputs,
    bucket_owners,
    built_of_before,
    optional_inputs,
    require_what_was_there,
)
from raito_pipeline.orchestration.partitioning import gone, partitions
from raito_pipeline.orchestration.partitioning.grid import Cell, Grid, cell_of
from raito_pipeline.orchestration.push.last_push import left_in_aws
from raito_pipeline.orchestration.recording.cells import CellLog
from raito_pipeline.orchestration.recording.guard import Verdict, judge
from raito_pipeline.orchestration.recording.layers import upstream_needs
from raito_pipeline.orchestration.recording.makers import CellMaker
from raito_pipeline.orchestration.recording.meter import Meter
from raito_pipeline.orchestration.recording.specs import table_spec
from raito_pipeline.orchestration.recording.unknown_controls import unknown_controls
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.storage import CellInfo, CellMissing

GROUP = "access"
R = TypeVar("R")


@dataclass(frozen=True)
class _AccessWork:
    """What the tables of an account's access are made of."""

    log: CellLog
    cell: Cell
    verdict: Verdict
    account: Account | CellMissing
    """or what is missing of it: each table then stays as it was"""
    built_of: tuple[Input, ...]
    unknown: str | None
    """what is not known of the control policies of the account"""
    organization: Input | None
    """the people that it has, where the account links one"""
    owners: BucketOwners
    """where the buckets are that its policies name"""
    others: tuple[str, ...] = ()
    """the partitions of the other accounts of the file"""
    read_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @cached_property
    def providers(self) -> tuple[TracedProvider, ...]:
        """The access providers of the account. Raises `CellMissing`."""
        return traced_access_providers(self.known, ACCESS_PROVIDER_TYPES.imported)

    def rows(self) -> Sequence[AccessProvider]:
        """The rows of the access providers, those of the previous sync where something is missing."""
        if isinstance(self.account, CellMissing):
            return tuple(self.log.store.rows(AccessProvider, self.cell.account))
        return [each.row for each in self.providers]

    @property
    def known(self) -> Account:
        """The account. Raises `CellMissing`."""
        if isinstance(self.account, CellMissing):
            raise self.account
        return self.account

    def store(self, table: str, batches: Callable[[], Iterable[pa.RecordBatch]]) -> CellInfo:
        """Write a table; where something is missing that it is made of, its rows of the previous sync.

        Raises `CellMissing`, which says what is missing, where there are none.
        """
        store, place = self.log.store, self.cell.account
        if isinstance(self.account, CellMissing) and store.info(table, place) is None:
            raise self.account
        kept = isinstance(self.account, CellMissing)
        with store.writer(table, place) as writer:
            writer.read_at = self.read_at
            writer.extra[BUILT_OF] = json.dumps([list(each) for each in self.built_of])
            if table == "access_providers" and self.unknown:
                writer.extra["warnings"] = json.dumps([self.unknown])
            for reason in self.verdict.reasons:
                writer.add_problem(reason)
            for batch in store.batches(table, place) if kept else batches():
                writer.write_batch(batch)
            if table == "access_providers" and self.owners.noted:  # what was looked up while they were made
                writer.extra[REMEMBERED] = self.owners.noted
        assert writer.info is not None
        return writer.info


def specs(grid: Grid) -> list[dg.AssetSpec]:
    """What is worked out of the access of an account, part of its last layer (`assets/last_layer.py`)."""
    return [table_spec(table, grid, group=GROUP, kinds={"iam", "s3"}) for table in _TABLES]


def make(log: CellLog, services: Services, grid: Grid, cell: Cell) -> None:
    """Work out who may do what from the stored tables, as far as the run selected it; AWS is not asked."""
    wanted = [table for table in _TABLES if log.wants(table)]
    if wanted and services.account(cell.account).skip_data_access_sync:
        for table in wanted:
            log.out_of_scope(table, cell, "skip-data-access-sync is on")
    elif wanted:
        works: list[_AccessWork] = []
        with log.attempt(cell, *wanted):
            works.append(_prepare(log, services, grid, cell))
        for work, table in product(works, wanted):
            with log.attempt(cell, table):
                _TABLES[table](work)


def _prepare(log: CellLog, services: Services, grid: Grid, cell: Cell) -> _AccessWork:
    needs = upstream_needs("access_providers", cell, services.options, grid, log.store)
    verdict = judge(log.attempts, log.store, needs)
    for reason in gone.reasons(services.options, log.store, cell.account):
        verdict = verdict.but(reason)
    built_of = optional_inputs(log.store, services, grid, cell.account)
    target = services.account(cell.account)
    unknown = unknown_controls(services.options, log.store, cell.account, target.account_id)
    owners = bucket_owners(log.store, services, cell.account)
    try:
        require_what_was_there(log.store, services, grid, cell, built_of)
        left = left_in_aws(log.store, cell.account)
        inputs = access_inputs(log.store, services, grid, cell.account, left, owners)
    except CellMissing as missing:
        said = verdict.but(f"it could not be built: {missing}")
        return _AccessWork(log, cell, said, missing, built_of_before(log.store, cell), unknown, None, owners)
    options = gone.with_gone_regions(services.options, log.store, target)
    left_out = (other.partition for other in services.options.other_accounts)
    others = (*(other.partition for other in services.options.accounts), *left_out)
    people = _people(services, cell.account)
    return _AccessWork(log, cell, verdict, Account(inputs, options), built_of, unknown, people, owners, others)


def _providers(work: _AccessWork) -> None:
    meter = Meter()
    info = work.store("access_providers", lambda: [to_batch(AccessProvider, (each.row for each in work.providers))])
    work.log.record(work.cell, info, {**meter.cost().metadata(), **incomplete_metadata(work.rows())})


def _basis(work: _AccessWork) -> None:
    meter = Meter()
    info = work.store("access_basis", lambda: basis_batches(work.providers))
    work.log.record(work.cell, info, meter.cost().metadata())


def _effective(work: _AccessWork) -> None:
    meter, certainty = Meter(), Counter[str]()

    def batches() -> Iterator[pa.RecordBatch]:
        place = work.organization
        people = work.log.store.earlier(OrgUser, *place[1:]) if place else ()
        for batch in effective_batches(work.known, people, _neighbours(work)):
            certainty.update(texts(batch, "certainty"))
            yield batch

    info = work.store("effective_access", batches)
    shown = {name: dg.MetadataValue.int(count) for name, count in sorted(certainty.items())}
    work.log.record(work.cell, info, {**meter.cost().metadata(), **shown})


_TABLES: Mapping[str, Callable[[_AccessWork], None]] = {
    "access_providers": _providers,
    "access_basis": _basis,
    "effective_access": _effective,
}
"""How each table of an account's access is made, in this order."""


def _neighbours(work: _AccessWork) -> Iterator[IamUser | IamRole]:
    """The users and roles, as last read, of those other accounts of the file that a trust policy names."""
    trusts = [role.trust_policy for role in work.known.inputs.roles]
    for partition in work.others:
        home = partition.partition("-")[0]  # `ACCOUNT-TARGET` where two targets share one account
        if home != work.known.inputs.account_id and any(home in text for text in trusts):
            yield from work.log.store.earlier(IamUser, partition)
            yield from work.log.store.earlier(IamRole, partition)


def _people(services: Services, account: str) -> Input | None:
    """Where the people of the organization of an account are stored; None where it links none."""
    key = partitions.organization_of(services.options, account)
    place = None if key is None else cell_of("organization", key)
    return None if place is None else ("org_users", place.account, place.region or "")


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
