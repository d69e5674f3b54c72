"""The plan of an account, made of the stored tables: a sync and `raito-pipeline plan` make it in the same way."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import TypeVar

from raito_pipeline.aws.access import AccessInputs
from raito_pipeline.aws.access.known_paths import known_paths
from raito_pipeline.aws.connection.clients import AwsError, WrongAccount
from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.push.account.point_state import PointState
from raito_pipeline.aws.push.account.state import PushState
from raito_pipeline.aws.push.account_plan import AccountPlan
from raito_pipeline.aws.push.calls.bucket_policies import read_bucket_policies
from raito_pipeline.aws.push.calls.policy_tags import plan_with_tags
from raito_pipeline.aws.push.draft import REFUSE
from raito_pipeline.aws.push.inputs import versions
from raito_pipeline.aws.push.owners.own_objects import object_key
from raito_pipeline.aws.push.owners.unshown import Unshown
from raito_pipeline.aws.push.results import refused_targets
from raito_pipeline.aws.push.rules.bounds import Bounds, by_external_id
from raito_pipeline.aws.push.types.access_points import buckets_behind
from raito_pipeline.aws.readers.access_points import read_named_access_points
from raito_pipeline.config import AccountTarget
from raito_pipeline.config.options import OtherAccount
from raito_pipeline.model import (
    TABLES,
    AccessControl,
    AccessPoint,
    AccessProvider,
    IamAttachment,
    IamGroup,
    IamPolicy,
    IamRole,
    IamUser,
    PushBucket,
    PushChange,
    PushOrphan,
    PushResult,
    S3Bucket,
    S3BucketPolicy,
    table_of,
)
from raito_pipeline.orchestration.partitioning.grid import Cell, Grid
from raito_pipeline.orchestration.push.last_push import LastPush, UnreadableNote, last_push
from raito_pipeline.orchestration.push.push_center import OF_THE_CENTER, PushCenter
from raito_pipeline.orchestration.push.remembered import (
    EXPORT,
    EXPORT_IS,
    WHOLE,
    claims,
    noted_unshown,
    spoken_of,
    was_shared,
)
from raito_pipeline.orchestration.recording.guard import Attempts, in_one_sentence, judge
from raito_pipeline.orchestration.recording.layers import need_of, region_cells
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.storage import Store

R = TypeVar("R")
CALLER, PLAN_ID = "pushed by", "plan id"
"""What the cell of a plan notes: the ARN of the identity that is to push, and the id (the results note it, too)."""
_HELD_TO = ("s3_buckets", "access_providers")
"""what a push may do follows from these: they have to be there, but not whole, since less of them allows less"""
_ALLOWING = (table_of(S3BucketPolicy).name,)
"""whom these let in does not lose the Deny that keeps them out: that there are none is known of what can be read"""
_OF_ONE_TYPE = ("access_points", "push_buckets")
"""what one type of access controls is planned on: what they lack is said of its access controls alone"""
_WHOLE = tuple(
    table
    for table in TABLES["access_push_plan"].reads
    if TABLES[table].is_read_from_aws and table not in (*_HELD_TO, *OF_THE_CENTER, *_OF_ONE_TYPE)
)
"""what a plan compares the export with: it has to be whole, and of this sync"""


@dataclass(frozen=True)
class Planning:
    """Makes the plan of one account of what is stored. `store` is that of the sync that the account is in."""

    services: Services
    store: Store
    attempts: Attempts
    cell: Cell
    center_failures: tuple[str, ...] = ()
    """why Identity Center could not be read in this run"""

    @property
    def target(self) -> AccountTarget:
        """The target of the account."""
        return self.services.account(self.cell.account)

    def plan(
        self, grid: Grid, controls: Iterable[AccessControl] | None = None, recovery: str | None = None
    ) -> AccountPlan:
        """The plan of the stored export, or of `controls`, which came from `recovery`. Raises `CellMissing`."""
        account, stands_on = self.cell.account, versions(self.store, self.cell.account)
        exported = tuple(self.store.rows(AccessControl, account) if controls is None else controls)
        reasons = self._why_no_plan(grid, bool(exported))
        caller = "" if reasons else self._caller(reasons)
        if reasons:
            targets, changes = refused_targets(exported, reasons), _refusals(exported, reasons)
            orphans: tuple[PushOrphan, ...] = ()
            kept: Unshown = {}
        else:
            bounds = self._bounds(caller, whole=controls is None and self.export_is_whole)
            types, clients = ACCESS_PROVIDER_TYPES.push, partial(self.services.aws, self.target)
            made = plan_with_tags(clients, exported, self.state(grid, exported), self.target, types, bounds)
            targets, changes, orphans, kept = made.targets, made.changes, made.orphans, made.unshown
        infos = (self.store.info(table, account) for table in stands_on)
        return AccountPlan(
            account=account,
            account_id=self.target.account_id,
            target=self.target.name,
            made_at=datetime.now(UTC),
            controls=exported,
            targets=targets,
            changes=changes,
            orphans=orphans,
            made_of=stands_on,
            read_at={info.table: info.read_at for info in infos if info is not None},
            caller=caller,
            problems=tuple(reasons),
            unshown=kept,
            recovery=recovery,
        )

    def _why_no_plan(self, grid: Grid, wanted: bool) -> list[str]:
        needs = (need_of(table, self.cell, self.services.options, grid, self.store) for table in _WHOLE)
        verdict = judge(self.attempts, self.store, (need for need in needs if need is not None))
        reasons = [f"nothing is pushed, because {reason}" for reason in verdict.reasons]
        if self.target.aws_access_skip_iam:
            reasons.append("nothing is pushed, because aws-access-skip-iam is on: what is in IAM is not known")
        unusable = (self.store.unusable(each, self.cell.account) for each in (_ALLOWING if wanted else ()))
        reasons += [f"nothing is pushed, because {why}" for why in unusable if why is not None]
        lacking = (each for each in _HELD_TO if wanted and self.store.info(each, self.cell.account) is None)
        reasons += [f"nothing is pushed, because {each} {self.cell.label} was never read" for each in lacking]
        reasons += [
            f"nothing is pushed, because it is not known what target {other.name} has in this account: its export "
            f"cannot be read any more; sync it"
            for other in (self._others_of_account if wanted else ())
            if claims(self.store, other.partition) is None
        ]
        return reasons

    def _caller(self, reasons: list[str]) -> str:
        """The ARN of the identity that pushes; where AWS does not say it, that is one more of the reasons."""
        try:
            return self.services.aws(self.target).caller_arn()
        except (AwsError, WrongAccount) as error:
            last = self.store.info("access_push_plan", self.cell.account)
            if last is not None and last.extra.get(CALLER):
                return last.extra[CALLER]  # whoever makes the plan is asked again then
            reasons.append(f"nothing is pushed, because it is not known which identity pushes: {error}")
            return ""

    def _bounds(self, caller: str, *, whole: bool) -> Bounds | None:
        """What the export is held to: nothing of it is taken from the export. `whole`: it lacks no access control."""
        account, target = self.cell.account, self.target
        if any(self.store.info(table, account) is None for table in _HELD_TO):
            return None  # there is no access control to hold to anything
        return Bounds(
            data_source=target.data_source_id or "",
            caller=caller,
            buckets=self._known_buckets(),
            imported=self._imported,
            pushed=frozenset(
                (result.access_control_id, result.external_id)
                for result in self.store.earlier(PushResult, account)
                if result.external_id and not result.errors
            ),
            claimed_elsewhere=self._claimed_elsewhere(),
            shared=self.is_shared,
            whole_export=whole,
        )

    @property
    def export_is_whole(self) -> bool:
        """Whether the stored export has every access control of the data source: what it lacks nobody grants."""
        info = self.store.info(EXPORT, self.cell.account)
        return info is not None and info.complete and info.extra.get(EXPORT_IS) == WHOLE

    @property
    def is_shared(self) -> bool:
        """Whether other targets push into the same account, or did once: what has no tag of an owner may be theirs."""
        return bool(self._others_of_account) or was_shared(self.store, self.cell.account)

    @property
    def _others_of_account(self) -> tuple[OtherAccount, ...]:
        """Other targets that push into the same account, whether they are synced now or not."""
        return self.services.options.others_of_account(self.target)

    def _known_buckets(self) -> dict[str, str | None]:
        """The buckets that are data objects, with their regions."""
        return {bucket.name: bucket.region for bucket in self._buckets if bucket.is_data_object(self.target.regions)}

    def _claimed_elsewhere(self) -> dict[str, str]:
        """External ids in the stored exports of other targets of the same account."""
        claimed: dict[str, str] = {}
        for other in self._others_of_account:
            known = claims(self.store, other.partition) or ()  # where it is not known, nothing is planned
            claimed |= dict.fromkeys(map(object_key, known), other.name)
        return claimed

    def state(self, grid: Grid, controls: Iterable[AccessControl]) -> PushState:
        """What the stored tables say of the account, and what the last import told Raito Cloud of it."""
        account = self.cell.account
        spoken = spoken_of(self.store, account, controls, self.last_push)
        inputs = AccessInputs(
            account_id=self.target.account_id,
            users=tuple(self.store.rows(IamUser, account)),
            groups=tuple(self.store.rows(IamGroup, account)),
            roles=tuple(self.store.rows(IamRole, account)),
            policies=tuple(self.store.rows(IamPolicy, account)),
            attachments=tuple(self.store.rows(IamAttachment, account)),
            buckets=self._buckets,
            access_points=self._access_points(grid),
            look_up=partial(known_paths, data_objects=spoken, parts=True),
            bucket_policies=self._stored(S3BucketPolicy),
        )
        center = PushCenter(self.services, self.store, self.cell).state(self.center_failures)
        points, kept = self._points(grid, controls), noted_unshown(self.store, account)
        return PushState.of_account(inputs, self.target, self._imported, center, points, kept)

    def _points(self, grid: Grid, controls: Iterable[AccessControl]) -> PointState:
        """What access points are planned on, and why those of a region are not known."""
        account, options = self.cell.account, self.services.options
        unread: dict[str, str | None] = {}
        for cell in region_cells(options, grid, account):
            need = need_of("access_points", cell, options, grid, self.store)
            unread[str(cell.region)] = judge(self.attempts, self.store, [] if need is None else [need]).text
        for region, reason in self._begun_points[1].items():
            unread[region] = unread.get(region) or reason
        if self.target.aws_access_skip_s3_access_points:
            unread = dict.fromkeys(unread, "aws-access-skip-s3-access-points is on, so they are not read")
        return PointState.of(self._buckets, self._access_points(grid), unread, self._bucket_policies(controls))

    def _access_points(self, grid: Grid) -> tuple[AccessPoint, ...]:
        """Those that are stored, and of those that pushes began since they were read what is there."""
        cells = region_cells(self.services.options, grid, self.cell.account)
        stored = (row for cell in cells for row in self._stored(AccessPoint, cell.region))
        return tuple({row.arn: row for row in (*stored, *self._begun_points[0])}.values())

    @cached_property
    def _begun_points(self) -> tuple[tuple[AccessPoint, ...], dict[str, str]]:
        """The access points that pushes began since they were read last; by region why those are not known."""
        last = self.last_push
        begun = last.unread(self.store, self.cell.account) if isinstance(last, LastPush) else ()
        rows: list[AccessPoint] = []
        unknown: dict[str, str] = {}
        for region in sorted({each.arn.split(":")[3] for each in begun} & set(self.target.regions)):
            arns = [each.arn for each in begun if each.arn.split(":")[3] == region]
            try:
                clients = self.services.aws(self.target)
                read = read_named_access_points(clients, self.target.account_id, arns, self.target.aws_concurrency)
            except (AwsError, WrongAccount) as error:
                unknown[region] = f"what the last push made in {region} could not be read: {error}"
            else:
                rows += read.rows
                if read.problems:
                    unknown[region] = in_one_sentence(read.problems)
        return tuple(rows), unknown

    @cached_property
    def last_push(self) -> LastPush | UnreadableNote | None:
        """What the last push of the account left. Raises `StorageError`."""
        return last_push(self.store, self.cell.account)

    def _bucket_policies(self, controls: Iterable[AccessControl]) -> tuple[PushBucket, ...]:
        """The policies of buckets behind access points: the stored ones; what another export names is asked for."""
        stored = self._stored(PushBucket)
        behind = buckets_behind(controls, {bucket.name: bucket for bucket in self._buckets})
        missing = [bucket for bucket in behind if bucket.name not in {row.name for row in stored}]
        try:
            return (*stored, *(read_bucket_policies(self.services.aws(self.target), missing) if missing else ()))
        except (AwsError, WrongAccount):
            return stored

    @cached_property
    def _imported(self) -> dict[str, AccessProvider]:
        """What Raito Cloud was told of the account: limited also by what the import reads and a push does not."""
        return by_external_id(self._stored(AccessProvider))

    @cached_property
    def _buckets(self) -> tuple[S3Bucket, ...]:
        return self._stored(S3Bucket)

    def _stored(self, row_type: type[R], region: str | None = None) -> tuple[R, ...]:
        """The rows of a table that a push can do without: none where it was never read."""
        there = self.store.info(table_of(row_type).name, self.cell.account, region) is not None
        return tuple(self.store.rows(row_type, self.cell.account, region)) if there else ()


def _refusals(controls: Iterable[AccessControl], reasons: Iterable[str]) -> tuple[PushChange, ...]:
    return tuple(
        PushChange(
            position=position,
            access_control_id=control.id,
            access_control_name=control.name,
            operation=REFUSE,
            kind=control.type or "",
            resource=control.actual_name or control.name,
            before=None,
            after=None,
            why=in_one_sentence(reasons),
        )
        for position, control in enumerate(controls)
    )
