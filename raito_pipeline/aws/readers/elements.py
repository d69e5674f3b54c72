"""Reading many elements of which each may fail: one that does is no reason to know nothing of all others."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from raito_pipeline.aws.connection.errors import AwsError, AwsGone
from raito_pipeline.aws.readers.reading import Progress, Workers, element_error, no_progress

T = TypeVar("T")
R = TypeVar("R")


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
