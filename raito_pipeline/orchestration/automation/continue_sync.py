"""The sensor that goes on with syncs: at each tick it compares what each account reached with what has to follow.

It keeps no cursor. What it could not do at one tick (an error of the storage, a daemon that was down) it does at the
next, as the runs and cells still say what is missing; the run key keeps Dagster from launching the same run twice.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import dagster as dg

from raito_pipeline.config import Options
from raito_pipeline.first_few import first_lines
from raito_pipeline.model import Layer
from raito_pipeline.orchestration.automation.dead_runs import DeadRuns
from raito_pipeline.orchestration.automation.evidence import InstanceEvidence, Known
from raito_pipeline.orchestration.automation.history import HORIZON, History, RunView
from raito_pipeline.orchestration.automation.jobs import FINISH_AGAIN, JOB_NAMES, AssetJob, run_request
from raito_pipeline.orchestration.automation.reconcile import Decision, decide, decide_organization
from raito_pipeline.orchestration.partitioning.grid import Grid
from raito_pipeline.orchestration.runs.tags import storage_name
from raito_pipeline.orchestration.runs.what_follows import CONTINUE_SYNC
from raito_pipeline.redaction import one_line
from raito_pipeline.storage import StorageError, Store
from raito_pipeline.storage.lease import Leases

_MOST_TEXTS = 20
INTERVAL = 5


@dataclass
class Syncs:
    """Where the syncs of a configuration stand. Kept between the ticks of a process; asks nothing when it is made."""

    options: Options
    grid: Grid
    history: History = field(init=False)
    known: Known = field(default_factory=Known)
    dead: DeadRuns = field(init=False)
    _kept_for: datetime | None = None

    def __post_init__(self) -> None:
        # `frequency` counts from the last sync, however long that is ago.
        frequency = timedelta(minutes=self.options.frequency)
        self.history = History(
            max(HORIZON, frequency + timedelta(days=1)),
            self.grid.naming.component,
            storage=storage_name(self.options.pipeline.storage),
        )
        self.dead = DeadRuns(timedelta(minutes=self.options.pipeline.wait_for_sync_minutes))

    def seen_from(self, context: dg.SensorEvaluationContext) -> None:
        """Look at the runs of the code location of a sensor only: another one may have the same names."""
        origin = context.code_location_origin
        self.history.of_location(None if origin is None else origin.location_name)

    def report_dead_runs(self, instance: dg.DagsterInstance, now: datetime) -> list[str]:
        """Report the runs whose process is dead as failed, one line each. An error keeps nothing else from going on."""
        runs = self.history.refresh(instance, now)
        try:
            return list(self.dead.report(instance, Leases(self.options.pipeline.storage), runs, now))
        except StorageError as error:
            return [f"whether runs are alive is asked again at the next tick: {error}"]

    def decisions(self, instance: dg.DagsterInstance, now: datetime) -> Iterator[Decision]:
        """The decision on each organization and account; an error in one account concerns that account alone."""
        runs = self.history.refresh(instance, now)
        if self.history.forgot != self._kept_for:  # each run that is known was in the history once
            self.known.keep(runs)
            self._kept_for = self.history.forgot
        evidence = self._evidence(instance, runs)
        for owner in (*self.grid.organization.get_partition_keys(), *self.grid.account.get_partition_keys()):
            yield self._decide(owner, runs, evidence, now)

    def decision(
        self, owner: str, instance: dg.DagsterInstance, runs: Mapping[str, Sequence[RunView]], now: datetime
    ) -> Decision:
        """The decision on one account (or organization), by the runs of all of them; an error concerns it alone."""
        return self._decide(owner, runs, self._evidence(instance, runs), now)

    def _decide(
        self, owner: str, runs: Mapping[str, Sequence[RunView]], evidence: InstanceEvidence, now: datetime
    ) -> Decision:
        if self.grid.organization.has_partition_key(owner):
            return decide_organization(owner, runs.get(owner, ()))
        try:
            return decide(owner, runs.get(owner, ()), evidence, now)
        except Exception as error:
            said = f"{owner} is looked at again at the next tick, because {one_line(repr(error))}"
            return Decision(owner, said, open=True, unknown=True)

    def _evidence(self, instance: dg.DagsterInstance, runs: Mapping[str, Sequence[RunView]]) -> InstanceEvidence:
        store = Store.open(self.options.pipeline.storage).for_a_run()  # a tick sees one version, as a run does
        return InstanceEvidence(instance, store, self.options, self.grid, runs, self.known)


def continue_sync(syncs: Syncs, jobs: Mapping[str, AssetJob]) -> dg.SensorDefinition:
    """The sensor `continue_sync`."""

    def evaluate(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        now = datetime.now(UTC)
        syncs.seen_from(context)
        dead = syncs.report_dead_runs(context.instance, now)
        decisions = list(syncs.decisions(context.instance, now))
        requests = [run_request(decision.request, syncs.grid) for decision in decisions if decision.request]
        text = "; ".join([*dead, in_words(decisions)])
        context.log.info(text)
        return dg.SensorResult(run_requests=requests, skip_reason=None if requests else dg.SkipReason(text))

    wanted = (JOB_NAMES[Layer.REGIONS], JOB_NAMES[Layer.FINISH], FINISH_AGAIN)
    return dg.SensorDefinition(
        name=syncs.grid.naming.of(CONTINUE_SYNC),
        evaluation_fn=evaluate,
        jobs=[jobs[name] for name in wanted],
        minimum_interval_seconds=INTERVAL,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=(
            "Launches the next layer of every sync as soon as it can go on, and the last layer again where a cell that "
            "failed was made by hand. Its ticks say what each account waits for."
        ),
    )


def in_words(decisions: Sequence[Decision]) -> str:
    """What each account waits for; those with nothing to say are counted only."""
    quiet = [decision for decision in decisions if decision.quiet]
    texts = [decision.text for decision in decisions if not decision.quiet]
    others = "1 account or organization waits" if len(quiet) == 1 else f"{len(quiet)} accounts and organizations wait"
    rest = [f"{others} for nothing"] if quiet else []
    return "; ".join([*first_lines(texts, _MOST_TEXTS), *rest]) or "raito.yml names no account"
