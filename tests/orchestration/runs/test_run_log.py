"""The log lines of the project's modules during a run: kept in bounds, merged by time, given to the step under way."""

import logging

from raito_pipeline.orchestration.runs.run_events import LogLine
from raito_pipeline.orchestration.runs.run_log import RunLog

OURS = logging.getLogger("raito_pipeline.tests.run_log")


def texts(log: RunLog) -> list[str]:
    return [line.text for line in log.merged(())]


def test_our_lines_of_info_and_above_are_kept_while_it_is_attached_and_no_others() -> None:
    root = logging.getLogger("raito_pipeline")
    before = (root.level, list(root.handlers))
    OURS.warning("before")
    with RunLog().collecting() as log:
        OURS.info("read %d of %s", 3, "it")
        OURS.debug("a detail")
        logging.getLogger("somebody.else").warning("not ours")
    OURS.warning("afterwards")

    assert texts(log) == ["read 3 of it"]
    assert (root.level, root.handlers) == before


def test_a_line_whose_arguments_do_not_fit_is_kept_as_it_is() -> None:
    log = RunLog()
    log.handle(OURS.makeRecord(OURS.name, logging.INFO, "", 0, "%d of it", ("three",), None))

    assert texts(log) == ["%d of it"]


def test_the_oldest_lines_go_first() -> None:
    with RunLog(most=2).collecting() as log:
        for number in range(4):
            OURS.info("line %d", number)

    assert texts(log) == ["line 2", "line 3"]


def test_lines_of_the_run_and_ours_come_by_time_and_ours_belong_to_the_step_under_way() -> None:
    log = RunLog()
    for at, text in ((2.0, "in the first"), (3.5, "between"), (5.0, "in the second")):
        record = OURS.makeRecord(OURS.name, logging.INFO, "", 0, text, (), None)
        record.created = at
        log.handle(record)
    run = [LogLine(1.0, logging.INFO, "first", "begins"), LogLine(4.0, logging.INFO, "second", "begins")]

    merged = list(log.merged(run, [("first", 1.0, 3.0), ("second", 4.0, 6.0)]))

    assert [(line.at, line.step, line.text) for line in merged] == [
        (1.0, "first", "begins"),
        (2.0, "first", "in the first"),
        (3.5, "", "between"),
        (4.0, "second", "begins"),
        (5.0, "second", "in the second"),
    ]
