"""Errors for people are recorded without frames; those of the program keep theirs."""

import traceback

from raito_pipeline.orchestration.recording.quiet import with_frames, without_frames


def _recorded(error: Exception) -> list[str]:
    """The frames as Dagster records them."""
    try:
        raise error
    except Exception as raised:
        return traceback.TracebackException.from_exception(raised).stack.format()


def test_frames_are_left_out_until_they_are_wanted_again() -> None:
    try:
        quiet = _recorded(without_frames(ValueError("why")))
    finally:
        with_frames()
    with_frames()

    assert quiet == []
    assert _recorded(ValueError("why"))
