"""Prints the figures of the access stage."""

from rich.console import Console
from rich.table import Table

from tests.bench.access import Figure, figures


def main() -> None:
    """Measure, and print one line a figure as soon as it is there."""
    table = Table("what", "measured", "goal", title="Access")
    figure: Figure
    for figure in figures():
        table.add_row(figure.what, figure.measured, figure.goal)
    Console(soft_wrap=True).print(table)


if __name__ == "__main__":
    main()
