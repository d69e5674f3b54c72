"""Names of what a push makes in AWS: valid there, unique in the push, and the same in every push.

A hint is translated, cut, made unique by a counter and put between prefix and suffix, as the Raito CLI does it, so that
objects keep their names when one takes over from the other. Limits of AWS:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

_ROOM_FOR_COUNTER = 6
"""two split characters and up to four hexadecimal digits"""
_COUNTERS = 0x10000
_EDGES = re.compile(r"^[^A-Za-z0-9]+|[^A-Za-z0-9]+$")
_CAMEL_CASE = re.compile(r"(?<=[a-z])(?=[A-Z])")


class NameProblem(Exception):
    """No valid name can be made; the text says why."""


@dataclass(frozen=True, kw_only=True)
class NamingRule:
    """How names of one access provider type look, without prefix and suffix, and how long AWS takes them with both."""

    characters: str
    """allowed characters, as they stand in the brackets of a regular expression"""
    split: str
    """the character that stands for everything else"""
    hint: int
    """how many characters of a name, without prefix and suffix, can be used; six of them are kept for a counter"""
    longest: int
    """how many characters AWS takes"""
    shortest: int = 1
    """how many characters AWS wants at least"""
    lower_case: bool = False
    """True where AWS takes no capitals: a hint is split where it goes from a small letter to a capital"""
    ends: str = "A-Za-z0-9+_=,.@-"
    """characters that a whole name may begin and end with, as in the brackets of a regular expression"""
    reserved_end: str | None = None
    """a regular expression for endings that AWS keeps for itself"""

    def translate(self, hint: str) -> str:
        """A hint in the allowed characters, short enough for a counter. Raises `NameProblem`."""
        text = _CAMEL_CASE.sub(self.split, hint).lower() if self.lower_case else hint
        clean = _EDGES.sub("", self._runs.sub(self.split, self._others.sub(self.split, text)))
        clean = _EDGES.sub("", clean[: self.hint - _ROOM_FOR_COUNTER])
        if not clean and not any(map(str.isalnum, hint)):
            raise NameProblem(f"its name {hint!r} has no letter or digit that an AWS name could be made of")
        return clean or _of_another_script(hint)

    def with_counter(self, base: str, number: int) -> str:
        """A translated hint with a counter, from 0."""
        return f"{base}{self.split * 2}{format(number, 'x' if self.lower_case else 'X')}"

    def counter_of(self, base: str, name: str) -> str | None:
        """The name itself where it is the translated hint `base` with a counter, else None."""
        return name if name.startswith(base) and self._counter.fullmatch(name, len(base)) else None

    @cached_property
    def _others(self) -> re.Pattern[str]:
        return re.compile(f"[^{self.characters}]+")

    @cached_property
    def _runs(self) -> re.Pattern[str]:
        return re.compile(f"{re.escape(self.split)}{{2,}}")

    @cached_property
    def _counter(self) -> re.Pattern[str]:
        digits = "0-9a-f" if self.lower_case else "0-9A-F"
        return re.compile(f"{re.escape(self.split)}{{2}}[{digits}]+")


def _of_another_script(hint: str) -> str:
    """A name for a hint without a character that AWS takes, the same each time: people have the hint itself to read."""
    return f"x{sha256(hint.encode()).hexdigest()[:8]}"


IAM = NamingRule(characters="A-Za-z0-9+_", split="_", hint=64, longest=64)
"""Roles and managed policies."""


ACCESS_POINT = NamingRule(
    characters="a-z0-9-",
    split="-",
    hint=30,
    longest=50,
    shortest=3,
    lower_case=True,
    ends="a-z0-9",
    reserved_end="-s3alias|--[a-z0-9-]*-s3",
)
"""Access points: unique in account and region.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-restrictions-limitations-naming-rules.html
"""


class Names:
    """Gives out the names of one access provider type in one push. Names that differ in case only are the same in IAM.

    A name is looked for only until one is free: what is given out costs a few microseconds, however many access
    controls ask for the same name.
    """

    def __init__(self, prefix: str, suffix: str, taken: Iterable[str] = (), rule: NamingRule = IAM) -> None:
        self._prefix, self._suffix, self._rule = prefix, suffix, rule
        self._taken = {name.casefold() for name in taken}
        self._next_counter: dict[str, int] = {}

    def keep(self, name: str) -> None:
        """Nobody else gets this name."""
        self._taken.add(name.casefold())

    def give(self, hint: str, current: str | None = None) -> str:
        """A name for a hint; `current` is the one it has, whose counter it keeps. Raises `NameProblem`."""
        base = self._rule.translate(hint)
        kept = self._kept(base, current) if current else None
        if kept is not None and self._problem(kept) is None:
            self.keep(kept)
            return kept
        for name in self._candidates(base):
            problem = self._problem(name)
            if problem is not None:  # those that follow are longer still
                raise NameProblem(problem)
            if name == current or name.casefold() not in self._taken:
                self.keep(name)
                return name
        raise NameProblem(f"every name like {self._whole(base)!r} is taken")

    def _candidates(self, base: str) -> Iterator[str]:
        """The bare name, then those with a counter; what was found taken once is not looked at again."""
        key = base.casefold()
        for number in range(self._next_counter.get(key, -1), _COUNTERS):
            yield self._whole(base if number < 0 else self._rule.with_counter(base, number))
            self._next_counter[key] = number + 1

    def _whole(self, base: str) -> str:
        return f"{self._prefix}{base}{self._suffix}"

    def _problem(self, name: str) -> str | None:
        rule = self._rule
        if len(name) > rule.longest:
            return f"its name in AWS, {name!r}, has {len(name)} characters, and AWS takes {rule.longest}"
        if len(name) < rule.shortest:
            return f"its name in AWS, {name!r}, has {len(name)} characters, and AWS wants at least {rule.shortest}"
        if not re.fullmatch(f"[{rule.ends}](.*[{rule.ends}])?", name):
            return f"its name in AWS, {name!r}, begins or ends with what AWS does not take there"
        if rule.reserved_end is not None and re.search(f"({rule.reserved_end})$", name):
            return f"its name in AWS, {name!r}, has an ending that AWS keeps for itself"
        return None

    def _kept(self, base: str, current: str) -> str | None:
        """The name that stays: the current one, or the current counter with a prefix or suffix that changed."""
        bare = current.removeprefix(self._prefix).removesuffix(self._suffix)
        counter = base if bare == base else self._rule.counter_of(base, bare)
        name = None if counter is None else self._whole(counter)
        return name if name is not None and (name == current or name.casefold() not in self._taken) else None
