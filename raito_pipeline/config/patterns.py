"""Regular expressions of `raito.yml`: written for the Raito CLI, which is a Go program, and compiled here by Python.

The two languages agree in nearly everything that people write in such files. What Go has and Python lacks is translated
(`\\z`, `\\Q...\\E`, POSIX classes such as `[[:alpha:]]`), or refused with a reason, never compiled to something else.
Go's syntax: https://pkg.go.dev/regexp/syntax
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_POSIX = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": "\\x00-\\x7F",
    "blank": "\\t ",
    "cntrl": "\\x00-\\x1F\\x7F",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": "!-/:-@\\[-`{-~",
    "space": "\\t\\n\\v\\f\\r ",
    "upper": "A-Z",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}
_TOKEN = re.compile(r"\\Q(?P<quoted>.*?)(?:\\E|$)|\\(?P<escape>.)|\[:(?P<class>[a-z]+):\]", re.DOTALL)


class PatternError(ValueError):
    """A regular expression that cannot be used; the text says why, worded to follow "expected"."""


def compile_pattern(text: str) -> re.Pattern[str]:
    """`text` compiled, to be matched over whole names (`fullmatch`). Raises `PatternError`."""
    try:
        return re.compile(_TOKEN.sub(_translate, text))
    except re.error as error:
        hint = "; write a YAML list where an expression itself holds a comma" if "unterminated" in error.msg else ""
        raise PatternError(f"a valid regular expression ({error.msg}{hint})") from None
    except (OverflowError, RecursionError):
        raise PatternError("a regular expression with smaller counts and less nesting") from None


def _translate(match: re.Match[str]) -> str:
    if match["class"] is not None:
        if match["class"] not in _POSIX:
            raise PatternError(f"a valid regular expression (there is no class [:{match['class']}:])")
        return _POSIX[match["class"]]
    if match["escape"] is not None:
        return _escape(match["escape"])
    return re.escape(match["quoted"])


def _escape(character: str) -> str:
    if character == "z":
        return r"\Z"
    if character in "pP":
        raise PatternError("a regular expression without Unicode classes (\\p), which the pipeline cannot read")
    return "\\" + character


def matches_any(patterns: Iterable[re.Pattern[str]], name: str) -> bool:
    """True where one of the patterns matches the whole name."""
    return any(pattern.fullmatch(name) for pattern in patterns)
