"""Names of buckets that somebody wrote, and that are nearly those of buckets that are there."""

import re
from collections.abc import Collection, Iterator

_DIGITS = re.compile(r"\d+")


def misspelt_of(named: Collection[str], names: Collection[str]) -> dict[str, str]:
    """Those of `named` that differ in one letter from one of `names`: it is missing, too many, wrong, or elsewhere.

    Names that differ in digits alone are those of one scheme, as of each account, and not misspelt.
    """
    by_rest = {rest: name for name in sorted(names, reverse=True) for rest in _without_one(name)} if named else {}
    misspelt: dict[str, str] = {}
    for each in sorted(named):
        like = next((by_rest[rest] for rest in _without_one(each) if rest in by_rest), None)
        if like is not None and _DIGITS.sub("", like) != _DIGITS.sub("", each):
            misspelt[each] = like
    return misspelt


def _without_one(name: str) -> Iterator[str]:
    """The name, and all that is left of it without one of its characters."""
    yield name
    for at in range(len(name)):
        yield name[:at] + name[at + 1 :]
