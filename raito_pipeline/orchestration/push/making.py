"""Makes the changes of a plan in AWS, and tells Raito Cloud of every exported access control.

A plan is only made as long as nothing that it was made of was read anew. Every exported access control gets its
feedback, also where nothing was changed.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg

from raito_pipeline.aws.connection.clients import AwsClients, AwsError, WrongAccount
from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.push.account_plan import AccountPlan
from raito_pipeline.aws.push.apply import Applied, apply_plan
from raito_pipeline.aws.push.inputs import PLANNED_ON, made_of, note, versions
from raito_pipeline.aws.push.pushed_types import PushedTypes
from raito_pipeline.aws.push.results import refused_results
from raito_pipeline.aws.push.rules.bounds import identity
from raito_pipeline.aws.push.rules.losses import HeldBack
from raito_pipeline.aws.push.types.access_point_changes import CreateAccessPoint
from raito_pipeline.aws.push.wording import in_words
from raito_pipeline.model import AccessControl, PushChange, PushResult, PushTarget
from raito_pipeline.orchestration.partitioning.grid import Grid
from raito_pipeline.orchestration.push.kept_plans import outdated
from raito_pipeline.orchestration.push.last_push import LastPush, UnreadableNote, last_push, note_begun, note_push
from raito_pipeline.orchestration.push.plan_pages import counts_in_words, short_page
from raito_pipeline.orchestration.push.plans import CALLER, PLAN_ID
from raito_pipeline.orchestration.push.pushes import RECEIVED, Push, warnings_of
from raito_pipeline.orchestration.push.shown import held_back_of, results_metadata
from raito_pipeline.orchestration.recording.checks import DIFFERENCES
from raito_pipeline.orchestration.recording.meter import Meter
from raito_pipeline.orchestration.runs.tags import PLAN_TAG
from raito_pipeline.orchestration.upload.raito_jobs import RunJobs
from raito_pipeline.orchestration.upload.work import exchange_folder
from raito_pipeline.raito.errors import RaitoError
from raito_pipeline.raito.feedback import send_feedback
from raito_pipeline.raito.jobs import ACCESS_SYNC, JobType, Status
from raito_pipeline.storage import CellInfo, ReadStatus, StorageError

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


def apply(push: Push, jobs: RunJobs, grid: Grid, approval: Approval = NOBODY) -> None:
    """Make the stored plan's changes, or those of an approved plan, and store what came of them.

    The feedback is sent also where that cannot be stored: AWS is changed by then.

    In mode `approve` a plan that changes something waits for its approval. The feedback is sent, unless the plan
    applies an older export again. Raises `PlanOutdated`, `PlanUnknown` or `LeaseLost` before anything is changed;
    after the feedback was sent `PushDenied` where AWS denied every change, `AwsError` or `WrongAccount` where the
    account is out of reach; `RaitoError` where the feedback does not arrive.
    """
    plan = _stored_plan(push) if approval.plan_id is None else _approved_plan(push, approval.plan_id, grid)
    if approval.plan_id is None and push.services.options.pipeline.mode == "approve" and _changes(plan):
        _wait(push, plan)
        return
    push.log.require_lease(push.cell)
    if plan.recovery is None:
        _with_feedback(push, jobs, plan, approval)
        return
    applied, meter, failure = _make_changes(push, plan, approval)
    info = _store_results(push, plan, applied)
    if failure is not None:
        raise failure
    told = ["no feedback was sent: Raito Cloud hears of its newest export by the next push"]
    _record_results(push, info, applied, told, meter)


def _wait(push: Push, plan: AccountPlan) -> None:
    """Change nothing, and say which plan waits for whom, and what of it limits hold back even then."""
    held = held_back_of(push.services.options, plan)
    controls = in_words(_TYPES, plan, held.positions)
    reason = (
        f"pipeline: mode is approve, and plan {plan.id} waits ({counts_in_words(controls)}). To make it, "
        f"materialize access_push_results alone with the configuration plan: {plan.id} (or the run tag "
        f"{PLAN_TAG}), or run `raito-pipeline apply --plan {plan.id}`"
    )
    if held.reason:
        reason += f". What of it takes access is {held.reason}"
    push.log.context.log.warning(reason)
    account = push.cell.account
    info = push.store.write(
        "access_push_results",
        (),
        account,
        status=ReadStatus.OUT_OF_SCOPE,
        extra={"reason": reason, PLAN_ID: plan.id},
    )
    shown = {"plan id": plan.id, "plan": dg.MetadataValue.md(short_page(controls))}
    push.log.record(push.cell, info, {"in_scope": False, "why": reason, **shown})


def _with_feedback(push: Push, jobs: RunJobs, plan: AccountPlan, approval: Approval) -> None:
    task = jobs.task(push.target, JobType.DATA_ACCESS)
    try:
        task.subtask_event(ACCESS_SYNC, Status.IN_PROGRESS, _received(push))
        applied, meter, failure = _make_changes(push, plan, approval)
        try:
            info: CellInfo | StorageError = _store_results(push, plan, applied)
        except StorageError as error:
            info = error
        with exchange_folder(push.target, "access-feedback") as folder:
            imported = send_feedback(task, folder, plan.controls, applied.results, _received(push))
        if failure is not None:
            raise failure
        if isinstance(info, StorageError):
            raise info
        if imported.errors:  # AWS is changed, and Raito Cloud does not know all of it
            problems = [f"Raito Cloud, of what it was told: {error}" for error in imported.errors]
            info = _write_results(push, plan, applied, problems)
    except (RaitoError, AwsError, WrongAccount, PushDenied, StorageError) as error:
        task.fail(error)
        raise
    _record_results(push, info, applied, imported.warnings, meter)


def _store_results(push: Push, plan: AccountPlan, applied: Applied) -> CellInfo:
    account = push.cell.account
    whole = plan.recovery is not None or push.planning.export_is_whole
    before = last_push(push.store, account)
    if isinstance(before, UnreadableNote) and whole:
        before = LastPush.lost(plan.controls)
    if not isinstance(before, UnreadableNote):  # a push of some access controls says nothing of the others
        note_push(push.store, account, LastPush.of(plan.id, plan.controls, applied.results, before, whole=whole))
    return _write_results(push, plan, applied)


def _write_results(push: Push, plan: AccountPlan, applied: Applied, problems: Sequence[str] = ()) -> CellInfo:
    extra = {**note(plan.made_of), PLAN_ID: plan.id, DIFFERENCES: json.dumps(applied.differences)}
    extra |= warnings_of(problems)
    return push.store.write("access_push_results", applied.results, push.cell.account, extra=extra)


def _record_results(push: Push, info: CellInfo, applied: Applied, warnings: Sequence[str], meter: Meter | None) -> None:
    cost = {} if meter is None else meter.cost().metadata()
    push.log.record(push.cell, info, {**results_metadata(applied.results, warnings), **cost})


def _make_changes(push: Push, plan: AccountPlan, approval: Approval) -> tuple[Applied, Meter | None, Exception | None]:
    """The results, what they cost, and what is to be raised once the feedback was sent."""
    controls, targets, changes = plan.controls, plan.targets, plan.changes
    held = HeldBack() if approval.with_losses else held_back_of(push.services.options, plan)
    if held.reason:
        push.log.context.log.error(held.reason)
    try:
        clients = push.services.aws(push.target)
    except (AwsError, WrongAccount) as error:
        return Applied(refused_results(controls, targets, [str(error)]), False), None, error
    reason = _another_caller(plan, clients)
    if reason is not None:
        return Applied(refused_results(controls, targets, [reason]), False), None, None
    meter, again = Meter(clients), _was_made(push, plan)
    if again:
        said = f"plan {plan.id} was made before: what AWS has as it left it is counted, and is not written again"
        push.log.context.log.info(said)
    note_begun(push.store, push.cell.account, created_points(_TYPES, changes))
    applied = apply_plan(
        clients,
        push.target.account_id,
        _TYPES,
        changes,
        targets,
        controls,
        push.target.aws_concurrency,
        push.services.progress,
        push.center.calls(),
        held,
        again=again,
    )
    push.center.note_changes(changes)
    return applied, meter, PushDenied(applied.results) if applied.all_denied else None


def _stored_plan(push: Push) -> AccountPlan:
    """The plan of the stored table. Raises `PlanOutdated` where something that it was made of was read anew."""
    account = push.cell.account
    push.store.require("access_push_plan", account)
    info = push.store.info("access_push_plan", account)
    planned = (made_of(info) if info is not None else None) or {}
    now = versions(push.store, account)
    for table in PLANNED_ON:
        if planned.get(table) != now.get(table):
            raise PlanOutdated(push.cell.label, f"the plan was not made of the {table} that is stored now")
    return AccountPlan(
        account=account,
        account_id=push.target.account_id,
        target=push.target.name,
        made_at=info.read_at if info is not None else datetime.now(UTC),
        controls=tuple(push.store.rows(AccessControl, account)),
        targets=tuple(push.store.rows(PushTarget, account)),
        changes=tuple(push.store.rows(PushChange, account)),
        made_of=planned,
        caller=info.extra.get(CALLER, "") if info is not None else "",
    )


def _was_made(push: Push, plan: AccountPlan) -> bool:
    """True where the last push made this very plan, and nothing that it was made of was read since."""
    last = push.store.info("access_push_results", push.cell.account)
    return last is not None and last.extra.get(PLAN_ID) == plan.id and made_of(last) == dict(plan.made_of)


def _approved_plan(push: Push, plan_id: str, grid: Grid) -> AccountPlan:
    """A plan that somebody saw. Raises `PlanOutdated` where another one follows from what is stored now."""
    plan = push.plans.read(plan_id)
    now = push.planning.plan(grid)
    reason = outdated(plan, now)
    if reason is not None:
        raise PlanOutdated(push.cell.label, f"plan {plan_id} is not the newest: {reason}")
    return plan if plan.recovery else now


def _received(push: Push) -> int | None:
    info = push.store.info("access_controls", push.cell.account)
    text = info.extra.get(RECEIVED) if info else None
    return int(text) if text else None


def created_points(types: PushedTypes, changes: Iterable[PushChange]) -> Iterator[str]:
    """The ARNs of the access points that are to be made."""
    return (each.row.resource for each in types.changes(changes) if isinstance(each, CreateAccessPoint))


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
