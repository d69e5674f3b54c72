"""How one regional cell of one or more tables is made, declared by the stage that owns them."""

from collections.abc import Callable
from dataclasses import dataclass

from raito_pipeline.config import AccountTarget
from raito_pipeline.orchestration.partitioning.grid import Cell
from raito_pipeline.orchestration.recording.cells import CellLog
from raito_pipeline.orchestration.resources import Services


@dataclass(frozen=True)
class CellMaker:
    """The tables that are made together, why they would be left out for a target, and how a cell of them is made."""

    tables: tuple[str, ...]
    switched_off: Callable[[AccountTarget], str | None]
    make: Callable[[CellLog, Services, Cell], None]
