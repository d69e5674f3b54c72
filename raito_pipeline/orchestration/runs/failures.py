"""Why a step or a run failed, as its event says: the same words in a summary, in the ticks of sensors and in alerts."""

import re
from collections.abc import Iterator

import dagster as dg

from raito_pipeline.redaction import one_line

_OURS = "raito_pipeline."


def failure_lines(event: dg.DagsterEvent) -> list[str]:
    """Why a step or a run failed.

    Errors of our own end a step by `dagster.Failure`, whose description is one line a cell. Everything else is one
    line: an error of our own, which says what to do, else what came first. Dagster wraps both in others.
    """
    data = event.step_failure_data if event.is_step_failure else None
    if data is not None and data.user_failure_data is not None and data.user_failure_data.description:
        return data.user_failure_data.description.splitlines()
    texts = [str(getattr(error, "message", error)).strip() for error in causes(event)]
    ours = (text for text in texts if text.startswith(_OURS))
    said = next(ours, None) or (texts[-1] if texts else event.message) or "it gave no reason"
    # Dagster puts the name of the class in front, with its module; that of `KeyError: 'x'` has to stay.
    return [one_line(re.sub(r"^(?:[a-z_]\w*\.)+\w+: ", "", said))]


def causes(event: dg.DagsterEvent) -> Iterator[object]:
    """The error of an event that tells of a step or run that failed, and what caused it, the first cause last."""
    failed = event.is_step_failure or event.is_run_failure
    # A run that somebody else reports as failed (its process is dead, it never started) has a message alone.
    error: object = getattr(event.event_specific_data, "error", None) if failed else None
    while error is not None:
        yield error
        error = getattr(error, "cause", None)
