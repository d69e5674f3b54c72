"""Progress of long work in the log of a run: few lines, and none for what is short."""

from raito_pipeline.orchestration.recording.progress import RunProgress


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_line_every_interval_of_each_kind_of_work() -> None:
    clock, lines = Clock(), list[str]()
    progress = RunProgress(interval=10, clock=clock)
    progress.work_on("data_objects of sales 1/eu-west-1", lines.append)

    for second in range(31):
        clock.now = second
        progress("keys of photos", second * 1_000, None)
        progress("policies", second, 40)

    assert lines[:2] == [
        "data_objects of sales 1/eu-west-1: 10,000 keys of photos",
        "data_objects of sales 1/eu-west-1: 10 of 40 policies",
    ]
    assert len(lines) == 6


def test_short_work_and_work_of_no_cell_log_nothing() -> None:
    clock, lines = Clock(), list[str]()
    progress = RunProgress(interval=10, clock=clock)

    progress("keys of photos", 1, None)
    clock.now = 100
    progress("keys of photos", 2, None)
    progress.work_on("data_objects of sales 1/eu-west-1", lines.append)
    progress("keys of photos", 3, None)
    progress.work_on("access_points of sales 1/eu-west-1", lines.append)
    clock.now = 109
    progress("keys of photos", 4, None)

    assert lines == []
