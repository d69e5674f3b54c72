"""Tables of the Glue catalog as they are read, before they become data objects. They are not stored as such."""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec


@dataclass(frozen=True, slots=True)
class GlueColumn:
    """A column or partition key of a table."""

    name: str
    data_type: str | None = None
    comment: str = ""
    parameters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class GlueTable:
    """A table or view of the catalog, as Glue answers it."""

    database: str
    name: str
    location: str = ""
    """where the data is, empty where there is none (views)"""
    table_type: str = ""
    description: str = ""
    parameters: tuple[tuple[str, str], ...] = ()
    columns: tuple[GlueColumn, ...] = ()
    partition_keys: tuple[GlueColumn, ...] = ()
    created: int = 0
    """Unix seconds, 0 where it is not known: of two tables at one place the older one has its name"""
    linked: bool = False
    """true for a table of another catalog, seen through a resource link"""


FEDERATED = "federated_tables"
"""Name under which a cell of `data_objects` keeps the tables of federated databases, for when these do not answer."""


def to_json(tables: Iterable[GlueTable]) -> str:
    """Tables as a text, for `from_json`."""
    return msgspec.json.encode(list(tables)).decode()


def from_json(text: str) -> list[GlueTable]:
    """Tables as `to_json` wrote them; none of an empty text, or of one that an earlier version wrote differently."""
    try:
        return msgspec.json.decode(text or "[]", type=list[GlueTable])
    except msgspec.DecodeError:
        return []
