"""What `init` and `add-target` share: answers, the entry of an account, and its set-up in Raito Cloud."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from raito_pipeline.aws.connection.clients import AwsClients, AwsError
from raito_pipeline.cli.console import ask
from raito_pipeline.cli.errors import CommandFailed
from raito_pipeline.config import AccountTarget, Options, OrganizationTarget
from raito_pipeline.config.edit import Entry
from raito_pipeline.config.load import load_text
from raito_pipeline.config.options import ACCOUNT_CONNECTOR
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.raito.errors import RaitoError
from raito_pipeline.raito.setup import SetUp

DATA_SOURCE, IDENTITY_STORE = "<data source>", "<identity store>"
"""What stands in the place of an id until Raito Cloud has given it; `raito.yml` takes it for a placeholder."""
SOURCES = ("s3", "glue")


class AnswersMissing(CommandFailed):
    """Nobody can be asked, and flags are missing."""

    status = 2


@dataclass(frozen=True)
class Answers:
    """Answers to questions: given as flags, else asked for at a terminal, else the usual ones."""

    given: argparse.Namespace
    console: Console

    @property
    def asks(self) -> bool:
        """Whether somebody can be asked."""
        return sys.stdin.isatty() and self.console.is_terminal

    def text(self, flag: str, question: str, usual: str | None = None, choices: Sequence[str] = ()) -> str:
        """One answer. Raises `AnswersMissing` where there is none, and none is usual."""
        value: str | None = getattr(self.given, flag.replace("-", "_"))
        while value is None and self.asks:
            hint = f" ({'/'.join(choices)})" if choices else ""
            said = ask(self.console, f"{question}{hint}{f' [{usual}]' if usual else ''}: ") or usual
            value = said if said and (not choices or said in choices) else None
        value = value if value is not None else usual
        if value is None:
            raise AnswersMissing(f"--{flag} is missing ({question.lower()}): there is no terminal to ask at")
        return value


def add_account_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments that describe one account."""
    parser.add_argument("--name", help="the name of the target (default: that of the profile)")
    parser.add_argument("--profile", help="the AWS profile of the account; - for the AWS SDK's default")
    parser.add_argument("--account-id", help="its 12 digits (default: AWS is asked with the profile)")
    parser.add_argument("--regions", help="its regions, separated by commas")
    parser.add_argument("--source", choices=SOURCES, help="where its data objects come from")
    parser.add_argument("--cloudtrail-bucket", help="the bucket with its CloudTrail logs; - for none")
    parser.add_argument("--data-source-id", help="the data source in Raito Cloud (default: one is made)")
    parser.add_argument("--identity-store-id", help="its identity store (default: one is made and linked)")


def account_entry(answers: Answers) -> dict[str, str | bool]:
    """The entry of an account, of the answers. Raises `AnswersMissing`, `CommandFailed`."""
    given = answers.given
    profile = answers.text(
        "profile", "AWS profile of the account (- for the SDK's default)", os.environ.get("AWS_PROFILE")
    )
    regions = answers.text("regions", "Regions, separated by commas")
    used = None if profile == "-" else profile
    account_id = given.account_id or caller(used, regions.partition(",")[0])
    name = answers.text("name", "Name of the target", used or account_id)
    source = answers.text("source", "Data objects from S3 or from the Glue catalog", "s3", SOURCES)
    bucket = answers.text("cloudtrail-bucket", "Bucket with CloudTrail logs (- for none)", "-")
    entry: dict[str, str | bool] = {"name": name, "connector-name": ACCOUNT_CONNECTOR}
    entry |= {"data-source-id": given.data_source_id or DATA_SOURCE}
    entry |= {"identity-store-id": given.identity_store_id or IDENTITY_STORE, "aws-account-id": account_id}
    entry |= {} if used is None else {"aws-profile": used}
    entry |= {"aws-regions": regions, f"aws-{source}-enabled": True}
    return entry | ({} if bucket == "-" else {"aws-s3-cloudtrail-bucket": bucket})


def caller(profile: str | None, region: str | None) -> str:
    """The account that a profile reaches. Raises `CommandFailed`."""
    try:
        return AwsClients(profile, region or None, attempts=3).caller_account()
    except AwsError as error:
        raise CommandFailed(str(error)) from None


def loaded(text: str, beside: Path) -> Options:
    """A configuration that is not written yet, as if it stood in the place of `beside`. Raises `ConfigError`."""
    return load_text(text, beside, only_targets=())


def with_ids(entry: Mapping[str, str | bool], options: Options, organization_store: str | None) -> Entry:
    """The entry with the ids that Raito Cloud gives: what is missing is made and linked. Raises `CommandFailed`.

    `options` is the configuration with the entry as it is; `organization_store` the organization's identity store.
    """
    target = next(one for one in options.accounts if one.name == entry["name"])
    if DATA_SOURCE not in entry.values() and IDENTITY_STORE not in entry.values():
        return dict(entry)
    about = f"AWS account {target.account_id}"
    try:
        set_up = set_up_of(options, target)
        source = _id(entry["data-source-id"], DATA_SOURCE) or set_up.data_source(target.name, about)
        store = _id(entry["identity-store-id"], IDENTITY_STORE) or set_up.identity_store(target.name, about)
        set_up.link(source, store)
        if organization_store is not None:
            set_up.link(source, organization_store)
    except RaitoError as error:
        raise CommandFailed(str(error)) from None
    return {**entry, "data-source-id": source, "identity-store-id": store}


def set_up_of(options: Options, target: AccountTarget | OrganizationTarget) -> SetUp:
    """What makes things in Raito Cloud, with the login of a target. Raises `RaitoError`."""
    return SetUp(Services(options).raito(target))


def _id(value: str | bool, placeholder: str) -> str | None:
    return None if value == placeholder else str(value)
