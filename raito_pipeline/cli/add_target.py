"""`raito-pipeline add-target`: one more account in `raito.yml`; everything else in the file stays as it is."""

import argparse
import os
from pathlib import Path

from raito_pipeline.cli.arguments import add_config_file
from raito_pipeline.cli.console import Terminal
from raito_pipeline.cli.errors import CommandFailed
from raito_pipeline.cli.new_target import Answers, account_entry, add_account_arguments, loaded, with_ids
from raito_pipeline.config import Options, find_config, load
from raito_pipeline.config.edit import NotEditable, entry_lines, with_targets, write_text
from raito_pipeline.config.environment import CONFIG_FILE_VARIABLE
from raito_pipeline.orchestration.config_file import s3_address


def arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    add_account_arguments(parser)
    add_config_file(parser)


def execute(given: argparse.Namespace) -> int:
    """Run the command; gives the exit status. Raises `ConfigError`, `CommandFailed`."""
    console = Terminal(soft_wrap=True)
    on_s3 = s3_address(given.config_file or os.environ.get(CONFIG_FILE_VARIABLE))
    if on_s3 is not None:
        raise CommandFailed(f"{on_s3} lies on S3, where nothing is written: add to a copy of it here (--config-file)")
    file = given.config_file or find_config(Path.cwd(), Path.home(), os.environ)
    before = load(file, only_targets=())
    entry = {**account_entry(Answers(given, console)), **_organization(before)}
    try:
        text = file.read_bytes().decode()
        # Loaded before anything is made: a name that is taken, or a wrong region, ends it here.
        options = loaded(with_targets(text, [entry], str(file)), file)
        whole = with_ids(entry, options, _store(before))
        new = with_targets(text, [whole], str(file))
        loaded(new, file)
        write_text(file, new)
    except (NotEditable, OSError) as error:
        raise CommandFailed(str(error)) from None
    console.print("\n".join([f"added to {file}:", *entry_lines(whole, "  ")]))
    console.print(f"`raito-pipeline check --only-targets '{entry['name']}'` says whether a sync can work.")
    return 0


def _organization(options: Options) -> dict[str, str]:
    """The organization's Identity Center, as the other accounts of the file name it."""
    link = next((target.organization for target in options.accounts if target.organization is not None), None)
    if link is None:
        return {}
    return {
        "aws-organization-profile": link.profile,
        "aws-organization-region": link.region,
        "aws-organization-identity-center-instance-arn": link.instance_arn,
        "aws-organization-identity-store": link.identity_store_id,
    }


def _store(options: Options) -> str | None:
    linked = any(target.organization is not None for target in options.accounts)
    return options.organizations[0].identity_store_id if linked and options.organizations else None
