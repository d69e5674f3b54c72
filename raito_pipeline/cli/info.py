"""`raito-pipeline info`: every option of `raito.yml`, and the least IAM policy of a target."""

import argparse
import json
import os
import re
from itertools import groupby

from rich.console import Console
from rich.text import Text

from raito_pipeline.aws.least_policy import Mode, least_policy
from raito_pipeline.aws.provider_types.declaration import Target
from raito_pipeline.cli.arguments import add_config_file
from raito_pipeline.cli.console import Terminal
from raito_pipeline.config import AccountTarget, Options
from raito_pipeline.config.describe import OptionDoc, describe
from raito_pipeline.config.regions import aws_partition
from raito_pipeline.config.spelling import closest, nearest
from raito_pipeline.orchestration.config_file import load_configuration
from raito_pipeline.orchestration.partitioning.partitions import linked_organizations
from raito_pipeline.storage.policy import storage_policy

_INDENT = " " * 4


def arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument(
        "option", nargs="?", help="show only options whose name contains this, or those of the targets of a connector"
    )
    parser.add_argument(
        "--iam-policy",
        nargs="?",
        const="read",
        choices=("read", "push", "storage"),
        help="print the least IAM policy that a target needs (storage: that the tables on S3 need), as JSON",
    )
    parser.add_argument(
        "--target", help="the name of the target in raito.yml, or the aws-organization-profile (with --iam-policy)"
    )
    add_config_file(parser)


def execute(given: argparse.Namespace) -> int:
    """Run the command; gives the exit status. Raises `ConfigError`."""
    if given.iam_policy == "storage":
        return show_storage_policy(load_configuration(given.config_file))
    if given.iam_policy:
        return show_iam_policy(load_configuration(given.config_file), given.target, given.iam_policy)
    return show_options(given.option)


def show_options(contains: str | None) -> int:
    """Print the options whose name holds `contains` (all, without it) with what they mean; status 1 without any."""
    wanted = (contains or "").strip().lower().replace("_", "-")
    options_shown = _matching(wanted)
    if not options_shown:
        names = [name for option in describe() for name in option.spellings]
        near = closest(wanted, names, 3) or nearest(wanted, names)
        hint = f"; perhaps `{near}`" if near else ""
        said = f"no option has {contains!r} in its name{hint}. `raito-pipeline info` shows all of them."
        Terminal(stderr=True, soft_wrap=True).print(said)
        return 1
    console = Terminal()
    for where, options in groupby(options_shown, key=lambda option: option.where):
        console.print(Text(where, style="bold underline"), end="\n\n")
        for option in options:
            _show(console, option)
    return 0


def _matching(wanted: str) -> list[OptionDoc]:
    """The options whose name holds `wanted`, else all its words; for a connector's name, those of its targets."""
    options = list(describe())
    words = re.findall(r"[a-z0-9]+", wanted)
    of_connector = [option for option in options if "/" in wanted and f"`{wanted}`" in option.where]
    by_name = [option for option in options if any(wanted in name for name in option.spellings)]
    by_words = [option for option in options if words and any(set(words) <= _words(name) for name in option.spellings)]
    return of_connector or by_name or by_words


def _words(name: str) -> set[str]:
    """The words of an option's name, those that end in `s` also without it."""
    words = name.split("-")
    return {*words, *(word.removesuffix("s") for word in words)}


def _show(console: Console, option: OptionDoc) -> None:
    """An option in paragraphs: a table would have to cut names where a terminal is narrow."""
    first, *others = option.spellings
    name = Text.assemble((first, "bold"), *(Text(f"\nalso {other}") for other in others))
    console.print(name, overflow="fold")
    facts = f"{option.kind}; {'required' if option.default == 'required' else f'default: {option.default}'}"
    if option.variable is not None:
        given = "set now, and wins over the file" if os.environ.get(option.variable, "").strip() else "not set"
        facts += f"\nin the environment: {option.variable} ({given})"
    for line in Text(f"{facts}\n{option.text}").wrap(console, max(console.width - len(_INDENT), 20)):
        line.rstrip()
        console.print(Text(_INDENT) + line)
    console.print()


def show_storage_policy(options: Options) -> int:
    """Print the least IAM policy of what stores the tables as JSON; status 2 where they are not on S3."""
    place = options.pipeline.storage
    if not place.startswith("s3://"):
        said = f"the tables of {options.file} are in the folder {place}: no IAM policy is needed for them"
        Terminal(stderr=True, soft_wrap=True).print(said)
        return 2
    print(json.dumps(storage_policy(place, aws_partition(options.pipeline.storage_region or "")), indent=2))
    return 0


def show_iam_policy(options: Options, target: str | None, mode: Mode) -> int:
    """Print the least IAM policy of a target as JSON. Without its name, the only target is meant.

    An organization that has no target of its own has the name of the profile by which accounts link it.
    """
    targets: dict[str, Target] = {each.name: each for each in options.accounts}
    targets.update({each.name: each for each in options.organizations})
    chosen = target or (next(iter(targets)) if len(targets) == 1 else None)
    links = linked_organizations(options)
    targets = {**links, **targets}
    if chosen is None or chosen not in targets:
        message = f"--target names {target!r}" if target else "--target is missing"
        Terminal(stderr=True).print(f"{message}; the targets of {options.file} are: {', '.join(targets) or 'none'}")
        return 2
    shown = targets[chosen]
    link = shown.organization if isinstance(shown, AccountTarget) else None
    if link is not None and link.profile in links:
        also = f"its aws-organization-profile needs a policy of its own: --target {link.profile}"
        Terminal(stderr=True, soft_wrap=True).print(f"note: {also}")
    for warning in options.warnings:
        Terminal(stderr=True, soft_wrap=True).print(f"note: {warning}", style="yellow")
    inventories = [address for _, address in options.pipeline.s3_inventory]
    reads = options.pipeline.reads_bucket_policies
    discovery = options.pipeline.discover
    document = least_policy(shown, mode, inventories, bucket_policies=reads, discovery=discovery)
    print(json.dumps(document, indent=2))
    return 0
