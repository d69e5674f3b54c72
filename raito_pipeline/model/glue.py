"""Tables of the Glue catalog as they are read, before they become data objects. They are not stored as such."""

from dataclasses import dataclass


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
    """`StorageDescriptor.Location`, empty where there is none (views)"""
    table_type: str = ""
    description: str = ""
    parameters: tuple[tuple[str, str], ...] = ()
    columns: tuple[GlueColumn, ...] = ()
    partition_keys: tuple[GlueColumn, ...] = ()
