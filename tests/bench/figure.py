"""A line of the benchmarks."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One line: what was measured, the measure, and what it should be."""

    what: str
    measured: str
    goal: str
