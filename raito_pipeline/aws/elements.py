"""Reading many elements of which each may fail: one that does is no reason to know nothing of all others."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from raito_pipeline.aws.errors import AwsCredentialsInvalid, AwsError, AwsGone, grouped
from raito_pipeline.aws.reading import Progress, Workers, no_progress

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Missed:
    """One element of which something was not read: the members of a group, the tags of a permission set.

    `what` is of all such elements, in the plural; `kept` says whether it is given as the previous sync stored it.
    """

    what: str
    element: str
    error: AwsError
    kept: bool = False


def element_error(error: AwsError) -> AwsError:
    """An error that leaves one element unread. Raises it where it would meet every other element, too."""
    if isinstance(error, AwsCredentialsInvalid):
        raise error
    return error


def each_element(
    pool: Workers, work: Callable[[T], R], items: Sequence[T], what: str, progress: Progress = no_progress
) -> list[R | AwsError]:
    """Do `work` for every item; what failed gives its error, in the order of the items.

    Raises the first error where every one failed (what was deleted since it was listed, `AwsGone`, aside): then it is
    no matter of single elements. So are credentials that have ended.
    """

    def attempt(item: T) -> R | AwsError:
        try:
            return work(item)
        except AwsError as error:
            return element_error(error)

    answers = pool.each(attempt, items, what, progress)
    failed = [one for one in answers if isinstance(one, AwsError) and not isinstance(one, AwsGone)]
    if failed and len(failed) == sum(not isinstance(one, AwsGone) for one in answers):
        raise failed[0]
    return answers


def missed_lines(missed: Iterable[Missed]) -> tuple[str, ...]:
    """One line for each kind of failure, however many elements share it."""
    kinds: dict[tuple[str, bool], list[AwsError]] = {}
    for one in missed:
        kinds.setdefault((one.what, one.kept), []).append(one.error)
    return tuple(
        f"{what} were not read{', so they are as the previous sync stored them' if kept else ''}: {line}"
        for (what, kept), errors in kinds.items()
        for line in grouped(errors)
    )
