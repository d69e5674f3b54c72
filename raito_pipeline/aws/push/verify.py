"""Reads again what a push has touched: AWS must have it as the push left it."""

import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from raito_pipeline.aws.connection.errors import AwsError, one_line
from raito_pipeline.aws.push.changes import Aws, Change
from raito_pipeline.aws.push.ownership import ChangeRefused
from raito_pipeline.aws.push.statements import alike

PAUSES = (1.0, 3.0)
"""Seconds before what AWS has otherwise is read once more: a change may take a moment until every read shows it.
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html (eventual consistency)"""


def differences(
    aws: Aws, made: Iterable[Change], concurrency: int = 5, pauses: Sequence[float] = PAUSES
) -> tuple[str, ...]:
    """What AWS has otherwise than the changes that were made, a line each. Raises nothing: a denied read is a line.

    `made` is in the order of the plan: who lost a role is first taken out of its trust policy, then others are added.
    """
    left, lines, unread = list({change.place: change for change in made}.values()), list[str](), list[str]()
    with ThreadPoolExecutor(max(concurrency, 1), thread_name_prefix="verify") as pool:
        for pause in (0.0, *pauses):
            if not left:
                return tuple(dict.fromkeys(unread))
            time.sleep(pause)
            looks = list(zip(left, pool.map(lambda change: _look(aws, change), left), strict=True))
            unread += [line for _, (line, read) in looks if not read]
            differing = [(change, line) for change, (line, read) in looks if read and line]
            left, lines = [change for change, _ in differing], [line for _, line in differing]
    return tuple(dict.fromkeys([*lines, *unread]))


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
