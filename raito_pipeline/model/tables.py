"""What a stored table is: said once, on the declaration of its row type.

Everything else derives from it: the asset with its lineage (`orchestration/recording/specs.py`), the layers of a sync
and its jobs (`tables_of`), what an import or a push waits for (`upstream_tables`), the external assets
(`orchestration/recording/external.py`), and `docs/tables.md`. To add a table: declare its row type with `row` in a
module of `raito_pipeline/model/`, and make it in an asset (`assets/`).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from graphlib import CycleError, TopologicalSorter
from typing import Literal, TypeVar, dataclass_transform

Partitioning = Literal["account", "account_region", "organization"]
R = TypeVar("R")

TABLES: dict[str, "TableSpec"] = {}
"""The stored tables by name, in the order of their declaration."""


class Layer(StrEnum):
    """What one run makes of a sync."""

    ORGANIZATION = "organization"
    """everything of one organization; a sync of its own"""
    ACCOUNT = "account"
    """the first layer of an account: IAM and the buckets"""
    REGIONS = "regions"
    """the second: every regional table of every region"""
    FINISH = "finish"
    """the last: access providers, imports, push"""
    CELLS = "cells"
    """anything less than a layer, as a person materializes it by hand; no table is declared with it"""

    @property
    def begins(self) -> bool:
        """True where a run of this layer begins a sync."""
        return self in (Layer.ORGANIZATION, Layer.ACCOUNT)

    @property
    def ends(self) -> bool:
        """True where a sync is over after this layer."""
        return self in (Layer.ORGANIZATION, Layer.FINISH)

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that a run of the layer makes."""
        return tuple(name for name, spec in TABLES.items() if spec.layer is self)

    @property
    def told_by(self) -> tuple[str, ...]:
        """The tables that tell a run of the layer from others.

        An asset backfill makes a table in the first run that can make it: with a layer before this one, where nothing
        that the table is made of has other partitions.
        """
        return tuple(name for name in self.tables if _is_made_no_earlier(name))

    @property
    def following(self) -> "Layer | None":
        """The layer after this one in a sync of an account."""
        return {Layer.ACCOUNT: Layer.REGIONS, Layer.REGIONS: Layer.FINISH}.get(self)

    @property
    def priority(self) -> str:
        """The place in the run queue: what ends a sync goes before what goes on with one, and that before new ones."""
        return {Layer.FINISH: "3", Layer.REGIONS: "2", Layer.ORGANIZATION: "1"}.get(self, "0")


class Outside(StrEnum):
    """Where data comes from and where it goes: a service of AWS, or Raito Cloud."""

    AWS_IDENTITY_CENTER = "aws_identity_center"
    AWS_ORGANIZATIONS = "aws_organizations"
    AWS_IAM = "aws_iam"
    AWS_S3 = "aws_s3"
    AWS_GLUE = "aws_glue"
    AWS_CLOUDTRAIL = "aws_cloudtrail"
    RAITO_CLOUD_ACCESS_CONTROLS = "raito_cloud_access_controls"
    RAITO_CLOUD = "raito_cloud"

    @property
    def is_aws(self) -> bool:
        """True for a service of AWS."""
        return self not in (Outside.RAITO_CLOUD, Outside.RAITO_CLOUD_ACCESS_CONTROLS)

    @property
    def feeds(self) -> tuple[str, ...]:
        """The tables that are read from it."""
        return tuple(name for name, spec in TABLES.items() if self in spec.sources)

    @property
    def fed_by(self) -> tuple[str, ...]:
        """The tables whose making sends something to it."""
        return tuple(name for name, spec in TABLES.items() if self in spec.sinks)


@dataclass(frozen=True, slots=True)
class TableSpec:
    """A stored table: its name, its row type and the columns that identify a row, and its place in a sync."""

    name: str
    row_type: type
    description: str
    partitioned_by: Partitioning
    key: tuple[str, ...]
    layer: Layer
    """the layer of a sync that makes it"""
    sources: tuple[Outside, ...] = ()
    """where outside it is read"""
    reads: tuple[str, ...] = ()
    """the tables that its rows are made of, of this sync"""
    after: tuple[str, ...] = ()
    """tables that have to be made before it, although no row of it comes or goes because of theirs"""
    looks_at: tuple[str, ...] = ()
    """other tables that its making looks at as they are stored then: no row is made of theirs, and none has to be made
    before it (they may be of the previous sync)"""
    sinks: tuple[Outside, ...] = ()
    """where its making sends something to"""
    remembered_for: str | None = None
    """the table whose making in the next sync looks at what this one holds"""
    only_for: str | None = None
    """the one table that must have it whole: what else is made of that one can do without"""
    may_be_partial: bool = False
    """whether what is made of it may be complete where it was read in part: its rows say themselves what they lack"""
    columns_from: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """for some columns, the columns (`table.column`) that their values come from"""
    optional: bool = False
    """what is made of it does without it where AWS refuses it, and says so; nothing is kept from removal for that"""

    @property
    def parents(self) -> tuple[str, ...]:
        """Every table that comes before it in a sync."""
        return (*self.reads, *self.after)

    @property
    def is_derived(self) -> bool:
        """True for a table that follows from stored tables alone: made again of the same rows, it is the same."""
        return bool(self.reads) and not self.sources and not self.sinks and self.remembered_for is None

    @property
    def notes(self) -> tuple[str, ...]:
        """The tables in which its making notes something for the next sync."""
        return tuple(name for name, spec in TABLES.items() if spec.remembered_for == self.name)

    @property
    def with_notes(self) -> tuple[str, ...]:
        """The table, and those in which its making notes something: they are made and end together."""
        return (self.name, *self.notes)

    @property
    def readable(self) -> frozenset[str]:
        """The tables of which rows may be read while it is made: what is declared, itself, and its notes."""
        return frozenset((*self.parents, *self.looks_at, *self.with_notes))

    @property
    def is_read_from_aws(self) -> bool:
        """True for a table of what a service of AWS answered."""
        return any(source.is_aws for source in self.sources)


@dataclass_transform(frozen_default=True)
def row(
    table: str,
    *,
    by: Partitioning,
    key: tuple[str, ...],
    layer: Layer,
    sources: tuple[Outside, ...] = (),
    reads: tuple[str, ...] = (),
    after: tuple[str, ...] = (),
    looks_at: tuple[str, ...] = (),
    sinks: tuple[Outside, ...] = (),
    remembered_for: str | None = None,
    only_for: str | None = None,
    may_be_partial: bool = False,
    columns_from: Mapping[str, tuple[str, ...]] | None = None,
    optional: bool = False,
) -> Callable[[type[R]], type[R]]:
    """Declare a stored table whose rows are instances of the decorated class, and whose description is its docstring.

    `table` is the asset key, `by` what partitions it; for the others see `TableSpec`.
    """

    def declare(cls: type[R]) -> type[R]:
        row_type = dataclass(frozen=True, slots=True)(cls)
        description = " ".join((cls.__doc__ or "").split())
        lineage = columns_from or {}
        declare_table(
            TableSpec(
                table,
                row_type,
                description,
                by,
                key,
                layer,
                sources,
                reads,
                after,
                looks_at,
                sinks,
                remembered_for,
                only_for,
                may_be_partial,
                lineage,
                optional,
            )
        )
        return row_type

    return declare


def declare_table(spec: TableSpec) -> None:
    """Declare a stored table whose row type exists already (several tables may share one).

    Raises `ValueError` where there is a table of that name.
    """
    if spec.name in TABLES:
        raise ValueError(f"table {spec.name!r} is declared twice")
    TABLES[spec.name] = spec


def table_of(row_type: type) -> TableSpec:
    """The one stored table of a row type. Raises `KeyError` where it has none, or several."""
    specs = [spec for spec in TABLES.values() if spec.row_type is row_type]
    if len(specs) != 1:
        raise KeyError(f"{row_type.__name__} is the row type of {len(specs)} tables: name the table")
    return specs[0]


def upstream_tables(table: str) -> tuple[str, ...]:
    """The tables read from AWS that a table is made of, directly or through tables that are made of others.

    These are what must be complete and of this sync before anything may be removed (or pushed) because of what the
    table says; optional ones are not among them. Each one once, in the order in which they are met.
    """
    upstream = dict.fromkeys(_upstream(table))
    return tuple(name for name in upstream if TABLES[name].only_for in (None, table) and not TABLES[name].optional)


def _upstream(table: str) -> Iterator[str]:
    for read in TABLES[table].reads:
        if TABLES[read].is_read_from_aws:
            yield read
        else:
            yield from _upstream(read)


def _is_made_no_earlier(table: str) -> bool:
    """Whether no run of an earlier layer could make a table: what it is made of has (far up) other partitions."""
    spec = TABLES[table]
    parents = [TABLES[name] for name in spec.parents]
    if any(parent.partitioned_by not in (spec.partitioned_by, "organization") for parent in parents):
        return True
    return not parents or any(_is_made_no_earlier(parent.name) for parent in parents if parent.layer is spec.layer)


_PARTITIONINGS: dict[Layer, Partitioning] = {
    Layer.ORGANIZATION: "organization",
    Layer.ACCOUNT: "account",
    Layer.REGIONS: "account_region",
    Layer.FINISH: "account",
}
"""what partitions the tables of each layer, in the order of the layers"""


def check_tables() -> None:
    """Raise `ValueError` for a declaration that no sync could make.

    That is a layer that makes none of its partitions, a parent that is not declared or that is made later, or a circle.
    """
    turn = {layer: number for number, layer in enumerate(_PARTITIONINGS)}
    for spec in TABLES.values():
        if _PARTITIONINGS.get(spec.layer) != spec.partitioned_by:
            raise ValueError(f"no run of layer {spec.layer} makes {spec.name}, partitioned by {spec.partitioned_by}")
        for parent in spec.parents:
            if parent not in TABLES:
                raise ValueError(f"{spec.name} reads {parent}, which is no table")
            if turn.get(TABLES[parent].layer, len(turn)) > turn[spec.layer]:
                raise ValueError(f"{spec.name} reads {parent}, which a later layer makes ({TABLES[parent].layer})")
        for table in spec.looks_at:
            if table not in TABLES:
                raise ValueError(f"{spec.name} looks at {table}, which is no table")
        _check_columns(spec)
    try:
        TopologicalSorter({name: spec.parents for name, spec in TABLES.items()}).prepare()
    except CycleError as error:
        raise ValueError(f"tables read each other: {' <- '.join(error.args[1])}") from None


def _check_columns(spec: TableSpec) -> None:
    """Raise `ValueError` where the lineage of columns names one that is not there, or a table that is not read."""
    for column, origins in spec.columns_from.items():
        for name in (f"{spec.name}.{column}", *origins):
            table, _, field_name = name.partition(".")
            if table != spec.name and table not in spec.reads:
                raise ValueError(f"{spec.name}.{column} comes from {name}, and {spec.name} does not read {table}")
            if field_name not in {each.name for each in fields(TABLES[table].row_type)}:
                raise ValueError(f"the lineage of {spec.name}.{column} names {name}, which is no column")
