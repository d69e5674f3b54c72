"""Which errors fail one cell and leave those after it to be tried, and how a step ends of which cells failed."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import dagster as dg

from raito_pipeline.aws.connection.clients import WrongAccount
from raito_pipeline.aws.connection.errors import AwsError
from raito_pipeline.config import ConfigError
from raito_pipeline.orchestration.partitioning.grid import Cell
from raito_pipeline.orchestration.recording.quiet import without_frames
from raito_pipeline.raito.errors import RaitoError
from raito_pipeline.redaction import one_line
from raito_pipeline.storage import CellMissing, ReadStatus, StorageError
from raito_pipeline.storage.lease import LeaseLost


class ReadRefused(Exception):
    """A mandatory read was denied or throttled away."""

    def __init__(self, status: ReadStatus, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems).replace(".; ", ". ") or f"the read was {status.value}")
        self.status, self.problems = status, tuple(problems)


_EXPECTED = (
    AwsError,
    WrongAccount,
    ReadRefused,
    RaitoError,
    CellMissing,
    ConfigError,
    StorageError,
    LeaseLost,
)
"""Errors that say themselves what was tried and what to do; any other is said with its class, and logged whole."""


class CellsFailed(dg.Failure):
    """Ends a step of which cells failed. Dagster shows the name of an error with its module before the reason."""

    __module__ = "builtins"


@dataclass
class FailurePolicy:
    """The cells of one step that failed: a cell that fails does not stop the others, and fails the step at its end.

    `lines` holds a line for each piece of work that failed: `TABLE CELL: why` (`runs/run_events.py` reads them).
    """

    lines: list[str] = field(default_factory=list)
    _reasons: dict[tuple[str, str], str] = field(default_factory=dict)
    """why a cell failed, by table and partition key"""

    @contextmanager
    def attempt(self, cell: Cell, tables: Sequence[str], log: logging.Logger, name: str) -> Iterator[None]:
        """Try to make a cell of each of `tables`, which come of the same work; `name` is the cell as people name it."""
        try:
            yield
        except _EXPECTED as error:
            self.fail(cell, tables, str(error), log, name)
        except dg.Failure:
            raise
        except Exception as error:  # the edge of a cell: whatever it is, it is no matter of the others
            log.debug(f"{tables[0]} {cell.label} failed", exc_info=error)
            words = one_line(str(error)) or "no further words"
            reason = f"{type(error).__name__}: {words}. This was not expected; the log has it all at debug."
            self.fail(cell, tables, reason, log, name)

    def fail(self, cell: Cell, tables: Sequence[str], reason: str, log: logging.Logger, name: str) -> None:
        """Note that the cells of `tables` could not be made; the first of them gives the line its name."""
        log.error(f"{tables[0]} {name}: {reason}")
        self.lines.append(f"{tables[0]} {cell.label}: {reason}")
        for table in tables:
            self._reasons.setdefault((table, cell.partition_key), reason)

    def reason(self, table: str, cell: Cell) -> str | None:
        """Why a cell failed; None where it did not."""
        return self._reasons.get((table, cell.partition_key))

    def raise_at_the_end(self) -> None:
        """Raise `CellsFailed` with every line, where there is one."""
        if self.lines:
            # What a person has to know is in the lines; a stack of frames would hide it.
            raise without_frames(CellsFailed(description="\n".join(self.lines), allow_retries=False))
