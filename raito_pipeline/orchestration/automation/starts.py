"""When syncs begin: by `cron`, `frequency` and `sync-at-startup` of `raito.yml`; and when AWS is looked at for drift.

A new sync of an account is left out, with words, while its last one is open: queued, running or about to go on.
"""

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dagster as dg

from raito_pipeline.config import Options
from raito_pipeline.model import Layer
from raito_pipeline.orchestration.automation.continue_sync import Syncs
from raito_pipeline.orchestration.automation.jobs import JOB_NAMES, LOOK_FOR_DRIFT, AssetJob, run_request
from raito_pipeline.orchestration.automation.reconcile import Decision, Request
from raito_pipeline.orchestration.runs.tags import ACCOUNT_TAG
from raito_pipeline.storage.lease import Leases

LEAST_BETWEEN = timedelta(hours=1)
"""Raito Cloud takes one sync of a data source an hour."""


def cron_schedules(options: Options, syncs: Syncs, jobs: Mapping[str, AssetJob]) -> Iterator[dg.ScheduleDefinition]:
    """The schedules of `cron`: a schedule of Dagster launches one job, so organizations and accounts have one each."""
    if options.cron is None:
        return
    for layer, name in ((Layer.ORGANIZATION, "sync_organizations_by_cron"), (Layer.ACCOUNT, "sync_accounts_by_cron")):
        yield dg.ScheduleDefinition(
            name=syncs.grid.naming.of(name),
            job=jobs[JOB_NAMES[layer]],
            cron_schedule=options.cron,
            execution_fn=_by_cron(syncs, layer),
            default_status=dg.DefaultScheduleStatus.RUNNING,
            description=f"`cron` of raito.yml: {options.cron}",
        )


def _by_cron(
    syncs: Syncs, layer: Layer
) -> Callable[[dg.ScheduleEvaluationContext], Iterator[dg.RunRequest | dg.SkipReason]]:
    def requests(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        sync = f"cron-{_minute(context)}"
        decisions = _of(syncs, context.instance, layer, datetime.now(UTC))
        # The next tick may be tomorrow's: what cannot be looked up keeps no sync from its turn; its lease sees to that.
        free = [decision for decision in decisions if not decision.open or decision.unknown]
        busy = [_left_out(decision) for decision in decisions if decision.open and not decision.unknown]
        for text in busy:
            context.log.info(text)
        yield from (run_request(Request(decision.owner, layer, sync), syncs.grid) for decision in free)
        if not free:
            yield dg.SkipReason("; ".join(busy) or f"raito.yml names no {layer.value}")

    return requests


def _minute(context: dg.ScheduleEvaluationContext) -> str:
    """The time that a tick is for: the same where it is evaluated again."""
    return f"{context.scheduled_execution_time.astimezone(UTC):%Y%m%dT%H%M}"


def drift_schedules(options: Options, syncs: Syncs, jobs: Mapping[str, AssetJob]) -> Iterator[dg.ScheduleDefinition]:
    """The schedule of `pipeline: drift-schedule`, which looks for drift and pushes nothing."""
    cron = options.pipeline.drift_schedule
    if cron is None:
        return
    naming = syncs.grid.naming

    def requests(context: dg.ScheduleEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        decisions = _of(syncs, context.instance, Layer.ACCOUNT, datetime.now(UTC))
        # A sync under way looks for drift itself, and an account that was never synced has nothing to compare.
        leases = Leases(options.pipeline.storage)
        free = [each.owner for each in decisions if not each.open and leases.last_sync(each.owner)]
        for owner in free:
            tags = {ACCOUNT_TAG: owner, **naming.tags}
            # Dagster takes several runs of a tick by their keys alone, and launches each of them once.
            yield dg.RunRequest(
                run_key=f"{owner}/{LOOK_FOR_DRIFT}/{_minute(context)}",
                job_name=naming.of(LOOK_FOR_DRIFT),
                partition_key=owner,
                tags=tags,
            )
        if not free:
            yield dg.SkipReason("no account was synced, or each is being synced now")

    yield dg.ScheduleDefinition(
        name=naming.of("look_for_drift_by_schedule"),
        job=jobs[LOOK_FOR_DRIFT],
        cron_schedule=cron,
        execution_fn=requests,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"`pipeline: drift-schedule` of raito.yml: {cron}",
    )


def start_sensor(options: Options, syncs: Syncs, jobs: Mapping[str, AssetJob]) -> dg.SensorDefinition | None:
    """The sensor of `frequency` and `sync-at-startup`, which no cron line can express; None where neither is given."""
    frequency = timedelta(minutes=options.frequency) if options.frequency and not options.cron else None
    if frequency is None and not options.sync_at_startup:
        return None
    process = uuid.uuid4().hex

    def evaluate(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        now = datetime.now(UTC)
        syncs.seen_from(context)
        looked = Looked.read(context.cursor, now)
        starting = options.sync_at_startup and looked.process != process
        requests: list[dg.RunRequest] = []
        texts: list[str] = []
        for layer in (Layer.ORGANIZATION, Layer.ACCOUNT):
            for decision in _of(syncs, context.instance, layer, now):
                if not due(now, decision.began, looked.first, frequency, starting=starting):
                    continue
                if decision.open:
                    texts.append(_left_out(decision))
                    continue
                request = Request(decision.owner, layer, f"started-{now:%Y%m%dT%H%M%S}")
                requests.append(run_request(request, syncs.grid))
        for text in texts:
            context.log.info(text)
        skip = None if requests else dg.SkipReason("; ".join(texts) or "no sync is due")
        return dg.SensorResult(run_requests=requests, skip_reason=skip, cursor=Looked(looked.first, process).text)

    return dg.SensorDefinition(
        name=syncs.grid.naming.of("sync_by_frequency"),
        evaluation_fn=evaluate,
        jobs=[jobs[JOB_NAMES[Layer.ORGANIZATION]], jobs[JOB_NAMES[Layer.ACCOUNT]]],
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="`frequency` and `sync-at-startup` of raito.yml",
    )


@dataclass(frozen=True)
class Looked:
    """What the sensor remembers: when it looked for the first time, and in which process it last did."""

    first: datetime
    process: str = ""

    @classmethod
    def read(cls, cursor: str | None, now: datetime) -> "Looked":
        """What a cursor holds; the first look is now where there is none, or one of another form."""
        try:
            said = json.loads(cursor or "")
            # After a clock that was ahead, the first look is now; a time without its zone raises TypeError.
            return cls(min(datetime.fromisoformat(said["first"]), now), str(said["process"]))
        except (ValueError, TypeError, KeyError):
            return cls(now)

    @property
    def text(self) -> str:
        """As a cursor."""
        return json.dumps({"first": self.first.isoformat(), "process": self.process})


def due(
    now: datetime, began: datetime | None, first_look: datetime, frequency: timedelta | None, *, starting: bool
) -> bool:
    """Whether an account (or organization) is to be synced. `began` is when its last sync was launched, by anything.

    One interval after that, or after the first look where there was none; where the process is `starting` and has to
    sync, at once. Never within an hour of the last.
    """
    if began is not None and now - began < LEAST_BETWEEN:
        return False
    return starting or (frequency is not None and now - (began or first_look) >= frequency)


def _of(syncs: Syncs, instance: dg.DagsterInstance, layer: Layer, now: datetime) -> list[Decision]:
    definition = syncs.grid.organization if layer is Layer.ORGANIZATION else syncs.grid.account
    # What AWS has closed can only fail; it is said when the configuration is loaded.
    closed = {target.partition for target in syncs.options.accounts if target.closed}
    return [
        decision
        for decision in syncs.decisions(instance, now)
        if decision.owner not in closed and definition.has_partition_key(decision.owner)
    ]


def _left_out(decision: Decision) -> str:
    return f"no new sync of {decision.owner}, because its last one is not over: {decision.text}"
