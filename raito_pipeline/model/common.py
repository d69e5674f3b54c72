"""Record types that several tables nest."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated


@dataclass(frozen=True, slots=True, order=True)
class Tag:
    """A tag of an AWS or Raito object."""

    key: Annotated[str, "tag key"]
    value: Annotated[str, "tag value"]


def made_by_raito(tags: Iterable[Tag] | None) -> bool:
    """True where the tag `creator` is `RAITO`, without regard to case: what a push made."""
    return any(tag.key.casefold() == "creator" and tag.value.casefold() == "raito" for tag in tags or ())
