"""Record types that several tables nest."""

from dataclasses import dataclass
from typing import Annotated


@dataclass(frozen=True, slots=True, order=True)
class Tag:
    """A tag of an AWS or Raito object."""

    key: Annotated[str, "tag key"]
    value: Annotated[str, "tag value"]
