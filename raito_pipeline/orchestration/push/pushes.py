"""The push of one account up to its plan: what it reads, and the plan that is stored before anything is changed.

The plan is only made of a whole IAM.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from raito_pipeline.aws.push.calls.bucket_policies import read_bucket_policies
from raito_pipeline.aws.push.inputs import note
from raito_pipeline.aws.push.types.access_points import buckets_behind
from raito_pipeline.config import AccountTarget
from raito_pipeline.model import AccessControl, PushBucket, S3Bucket, S3BucketPolicy
from raito_pipeline.orchestration.partitioning.grid import Cell, Grid
from raito_pipeline.orchestration.push.drift import look
from raito_pipeline.orchestration.push.kept_plans import PlanFolder
from raito_pipeline.orchestration.push.plans import CALLER, PLAN_ID, Planning
from raito_pipeline.orchestration.push.push_center import OF_THE_CENTER, PushCenter
from raito_pipeline.orchestration.push.remembered import (
    CLAIMED,
    CLAIMS_LOST,
    EXPORT_IS,
    SHARED,
    TARGETS,
    UNSHOWN,
    WHOLE,
    claims,
    unshown_after,
)
from raito_pipeline.orchestration.push.shown import held_back_of, plan_metadata
from raito_pipeline.orchestration.recording.cells import CellLog
from raito_pipeline.orchestration.recording.checks import DRIFT, NO_DRIFT_KNOWN
from raito_pipeline.orchestration.recording.meter import Meter
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.orchestration.runs.tags import OUT_OF_SYNC_TAG
from raito_pipeline.orchestration.upload.raito_jobs import RunJobs
from raito_pipeline.orchestration.upload.work import exchange_folder
from raito_pipeline.raito.errors import RaitoError
from raito_pipeline.raito.export import export_access_controls
from raito_pipeline.raito.jobs import ACCESS_SYNC, JobType, Status
from raito_pipeline.storage import ReadStatus, Store

RECEIVED = "received"
"""key of when Raito Cloud began the export, in what its cell knows besides its rows"""


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
        extra = {} if exported.received is None else {RECEIVED: str(exported.received)}
        extra |= {EXPORT_IS: WHOLE} if exported.whole else self._claimed_before()
        extra |= warnings_of(exported.problems)
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
        extra |= {SHARED: "yes"} if planning.is_shared else {}
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


def warnings_of(problems: Sequence[str]) -> dict[str, str]:
    """What a cell notes of what Raito Cloud had errors with: the cell is whole, and something else is not."""
    return {"warnings": json.dumps(problems)} if problems else {}
