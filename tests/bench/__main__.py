"""Prints the figures of all benchmarks, one table a subject."""

from rich.console import Console
from rich.table import Table

from tests.bench import access, deployed, objects, one_account, partitions, push, quiet, storage, ticks, usage

SUBJECTS = {
    "One account": one_account.figures,
    "Access": access.figures,
    "Push": push.figures,
    "Data objects": objects.figures,
    "Usage": usage.figures,
    "Partitions": partitions.figures,
    "Ticks": ticks.figures,
    "A quiet sync": quiet.figures,
    "A quiet sync, deployed": deployed.figures,
    "Storage on S3": storage.figures,
}


def main() -> None:
    """Measure one subject after the other."""
    console = Console(soft_wrap=True)
    for title, figures in SUBJECTS.items():
        table = Table("what", "measured", "goal", title=title)
        for figure in figures():
            table.add_row(figure.what, figure.measured, figure.goal)
        console.print(table)


if __name__ == "__main__":
    main()
