"""The sensor that does what Raito Cloud asked for between the syncs: it takes one trigger after the other to its runs.

It keeps no cursor. What waits stands in the queue (`trigger_queue.py`), and what was launched for it is asked of the
Dagster instance by the tag of the trigger. So a tick that failed, or a daemon that was killed, loses nothing; and as
each run has a key of its own, none is launched twice. While an account is being synced, its triggers wait.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import dagster as dg

from raito_pipeline.aws.data_objects.subtree import Subtree
from raito_pipeline.config import Options
from raito_pipeline.model import TABLES, Layer
from raito_pipeline.orchestration.automation.continue_sync import Syncs
from raito_pipeline.orchestration.automation.history import RunView, State, views
from raito_pipeline.orchestration.automation.jobs import (
    JOB_NAMES,
    PUSH_OUT_OF_SYNC,
    STAGES_OF,
    AssetJob,
    run_request,
)
from raito_pipeline.orchestration.automation.reconcile import RETRY_WAITS, Request
from raito_pipeline.orchestration.automation.trigger_queue import Trigger, TriggerQueue
from raito_pipeline.orchestration.automation.triggers import closed
from raito_pipeline.orchestration.naming import Naming
from raito_pipeline.orchestration.partitioning.partitions import regions_of_part
from raito_pipeline.orchestration.runs.tags import ACCOUNT_TAG, RANGE_END, RANGE_START, STEP_TAG, TRIGGER_TAG
from raito_pipeline.orchestration.upload.stages import tables_of_stages
from raito_pipeline.storage.lease import Leases

INTERVAL = 5
MOST_AT_ONCE = 50
"""how many triggers one tick begins with: it launches their runs before it ends"""
_MOST_TEXTS = 20
_ORDER = {"push": 0, "part": 1, "sync": 2}
"""what takes least goes first"""


def trigger_sensor(syncs: Syncs, jobs: Mapping[str, AssetJob]) -> dg.SensorDefinition | None:
    """The sensor `do_what_raito_cloud_asks`; None where `disable-websocket` is on."""
    if syncs.options.disable_websocket:
        return None
    queue = TriggerQueue(syncs.options.pipeline.storage)

    def evaluate(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        waiting = queue.waiting()
        if not waiting:
            return dg.SensorResult(skip_reason=dg.SkipReason("Raito Cloud asks for nothing"))
        now = datetime.now(UTC)
        syncs.seen_from(context)
        tick = _Tick(syncs, context.instance, syncs.history.refresh(context.instance, now), now)
        tick.look(waiting)
        taken = queue.take([trigger.id for trigger in tick.due], tick.done)
        queue.put(tick.instead)
        requests = [*tick.requests, *(tick.request(trigger, 1, 1) for trigger in taken)]
        text = "; ".join(tick.texts[:_MOST_TEXTS])
        context.log.info(text)
        return dg.SensorResult(run_requests=requests, skip_reason=None if requests else dg.SkipReason(text))

    wanted = (PUSH_OUT_OF_SYNC, *STAGES_OF.values(), JOB_NAMES[Layer.ACCOUNT], JOB_NAMES[Layer.ORGANIZATION])
    return dg.SensorDefinition(
        name=syncs.grid.naming.of("do_what_raito_cloud_asks"),
        evaluation_fn=evaluate,
        jobs=[jobs[name] for name in wanted],
        minimum_interval_seconds=INTERVAL,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=(
            "Launches what Raito Cloud asked for between the syncs: a push of what is out of sync, a sync of some "
            "stages, or a part of the data objects. `raito-pipeline listen` hears of it; the ticks say what waits."
        ),
    )


@dataclass
class _Tick:
    """One look at everything that waits.

    `due` are the triggers whose first run is to be launched, `requests` the runs that follow others, `done` the ids of
    triggers of which nothing is left to do, and `instead` what is to be done in place of some of those.
    """

    syncs: Syncs
    instance: dg.DagsterInstance
    runs: Mapping[str, Sequence[RunView]]
    now: datetime
    due: list[Trigger] = field(default_factory=list)
    requests: list[dg.RunRequest] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    instead: list[Trigger] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    _busy: dict[str, str] = field(default_factory=dict)
    """accounts of which a trigger is being done, or about to be, and why another one waits"""

    def look(self, waiting: Sequence[Trigger]) -> None:
        """Decide on each of them."""
        for trigger in (each for each in waiting if each.taken):
            self._go_on(trigger)
        for trigger in sorted((each for each in waiting if not each.taken), key=lambda each: _ORDER[each.kind]):
            self._begin(trigger)

    def request(self, trigger: Trigger, step: int, attempt: int) -> dg.RunRequest:
        """The run of a step of a trigger, with the same key for the same cause."""
        run = self._steps(trigger)[step - 1]
        tags = {**run.tags, TRIGGER_TAG: trigger.id, STEP_TAG: str(step)}
        return run._replace(run_key=f"trigger/{trigger.id}/{step}/{attempt}", tags=tags)

    def _begin(self, trigger: Trigger) -> None:
        if (unknown := self._unknown(trigger)) is not None:
            self._end(trigger, unknown)
        elif (reason := self._busy.get(trigger.owner) or self._under_way(trigger.owner)) is not None:
            self.texts.append(f"{trigger.owner}: {trigger.what} waits, because {reason}")
        elif len(self.due) == MOST_AT_ONCE:
            self.texts.append(f"{trigger.owner}: {trigger.what} waits for the next tick")
        elif not trigger.is_whole and self._leases.last_sync(trigger.owner) is None:
            self._end(trigger, "it was never synced, and its first sync does all of it")
            whole = Trigger(trigger.owner, "sync", since=trigger.since, messages=trigger.messages)
            self.instead += [] if trigger.kind == "push" else [whole]
        else:
            self.due.append(trigger)
            self._is_done(trigger)

    def _go_on(self, trigger: Trigger) -> None:
        """What follows the runs that were launched for a trigger."""
        if (unknown := self._unknown(trigger)) is not None:
            return self._end(trigger, unknown)
        runs = self._runs(trigger)
        step = max((run.step for run in runs), default=1)
        mine = [run for run in runs if run.step == step]
        if not mine:
            return self._request(trigger, step, 1)  # a daemon that was killed before it launched it
        newest = mine[-1]
        retried = newest.state is State.FAILED and newest.will_retry and self.now - newest.updated < RETRY_WAITS
        if newest.active or retried:
            return self._is_done(trigger, newest)
        if newest.refused:
            refused = sum(1 for run in mine if run.refused)
            reason = self._under_way(trigger.owner)
            if reason is not None:
                self.texts.append(f"{trigger.owner}: {trigger.what} waits, because {reason}")
                self._busy[trigger.owner] = reason
                return None
            return self._request(trigger, step, refused + 1)
        goes_on = trigger.kind == "sync" and newest.state is State.FAILED  # what failed removes nothing
        if newest.state is not State.SUCCEEDED and not (goes_on and step < len(self._steps(trigger))):
            return self._end(trigger, f"{newest.name} {newest.state.value}")
        if step < len(self._steps(trigger)):
            return self._request(trigger, step + 1, 1)
        return self._end(trigger, None)

    def _request(self, trigger: Trigger, step: int, attempt: int) -> None:
        self.requests.append(self.request(trigger, step, attempt))
        self._is_done(trigger)

    def _is_done(self, trigger: Trigger, run: RunView | None = None) -> None:
        how = f"by {run.name}" if run is not None else "now"
        self._busy[trigger.owner] = f"{trigger.what} is done {how}"
        self.texts.append(f"{trigger.owner}: {trigger.what} is done {how}, as {trigger.why}")

    def _end(self, trigger: Trigger, why_not: str | None) -> None:
        self.done.append(trigger.id)
        how = "is done" if why_not is None else f"was not done: {why_not}"
        self.texts.append(f"{trigger.owner}: {trigger.what} {how}")

    def _unknown(self, trigger: Trigger) -> str | None:
        """Why there is nothing to run it on; None where there is. One run without a partition ends the whole tick."""
        grid = self.syncs.grid
        if not grid.names(trigger.owner):
            return "it is in no target of raito.yml any more"
        if trigger.kind == "part" and not _partitions_of_part(trigger, self.syncs.options):
            return "its region is none of raito.yml any more"
        account = self.syncs.options.accounts_by_partition.get(trigger.owner)
        return closed(account) if account is not None and account.closed is not None else None

    def _under_way(self, owner: str) -> str | None:
        """Why nothing may begin in an account (or organization) now; None where it is free."""
        active = next((run for run in self.runs.get(owner, ()) if run.active), None)
        if active is not None:
            return f"{active.name} ({active.layer.value}) is {active.state.value}"
        decision = self.syncs.decision(owner, self.instance, self.runs, self.now)
        return decision.text if decision.open else None

    def _runs(self, trigger: Trigger) -> list[RunView]:
        """The runs that were launched for a trigger, in the order of their creation."""
        known = [run for run in self.runs.get(trigger.owner, ()) if run.trigger == trigger.id]
        if known:
            return known
        # Of a daemon that was down for days: the history does not go back so far.
        records = self.instance.get_run_records(dg.RunsFilter(tags={TRIGGER_TAG: trigger.id}), ascending=True)
        return [view for record in records for view in views(record, self.instance)]

    def _steps(self, trigger: Trigger) -> list[dg.RunRequest]:
        """The runs that a trigger takes, one after the other; their keys are not set."""
        return list(_steps(trigger, self.syncs))

    @property
    def _leases(self) -> Leases:
        return Leases(self.syncs.options.pipeline.storage)


def _steps(trigger: Trigger, syncs: Syncs) -> Iterator[dg.RunRequest]:
    naming, owner = syncs.grid.naming, trigger.owner
    tags = {ACCOUNT_TAG: owner, **naming.tags}
    if trigger.kind == "push":
        yield dg.RunRequest(job_name=naming.of(PUSH_OUT_OF_SYNC), partition_key=owner, tags=tags)
    elif trigger.is_whole:
        organization = syncs.grid.organization.has_partition_key(owner)
        layer = Layer.ORGANIZATION if organization else Layer.ACCOUNT
        yield run_request(Request(owner, layer, f"trigger-{trigger.id}"), syncs.grid)
    elif trigger.kind == "part":
        subtree = Subtree.of(trigger.parent or "", trigger.excludes)
        tags |= subtree.tags()
        for key in _partitions_of_part(trigger, syncs.options):
            yield _stage_run(naming, Layer.REGIONS, ("data_objects",), tags, key)
        yield _stage_run(naming, Layer.FINISH, TABLES["data_source_import"].with_notes, tags, owner)
    else:
        keys = syncs.grid.regional_keys(owner)
        for layer in STAGES_OF:
            tables = tables_of_stages(trigger.stages, layer)
            if tables and layer is Layer.REGIONS:
                yield _stage_run(naming, layer, tables, {**tags, RANGE_START: keys[0], RANGE_END: keys[-1]}, None)
            elif tables:
                yield _stage_run(naming, layer, tables, tags, owner)


def _partitions_of_part(trigger: Trigger, options: Options) -> list[str]:
    """The partitions that hold a part; none where the file does not have its region any more."""
    place = Subtree.of(trigger.parent or "", trigger.excludes).place
    return [f"{trigger.owner}|{region}" for region in regions_of_part(options.account(trigger.owner), place)]


def _stage_run(
    naming: Naming, layer: Layer, tables: Sequence[str], tags: Mapping[str, str], partition_key: str | None
) -> dg.RunRequest:
    keys, name = [naming.key(table) for table in tables], naming.of(STAGES_OF[layer])
    return dg.RunRequest(job_name=name, partition_key=partition_key, asset_selection=keys, tags=dict(tags))
