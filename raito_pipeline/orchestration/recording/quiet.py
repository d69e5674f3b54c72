"""Failures that a person reads: the reason alone, without the frames of our code and of Dagster's."""

import sys
from typing import TypeVar

E = TypeVar("E", bound=BaseException)
_NONE = 0


def without_frames(error: E) -> E:
    """Have the next error of this process recorded without frames, and give it back to be raised.

    Dagster records the frames of whatever ends a step, and shows them above the reason. It formats them by the
    `traceback` module, which keeps to `sys.tracebacklimit`; nothing of the error itself can leave them out. To be
    undone by `with_frames` before anything else is done, so that an error of the program keeps its frames.
    """
    sys.tracebacklimit = _NONE
    return error


def with_frames() -> None:
    """Have errors recorded with frames again."""
    if getattr(sys, "tracebacklimit", None) == _NONE:
        del sys.tracebacklimit
