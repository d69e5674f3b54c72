"""The push of an account: export from Raito Cloud, plan, changes in AWS, feedback.

The plan is stored before anything is changed. It is only made of a whole IAM, and only applied as long as nothing that
it was made of was read anew. Every exported access control gets its feedback, also where nothing was changed.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from raito_pipeline.aws.connection.clients import AwsClients, AwsError, WrongAccount
from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.push.apply import Applied, apply_plan
from raito_pipeline.aws.push.bounds import Bounds, by_external_id, identity
from raito_pipeline.aws.push.inputs import PLANNED_ON, made_of, note, versions
from raito_pipeline.aws.push.own_objects import object_key
from raito_pipeline.aws.push.plan import plan_push
from raito_pipeline.aws.push.pushed_types import explain, too_many_deletions
from raito_pipeline.aws.push.results import Summary, refused_results, refused_targets
from raito_pipeline.aws.push.state import PushState
from raito_pipeline.config import AccountTarget
from raito_pipeline.model import (
    TABLES,
    AccessControl,
    AccessProvider,
    IamAttachment,
    IamGroup,
    IamPolicy,
    IamRole,
    IamUser,
    PushChange,
    PushResult,
    PushTarget,
    S3Bucket,
)
from raito_pipeline.orchestration.cells import CellLog
from raito_pipeline.orchestration.grid import Cell, Grid
from raito_pipeline.orchestration.guard import in_one_sentence, judge
from raito_pipeline.orchestration.layers import need_of
from raito_pipeline.orchestration.meter import Meter
from raito_pipeline.orchestration.previews import bullets, small_table
from raito_pipeline.orchestration.raito_jobs import RunJobs
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.orchestration.uploads import exchange_folder
from raito_pipeline.raito.errors import RaitoError
from raito_pipeline.raito.export import export_access_controls
from raito_pipeline.raito.feedback import send_feedback
from raito_pipeline.raito.jobs import ACCESS_SYNC, JobType, Status
from raito_pipeline.storage import ReadStatus, Store

_RECEIVED = "received"
_CALLER = "pushed by"
_HELD_TO = ("s3_buckets", "access_providers")
"""what a push may do follows from these: they have to be there, but not whole, since less of them allows less"""
_WHOLE = tuple(
    table for table in TABLES["access_push_plan"].reads if TABLES[table].is_read_from_aws and table not in _HELD_TO
)
"""what a plan compares the export with: it has to be whole, and of this sync"""
_MOST_CHANGES = 10
"""changes of a plan that its materialization shows; the table has them all"""
_SHOWN_OF_A_CHANGE = dict.fromkeys(("access control", "operation", "kind", "resource", "access", "why"), "string")
_TYPES = ACCESS_PROVIDER_TYPES.push


class PlanOutdated(Exception):
    """The stored plan was made of something that has been read anew since."""

    def __init__(self, table: str, account: str) -> None:
        super().__init__(
            f"the plan of {account} was not made of the {table} that is stored now: nothing was changed. Materialize "
            f"access_push_plan again, then access_push_results."
        )
        self.table, self.account = table, account


class PushDenied(Exception):
    """AWS denied every change of a push."""

    def __init__(self, results: Sequence[PushResult]) -> None:
        errors = [error for result in results for error in result.errors]
        super().__init__(f"AWS denied every change of the push. The first of {len(errors)}: {errors[0]}")


def switched_off(target: AccountTarget) -> str | None:
    """Why nothing is exported for a target, or None where it is."""
    if target.skip_data_access_sync:
        return "skip-data-access-sync is on"
    return None if target.data_source_id else "the target has no data-source-id"


@dataclass(frozen=True)
class Push:
    """One account of a push: where it reads and writes, and whom it talks to."""

    log: CellLog
    services: Services
    cell: Cell

    @property
    def target(self) -> AccountTarget:
        """The target of the account."""
        return self.services.account(self.cell.account)

    @property
    def store(self) -> Store:
        """The stored tables."""
        return self.log.store

    # -- export ----------------------------------------------------------------------------------------------------

    def export(self, jobs: RunJobs) -> None:
        """Store the access controls that Raito Cloud exports. Raises `RaitoError`."""
        jobs.require_imports_ended(self.target)
        task = jobs.task(self.target, JobType.DATA_ACCESS)
        try:
            task.event(Status.DATA_RETRIEVE)
            task.subtask_event(ACCESS_SYNC, Status.STARTED)
            with exchange_folder(self.target, "access-export") as folder:
                exported = export_access_controls(task, folder)
        except RaitoError as error:
            task.fail(error)
            raise
        extra = {} if exported.received is None else {_RECEIVED: str(exported.received)}
        info = self.store.write("access_controls", exported.controls, self.cell.account, extra=extra)
        for warning in exported.warnings:
            self.log.context.log.warning(f"Raito Cloud: {warning}")
        kinds = Counter(control.type or "not given" for control in exported.controls)
        deletions = sum(control.delete for control in exported.controls)
        self.log.record(self.cell, info, {"by type": dict(sorted(kinds.items())), "to be deleted": deletions})

    # -- plan ------------------------------------------------------------------------------------------------------

    def plan(self, grid: Grid) -> None:
        """Store what is to be changed in AWS, and why. Raises `CellMissing`."""
        stands_on = versions(self.store, self.cell.account)
        controls = tuple(self.store.rows(AccessControl, self.cell.account))
        reasons = self._why_no_plan(grid, bool(controls))
        caller = "" if reasons else self._caller(reasons)
        if reasons:
            targets, changes = refused_targets(controls, reasons), _refusals(controls, reasons)
        else:
            made = plan_push(controls, self._state(), self.target, _TYPES, self._bounds(caller) if controls else None)
            targets, changes = made.targets, made.changes
        status = ReadStatus.PARTIAL if reasons else ReadStatus.COMPLETE
        written = self.store.write("access_push_targets", targets, self.cell.account)
        self.log.record(self.cell, written, {})
        info = self.store.write(
            "access_push_plan",
            changes,
            self.cell.account,
            status=status,
            problems=reasons,
            extra={**note(stands_on), _CALLER: caller},
        )
        self.log.record(self.cell, info, plan_metadata(changes, targets))

    def _why_no_plan(self, grid: Grid, wanted: bool) -> list[str]:
        needs = (need_of(table, self.cell, self.services.options, grid, self.store) for table in _WHOLE)
        verdict = judge(self.log.attempts, self.store, (need for need in needs if need is not None))
        reasons = [f"nothing is pushed, because {reason}" for reason in verdict.reasons]
        if self.target.aws_access_skip_iam:
            reasons.append("nothing is pushed, because aws-access-skip-iam is on: what is in IAM is not known")
        lacking = (each for each in _HELD_TO if wanted and self.store.info(each, self.cell.account) is None)
        reasons += [f"nothing is pushed, because {each} {self.cell.label} was never read" for each in lacking]
        return reasons

    def _caller(self, reasons: list[str]) -> str:
        """The ARN of the identity that pushes; where AWS does not say it, that is one more of the reasons."""
        try:
            return self.services.aws(self.target).caller_arn()
        except (AwsError, WrongAccount) as error:
            reasons.append(f"nothing is pushed, because it is not known which identity pushes: {error}")
            return ""

    def _bounds(self, caller: str) -> Bounds:
        """What the export is held to: nothing of it is taken from the export."""
        account, target = self.cell.account, self.target
        imported = tuple(self.store.rows(AccessProvider, account))
        return Bounds(
            data_source=target.data_source_id or "",
            caller=caller,
            buckets=self._known_buckets(),
            imported=by_external_id(imported),
            claimed_elsewhere=self._claimed_elsewhere(),
        )

    def _known_buckets(self) -> dict[str, str | None]:
        """The buckets that are data objects, with their regions."""
        regions = self.target.regions
        return {
            bucket.name: bucket.region
            for bucket in self.store.rows(S3Bucket, self.cell.account)
            if bucket.included and (not regions or bucket.region is None or bucket.region in regions)
        }

    def _claimed_elsewhere(self) -> dict[str, str]:
        """External ids in the stored exports of other targets of the same account."""
        claimed: dict[str, str] = {}
        for other in self.services.options.accounts:
            shares = other.account_id == self.target.account_id and other.partition != self.cell.account
            if shares and self.store.info("access_controls", other.partition) is not None:
                controls = self.store.rows(AccessControl, other.partition)
                claimed |= {object_key(c.external_id): other.name for c in controls if c.external_id}
        return claimed

    def _state(self) -> PushState:
        account = self.cell.account
        return PushState.of(
            self.target.account_id,
            tuple(self.store.rows(IamUser, account)),
            tuple(self.store.rows(IamGroup, account)),
            tuple(self.store.rows(IamRole, account)),
            tuple(self.store.rows(IamPolicy, account)),
            tuple(self.store.rows(IamAttachment, account)),
        )

    # -- changes and feedback --------------------------------------------------------------------------------------

    def apply(self, jobs: RunJobs) -> None:
        """Make the stored plan's changes, store what came of them, and send the feedback.

        Raises `PlanOutdated` or `LeaseLost` before anything is changed; after the feedback was sent `PushDenied` where
        AWS denied every change, `AwsError` or `WrongAccount` where the account is out of reach; `RaitoError` where the
        feedback does not arrive.
        """
        stands_on = self._require_current_plan()
        self.log.require_lease(self.cell)
        controls = tuple(self.store.rows(AccessControl, self.cell.account))
        task = jobs.task(self.target, JobType.DATA_ACCESS)
        try:
            task.subtask_event(ACCESS_SYNC, Status.IN_PROGRESS, self._received())
            applied, meter, failure = self._make_changes(controls)
            info = self.store.write("access_push_results", applied.results, self.cell.account, extra=note(stands_on))
            with exchange_folder(self.target, "access-feedback") as folder:
                imported = send_feedback(task, folder, controls, applied.results, self._received())
            if failure is not None:
                raise failure
        except (RaitoError, AwsError, WrongAccount, PushDenied) as error:
            task.fail(error)
            raise
        cost = {} if meter is None else meter.cost().metadata()
        self.log.record(self.cell, info, {**results_metadata(applied.results, imported.warnings), **cost})

    def _make_changes(self, controls: Sequence[AccessControl]) -> tuple[Applied, Meter | None, Exception | None]:
        """The results, what they cost, and what is to be raised once the feedback was sent."""
        targets = tuple(self.store.rows(PushTarget, self.cell.account))
        changes = tuple(self.store.rows(PushChange, self.cell.account))
        most = self.services.options.pipeline.max_push_deletions
        reason = too_many_deletions(_TYPES, _TYPES.changes(changes), most)
        if reason is not None:
            self.log.context.log.error(reason)
            return Applied(refused_results(controls, targets, [reason]), False), None, None
        try:
            clients = self.services.aws(self.target)
        except (AwsError, WrongAccount) as error:
            return Applied(refused_results(controls, targets, [str(error)]), False), None, error
        reason = self._another_caller(clients)
        if reason is not None:
            return Applied(refused_results(controls, targets, [reason]), False), None, None
        meter = Meter(clients)
        applied = apply_plan(
            clients,
            self.target.account_id,
            _TYPES,
            changes,
            targets,
            controls,
            self.target.aws_concurrency,
            self.services.progress,
        )
        return applied, meter, PushDenied(applied.results) if applied.all_denied else None

    def _another_caller(self, clients: AwsClients) -> str | None:
        """Why nothing is changed: the plan was made for another identity, which it leaves as it is."""
        plan = self.store.info("access_push_plan", self.cell.account)
        planned, now = plan.extra.get(_CALLER, "") if plan else "", clients.caller_arn()
        if identity(planned) == identity(now):
            return None
        return (
            f"the plan was made to be pushed by {planned or 'nobody'}, and {now} pushes: nothing was changed. "
            f"Materialize access_push_plan again, then access_push_results."
        )

    def _require_current_plan(self) -> dict[str, str]:
        """The versions that the stored plan was made of. Raises `PlanOutdated` where one is not the stored one."""
        self.store.require("access_push_plan", self.cell.account)
        plan = self.store.info("access_push_plan", self.cell.account)
        planned = (made_of(plan) if plan is not None else None) or {}
        now = versions(self.store, self.cell.account)
        for table in PLANNED_ON:
            if planned.get(table) != now.get(table):
                raise PlanOutdated(table, self.cell.label)
        return planned

    def _received(self) -> int | None:
        info = self.store.info("access_controls", self.cell.account)
        text = info.extra.get(_RECEIVED) if info else None
        return int(text) if text else None


def plan_metadata(changes: Sequence[PushChange], targets: Sequence[PushTarget]) -> dict[str, Any]:
    """What the Dagster UI shows of a plan."""
    operations = Counter(f"{change.operation} {change.kind}" for change in changes)
    refused = sum(target.refused for target in targets)
    rows = (
        {
            "access control": each.row.access_control_name,
            "operation": each.row.operation,
            "kind": each.row.kind,
            "resource": each.row.resource,
            "access": each.access,
            "why": each.row.why,
        }
        for each in explain(_TYPES, changes)
    )
    return {
        "changes by operation": dict(sorted(operations.items())),
        "access controls": len(targets),
        "refused access controls": refused,
        "changes": len(changes),
        "first changes": small_table(rows, _SHOWN_OF_A_CHANGE, _MOST_CHANGES),
    }


def results_metadata(results: Sequence[PushResult], warnings: Sequence[str]) -> dict[str, Any]:
    """What the Dagster UI shows of a push."""
    summary = Summary.of(results)
    problems = [f"{result.access_control_name}: {error}" for result in results for error in result.errors]
    return {
        "access controls": summary.controls,
        "failed access controls": summary.failed,
        "changes made": summary.changes_made,
        "changes failed": summary.changes_failed,
        "failures": bullets(problems),
        "warnings of Raito Cloud": bullets(warnings),
    }


def _refusals(controls: Sequence[AccessControl], reasons: Sequence[str]) -> tuple[PushChange, ...]:
    return tuple(
        PushChange(
            position=position,
            access_control_id=control.id,
            access_control_name=control.name,
            operation="refuse",
            kind=control.type or "",
            resource=control.actual_name or control.name,
            before=None,
            after=None,
            why=in_one_sentence(reasons),
        )
        for position, control in enumerate(controls)
    )
