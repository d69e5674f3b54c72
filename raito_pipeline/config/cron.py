"""Cron expressions of the option `cron`: checked, and written in the form that Dagster's schedules read.

Raito Cloud takes at most one sync an hour, so the minute has to be one number. Five fields (minute, hour, day of the
month, month, day of the week) and the descriptors `@hourly` to `@yearly` are known, as in https://pkg.go.dev/github.com/robfig/cron/v3.
"""

from __future__ import annotations

import re

_DESCRIPTORS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _DAYS),
)
_PART = re.compile(r"(?P<first>\*|\?|\w+)(?:-(?P<last>\w+))?(?:/(?P<step>\d+))?")


class CronError(ValueError):
    """A cron expression that cannot be used; the text says why, worded to follow "expected"."""


def normalize(text: str) -> str:
    """`text` as five fields of numbers. Raises `CronError` if it is not valid or too frequent."""
    expression = _DESCRIPTORS.get(text.strip().lower(), text.strip().lower())
    if expression.startswith("@"):
        raise CronError(f"a cron expression or one of {', '.join(_DESCRIPTORS)} (for an interval use `frequency`)")
    fields = expression.split()
    if len(fields) != len(_FIELDS):
        raise CronError(f"five fields (minute, hour, day of the month, month, day of the week), not {len(fields)}")
    parts = [_field(field, *known) for field, known in zip(fields, _FIELDS, strict=True)]
    if not parts[0].isdigit():
        raise CronError("one number as the minute: the most that Raito Cloud takes is one sync an hour")
    return " ".join(parts)


def _field(field: str, name: str, least: int, most: int, words: tuple[str, ...]) -> str:
    parts = [_part(part, name, least, most, words) for part in field.split(",")]
    return "*" if "*" in parts else ",".join(dict.fromkeys(parts))


def _part(part: str, name: str, least: int, most: int, words: tuple[str, ...]) -> str:
    match = _PART.fullmatch(part)
    if match is None:
        raise CronError(f"a {name} from {least} to {most}, a range, a step or *")
    step = int(match["step"]) if match["step"] else 1
    if not 1 <= step <= most:
        raise CronError(f"a step of the {name} from 1 to {most}")
    if match["first"] in "*?":
        if match["last"]:
            raise CronError(f"a {name} from {least} to {most}, a range, a step or *")
        return "*" if step == 1 else f"*/{step}"
    first = _number(match["first"], name, least, most, words)
    last = _number(match["last"], name, least, most, words) if match["last"] else (most if match["step"] else first)
    if last < first:
        raise CronError(f"a range of the {name} that begins below its end")
    if first == last:
        return str(first)
    return f"{first}-{last}" if step == 1 else f"{first}-{last}/{step}"


def _number(word: str, name: str, least: int, most: int, words: tuple[str, ...]) -> int:
    if word in words:
        return words.index(word) + least
    value = int(word) if word.isdecimal() else -1
    if not least <= value <= most:
        raise CronError(f"a {name} from {least} to {most}")
    return value
