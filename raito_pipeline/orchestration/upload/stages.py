"""The tables behind some stages of a sync, as Raito Cloud names them: what each imports, and what that is made of."""

from collections.abc import Collection, Iterable, Iterator

from raito_pipeline.model import TABLES, Layer
from raito_pipeline.orchestration.upload.raito_jobs import TASK_TABLES
from raito_pipeline.raito.jobs import JobType


def tables_of_stages(stages: Iterable[JobType], layer: Layer) -> tuple[str, ...]:
    """The tables that a run of a layer makes for some stages, in their order; none where there is nothing for it.

    These are the imports of the stages (and the push), all that they are made of, and what follows from that alone.
    """
    wanted = {table for stage in stages for root in TASK_TABLES[stage] for table in _made_of(root)}
    others = {table for stage in JobType for root in TASK_TABLES[stage] for table in TABLES[root].with_notes} - wanted
    wanted |= set(_following(wanted, others))
    return tuple(table for table in layer.tables if table in wanted)


def _made_of(table: str) -> Iterator[str]:
    """A table, its notes, and every table that its rows are made of."""
    yield from TABLES[table].with_notes
    for read in TABLES[table].reads:
        yield from _made_of(read)


def _following(wanted: Collection[str], others: Collection[str]) -> Iterator[str]:
    """The tables that follow from `wanted` alone: they are made by the same work."""
    for name, spec in TABLES.items():
        if spec.reads and not spec.sources and name not in others and set(spec.reads) <= set(wanted):
            yield name
