"""The push of an account: export from Raito Cloud, plan, changes in AWS, feedback.

The plan is stored before anything is changed. It is only made of a whole IAM, and only applied as long as nothing that
it was made of was read anew. Every exported access control gets its feedback, also where nothing was changed.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from raito_pipeline.aws.connection.clients import AwsClients, AwsError, WrongAccount
from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.push.account_plan import AccountPlan
from raito_pipeline.aws.push.apply import Applied, apply_plan
from raito_pipeline.aws.push.calls.bucket_policies import read_bucket_policies
from raito_pipeline.aws.push.inputs import PLANNED_ON, made_of, note, versions
from raito_pipeline.aws.push.pushed_types import PushedTypes, explain
from raito_pipeline.aws.push.results import Summary, refused_results
from raito_pipeline.aws.push.rules.bounds import identity
from raito_pipeline.aws.push.rules.losses import HeldBack, Limits, held_back
from raito_pipeline.aws.push.types.access_point_changes import CreateAccessPoint
from raito_pipeline.aws.push.types.access_points import buckets_behind
from raito_pipeline.aws.push.wording import in_words
from raito_pipeline.config import AccountTarget, Options
from raito_pipeline.model import (
    AccessControl,
    PushBucket,
    PushChange,
    PushResult,
    PushTarget,
    S3Bucket,
    S3BucketPolicy,
)
from raito_pipeline.orchestration.partitioning.grid import Cell, Grid
from raito_pipeline.orchestration.push.drift import look
from raito_pipeline.orchestration.push.last_push import LastPush, UnreadableNote, last_push, note_begun, note_push
from raito_pipeline.orchestration.push.plan_pages import counts_in_words, short_page
from raito_pipeline.orchestration.push.plans import (
    CALLER,
    CLAIMED,
    CLAIMS_LOST,
    EXPORT_IS,
    PLAN_ID,
    TARGETS,
    UNSHOWN,
    WHOLE,
    PlanFolder,
    Planning,
    claims,
    outdated,
    unshown_after,
)
from raito_pipeline.orchestration.push.push_center import OF_THE_CENTER, PushCenter
from raito_pipeline.orchestration.recording.cells import CellLog
from raito_pipeline.orchestration.recording.checks import DIFFERENCES, DRIFT, NO_DRIFT_KNOWN
from raito_pipeline.orchestration.recording.meter import Meter
from raito_pipeline.orchestration.recording.previews import bullets, small_table
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.orchestration.runs.tags import OUT_OF_SYNC_TAG, PLAN_TAG
from raito_pipeline.orchestration.upload.raito_jobs import RunJobs
from raito_pipeline.orchestration.upload.work import exchange_folder
from raito_pipeline.raito.errors import RaitoError
from raito_pipeline.raito.export import export_access_controls
from raito_pipeline.raito.feedback import send_feedback
from raito_pipeline.raito.jobs import ACCESS_SYNC, JobType, Status
from raito_pipeline.storage import CellInfo, ReadStatus, StorageError, Store

_RECEIVED = "received"
_MOST_CHANGES = 5
"""changes of a plan that its materialization shows; the table has them all"""
_SHOWN_OF_A_CHANGE = dict.fromkeys(("access control", "operation", "kind", "resource", "access", "why"), "string")
_TYPES = ACCESS_PROVIDER_TYPES.push


@dataclass(frozen=True, slots=True)
class Approval:
    """What somebody who saw a plan asks for: that plan by its id, also where it takes more than the limits allow."""

    plan_id: str | None = None
    with_losses: bool = False


NOBODY = Approval()
"""No approval: the newest plan is made, as far as mode and limits let it."""


class PlanOutdated(Exception):
    """A plan was made of something that has been read anew since."""

    def __init__(self, account: str, reason: str) -> None:
        super().__init__(
            f"{reason}: nothing was changed. Look at `raito-pipeline plan {account}`, or materialize access_push_plan "
            f"again, then access_push_results."
        )
        self.account, self.reason = account, reason


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
        before = claims(self.store, self.cell.account) if self._only_out_of_sync else None
        only_out_of_sync = before is not None  # what is not known of the others is asked for again
        task = jobs.task(self.target, JobType.DATA_ACCESS)
        try:
            task.event(Status.DATA_RETRIEVE)
            task.subtask_event(ACCESS_SYNC, Status.STARTED)
            with exchange_folder(self.target, "access-export") as folder:
                exported = export_access_controls(task, folder, out_of_sync_only=only_out_of_sync)
        except RaitoError as error:
            task.fail(error)
            raise
        extra = {} if exported.received is None else {_RECEIVED: str(exported.received)}
        extra |= {EXPORT_IS: WHOLE} if exported.whole else self._claimed_before()
        extra |= _warnings(exported.problems)
        info = self.store.write("access_controls", exported.controls, self.cell.account, extra=extra)
        for warning in exported.warnings:
            self.log.context.log.warning(f"Raito Cloud: {warning}")
        kinds = Counter(control.type or "not given" for control in exported.controls)
        deletions = sum(control.delete for control in exported.controls)
        self.log.record(self.cell, info, {"by type": dict(sorted(kinds.items())), "to be deleted": deletions})

    def _claimed_before(self) -> dict[str, str]:
        """What the export that is stored now claims, for other targets that push into the same account."""
        before = claims(self.store, self.cell.account)
        return {CLAIMS_LOST: "yes"} if before is None else {CLAIMED: json.dumps(before)}

    @property
    def _only_out_of_sync(self) -> bool:
        """Whether this run was launched for what is out of sync alone."""
        return OUT_OF_SYNC_TAG in self.log.context.run.tags

    # -- Identity Center -------------------------------------------------------------------------------------------

    def read_center(self) -> None:
        """Store what the push has to know of Identity Center. Raises `AwsError`, `WrongAccount`."""
        meter = Meter()
        read = self.center.read()
        if read is None:
            for table in OF_THE_CENTER:
                self.log.record(self.cell, self.store.write(table, (), self.cell.account), {"asked": False})
            return
        self.log.store_read("push_permission_sets", self.cell, read.permission_sets, meter)
        self.log.store_read("push_principals", self.cell, read.principals, meter)

    # -- what is asked right before the plan ---------------------------------------------------------------------------

    def read_buckets(self) -> None:
        """Store the policies of the buckets behind access points: as this sync has read them, else AWS is asked.

        Raises `AwsError`, `WrongAccount`; `CellMissing` where nothing was exported.
        """
        account = self.cell.account
        controls = tuple(self.store.rows(AccessControl, account))
        known = () if self.store.info("s3_buckets", account) is None else self.store.rows(S3Bucket, account)
        behind = buckets_behind(controls, {bucket.name: bucket for bucket in known})
        known_policies = self._policies_of_this_sync()
        asked = [bucket for bucket in behind if bucket.name not in known_policies]
        meter = Meter(self.services.aws(self.target)) if asked else None
        read = read_bucket_policies(self.services.aws(self.target), asked) if asked else ()
        rows = [
            PushBucket(bucket.name, bucket.region, known_policies[bucket.name], None)
            for bucket in behind
            if bucket.name in known_policies and bucket.region is not None
        ]
        info = self.store.write("push_buckets", sorted([*rows, *read], key=lambda row: row.name), account)
        self.log.record(self.cell, info, {} if meter is None else meter.cost().metadata())

    def _policies_of_this_sync(self) -> dict[str, str | None]:
        """The policies of buckets that were read whole in this sync; a change is compared with AWS again anyway."""
        info = self.store.info("s3_bucket_policies", self.cell.account)
        if info is None or not info.complete or info.sync != self.store.sync:
            return {}
        stored = self.store.rows(S3BucketPolicy, self.cell.account)
        return {row.bucket: row.policy for row in stored if row.policy_read}

    # -- plan ------------------------------------------------------------------------------------------------------

    def plan(self, grid: Grid) -> None:
        """Store what is to be changed in AWS, and why. Raises `CellMissing`."""
        planning = self.planning
        plan = planning.plan(grid)
        page, drift = self.plans.write(plan), look(planning, grid)
        extra = {UNSHOWN: unshown_after(self.store, plan, whole=planning.export_is_whole)}
        written = self.store.write(TARGETS, plan.targets, self.cell.account, extra=extra)
        self.log.record(self.cell, written, {})
        status = ReadStatus.PARTIAL if plan.problems else ReadStatus.COMPLETE
        left = self.store.write(
            "access_push_orphans", plan.orphans, self.cell.account, status=status, problems=plan.problems
        )
        self.log.record(self.cell, left, {"removed by the plan": sum(orphan.removed for orphan in plan.orphans)})
        info = self.store.write(
            "access_push_plan",
            plan.changes,
            self.cell.account,
            status=status,
            problems=plan.problems,
            extra={
                **note(plan.made_of),
                PLAN_ID: plan.id,
                CALLER: plan.caller,
                DRIFT: json.dumps(drift.lines),
                NO_DRIFT_KNOWN: drift.reason,
            },
        )
        held = held_back_of(self.services.options, plan)
        self.log.record(self.cell, info, plan_metadata(plan, page, held))

    @property
    def planning(self) -> Planning:
        """How the plan of the account is made."""
        reasons = (self.log.policy.reason(table, self.cell) for table in OF_THE_CENTER)
        failures = tuple(dict.fromkeys(filter(None, reasons)))
        return Planning(self.services, self.store, self.log.attempts, self.cell, failures)

    @property
    def center(self) -> PushCenter:
        """Identity Center, where the account links an organization."""
        return PushCenter(self.services, self.store, self.cell)

    @property
    def plans(self) -> PlanFolder:
        """The plans of the account that are kept."""
        return PlanFolder(self.store, self.cell.account)

    # -- changes and feedback --------------------------------------------------------------------------------------

    def apply(self, jobs: RunJobs, grid: Grid, approval: Approval = NOBODY) -> None:
        """Make the stored plan's changes, or those of an approved plan, and store what came of them.

        The feedback is sent also where that cannot be stored: AWS is changed by then.

        In mode `approve` a plan that changes something waits for its approval. The feedback is sent, unless the plan
        applies an older export again. Raises `PlanOutdated`, `PlanUnknown` or `LeaseLost` before anything is changed;
        after the feedback was sent `PushDenied` where AWS denied every change, `AwsError` or `WrongAccount` where the
        account is out of reach; `RaitoError` where the feedback does not arrive.
        """
        plan = self._stored_plan() if approval.plan_id is None else self._approved_plan(approval.plan_id, grid)
        if approval.plan_id is None and self.services.options.pipeline.mode == "approve" and _changes(plan):
            self._wait(plan)
            return
        self.log.require_lease(self.cell)
        if plan.recovery is None:
            self._with_feedback(jobs, plan, approval)
            return
        applied, meter, failure = self._make_changes(plan, approval)
        info = self._store_results(plan, applied)
        if failure is not None:
            raise failure
        told = ["no feedback was sent: Raito Cloud hears of its newest export by the next push"]
        self._record_results(info, applied, told, meter)

    def _wait(self, plan: AccountPlan) -> None:
        """Change nothing, and say which plan waits for whom."""
        controls = in_words(_TYPES, plan)
        reason = (
            f"pipeline: mode is approve, and plan {plan.id} waits ({counts_in_words(controls)}). To make it, "
            f"materialize access_push_results alone with the configuration plan: {plan.id} (or the run tag "
            f"{PLAN_TAG}), or run `raito-pipeline apply --plan {plan.id}`"
        )
        self.log.context.log.warning(reason)
        account = self.cell.account
        info = self.store.write(
            "access_push_results",
            (),
            account,
            status=ReadStatus.OUT_OF_SCOPE,
            extra={"reason": reason, PLAN_ID: plan.id},
        )
        shown = {"plan id": plan.id, "plan": dg.MetadataValue.md(short_page(controls))}
        self.log.record(self.cell, info, {"in_scope": False, "why": reason, **shown})

    def _with_feedback(self, jobs: RunJobs, plan: AccountPlan, approval: Approval) -> None:
        task = jobs.task(self.target, JobType.DATA_ACCESS)
        try:
            task.subtask_event(ACCESS_SYNC, Status.IN_PROGRESS, self._received())
            applied, meter, failure = self._make_changes(plan, approval)
            try:
                info: CellInfo | StorageError = self._store_results(plan, applied)
            except StorageError as error:
                info = error
            with exchange_folder(self.target, "access-feedback") as folder:
                imported = send_feedback(task, folder, plan.controls, applied.results, self._received())
            if failure is not None:
                raise failure
            if isinstance(info, StorageError):
                raise info
            if imported.errors:  # AWS is changed, and Raito Cloud does not know all of it
                problems = [f"Raito Cloud, of what it was told: {error}" for error in imported.errors]
                info = self._write_results(plan, applied, problems)
        except (RaitoError, AwsError, WrongAccount, PushDenied, StorageError) as error:
            task.fail(error)
            raise
        self._record_results(info, applied, imported.warnings, meter)

    def _store_results(self, plan: AccountPlan, applied: Applied) -> CellInfo:
        account = self.cell.account
        whole = plan.recovery is not None or self.planning.export_is_whole
        before = last_push(self.store, account)
        if not isinstance(before, UnreadableNote):
            note_push(self.store, account, LastPush.of(plan.id, plan.controls, applied.results, before, whole=whole))
        elif whole and not any(result.errors for result in applied.results):  # until then it stays unknown
            note_push(self.store, account, LastPush.of(plan.id, plan.controls, applied.results, None))
        return self._write_results(plan, applied)

    def _write_results(self, plan: AccountPlan, applied: Applied, problems: Sequence[str] = ()) -> CellInfo:
        extra = {**note(plan.made_of), PLAN_ID: plan.id, DIFFERENCES: json.dumps(applied.differences)}
        extra |= _warnings(problems)
        return self.store.write("access_push_results", applied.results, self.cell.account, extra=extra)

    def _record_results(self, info: CellInfo, applied: Applied, warnings: Sequence[str], meter: Meter | None) -> None:
        cost = {} if meter is None else meter.cost().metadata()
        self.log.record(self.cell, info, {**results_metadata(applied.results, warnings), **cost})

    def _make_changes(self, plan: AccountPlan, approval: Approval) -> tuple[Applied, Meter | None, Exception | None]:
        """The results, what they cost, and what is to be raised once the feedback was sent."""
        controls, targets, changes = plan.controls, plan.targets, plan.changes
        held = HeldBack() if approval.with_losses else held_back_of(self.services.options, plan)
        if held.reason:
            self.log.context.log.error(held.reason)
        try:
            clients = self.services.aws(self.target)
        except (AwsError, WrongAccount) as error:
            return Applied(refused_results(controls, targets, [str(error)]), False), None, error
        reason = _another_caller(plan, clients)
        if reason is not None:
            return Applied(refused_results(controls, targets, [reason]), False), None, None
        meter = Meter(clients)
        note_begun(self.store, self.cell.account, created_points(_TYPES, changes))
        applied = apply_plan(
            clients,
            self.target.account_id,
            _TYPES,
            changes,
            targets,
            controls,
            self.target.aws_concurrency,
            self.services.progress,
            self.center.calls(),
            held,
        )
        self.center.note_changes(changes)
        return applied, meter, PushDenied(applied.results) if applied.all_denied else None

    def _stored_plan(self) -> AccountPlan:
        """The plan of the stored table. Raises `PlanOutdated` where something that it was made of was read anew."""
        account = self.cell.account
        self.store.require("access_push_plan", account)
        info = self.store.info("access_push_plan", account)
        planned = (made_of(info) if info is not None else None) or {}
        now = versions(self.store, account)
        for table in PLANNED_ON:
            if planned.get(table) != now.get(table):
                raise PlanOutdated(self.cell.label, f"the plan was not made of the {table} that is stored now")
        return AccountPlan(
            account=account,
            account_id=self.target.account_id,
            target=self.target.name,
            made_at=info.read_at if info is not None else datetime.now(UTC),
            controls=tuple(self.store.rows(AccessControl, account)),
            targets=tuple(self.store.rows(PushTarget, account)),
            changes=tuple(self.store.rows(PushChange, account)),
            made_of=planned,
            caller=info.extra.get(CALLER, "") if info is not None else "",
        )

    def _approved_plan(self, plan_id: str, grid: Grid) -> AccountPlan:
        """A plan that somebody saw. Raises `PlanOutdated` where another one follows from what is stored now."""
        plan = self.plans.read(plan_id)
        now = self.planning.plan(grid)
        reason = outdated(plan, now)
        if reason is not None:
            raise PlanOutdated(self.cell.label, f"plan {plan_id} is not the newest: {reason}")
        return plan if plan.recovery else now

    def _received(self) -> int | None:
        info = self.store.info("access_controls", self.cell.account)
        text = info.extra.get(_RECEIVED) if info else None
        return int(text) if text else None


def _warnings(problems: Sequence[str]) -> dict[str, str]:
    """What a cell notes of what Raito Cloud had errors with: the cell is whole, and something else is not."""
    return {"warnings": json.dumps(problems)} if problems else {}


def created_points(types: PushedTypes, changes: Iterable[PushChange]) -> Iterator[str]:
    """The ARNs of the access points that are to be made."""
    return (each.row.resource for each in types.changes(changes) if isinstance(each, CreateAccessPoint))


def held_back_of(options: Options, plan: AccountPlan) -> HeldBack:
    """What of a plan the limits of `raito.yml` hold back."""
    pipeline = options.pipeline
    limits = Limits(pipeline.max_push_losses, pipeline.max_push_loss_share)
    allowed = {target.access_control_id for target in plan.targets if not target.refused}
    changes = [change for change in _TYPES.changes(plan.changes) if change.row.access_control_id in allowed]
    return held_back(changes, plan.controls, limits, plan.id)


def _changes(plan: AccountPlan) -> bool:
    """True where a plan changes something in AWS."""
    return bool(_TYPES.changes(plan.changes))


def _another_caller(plan: AccountPlan, clients: AwsClients) -> str | None:
    """Why nothing is changed: the plan was made for another identity, which it leaves as it is."""
    now = clients.caller_arn()
    if identity(plan.caller) == identity(now):
        return None
    return (
        f"the plan was made to be pushed by {plan.caller or 'nobody'}, and {now} pushes: nothing was changed. "
        f"Materialize access_push_plan again, then access_push_results."
    )


def plan_metadata(plan: AccountPlan, page: str, held: HeldBack) -> dict[str, Any]:
    """What the Dagster UI shows of a plan. `page` is where it can be read whole."""
    operations = Counter(f"{change.operation} {change.kind}" for change in plan.changes)
    controls = in_words(_TYPES, plan, held.positions)
    rows = (
        {
            "access control": each.row.access_control_name,
            "operation": each.row.operation,
            "kind": each.row.kind,
            "resource": each.row.resource,
            "access": each.access,
            "why": each.row.why,
        }
        for each in explain(_TYPES, plan.changes)
    )
    return {
        "plan id": plan.id,
        **({"held back": held.reason} if held.reason else {}),
        "in words": counts_in_words(controls),
        "plan": dg.MetadataValue.md(short_page(controls)),
        "whole plan": dg.MetadataValue.path(page),
        "changes by operation": dict(sorted(operations.items())),
        "access controls": len(plan.targets),
        "refused access controls": sum(target.refused for target in plan.targets),
        "changes": len(plan.changes),
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
