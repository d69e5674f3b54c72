"""Regular expressions of `raito.yml`: written for the Raito CLI, which is a Go program, and read here by RE2.

Go's package `regexp` and RE2 share one syntax and one meaning (https://pkg.go.dev/regexp/syntax), and both match in
time linear in the name, whatever the expression. What neither has (looking ahead or behind, back references,
possessive operators) is refused, with its reason; nothing is ever read with another meaning than in Go.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import zip_longest
from typing import Protocol

import re2

_ANY = ".*"
_TOKENS = re.compile(r"\\Q.*?(?:\\E|$)|\\.|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]])*\]|.", re.DOTALL)
_BEFORE_A_WILDCARD = re.compile(r"|[(|^]|[A-Za-z0-9_-]")
_ESCAPES = re.compile(r"\\Q.*?(?:\\E|$)|\\(?P<escape>.)", re.DOTALL)
_NO_LITERALS = re.compile(r"\(\?(?:P?<\w+>|[A-Za-z-]*[:)])|\{\d+,?\d*\}")
"""beginnings of groups, and counts: what they consist of stands for nothing in a name"""
_OPERATORS = frozenset(".^$|()[]{}*+?")
# What other languages have, as RE2's message shows it, and the reason that people can do something with.
_NOT_IN_GO = (
    (re.compile(r": \(\?<[=!]"), "Go's regular expressions cannot look behind"),
    (re.compile(r": \(\?[=!]"), "Go's regular expressions cannot look ahead"),
    (re.compile(r": \(\?>|repetition operator: .*\+$"), "Go's regular expressions have no possessive operators"),
    (re.compile(r": \(\?[(R&]"), "Go's regular expressions have no conditions and no recursion"),
    (re.compile(r": (\(\?P$|\\[1-9k])"), "Go's regular expressions have no back references"),
    (re.compile(r": \\Z"), "the end of the text is `\\z` in Go"),
    (re.compile(r": \(\?#"), "Go's regular expressions have no comments"),
    (re.compile(r"operator: \*$"), f"any characters are `{_ANY}` in a regular expression, and not `*`"),
)


class PatternError(ValueError):
    """A regular expression that cannot be used; the text says why, worded to follow "expected"."""


class _Program(Protocol):
    def fullmatch(self, text: bytes) -> object | None: ...


@dataclass(frozen=True)
class NamePattern:
    """A regular expression with Go's meaning, equal to another one of the same text. Raises `PatternError`.

    `written` is what stands in the file, where that is read as another expression (`compile_wildcards`).
    """

    pattern: str
    written: str | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        _program(self.pattern)

    def fullmatch(self, name: str) -> object | None:
        """The match where the expression matches the whole of `name`, else None."""
        return _program(self.pattern).fullmatch(name.encode("utf-8", "surrogatepass"))


@cache
def _program(text: str) -> _Program:
    if any(match["escape"] == "C" for match in _ESCAPES.finditer(text)):  # one byte, which only RE2 knows
        raise PatternError("a valid regular expression (there is no `\\C` in Go)")
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(text, options)
        options.never_capture = True  # three times as fast, but the names of groups are not looked at
        program: _Program = re2.compile(text, options)
    except re2.error as error:
        raise PatternError(f"a valid regular expression ({_reason(error)})") from None
    except UnicodeEncodeError:
        raise PatternError("a valid regular expression (it holds bytes that are not UTF-8)") from None
    return program


def _reason(error: Exception) -> str:
    said = error.args[0] if error.args else ""
    words = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    for construct, reason in _NOT_IN_GO:
        if construct.search(words):
            return reason
    hint = "; write a YAML list where an expression itself holds a comma" if words.startswith("missing") else ""
    return f"{words}{hint}"


def literals(text: str) -> Iterator[str]:
    """The characters that an expression asks for by themselves: no sets, no classes, and none that may be missing."""
    tokens = _TOKENS.findall(_NO_LITERALS.sub("", text))
    for token, after in zip_longest(tokens, tokens[1:]):
        if token.startswith("\\Q"):
            yield from token[2:].removesuffix("\\E")
        elif after in ("?", "*"):
            continue
        elif len(token) == 1 and token not in _OPERATORS:
            yield token
        elif len(token) == 2 and token[0] == "\\" and not token[1].isalnum():
            yield token[1]


def compile_pattern(text: str) -> NamePattern:
    """`text` to be matched over whole names (`fullmatch`). Raises `PatternError`."""
    return NamePattern(text)


def with_wildcards(text: str) -> str:
    """`text` with each `*` that stands for any characters as `.*`.

    Such a `*` stands at the beginning or behind a character of a name (`logs-*`): nobody means a name that ends in any
    number of hyphens. Where it repeats something else (`.*`, `[a-z]*`, `\\d*`), it stays.
    """
    parts: list[str] = []
    before = ""
    for token in _TOKENS.findall(text):
        parts.append(_ANY if token == "*" and _BEFORE_A_WILDCARD.fullmatch(before) else token)
        before = token
    return "".join(parts)


def compile_wildcards(text: str) -> NamePattern:
    """`text` as the Raito CLI takes patterns of buckets, in which `*` stands for any characters.

    Raises `PatternError`.
    """
    pattern = with_wildcards(text)
    return NamePattern(pattern, None if pattern == text else text)


def matches_any(patterns: Iterable[NamePattern], name: str) -> bool:
    """True where one of the patterns matches the whole name."""
    return any(pattern.fullmatch(name) for pattern in patterns)
