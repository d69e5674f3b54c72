"""`raito-pipeline forget`: removes what is stored of an account or region, and says what Raito Cloud keeps."""

import argparse
import json
import sys
import uuid

from rich.console import Console

from raito_pipeline.cli.arguments import add_config_file
from raito_pipeline.cli.console import Terminal, agrees
from raito_pipeline.cli.discover import whole_configuration
from raito_pipeline.cli.errors import CommandFailed
from raito_pipeline.config import Options
from raito_pipeline.config.edit import NotEditable
from raito_pipeline.orchestration.partitioning.forgetting import Forgotten, forget, look, parts_of
from raito_pipeline.storage import StorageError
from raito_pipeline.storage.lease import SyncUnderWay


class StillWanted(CommandFailed):
    """A sync would store it again."""

    status = 2


def arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("partition", metavar="ACCOUNT[|REGION]", help="a partition as Dagster shows it")
    parser.add_argument("--yes", action="store_true", help="do it, without asking")
    parser.add_argument("--force", action="store_true", help="also where a sync would store it again")
    add_config_file(parser)
    parser.add_argument("--json", action="store_true", help="print it as JSON, and nothing else, on stdout")


def execute(given: argparse.Namespace) -> int:
    """Run the command; gives the exit status. Raises `ConfigError`, `CommandFailed`."""
    options = whole_configuration(given.config_file)
    console = Terminal(stderr=given.json, soft_wrap=True)
    try:
        parts = look(options, *parts_of(given.partition))
        removed = _removed(options, parts, given, console)
    except (StorageError, SyncUnderWay, NotEditable, OSError) as error:
        raise CommandFailed(str(error)) from None
    if given.json:
        print(json.dumps({"partition": parts.label, "files": parts.files, "wanted": parts.wanted, "removed": removed}))
    return 0


def _removed(options: Options, parts: Forgotten, given: argparse.Namespace, console: Console) -> int | None:
    """How many files were removed; None where nothing was to be, or nobody said so."""
    show(console, options, parts)
    if not parts.files and not parts.has_entry:
        return None
    if parts.wanted is not None and not given.force:
        raise StillWanted(f"{parts.label} is left as it is: {parts.wanted}. `--force` removes it all the same.")
    if not given.yes and not _agreed(console, parts, given):
        return None
    count = forget(options, parts, f"forget-{uuid.uuid4().hex[:12]}")
    console.print(f"{parts.label} is forgotten ({count} files)")
    return count


def _agreed(console: Console, parts: Forgotten, given: argparse.Namespace) -> bool:
    if given.json or not (sys.stdin.isatty() and console.is_terminal):
        console.print(f"`raito-pipeline forget '{parts.label}' --yes` removes it.")
        return False
    return agrees(console, "Remove it?")


def show(console: Console, options: Options, parts: Forgotten) -> None:
    """Print what would be removed, and what stays where."""
    if not parts.files and not parts.has_entry:
        console.print(f"nothing of {parts.label} is stored in {options.pipeline.storage}")
        return
    tables = ", ".join(f"{table} {count}" for table, count in sorted(parts.files.items())) or "no files"
    console.print(f"{parts.label} in {options.pipeline.storage}: {sum(parts.files.values())} files ({tables})")
    if parts.has_entry:
        console.print(f"its entry in {options.pipeline.discovered_file}")
    if parts.region is not None:
        console.print(
            "Raito Cloud keeps what it holds of the region until the next sync of the account: its imports remove it "
            "then, within `max-import-deletions`."
        )
        return
    held = ", ".join(f"{each.elements:,} by {each.table}" for each in parts.held if each.elements is not None)
    names = ", ".join(dict.fromkeys(each.target for each in parts.held))
    source = "" if parts.target is None or parts.target.data_source_id is None else f" {parts.target.data_source_id}"
    target = f" of the target {names}" if names else ""
    console.print(
        f"Raito Cloud keeps the data source{source}{target} with all that it holds{f' ({held})' if held else ''}, "
        "and its identity store: remove them there. AWS keeps what a push made."
    )
    console.print("Dagster keeps the record of its runs, and shows the partition as long as there is a target of it.")
