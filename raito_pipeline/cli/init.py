"""`raito-pipeline init`: asks a few questions and writes a `raito.yml`, of one account or of an organization."""

import argparse
from collections.abc import Mapping
from pathlib import Path

from raito_pipeline.aws.connection.clients import AwsClients, AwsError
from raito_pipeline.aws.connection.limits import shared_limits
from raito_pipeline.aws.connection.paging import NEXT_TOKEN, Service
from raito_pipeline.aws.readers.instances import Home, choose, listed_instances
from raito_pipeline.cli.console import Terminal
from raito_pipeline.cli.errors import CommandFailed
from raito_pipeline.cli.new_target import (
    IDENTITY_STORE,
    Answers,
    account_entry,
    add_account_arguments,
    caller,
    loaded,
    set_up_of,
    with_ids,
)
from raito_pipeline.config.edit import Entry, entry_lines, write_text
from raito_pipeline.config.load import FILE_NAMES
from raito_pipeline.config.options import ORGANIZATION_CONNECTOR
from raito_pipeline.raito.errors import RaitoError

SCOPES = ("account", "organization")
_HEAD = """\
# Written by `raito-pipeline init`. Every option is explained by `raito-pipeline info`; `add-target` adds an account.
api-user: "{user}"
api-secret: "{secret}"   # read when it is used
domain: "{domain}"
"""
_PIPELINE = """\
pipeline:
  storage: data
  # A sync stops at the plan of what would change in AWS; `raito-pipeline apply` makes it. `apply` here: at once.
  mode: approve
"""
_DISCOVER = """\
  # `raito-pipeline discover` makes targets of the accounts of the organization.
  discover:
    role: "{role}"
{external}    target:
"""


class AlreadyWritten(CommandFailed):
    """There is a configuration already, and it stays."""

    status = 2


def arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("--scope", choices=SCOPES, help="one account, or an organization whose accounts are discovered")
    parser.add_argument("--domain", help="DOMAIN of https://DOMAIN.raito.cloud")
    parser.add_argument("--api-user-env", help="the environment variable with the API user (default RAITO_API_USER)")
    parser.add_argument("--api-secret-env", help="the one with the password (default RAITO_API_SECRET)")
    parser.add_argument("--raito-url-override", help="another address of Raito Cloud")
    add_account_arguments(parser)
    parser.add_argument("--identity-center-region", help="of an organization: the region of IAM Identity Center")
    parser.add_argument("--role", help="of an organization: the role that is assumed in each account")
    parser.add_argument("--external-id", help="of an organization: what the role's trust policy asks for; - for none")
    parser.add_argument("--file", type=Path, default=Path(FILE_NAMES[0]), help="what to write (default: raito.yml)")


def execute(given: argparse.Namespace) -> int:
    """Run the command; gives the exit status. Raises `ConfigError`, `CommandFailed`."""
    console = Terminal(soft_wrap=True)
    for place in {given.file, *(given.file.with_name(name) for name in FILE_NAMES)}:
        if place.exists():
            raise AlreadyWritten(f"{place} is there already, and stays as it is. `add-target` adds an account to it.")
    answers = Answers(given, console)
    head = _head(answers)
    organization = answers.text("scope", "One account, or an organization", "account", SCOPES) == "organization"
    text = _of_organization(answers, head) if organization else _of_account(answers, head)
    loaded(text, given.file)
    try:
        write_text(given.file, text)
    except OSError as error:
        raise CommandFailed(f"{given.file} cannot be written: {error}") from None
    following = "`raito-pipeline discover` shows the accounts" if organization else "`raito-pipeline check` tries it"
    console.print(f"{given.file} is written. {following}.")
    return 0


def _head(answers: Answers) -> str:
    user = answers.text("api-user-env", "Environment variable with the API user of Raito Cloud", "RAITO_API_USER")
    secret = answers.text("api-secret-env", "Environment variable with its password", "RAITO_API_SECRET")
    domain = answers.text("domain", "Domain of Raito Cloud")
    head = _HEAD.format(user="{{" + user + "}}", secret="{{" + secret + "}}", domain=domain)
    url = answers.given.raito_url_override
    return head + (f'raito-url-override: "{url}"\n' if url else "")


def _file(head: str, entry: Entry, more: str = "") -> str:
    return "\n".join([f"{head}targets:", *entry_lines(entry, "  "), f"{_PIPELINE}{more}"])


def _of_account(answers: Answers, head: str) -> str:
    entry = account_entry(answers)
    options = loaded(_file(head, entry), answers.given.file)
    return _file(head, with_ids(entry, options, None))


def _of_organization(answers: Answers, head: str) -> str:
    profile = answers.text("profile", "AWS profile of the management account (- for the SDK's default)")
    region = answers.text("identity-center-region", "Region of IAM Identity Center")
    regions = answers.text("regions", "Regions of the accounts, separated by commas", region)
    role = answers.text("role", "Role to assume in each account", "raito-sync")
    external = answers.text("external-id", "External id of that role (- for none)", "-")
    source = answers.text("source", "Data objects from S3 or from the Glue catalog", "s3", ("s3", "glue"))
    used = None if profile == "-" else profile
    account_id = answers.given.account_id or caller(used, region)
    name = answers.text("name", "Name of the organization's target", "organization")
    entry: dict[str, str | bool] = {"name": name, "connector-name": ORGANIZATION_CONNECTOR}
    entry |= {"identity-store-id": answers.given.identity_store_id or IDENTITY_STORE, "aws-account-id": account_id}
    entry |= ({} if used is None else {"aws-profile": used}) | {"aws-region": region}
    shared = {"aws-regions": regions, f"aws-{source}-enabled": "true", **_identity_center(used, region, account_id)}
    discover = _DISCOVER.format(role=role, external="" if external == "-" else f'    external-id: "{external}"\n')
    discover += "".join(f'      {option}: "{value}"\n' for option, value in shared.items())
    options = loaded(_file(head, entry, discover), answers.given.file)
    if entry["identity-store-id"] == IDENTITY_STORE:
        try:
            set_up = set_up_of(options, options.organizations[0])
            entry["identity-store-id"] = set_up.identity_store(name, f"AWS organization of {account_id}")
        except RaitoError as error:
            raise CommandFailed(str(error)) from None
    return _file(head, entry, discover)


def _identity_center(profile: str | None, region: str, account_id: str) -> Mapping[str, str]:
    """What accounts say of the organization's Identity Center. Raises `CommandFailed` where there is none."""
    try:
        service = Service(AwsClients(profile, region, attempts=3), "sso-admin", NEXT_TOKEN, region)
        shared_limits().attach(service.client)
        listed = listed_instances(service)
    except AwsError as error:
        raise CommandFailed(str(error)) from None
    usable, _ = choose(listed, Home(owner=account_id))
    if not usable:
        raise CommandFailed(f"there is no IAM Identity Center in {region}: correct --identity-center-region")
    return {
        **({} if profile is None else {"aws-organization-profile": profile}),
        "aws-organization-region": region,
        "aws-organization-identity-center-instance-arn": usable[0].arn,
        "aws-organization-identity-store": usable[0].store_id,
    }
