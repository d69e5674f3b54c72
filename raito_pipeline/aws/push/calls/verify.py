"""Reads again what a push has touched: AWS must have it as the push left it."""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypeVar, cast

from raito_pipeline.aws.connection.errors import AwsError
from raito_pipeline.aws.push.changes import Aws, Change
from raito_pipeline.aws.push.documents.statements import alike
from raito_pipeline.aws.push.owners.ownership import ChangeRefused
from raito_pipeline.redaction import one_line

T = TypeVar("T")
PAUSES = (1.0, 3.0)
"""Seconds before what AWS has otherwise is read once more: a change may take a moment until every read shows it.
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html (eventual consistency)"""


def differences(
    aws: Aws, made: Iterable[Change], concurrency: int = 5, pauses: Sequence[float] = PAUSES
) -> tuple[str, ...]:
    """What AWS has otherwise than the changes that were made, a line each. Raises nothing: a denied read is a line.

    `made` is in the order of the plan: who lost a role is first taken out of its trust policy, then others are added.
    """
    left, lines, unread = _to_look_at(list(made)), list[str](), list[str]()
    with ThreadPoolExecutor(max(concurrency, 1), thread_name_prefix="verify") as pool:
        for pause in (0.0, *pauses):
            if not left:
                return tuple(dict.fromkeys(unread))
            time.sleep(pause)
            now = _asked_once(aws)
            looks = list(zip(left, pool.map(lambda change, now=now: _look(now, change), left), strict=True))
            unread += [line for _, (line, read) in looks if not read]
            differing = [(change, line) for change, (line, read) in looks if read and line]
            left, lines = [change for change, _ in differing], [line for _, line in differing]
    return tuple(dict.fromkeys([*lines, *unread]))


def _to_look_at(made: Sequence[Change]) -> list[Change]:
    """The last change of each place, less those of an object that this push removed afterwards."""
    last: dict[tuple[str, ...], Change] = {}
    removed: set[str] = set()
    for change in reversed(made):
        if not change.needs & removed:
            last.setdefault(change.place, change)
        removed |= change.removes
    return list(reversed(last.values()))


def _look(aws: Aws, change: Change) -> tuple[str, bool]:
    """What differs (nothing: an empty text), and whether it could be read at all."""
    name = f"{change.row.access_control_name}: {change.row.kind} {change.row.resource}"
    try:
        now = change.current(aws)
        if now is None or alike(now.document, change.intended):
            return "", True
    except (AwsError, ChangeRefused) as error:
        return one_line(f"{name} could not be read again: {error}"), False
    if now.document is None:
        return f"{name} is not there after the push", True
    if change.intended is None:
        return f"{name} is still there after the push", True
    return f"{name} is not as the push left it", True


def _asked_once(aws: Aws) -> Aws:
    """The calls of a push, each question of which is asked once: ten people of a permission set are one list."""
    center = None if aws.center is None else _once(aws.center)
    return replace(aws, iam=_once(aws.iam), points=_once(aws.points), center=center)


def _once(calls: T) -> T:
    return cast("T", _Asked(calls))


class _Asked:
    """Calls that remember their answers, and their errors. Thread-safe: who asks the same meanwhile waits."""

    def __init__(self, calls: object) -> None:
        self._calls = calls
        self._answers: dict[tuple[Any, ...], Future[Any]] = {}
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = getattr(self._calls, name)

        def ask(*question: Any) -> Any:
            with self._lock:
                known = self._answers.get((name, *question))
                answer = self._answers.setdefault((name, *question), Future())
            if known is None:
                try:
                    answer.set_result(call(*question))
                except BaseException as error:
                    answer.set_exception(error)
            return answer.result()

        return ask
