"""Stage `access`: access points of each region, and access providers made of everything that IAM and S3 say."""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property, partial
from itertools import product
from typing import Any, TypeVar

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc

from raito_pipeline.aws.access import AccessInputs
from raito_pipeline.aws.access.account import Account
from raito_pipeline.aws.access.basis import TracedProvider, basis_batches
from raito_pipeline.aws.access.build import traced_access_providers
from raito_pipeline.aws.access.effective import effective_batches
from raito_pipeline.aws.access.external_ids import PERMISSION_SET, permission_set_name
from raito_pipeline.aws.access.known_paths import FILE, FOLDERS, file_names, file_patterns, known_paths
from raito_pipeline.aws.access.other_buckets import lets_in
from raito_pipeline.aws.data_objects.names import parse_full_name
from raito_pipeline.aws.data_objects.unread import UNREAD_BUCKETS
from raito_pipeline.aws.policy.claims import KnownPaths, OtherBucket, WantedPaths
from raito_pipeline.aws.policy.reasons import element
from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.readers.access_points import read_access_points
from raito_pipeline.config import AccountTarget
from raito_pipeline.model import (
    INCOMPLETE_BY,
    AccessPoint,
    AccessProvider,
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
    OrgUser,
    Outside,
    PushTarget,
    S3Bucket,
    S3BucketPolicy,
    table_of,
)
from raito_pipeline.model.batches import texts
from raito_pipeline.model.schema import to_batch
from raito_pipeline.orchestration.partitioning import gone, partitions
from raito_pipeline.orchestration.partitioning.grid import Cell, Grid, cell_of
from raito_pipeline.orchestration.recording.cells import CellLog
from raito_pipeline.orchestration.recording.guard import Verdict, judge
from raito_pipeline.orchestration.recording.layers import region_cells, upstream_needs
from raito_pipeline.orchestration.recording.makers import CellMaker
from raito_pipeline.orchestration.recording.meter import Meter
from raito_pipeline.orchestration.recording.previews import small_table
from raito_pipeline.orchestration.recording.specs import table_spec
from raito_pipeline.orchestration.recording.unknown_controls import unknown_controls
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.storage import CellInfo, CellMissing, Store

GROUP = "access"
R = TypeVar("R")
_MOST_REASONS = 100
_ELSEWHERE = "elsewhere"
_REASON_COLUMNS = {"code": "string", "element": "string", "access providers": "int64", "example": "string"}
_OF_THE_ORGANIZATION = ("org_permission_sets", "org_account_assignments", *Outside.AWS_ORGANIZATIONS.feeds)
_BUILT_OF = "built of"
"""Key in the extra fields of `access_providers`: the cells of access points and of the organization that it is of."""


Input = tuple[str, str, str]
"""table, account (or organization) and region of a cell"""


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
            writer.extra[_BUILT_OF] = json.dumps([list(each) for each in self.built_of])
            if table == "access_providers" and self.unknown:
                writer.extra["warnings"] = json.dumps([self.unknown])
            for reason in self.verdict.reasons:
                writer.add_problem(reason)
            for batch in store.batches(table, place) if kept else batches():
                writer.write_batch(batch)
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
    try:
        _require_what_was_there(log.store, services, grid, cell, built_of)
        inputs = access_inputs(log.store, services, grid, cell.account)
    except CellMissing as missing:
        said = verdict.but(f"it could not be built: {missing}")
        return _AccessWork(log, cell, said, missing, _built_of(log.store, cell), unknown, None)
    options = gone.with_gone_regions(services.options, log.store, target)
    others = (*(other.partition for other in services.options.accounts), *services.options.other_accounts)
    people = _people(services, cell.account)
    return _AccessWork(log, cell, verdict, Account(inputs, options), built_of, unknown, people, others)


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
        pushed=frozenset(_pushed_and_not_imported(store, account)),
        bucket_policies=tuple(store.rows(S3BucketPolicy, account)),
        org_accounts=of(OrgAccount),
        org_policy_targets=of(OrgPolicyTarget),
        org_control_policies=of(OrgControlPolicy),
        bucket_policy_use=services.options.pipeline.bucket_policies,
        linked={each.account_id: each.name for each in services.options.accounts if each.partition != account},
        look_up=partial(_known_paths, store, services.options.accounts, services.account(account)),
    )


def _known_paths(
    store: Store, targets: Sequence[AccountTarget], target: AccountTarget, wanted: WantedPaths
) -> KnownPaths:
    """Those of the paths that policies name that are data objects, and those of the buckets that are of other targets.

    Data objects are those of all regions that were read.
    """
    if target.aws_glue_enabled:
        # A Glue catalog does not say which keys there are.
        wanted = replace(wanted, patterns=set())
    known = known_paths(
        wanted,
        data_objects_named(store, target.partition, target.account_id, wanted),
        listed=frozenset(_listed_buckets(store, target.partition)) if wanted.patterns else (),
        max_depth=target.aws_s3_max_folder_depth if target.aws_s3_emulate_folder_structure else None,
    )
    return replace(known, others=dict(_other_buckets(store, targets, target.account_id, wanted.others)))


def _other_buckets(
    store: Store, targets: Sequence[AccountTarget], account_id: str, names: Collection[str]
) -> Iterator[tuple[str, OtherBucket]]:
    """Those of some buckets that other accounts of the file have, as they were last read."""
    for other in targets if names else ():
        readable = other.account_id != account_id and {
            row.name for row in store.earlier(S3Bucket, other.partition) if row.name in names
        }
        policies = {row.bucket: row for row in store.earlier(S3BucketPolicy, other.partition)} if readable else {}
        for name in readable or ():
            owner = f"account {other.account_id} (target {other.name})"
            yield name, OtherBucket(owner, lets_in(policies[name], account_id) if name in policies else None)


def data_objects_named(store: Store, account: str, account_id: str, wanted: WantedPaths) -> Iterator[tuple[str, str]]:
    """Full names and types of the files that are asked for, and of all folders where some of them are."""
    for region in store.regions("data_objects", account) if wanted else ():
        names, by_pattern = list(file_names(wanted, account_id, region)), bool(wanted.patterns)
        files = {"type": [FILE]} if by_pattern else {"type": [FILE], "full_name": names}
        folders = [{"type": FOLDERS}] if wanted.beginnings or by_pattern else []
        with suppress(CellMissing):
            objects = store.dataset("data_objects", account, region)
            for batch in objects.batches(["full_name", "type"], files, *folders):
                # Whoever reads the names takes a pattern out that too much matches: the next batches go without it.
                wanted_rows = _asked_for(batch, names, file_patterns(wanted)) if by_pattern else batch
                yield from zip(texts(wanted_rows, "full_name"), texts(wanted_rows, "type"), strict=True)


def _asked_for(batch: pa.RecordBatch, names: Sequence[str], patterns: Iterable[str]) -> pa.RecordBatch:
    """The folders of a batch, and its files of some names or patterns."""
    column: Any = batch.column("full_name")
    kind: Any = batch.column("type")
    folders: Any = pc.invert(pc.is_in(kind, value_set=pa.array([FILE])))
    chosen: Any = pc.or_(folders, pc.is_in(column, value_set=pa.array(names, pa.string())))
    for pattern in patterns:
        chosen = pc.or_(chosen, pc.match_substring_regex(column, pattern))
    return batch.filter(chosen)


def _listed_buckets(store: Store, account: str) -> Iterator[str]:
    """The names of the buckets whose keys are all among the data objects."""
    for region in store.regions("data_objects", account):
        info = store.info("data_objects", account, region)
        if info is None or UNREAD_BUCKETS not in info.extra:
            continue
        unread = json.loads(info.extra[UNREAD_BUCKETS])
        with suppress(CellMissing):
            buckets = store.dataset("data_objects", account, region).to_table(["full_name"], {"type": ["bucket"]})
            names = (parse_full_name(name) for name in texts(buckets, "full_name") if name not in unread)
            yield from (place.bucket for place in names if place is not None)


def _pushed_permission_sets(store: Store, account: str) -> Iterator[str]:
    """The permission sets of Raito by what was last planned: an organization that was read before lacks new ones."""
    for target in store.earlier(PushTarget, account):
        named = (target.external_id or "").removeprefix(PERMISSION_SET)
        if target.external_id != named and permission_set_name(named) == named:
            yield named


def _pushed_and_not_imported(store: Store, account: str) -> set[str]:
    """The external ids of what the last push made or kept, less what the import before this one shows.

    An access control that was imported has a target of the push, too, edited or not: what it names is others' own.
    """
    pushed = {each.external_id for each in store.earlier(PushTarget, account) if each.external_id}
    if pushed:
        with suppress(CellMissing):
            pushed -= set(texts(store.dataset("access_providers", account).to_table(["external_id"]), "external_id"))
    return pushed


def incomplete_metadata(rows: Sequence[AccessProvider]) -> dict[str, dg.MetadataValue]:
    """How many access providers there are by type, how many are incomplete by code, and why.

    Reasons are grouped by their code and element, each with one of its texts as an example.
    """
    by_code = {
        code: sum(bool(getattr(row, f"reasons_{code}")) for row in rows) for code in (*INCOMPLETE_BY, _ELSEWHERE)
    }
    return {
        "by type": dg.MetadataValue.json(dict(sorted(Counter(row.type for row in rows).items()))),
        "incomplete": dg.MetadataValue.int(sum(row.incomplete for row in rows)),
        "incomplete by code": dg.MetadataValue.json(by_code),
        "reasons": small_table(_reasons(rows, tuple(by_code)), _REASON_COLUMNS, _MOST_REASONS),
    }


def _reasons(rows: Sequence[AccessProvider], codes: Sequence[str]) -> Iterator[dict[str, object]]:
    """The elements by code, the most frequent of each code first: those that make nothing incomplete come last."""
    for code in codes:
        examples: dict[str, str] = {}
        counted: Counter[str] = Counter()
        for row in rows:
            texts: dict[str, str] = {element(text): text for text in getattr(row, f"reasons_{code}")}
            examples = {**texts, **examples}
            counted.update(texts.keys())
        for name, times in counted.most_common():
            yield {"code": code, "element": name, "access providers": times, "example": examples[name]}


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
