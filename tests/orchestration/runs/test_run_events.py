"""How the steps of a run ended, as its event log tells: real runs of small assets."""

import contextlib
import logging
from collections.abc import Callable, Iterator

import dagster as dg
import pytest

from raito_pipeline.orchestration.runs.run_events import RunEvents, TableState
from raito_pipeline.orchestration.runs.run_log import RunLog


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def ran(instance: dg.DagsterInstance, work: Callable[[], None]) -> RunEvents:
    """A run of `first`, which does the work, and of `second`, which comes after it."""

    @dg.asset
    def first(context: dg.AssetExecutionContext) -> None:
        context.log.info("first is under way")
        logging.getLogger("raito_pipeline.tests").info("a reader says so, too")
        work()

    @dg.asset(deps=[first])
    def second() -> None:
        pass

    job = dg.Definitions(assets=[first, second]).resolve_implicit_global_asset_job_def()
    try:
        job.execute_in_process(instance=instance, raise_on_error=False)
    except BaseException as error:
        if not isinstance(error, KeyboardInterrupt | SystemExit):
            raise
    return RunEvents(instance, instance.get_runs()[0].run_id)


def fail() -> None:
    raise dg.Failure("first 1: denied\nfirst 2: throttled", allow_retries=False)


def crash() -> None:
    try:
        raise KeyError("inner")
    except KeyError as error:
        raise ValueError("outer") from error


def interrupt() -> None:
    raise KeyboardInterrupt


def leave() -> None:
    raise SystemExit(3)


UNREACHED = "second not reached, because first failed"
INTERRUPTED = "interrupted: the run was ended before first"


@pytest.mark.parametrize(
    ("work", "expected"),
    [
        (lambda: None, {"first": (TableState.MADE, ()), "second": (TableState.MADE, ())}),
        (
            fail,
            {
                "first": (TableState.FAILED, ("first 1: denied", "first 2: throttled")),
                "second": (TableState.UNREACHED, (UNREACHED,)),
            },
        ),
        (crash, {"first": (TableState.FAILED, ("KeyError: 'inner'",)), "second": (TableState.UNREACHED, (UNREACHED,))}),
        (
            interrupt,
            {"first": (TableState.INTERRUPTED, (INTERRUPTED,)), "second": (TableState.UNREACHED, (UNREACHED,))},
        ),
        (leave, {"first": (TableState.INTERRUPTED, (INTERRUPTED,)), "second": (TableState.UNREACHED, (UNREACHED,))}),
    ],
)
def test_the_end_of_each_table(
    instance: dg.DagsterInstance, work: Callable[[], None], expected: dict[str, tuple[TableState, tuple[str, ...]]]
) -> None:
    events = ran(instance, work)
    assert events.planned == {"first": "first", "second": "second"}
    assert {end.table: (end.state, end.causes) for end in events.ends("1")} == expected


def several(then: Callable[[], None]) -> dg.AssetsDefinition:
    """A step of three tables, of which the first is made and the second fails."""

    @dg.multi_asset(specs=[dg.AssetSpec("one"), dg.AssetSpec("two"), dg.AssetSpec("three")])
    def step() -> Iterator[dg.MaterializeResult[None]]:
        yield dg.MaterializeResult(asset_key="one")
        then()

    return step


def lines() -> None:
    raise dg.Failure("two 1: denied\nthree 1: not tried, because two failed\ntwo 2: gone", allow_retries=False)


@pytest.mark.parametrize(
    ("then", "partition", "expected"),
    [
        (lines, "1", {"two": ("two 1: denied",), "three": ("three 1: not tried, because two failed",)}),
        (lines, "2", {"two": ("two 2: gone",), "three": ("three not reached, because two failed",)}),
        (crash, "1", {"two": ("KeyError: 'inner'",), "three": ("KeyError: 'inner'",)}),
        (
            interrupt,
            "1",
            dict.fromkeys(("two", "three"), ("interrupted: the run was ended before three, two",)),
        ),
    ],
)
def test_the_tables_of_one_step_end_each_by_itself(
    instance: dg.DagsterInstance, then: Callable[[], None], partition: str, expected: dict[str, tuple[str, ...]]
) -> None:
    job = dg.Definitions(assets=[several(then)]).resolve_implicit_global_asset_job_def()
    with contextlib.suppress(KeyboardInterrupt):
        job.execute_in_process(instance=instance, raise_on_error=False)
    events = RunEvents(instance, instance.get_runs()[0].run_id)
    ends = events.ends(partition, {"1", "2"} - {partition})
    assert {end.table: end.causes for end in ends} == {"one": (), **expected}


def test_the_log_of_a_run_with_what_modules_said_in_it(instance: dg.DagsterInstance) -> None:
    with RunLog().collecting() as log:
        events = ran(instance, fail)
        lines = list(log.merged(events.lines(), events.windows()))
    texts = [line.text for line in lines if line.step == "first"]
    said = [text for text in texts if "under way" in text or "reader" in text]
    assert said == ["first is under way", "a reader says so, too"]
    assert "first 1: denied\nfirst 2: throttled" in texts
    assert [line.at for line in lines] == sorted(line.at for line in lines)


def test_what_modules_say_is_kept_while_a_run_goes_on_and_bounded() -> None:
    logger = logging.getLogger("raito_pipeline.tests")
    with RunLog(most=3).collecting() as log:
        for number in range(5):
            logger.info("line %d", number)
    logger.info("too late")
    assert [line.text for line in log.merged(())] == ["line 2", "line 3", "line 4"]


def test_a_warning_is_still_shown_where_it_was_shown(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    handlers, root.handlers = root.handlers, []
    try:
        with RunLog().collecting():
            logging.getLogger("raito_pipeline.tests").warning("look here")
            logging.getLogger("raito_pipeline.tests").info("not here")
    finally:
        root.handlers = handlers
    assert capsys.readouterr().err == "look here\n"


def test_a_run_goes_on_while_a_step_is_to_come_and_none_has_failed(instance: dg.DagsterInstance) -> None:
    seen: list[bool] = []

    def look() -> None:
        (run,) = instance.get_runs()
        seen.append(RunEvents(instance, run.run_id).goes_on())

    assert not ran(instance, look).goes_on()
    assert seen == [True]


def test_a_run_of_which_a_step_failed_does_not_go_on(instance: dg.DagsterInstance) -> None:
    assert not ran(instance, fail).goes_on()
