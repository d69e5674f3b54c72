"""Forgets runs of syncs that are older than `pipeline: keep-runs-days`, with their events and what they printed.

What is stored was made by some run, and Dagster shows a cell as made only while that run's events are there. So of each
account (or organization) the last successful run of each layer stays, and all that came after it: such a run made every
cell of its layer, so that nothing is known by the runs before it alone. What automation still looks at stays, too.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice

import dagster as dg

from raito_pipeline.config import Options
from raito_pipeline.model import Layer
from raito_pipeline.orchestration.automation.history import History, RunView, views
from raito_pipeline.orchestration.automation.jobs import AssetJob
from raito_pipeline.orchestration.naming import COMPONENT_TAG
from raito_pipeline.orchestration.partitioning.grid import Grid
from raito_pipeline.orchestration.runs.tags import ACCOUNT_TAG, LAYER_TAG, begun

FORGETS_TAG = "raito/forgets-runs"
"""On the runs that forget others, so that they are forgotten themselves."""
_ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
_LAYERS = [layer.value for layer in Layer]
_OF_AN_ACCOUNT = (Layer.ACCOUNT, Layer.REGIONS, Layer.FINISH)
_PAGE = 1_000
_MOST = 20_000
"""How many runs are forgotten at one time, the oldest first: the next hour goes on. A thousand accounts that are synced
every hour make 3,000 of them in it."""
_LATER_ONES = 20


@dataclass
class OldRuns:
    """The runs of a configuration in an instance that nothing needs any more."""

    instance: dg.DagsterInstance
    grid: Grid
    page: int = _PAGE
    """how many records are asked for at once"""
    _last: dict[tuple[str, Layer], int] = field(default_factory=dict)

    def before(self, time: datetime) -> Iterator[str]:
        """The ids of those that changed last before `time`, the oldest first."""
        for record in self._ended(dg.RunsFilter(tags={LAYER_TAG: _LAYERS}, statuses=_ENDED, updated_before=time)):
            tags = record.dagster_run.tags
            if tags.get(COMPONENT_TAG, "") != self.grid.naming.component:
                continue
            # One that was never let into its account made nothing.
            if not begun(record.dagster_run) or all(map(self._superseded, views(record, self.instance))):
                yield record.dagster_run.run_id
        ours = {FORGETS_TAG: self.grid.naming.component or "true"}
        for record in self._ended(dg.RunsFilter(tags=ours, statuses=_ENDED, updated_before=time)):
            yield record.dagster_run.run_id

    def _ended(self, wanted: dg.RunsFilter) -> Iterator[dg.RunRecord]:
        """The records, a page at a time. The last one of a page says where the next begins: none may be gone."""
        cursor = None
        while True:
            records = self.instance.get_run_records(wanted, limit=self.page, ascending=True, cursor=cursor)
            yield from records
            if len(records) < self.page:
                return
            cursor = records[-1].dagster_run.run_id

    def _superseded(self, run: RunView) -> bool:
        """Whether later runs made all that this one may have made."""
        layers: tuple[Layer, ...] = (run.layer,)
        if run.layer is Layer.CELLS:
            layers = (Layer.ORGANIZATION,) if self.grid.organization.has_partition_key(run.owner) else _OF_AN_ACCOUNT
        return all(run.number < self._last_success(run.owner, layer) for layer in layers)

    def _last_success(self, owner: str, layer: Layer) -> int:
        """The number of the last successful run of a layer; 0 where there is none."""
        if (owner, layer) not in self._last:
            wanted = dg.RunsFilter(
                tags={ACCOUNT_TAG: owner, LAYER_TAG: layer.value}, statuses=[dg.DagsterRunStatus.SUCCESS]
            )
            newest = self.instance.get_run_records(wanted, limit=_LATER_ONES)
            ours = (
                record.storage_id
                for record in newest
                if record.dagster_run.tags.get(COMPONENT_TAG, "") == self.grid.naming.component
            )
            self._last[owner, layer] = next(ours, 0)
        return self._last[owner, layer]


def forget_old_runs(instance: dg.DagsterInstance, grid: Grid, before: datetime, most: int = _MOST) -> int:
    """Forget what nothing needs of the runs that changed last before a time, at most so many; gives how many."""
    run_ids = list(islice(OldRuns(instance, grid).before(before), most))
    for run_id in run_ids:
        with suppress(Exception):  # a storage of logs that does not answer keeps no run
            instance.compute_log_manager.delete_logs(prefix=[run_id])
        instance.delete_run(run_id)
    return len(run_ids)


@dataclass(frozen=True)
class Forgetting:
    """The job that forgets runs, and the schedule that launches it each hour."""

    job: AssetJob
    schedule: dg.ScheduleDefinition


def forgetting(options: Options, grid: Grid, history: History) -> Forgetting | None:
    """What `keep-runs-days` asks for; None without it. `history` says how far back automation looks."""
    days = options.pipeline.keep_runs_days
    if days is None:
        return None
    naming = grid.naming
    kept = max(timedelta(days=days), history.horizon + timedelta(days=1))

    @dg.op(name=naming.of("forget_runs"), description=f"Forgets runs of syncs that are older than {days} days.")
    def forget_runs(context: dg.OpExecutionContext) -> int:
        count = forget_old_runs(context.instance, grid, datetime.now(UTC) - kept)
        context.log.info(f"{count:,} runs older than {kept.days} days are forgotten, with their events")
        return count

    @dg.job(
        name=naming.of("forget_old_runs"),
        description=f"`pipeline: keep-runs-days` of raito.yml: {days}",
        tags={FORGETS_TAG: naming.component or "true"},
    )
    def forget() -> None:
        forget_runs()

    schedule = dg.ScheduleDefinition(
        name=naming.of("forget_old_runs_each_hour"),
        job=forget,
        cron_schedule="17 * * * *",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"`pipeline: keep-runs-days` of raito.yml: {days}",
    )
    return Forgetting(forget, schedule)
