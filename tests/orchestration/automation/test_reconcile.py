"""What follows in the sync of an account: a table of runs, and what is requested or said of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from raito_pipeline.model import Layer
from raito_pipeline.orchestration.automation.history import RunView, State
from raito_pipeline.orchestration.automation.reconcile import Decision, FailedCell, decide, decide_organization

OWNER, ORG = "111122223333", "999988887777_eu-west-1"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
_LAYERS = {"a": Layer.ACCOUNT, "r": Layer.REGIONS, "f": Layer.FINISH, "c": Layer.CELLS, "o": Layer.ORGANIZATION}
_STATES = {
    "+": State.SUCCEEDED,
    "-": State.FAILED,
    "x": State.CANCELED,
    "?": State.WAITING,
    "*": State.RUNNING,
}


def runs(text: str) -> list[RunView]:
    """Runs from a line: each word is a layer, a state, the sync, and marks: `a+1` is an account layer of sync 1, done.

    Marks: `!` refused, `~` not begun, `b` of a backfill, `t` to be retried, `k` by the command, `e` executed again.
    Each run is created a minute after the one before.
    """
    found = []
    for number, word in enumerate(text.split()):
        at = NOON + timedelta(minutes=number)
        state = _STATES[word[1]]
        found.append(
            RunView(
                number=number,
                run_id=f"run{number}-{word[:2]}",
                owner=ORG if word[0] == "o" else OWNER,
                sync=word[2],
                layer=_LAYERS[word[0]],
                state=state,
                created=at,
                updated=at,
                started=at,
                ended=None if state in (State.WAITING, State.RUNNING) else at + timedelta(seconds=30),
                begun="~" not in word and "!" not in word and state is not State.WAITING,
                refused="another sync has it" if "!" in word else None,
                backfill="bf" if "b" in word[3:] else None,
                will_retry="t" in word[3:],
                by_command="k" in word[3:],
                again="e" in word[3:],
            )
        )
    return found


@dataclass
class Told:
    """Evidence that is given beforehand. `made` maps a failed cell to the number of the run that made it since."""

    backfills: State | None = None
    cells: Sequence[FailedCell] = ()
    partial: Sequence[FailedCell] = ()
    made: dict[str, str] = field(default_factory=dict)
    org: RunView | None = None
    gone: str | None = None

    def backfill(self, _backfill_id: str) -> State | None:
        return self.backfills

    def failed_cells(self, run: RunView) -> Sequence[FailedCell]:
        return [cell for cell in self.cells if (cell.region is None) == (run.layer is Layer.ACCOUNT)]

    def partial_cells(self, run: RunView) -> Sequence[FailedCell]:
        return [cell for cell in self.partial if (cell.region is None) == (run.layer is Layer.ACCOUNT)]

    def maker(self, cell: FailedCell, _sync: str) -> str | None:
        return self.made.get(cell.label)

    def organization(self, _account: str) -> RunView | None:
        return self.org

    def deleted(self, _account: str, sync: str, layer: Layer) -> str | None:
        return self.gone if (sync, layer) == ("1", Layer.FINISH) else None


USAGE = FailedCell("usage_statements", OWNER, "eu-west-1", "it failed in run run1-r-: denied")
POINTS = FailedCell("access_points", OWNER, "eu-west-1", "run run1-r- did not make it")
BUCKETS = FailedCell("s3_buckets", OWNER, None, "it failed in run run0-a-: denied")
NOTHING = Told()

# runs, evidence, the run key that is requested (None: nothing), a part of what is said, whether the sync is open
CASES: list[tuple[str, Told, str | None, str, bool]] = [
    ("", NOTHING, None, "has not been synced", False),
    ("c+1", NOTHING, None, "has not been synced", False),
    # one layer after the other, whatever came of it
    ("a?1", NOTHING, None, "waits for account, because run run0-a? is queued", True),
    ("a*1", NOTHING, None, "waits for account, because run run0-a* is running", True),
    ("a+1", NOTHING, "regions/1", "goes on with regions, because run run0-a+ (account) ended", True),
    ("a-1", NOTHING, "regions/1", "goes on with regions, because run run0-a- (account) failed", True),
    ("a+1 r?1", NOTHING, None, "waits for regions, because run run1-r? is queued", True),
    ("a+1 r+1", NOTHING, "finish/1", "goes on with finish", True),
    ("a+1 r-1", NOTHING, "finish/1", "(regions) failed", True),
    ("a+1 r+1 f*1", NOTHING, None, "waits for finish, because run run2-f* is running", True),
    ("a+1 r+1 f+1", NOTHING, None, "is synced", False),
    ("a+1 r+1 f-1", NOTHING, None, "has ended its sync, and run run2-f- (finish) failed", False),
    # only the last sync counts
    ("a+1 a+2", NOTHING, "regions/2", "goes on with regions", True),
    ("a+1 r+1 f+1 a+2 r+2", NOTHING, "finish/2", "goes on with finish", True),
    ("a+1 r+1 a+2 f+1", NOTHING, "regions/2", "goes on with regions", True),
    # a first layer that has not begun takes nothing from the sync before it
    ("a+1 a?2", NOTHING, "regions/1", "waits for account, because run run1-a? is queued", True),
    ("a+1 a*2~", NOTHING, "regions/1", "waits for account, because run run1-a* is running", True),
    ("a+1 a-2~", NOTHING, "regions/1", "was not synced by run run1-a-, which failed before it began", True),
    ("a+1 r+1 f+1 a-2~", NOTHING, None, "which failed before it began", False),
    ("a+1 r+1 f+1 a-2!", NOTHING, None, "another sync has it", False),
    ("a-1!", NOTHING, None, "another sync has it", False),
    ("a+1 r+1 f+1 a?2", NOTHING, None, "waits for account, because run run3-a? is queued", True),
    # cancelled and refused runs stop the sync; re-executed ones go on with it
    ("ax1", NOTHING, None, "stops at account, because run run0-ax was cancelled", False),
    ("a+1 rx1", NOTHING, None, "stops at regions, because run run1-rx was cancelled", False),
    ("a+1 rx1 r+1", NOTHING, "finish/1/2", "goes on with finish", True),
    ("a+1 r+1 fx1", NOTHING, None, "stops at finish, because run run2-fx was cancelled", False),
    ("a+1 r-1!", NOTHING, None, "stops at regions: another sync has it", False),
    # one that was deleted was made, or cancelled: nothing is pushed out of the blue, days later perhaps
    ("a+1 r+1", Told(gone="finished-1"), None, "stops after regions, because run finished (finish) was deleted", False),
    ("a+1", Told(gone="finished-1"), "regions/1", "goes on with regions", True),
    ("a+1 r+1 f+1 a+2 r+2", Told(gone="finished-1"), "finish/2", "goes on with finish", True),
    ("a+1 rx1 a+2", NOTHING, "regions/2", "goes on with regions", True),
    ("a+1 r+1 f+1 r+1", NOTHING, "finish/1/2", "goes on with finish", True),
    ("a+1 r+1 f+1 a+1", NOTHING, "regions/1/2", "goes on with regions", True),
    ("a+1 r+1 f+1 a+1 r+1", NOTHING, "finish/1/2", "goes on with finish", True),
    # Dagster retries by itself
    ("a+1 r-1t", NOTHING, None, "failed and is to be retried", True),
    ("a+1 r-1t r?1", NOTHING, None, "waits for regions", True),
    # asset backfills launch their own layers
    ("a+1b", Told(State.RUNNING), None, "waits for backfill bf, which launches the layers after account", True),
    ("a+1b r+1b", Told(State.RUNNING), None, "launches the layers after regions", True),
    ("a+1b r+1b f+1b", Told(State.RUNNING), None, "is synced", False),
    ("a+1b", Told(State.FAILED), "regions/1", "goes on with regions", True),
    ("a+1b", Told(State.SUCCEEDED), "regions/1", "goes on with regions", True),
    ("a+1b", Told(State.CANCELED), None, "stops after account, because backfill bf was cancelled", False),
    ("a+1b", Told(None), "regions/1", "goes on with regions", True),
    # one of a job that is cancelled stops what it began as well, whoever launched the layers since
    ("a+1b r+1", Told(None), "finish/1", "goes on with finish", True),
    ("a+1b r+1", Told(State.CANCELED), None, "stops after regions, because backfill bf was cancelled", False),
    ("a+1b r+1 r+1e", Told(State.CANCELED), "finish/1/2", "goes on with finish", True),
    # the command goes on by itself
    ("a+1 r+1 f+1 c+1 a+2 r+2 f+2 c+2 a+3k", NOTHING, None, "waits for raito-pipeline run", True),
    ("a+1k", NOTHING, None, "stops after account, because raito-pipeline run ended there", False),
    ("a+1k r+1k f+1k", NOTHING, None, "is synced", False),
    # the organization is read before the last layer
    ("a+1", Told(org=runs("o*1")[0]), "regions/1", "goes on with regions", True),
    ("a+1 r+1", Told(org=runs("o*1")[0]), None, f"waits with finish for organization {ORG}, because run run0-o*", True),
    ("a+1 r+1", Told(org=runs("o-1")[0]), "finish/1", "goes on with finish", True),
    # cells that failed, and that were made since by hand
    ("a+1 r-1 f+1", Told(cells=[USAGE]), None, "waits for usage_statements eu-west-1, because it failed in run", False),
    ("a+1 r-1 f+1", Told(cells=[USAGE, POINTS]), None, "denied (and 1 more cells)", False),
    ("a+1 r-1 f+1 c*1", Told(cells=[USAGE]), None, "waits with the end of its sync, because run run3-c*", True),
    ("a+1 r-1 f+1 c+1", Told(cells=[USAGE]), None, "waits for usage_statements eu-west-1", False),
    (
        "a+1 r-1 f+1 c+1",
        Told(cells=[USAGE], made={USAGE.label: "run3-c+"}),
        "finish/1/2",
        "goes on with finish, because usage_statements eu-west-1 was made by hand",
        True,
    ),
    ("a+1 r-1 f+1 c+1 f+1", Told(cells=[USAGE], made={USAGE.label: "run3-c+"}), None, "is synced", False),
    ("a+1 r-1 c+1 f+1", Told(cells=[USAGE], made={USAGE.label: "run2-c+"}), None, "is synced", False),
    (
        "a+1 r-1 f+1 c+1 f+1 c+1",
        Told(cells=[USAGE, POINTS], made={USAGE.label: "run3-c+", POINTS.label: "run5-c+"}),
        "finish/1/3",
        "access_points eu-west-1 was made by hand",
        True,
    ),
    (
        "a-1 r+1 f+1 c+1",
        Told(cells=[BUCKETS], made={BUCKETS.label: "run3-c+"}),
        "regions/1/2",
        "s3_buckets was made by hand",
        True,
    ),
    ("a-1 r+1 f+1 c+1 r+1", Told(cells=[BUCKETS], made={BUCKETS.label: "run3-c+"}), "finish/1/3", "goes on", True),
    # a cell that was read in part is green, and counts once it was made again
    ("a+1 r+1 f+1", Told(partial=[POINTS]), None, "is synced", False),
    ("a+1 r+1 f+1 c+1", Told(partial=[POINTS], made={POINTS.label: "run1-r+"}), None, "is synced", False),
    (
        "a+1 r+1 f+1 c+1",
        Told(partial=[POINTS], made={POINTS.label: "run3-c+"}),
        "finish/1/2",
        "access_points eu-west-1 was made by hand",
        True,
    ),
    # a cell of a sync in which nothing failed
    ("a+1 r+1 f+1 c+1", NOTHING, None, "is synced", False),
]


@pytest.mark.parametrize(("text", "told", "key", "said", "still_open"), CASES, ids=[case[0] or "-" for case in CASES])
def test_what_follows(text: str, told: Told, key: str | None, said: str, still_open: bool) -> None:
    found = decide(OWNER, runs(text), told, NOON + timedelta(minutes=9))
    assert said in found.text
    assert OWNER in found.text
    assert (found.request.run_key if found.request else None) == (f"{OWNER}/{key}" if key else None)
    assert found.open is still_open


@pytest.mark.parametrize("start", ["a+1", "a-1", "a+1 rx1 r+1", "a+1b"])
def test_a_sync_comes_to_its_end_and_no_run_is_requested_twice(start: str) -> None:
    history, keys = runs(start), []
    while (decision := decide(OWNER, history, Told(State.FAILED), NOON + timedelta(minutes=9))).request:
        request = decision.request
        keys.append(request.run_key)
        again = decide(OWNER, history, Told(State.FAILED), NOON + timedelta(minutes=9)).request
        assert again == request
        queued = replace(
            history[-1],
            number=len(history),
            run_id=f"run{len(history)}",
            layer=request.layer,
            state=State.WAITING,
            backfill=None,
        )
        assert decide(OWNER, [*history, queued], Told(), NOON).request is None
        history.append(replace(queued, state=State.SUCCEEDED))
    assert history[-1].layer is Layer.FINISH
    assert len(keys) == len(set(keys))


def test_an_hour_after_its_last_layer_a_sync_that_nothing_goes_on_with_lets_a_new_one_begin() -> None:
    def later(hours: float) -> Decision:
        return decide(OWNER, runs("a+1"), NOTHING, NOON + timedelta(hours=hours))

    assert later(0.9).open
    assert not later(1.1).open
    assert later(1.1).request is not None


def test_a_new_sync_counts_from_the_launch_of_its_first_run() -> None:
    assert decide(OWNER, runs("a+1 r+1 f+1 a?2"), NOTHING, NOON).began == NOON + timedelta(minutes=3)


@pytest.mark.parametrize(
    ("text", "said", "still_open"),
    [
        ("", "has not been synced", False),
        ("o?1", "waits for organization, because run run0-o? is queued", True),
        ("o+1", "is synced", False),
        ("o-1", "failed", False),
        ("o+1 o-2!", "another sync has it", False),
        ("o+1 c*1", "is synced", False),
    ],
)
def test_an_organization_has_one_layer(text: str, said: str, still_open: bool) -> None:
    found = decide_organization(ORG, runs(text))
    assert said in found.text
    assert found.open is still_open
    assert found.request is None
