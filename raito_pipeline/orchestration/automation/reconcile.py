"""What has to follow in the sync of an account: a pure function of its runs and of the cells that failed.

The rules, for the last sync of the account (that of its newest run of the first layer that was let in):

1. While one of its runs is queued or running, or an asset backfill that made one of them is under way (such a backfill
   launches its layers itself), nothing is requested.
2. A layer that ended is followed by the next one, whether it succeeded or failed: what could not be read is partial in
   what follows, and removes nothing. This is what `raito-pipeline run` does, too.
3. A run (or backfill) that was cancelled, and one that was refused because another sync has the account, stop the sync.
4. A sync of `raito-pipeline run` is left to that command: what was interrupted at a terminal shall not go on elsewhere.
5. A sync whose next layer was let in, and whose run somebody deleted since, stops: that was made, or cancelled.
6. After the last layer: where a cell that failed, or was read in part, was made since by hand, the layers after that
   cell run once more.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from raito_pipeline.model import Layer
from raito_pipeline.orchestration.automation.history import RunView, State

RETRY_WAITS = timedelta(minutes=10)
"""How long a run that Dagster is to retry may take to be queued again."""
COMMAND_WAITS = timedelta(minutes=2)
"""How long `raito-pipeline run` may take from one layer to the next."""
ABANDONED_AFTER = timedelta(hours=1)
"""From when on a sync whose next layer was never started no longer keeps a new one from starting."""


@dataclass(frozen=True)
class FailedCell:
    """A cell that the newest run of a layer did not make, or made in part, and why."""

    table: str
    account: str
    region: str | None
    reason: str

    @property
    def label(self) -> str:
        """The cell as a person names it."""
        return self.table if self.region is None else f"{self.table} {self.region}"


class Evidence(Protocol):
    """What is asked about runs beyond their records; each question is asked only where its answer decides."""

    def backfill(self, backfill_id: str) -> State | None:
        """How far an asset backfill is. One of a job leaves the layers after it to us: None, as long as it goes on."""

    def failed_cells(self, run: RunView) -> Sequence[FailedCell]:
        """The cells of the account of `run` that a failed run of a layer did not make."""

    def partial_cells(self, run: RunView) -> Sequence[FailedCell]:
        """The cells of the account of `run` that a run of a layer made in part."""

    def maker(self, cell: FailedCell, sync: str) -> str | None:
        """The id of the run that made a cell as of a sync, or None where what is stored is not of that sync."""

    def organization(self, account: str) -> RunView | None:
        """The newest run of the organization of an account."""

    def deleted(self, account: str, sync: str, layer: Layer) -> str | None:
        """The id of the run of a layer that worked on a sync last, where it was deleted since; else None."""


@dataclass(frozen=True)
class Request:
    """A run to launch. `attempt` counts what made it necessary, from 1."""

    owner: str
    layer: Layer
    sync: str
    attempt: int = 1

    @property
    def run_key(self) -> str:
        """The same for the same cause, so that Dagster launches it once."""
        again = "" if self.attempt == 1 else f"/{self.attempt}"
        return f"{self.owner}/{self.layer.value}/{self.sync}{again}"


@dataclass(frozen=True)
class Decision:
    """What follows for an account: a run to request, or None, and where its sync stands, in words.

    `open` is True while the sync is not over: a new one has to wait; with `unknown` nobody could tell. `quiet` is True
    where there is nothing to wait for. `began` is when the last sync was launched.
    """

    owner: str
    text: str
    open: bool = False
    quiet: bool = False
    request: Request | None = None
    began: datetime | None = None
    unknown: bool = False


def decide(owner: str, runs: Sequence[RunView], evidence: Evidence, now: datetime) -> Decision:
    """What follows for an account, from its runs in the order of their creation. Pure, `evidence` aside."""
    firsts = [run for run in runs if run.layer is Layer.ACCOUNT]
    if not firsts:
        return Decision(owner, f"{owner} has not been synced", quiet=True)
    begun = [run for run in firsts if run.begun and not run.refused]
    decision = _Account(owner, runs, begun[-1], evidence, now).decide() if begun else None
    return replace(_with_newest(owner, firsts[-1], decision), began=firsts[-1].created)


def _with_newest(owner: str, newest: RunView, decision: Decision | None) -> Decision:
    """The decision on the sync that began last, with what became of a first layer that was launched after it."""
    if newest.begun and not newest.refused and decision is not None:
        return decision
    if newest.active:
        waits = f"waits for account, because {newest.name} is {newest.state.value}"
    elif newest.refused:
        waits = f"was not synced by {newest.name}: {newest.refused}"
    else:
        waits = f"was not synced by {newest.name}, which {newest.state.value} before it began"
    if decision is not None and decision.open:
        return replace(decision, text=f"{decision.text}; {owner} {waits}")
    return Decision(owner, f"{owner} {waits}", open=newest.active)


def decide_organization(owner: str, runs: Sequence[RunView]) -> Decision:
    """Where the sync of an organization stands: it has one layer, so nothing ever follows."""
    newest = next((run for run in reversed(runs) if run.layer is Layer.ORGANIZATION), None)
    if newest is None:
        return Decision(owner, f"{owner} has not been synced", quiet=True)
    if newest.active:
        text = f"{owner} waits for organization, because {newest.name} is {newest.state.value}"
        return Decision(owner, text, open=True, began=newest.created)
    if newest.state is State.SUCCEEDED:
        return Decision(owner, f"{owner} is synced", quiet=True, began=newest.created)
    why = newest.refused or f"{newest.name} {'was cancelled' if newest.state is State.CANCELED else 'failed'}"
    return Decision(owner, f"{owner} was not synced whole: {why}", began=newest.created)


@dataclass(frozen=True)
class _Account:
    """The last sync of an account that was let in; `first` is its first run."""

    owner: str
    runs: Sequence[RunView]
    first: RunView
    evidence: Evidence
    now: datetime

    def decide(self) -> Decision:
        layers = [run for run in self._mine() if run.layer is not Layer.CELLS]
        newest = layers[-1]
        stopped = self._busy(newest) or self._stopped(newest)
        if stopped is not None:
            return stopped
        goal = newest.layer.following
        return self._finished(layers) if goal is None else self._follow(newest, goal)

    def _mine(self) -> list[RunView]:
        return [run for run in self.runs if run.sync == self.first.sync]

    def _busy(self, newest: RunView) -> Decision | None:
        for run in self._mine():
            if run.active and run is newest:
                return self._open(f"waits for {run.layer.value}, because {run.name} is {run.state.value}")
            if run.active:
                after = newest.layer.following
                what = after.value if after else "the end of its sync"
                text = f"waits with {what}, because {run.name} ({run.layer.value}) is {run.state.value}"
                # What runs beside the syncs keeps no new one from being launched: that has its turn after it.
                return self._said(text) if run.looks and newest.layer.ends and not newest.active else self._open(text)
        return None

    def _stopped(self, newest: RunView) -> Decision | None:
        """Why nothing may follow the newest run now, or None."""
        layer = newest.layer.value
        if newest.refused:
            return self._said(f"stops at {layer}: {newest.refused}")
        if newest.state is State.CANCELED:
            return self._said(f"stops at {layer}, because {newest.name} was cancelled: sync it anew, or re-execute it")
        if newest.state is State.FAILED and newest.will_retry and self.now - newest.updated < RETRY_WAITS:
            return self._open(f"waits for {layer}, because {newest.name} failed and is to be retried")
        if newest.layer.ends:
            return None
        if newest.by_command and self.now - newest.updated < COMMAND_WAITS:
            return self._open("waits for raito-pipeline run, which goes on with its sync by itself")
        if newest.by_command:
            return self._said(f"stops after {layer}, because raito-pipeline run ended there: sync it anew")
        # What a backfill began stops with it, whoever launched the layers since; what is executed again is meant.
        begun_by = newest.backfill or (None if newest.again else self.first.backfill)
        if begun_by is None:
            return None
        backfill = self.evidence.backfill(begun_by)
        name = f"backfill {begun_by}"
        if backfill in (State.WAITING, State.RUNNING):
            return self._open(f"waits for {name}, which launches the layers after {layer} itself")
        if backfill is State.CANCELED:
            return self._said(f"stops after {layer}, because {name} was cancelled: sync it anew")
        return None

    def _follow(self, newest: RunView, goal: Layer) -> Decision:
        organization = self.evidence.organization(self.owner) if goal is Layer.FINISH else None
        if organization is not None and organization.active:
            return self._open(
                f"waits with {goal.value} for organization {organization.owner}, because {organization.name} is "
                f"{organization.state.value}"
            )
        gone = self.evidence.deleted(self.owner, self.first.sync, goal)
        if gone is not None:
            return self._said(
                f"stops after {newest.layer.value}, because run {gone[:8]} ({goal.value}) was deleted: sync it anew"
            )
        how = "failed" if newest.state is State.FAILED else "ended"
        decision = self._request(goal, f"{newest.name} ({newest.layer.value}) {how}")
        return replace(decision, open=self.now - newest.updated < ABANDONED_AFTER)

    def _finished(self, layers: Sequence[RunView]) -> Decision:
        """After the last layer: whether a cell that failed was made since, and what is still missing."""
        finish = layers[-1]
        missing, healed = self._missing_and_healed(layers, finish)
        if healed:
            # Data objects and access points are read bucket by bucket.
            goal = Layer.REGIONS if any(cell.table == "s3_buckets" for cell in healed) else Layer.FINISH
            return self._request(goal, f"{healed[0].label} was made by hand")
        if missing:
            more = f" (and {len(missing) - 1} more cells)" if len(missing) > 1 else ""
            return self._said(f"waits for {missing[0].label}, because {missing[0].reason}{more}")
        if finish.state is State.FAILED:
            return self._said(f"has ended its sync, and {finish.name} ({finish.layer.value}) failed")
        return replace(self._said("is synced"), quiet=True)

    def _missing_and_healed(
        self, layers: Sequence[RunView], finish: RunView
    ) -> tuple[list[FailedCell], list[FailedCell]]:
        """The cells that failed before the last layer: those that are missing still, those made after its launch."""
        hands = {
            run.run_id: run
            for run in self._mine()
            if run.layer is Layer.CELLS and run.ended is not None and not run.looks
        }
        fresh = {run_id for run_id, run in hands.items() if (run.ended or self.now) > finish.created}
        missing: list[FailedCell] = []
        healed: list[FailedCell] = []
        for cell in self._failed(layers):
            maker = self.evidence.maker(cell, self.first.sync) if hands else None
            if maker is None:
                missing.append(cell)
            elif maker in fresh:
                healed.append(cell)
        # What was read in part is green, so nothing waits for it; made again by hand, it counts like any other.
        for cell in self._partial(layers) if fresh else ():
            if self.evidence.maker(cell, self.first.sync) in fresh:
                healed.append(cell)
        return missing, healed

    def _failed(self, layers: Sequence[RunView]) -> list[FailedCell]:
        failed = [run for run in _before_the_last(layers) if run.state is State.FAILED]
        return [cell for run in failed for cell in self.evidence.failed_cells(run)]

    def _partial(self, layers: Sequence[RunView]) -> list[FailedCell]:
        return [cell for run in _before_the_last(layers) for cell in self.evidence.partial_cells(run)]

    def _request(self, goal: Layer, why: str) -> Decision:
        before = Layer.ACCOUNT if goal is Layer.REGIONS else Layer.REGIONS
        # Each run of the layer before and each one by hand is a cause of its own.
        causes = sum(run.layer in (before, Layer.CELLS) and not run.looks for run in self._mine())
        request = Request(self.owner, goal, self.first.sync, max(1, causes))
        return replace(self._open(f"goes on with {goal.value}, because {why}"), request=request)

    def _open(self, text: str) -> Decision:
        return Decision(self.owner, f"{self.owner} {text}", open=True)

    def _said(self, text: str) -> Decision:
        return Decision(self.owner, f"{self.owner} {text}")


def _before_the_last(layers: Sequence[RunView]) -> list[RunView]:
    """The newest run of each layer before the last one."""
    newest = {run.layer: run for run in layers}
    return [newest[layer] for layer in (Layer.ACCOUNT, Layer.REGIONS) if layer in newest]
