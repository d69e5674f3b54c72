"""Cron expressions of the option `cron`: checked, and written in the form that Dagster's schedules read.

Raito Cloud takes at most one sync an hour, so the minute has to be one number. Five fields (minute, hour, day of the
month, month, day of the week) and the descriptors `@hourly` to `@yearly` are known, as in https://pkg.go.dev/github.com/robfig/cron/v3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

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
_SOME_YEARS = 9 * 366
_LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_PART = re.compile(r"(?P<first>\*|\?|\w+)(?:-(?P<last>\w+))?(?:/(?P<step>\d{1,4}))?")


class CronError(ValueError):
    """A cron expression that cannot be used; the text says why, worded to follow "expected"."""


def normalize(text: str) -> str:
    """`text` as five fields of numbers. Raises `CronError` if it is not valid, too frequent or never comes."""
    expression = _DESCRIPTORS.get(text.strip().lower(), text.strip().lower())
    if expression.startswith("@"):
        raise CronError(f"a cron expression or one of {', '.join(_DESCRIPTORS)} (for an interval use `frequency`)")
    fields = expression.split()
    if fields and "=" in fields[0]:  # TZ=..., CRON_TZ=...
        raise CronError("five fields without a time zone: the times are in UTC")
    if len(fields) != len(_FIELDS):
        raise CronError(f"five fields (minute, hour, day of the month, month, day of the week), not {len(fields)}")
    parts = [_field(field, *known) for field, known in zip(fields, _FIELDS, strict=True)]
    minute, _, day, month, _ = parts
    if len(minute.values) != 1:
        raise CronError("one number as the minute: the most that Raito Cloud takes is one sync an hour")
    if min(day.values) > max(_LENGTHS[number - 1] for number in month.values):
        raise CronError("a day that one of the months has")
    return " ".join(part.text for part in parts)


def longest_interval(expression: str) -> timedelta:
    """The longest time from one tick of a normalized expression to the next, in nine years."""
    fields = [_field(field, *known) for field, known in zip(expression.split(), _FIELDS, strict=True)]
    hours = sorted(fields[1].values)
    within = [later - hour for hour, later in pairwise(hours)]
    days = [day.toordinal() for day in _days(fields)]
    apart = [later - day for day, later in pairwise(days)] or [_SOME_YEARS]
    return timedelta(hours=max([*within, max(apart) * 24 - hours[-1] + hours[0]]))


def _days(fields: Sequence[_Part]) -> Iterator[date]:
    """The days on which an expression has ticks: where both kinds of days are given, either of them is enough."""
    _, _, of_month, month, of_week = fields
    both = "*" not in (of_month.text[0], of_week.text[0])
    for day in (date(2024, 1, 1) + timedelta(n) for n in range(_SOME_YEARS)):
        # As in cron, Sunday is 0 or 7.
        matches = (day.day in of_month.values, bool({day.isoweekday(), day.isoweekday() % 7} & of_week.values))
        if day.month in month.values and (any if both else all)(matches):
            yield day


@dataclass(frozen=True)
class _Part:
    """A field or one of its parts: as written in numbers, and the numbers that it means."""

    text: str
    values: frozenset[int]


def _field(field: str, name: str, least: int, most: int, words: tuple[str, ...]) -> _Part:
    parts = [_part(part, name, least, most, words) for part in field.split(",")]
    values = frozenset().union(*(part.values for part in parts))
    texts = dict.fromkeys(part.text for part in parts)
    return _Part("*" if "*" in texts else ",".join(texts), values)


def _part(part: str, name: str, least: int, most: int, words: tuple[str, ...]) -> _Part:
    match = _PART.fullmatch(part)
    if match is None or (match["first"] in "*?" and match["last"]) or match["step"] == "0":
        raise CronError(f"{_article(name)} from {least} to {most}, a range, a step or *")
    step = int(match["step"] or 1)
    if match["first"] in "*?":
        first, last, range_text = least, most, "*"
    else:
        first = _number(match["first"], name, least, most, words)
        last = _number(match["last"], name, least, most, words) if match["last"] else most if match["step"] else first
        range_text = f"{first}-{last}"
    if last < first:
        raise CronError(f"a range of the {name} that begins below its end")
    if step > last - first:  # nothing but the first one, which Dagster wants to see as a plain number
        return _Part(str(first), frozenset({first}))
    return _Part(range_text if step == 1 else f"{range_text}/{step}", frozenset(range(first, last + 1, step)))


def _number(word: str, name: str, least: int, most: int, words: tuple[str, ...]) -> int:
    if word in words:
        return words.index(word) + least
    value = int(word) if word.isdecimal() else -1
    if not least <= value <= most:
        raise CronError(f"{_article(name)} from {least} to {most}")
    return value


def _article(name: str) -> str:
    return f"an {name}" if name == "hour" else f"a {name}"
