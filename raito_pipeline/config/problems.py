"""What can be wrong with a configuration, as values: where it is, what was found, what was expected.

The same values become the error text of the command line, the load error that Dagster shows, and the warnings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

HIDDEN = "a value that is not shown"

_SECRET_NAME = re.compile(r"secret|passw|key|token|webhook", re.IGNORECASE)
_SAFE_NAME = re.compile(r"[A-Za-z0-9_.-]{1,60}")
_SHORTEST_SECRET = 4  # shorter values would blank out half of every message


def is_secret_name(name: str) -> bool:
    """Whether the value of the option or environment variable `name` must never be printed."""
    return _SECRET_NAME.search(name) is not None


def safe_name(name: str) -> str:
    """`name` as it may be printed: a mistyped line can hold a value in the place of the option's name."""
    match = _SAFE_NAME.match(name)
    kept = match.group() if match else ""
    return kept if kept == name else f"{kept}..."


def shown(value: str, *, option: str | None = None) -> str:
    """`value` in quotes and at a readable length, or a stand-in where the option's name says that it is secret.

    Of an address, who logs in there (`https://USER:PASSWORD@...`) is not shown.
    """
    if option is not None and is_secret_name(option):
        return HIDDEN
    flat = " ".join(map(_without_login, value.split()))
    return f'"{flat}"' if len(flat) <= 80 else f'"{flat[:77]}..."'


def _without_login(word: str) -> str:
    """An address without who logs in there: what is no valid address, for its password, is what gets shown."""
    scheme, separator, rest = word.partition("://")
    login, at, host = rest.rpartition("@")
    is_path = ":" not in login and any(sign in login for sign in "/?#")
    return word if not at or is_path else f"{scheme}{separator}***{at}{host}"


@dataclass(frozen=True)
class Problem:
    """One thing to correct (or, as a warning, to know) in a configuration file.

    `target` and `option` are None where the problem is not of one target or option; `line` counts from 1 and is None
    where the file has no such line (a missing option, a command line). `expected` is None for mere notes.
    """

    file: str
    line: int | None
    target: str | None
    option: str | None
    found: str
    expected: str | None = None

    @property
    def place(self) -> str:
        """Where to look, for example `raito.yml:12: target "a", option "aws-regions"`."""
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        parts = [f'target "{self.target}"' if self.target else "", f'option "{self.option}"' if self.option else ""]
        names = ", ".join(part for part in parts if part)
        return f"{where}: {names}" if names else where

    def __str__(self) -> str:
        wanted = f", expected {self.expected}" if self.expected else ""
        return f"{self.place}: found {self.found}{wanted}"

    def without(self, secrets: Iterable[str]) -> Problem:
        """The same problem with every one of `secrets` blanked out of all its texts."""
        masked = self
        for secret in secrets:
            if len(secret) < _SHORTEST_SECRET:
                continue
            masked = replace(
                masked,
                target=masked.target and masked.target.replace(secret, "***"),
                option=masked.option and masked.option.replace(secret, "***"),
                found=masked.found.replace(secret, "***"),
                expected=masked.expected and masked.expected.replace(secret, "***"),
            )
        return masked


class ConfigError(Exception):
    """The configuration cannot be used.

    `problems` holds everything that is wrong with it, in the order of the file. `warnings` holds what was noticed
    besides: a mistyped option is often the reason why another one is missing.
    """

    def __init__(self, problems: Iterable[Problem], warnings: Iterable[Problem] = ()) -> None:
        self.problems = tuple(problems)
        self.warnings = tuple(warnings)
        count = len(self.problems)
        head = "The configuration has a problem:" if count == 1 else f"The configuration has {count} problems:"
        lines = [head, *(f"  {problem}" for problem in self.problems)]
        if self.warnings:
            lines += ["Noticed besides:", *(f"  {warning}" for warning in self.warnings)]
        super().__init__("\n".join(lines))

    def __reduce__(self) -> tuple[type[ConfigError], tuple[tuple[Problem, ...], tuple[Problem, ...]]]:
        return (type(self), (self.problems, self.warnings))
