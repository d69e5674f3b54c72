"""Record types that several tables nest."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated


@dataclass(frozen=True, slots=True, order=True)
class Tag:
    """A tag of an AWS or Raito object."""

    key: Annotated[str, "tag key"]
    value: Annotated[str, "tag value"]


CREATOR = Tag("creator", "RAITO")
"""The tag that everything made by Raito carries."""


RAITO_ACCOUNT = "raito_account"
"""The tag of a permission set that Raito made that says which account it serves."""


def made_by_raito(tags: Iterable[Tag] | None) -> bool:
    """True where one of the tags is `CREATOR`, without regard to case: what a push made."""
    key, value = CREATOR.key.casefold(), CREATOR.value.casefold()
    return any(tag.key.casefold() == key and tag.value.casefold() == value for tag in tags or ())
