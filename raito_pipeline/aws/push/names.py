"""Names of roles and policies that a push makes: valid in AWS, unique, and the same in every push.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""

import re
from collections.abc import Iterable

LONGEST = 64
_ROOM_FOR_SUFFIX = 6
_SPLIT = "_"
_OTHERS = re.compile(r"[^A-Za-z0-9+_]+")
_EDGES = re.compile(r"^[^A-Za-z0-9]+|[^A-Za-z0-9]+$")
_COUNTER = re.compile(rf"^(?P<base>.*?)(?P<suffix>{_SPLIT}{{2}}[0-9A-F]+)$")


class NameProblem(Exception):
    """No valid name can be made; the text says why."""


def translate(hint: str) -> str:
    """A hint in the characters that IAM names have here, short enough for a counter. Raises `NameProblem`."""
    clean = _EDGES.sub("", _OTHERS.sub(_SPLIT, hint))[: LONGEST - _ROOM_FOR_SUFFIX]
    clean = _EDGES.sub("", clean)
    if not clean:
        raise NameProblem(f"its name {hint!r} has no letter or digit that an AWS name could be made of")
    return clean


class Names:
    """Gives out the names of one kind in one push. IAM names differ in more than the case of letters."""

    def __init__(self, prefix: str, suffix: str, taken: Iterable[str] = ()) -> None:
        self._prefix, self._suffix = prefix, suffix
        self._taken = {name.casefold() for name in taken}

    def keep(self, name: str) -> None:
        """Nobody else gets this name."""
        self._taken.add(name.casefold())

    def give(self, hint: str, current: str | None = None) -> str:
        """A name for a hint; `current` is the one it has, whose counter it keeps. Raises `NameProblem`."""
        base = translate(hint)
        first = self._whole(base)
        candidates = [self._with_counter_of(base, current)] if current else []
        candidates += [first, *(self._whole(f"{base}{_SPLIT * 2}{number:X}") for number in range(0x1000))]
        for name in candidates:
            if name is not None and (name == current or name.casefold() not in self._taken):
                self.keep(name)
                return name
        raise NameProblem(f"every name like {first!r} is taken")

    def _whole(self, base: str) -> str:
        name = f"{self._prefix}{base}{self._suffix}"
        if len(name) > LONGEST:
            raise NameProblem(f"its name in AWS, {name!r}, has {len(name)} characters, and AWS takes {LONGEST}")
        return name

    def _with_counter_of(self, base: str, current: str) -> str | None:
        bare = current.removeprefix(self._prefix).removesuffix(self._suffix)
        match = _COUNTER.match(bare)
        return self._whole(base + match["suffix"]) if match and match["base"] == base else None
