"""Progress of a sync where no terminal is: a line for each layer that ended, and no bars."""

import io

from rich.console import Console

from raito_pipeline.cli.progress import TerminalProgress
from raito_pipeline.cli.summary import Outcome
from raito_pipeline.orchestration.runs.sync import LayerResult, LayerRun

LAYER = LayerRun("account 1", "2 regions", ("data_objects",), "1", {})


def shown(*ended: tuple[LayerResult, Outcome]) -> list[str]:
    out = io.StringIO()
    progress = TerminalProgress(Console(file=out, width=80))
    with progress.shown():
        for each in ended:
            progress.layer(LAYER, "sales", None)
            progress.report("keys of data", 10, None)
            progress.report("keys of data", 20, 40)
            progress.layer(LAYER, "sales", each)
    return out.getvalue().strip().splitlines()


def test_a_layer_is_a_line_with_its_time_and_what_failed() -> None:
    well = LayerResult(LAYER, 1.25, (), ())
    badly = LayerResult(LAYER, 3.0, ("data_objects 1/eu: denied",), ("usage_statements", "cloudtrail_files"))

    lines = shown((well, Outcome.COMPLETE), (badly, Outcome.FAILED))

    assert [line.partition(" ")[2] for line in lines] == [
        "sales: 2 regions (1.2 s)",
        "sales: 2 regions (3.0 s, 1 failed, 2 not tried)",
    ]
    assert lines[0][0] != lines[1][0], "the mark of the outcome"
    assert "denied" not in lines[1], "why is said once, in the summary"


def test_what_people_call_a_target_is_no_markup() -> None:
    out = io.StringIO()
    progress = TerminalProgress(Console(file=out, width=80))
    progress.layer(LAYER, "sales [bold]", (LayerResult(LAYER, 1.0, (), ()), Outcome.COMPLETE))
    assert "sales [bold]: 2 regions" in out.getvalue()
