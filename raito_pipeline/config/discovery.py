"""Targets that are discovered: the options of `pipeline: discover:`, and the role that reaches an account.

Which accounts there are is a file of its own beside `raito.yml`, which `raito-pipeline discover` writes. Each of its
entries is a target, as one of `raito.yml` is; the options that all of them share stand once, below `discover: target:`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from raito_pipeline.config import kinds
from raito_pipeline.config.document import Items, Node, Scalar, Section
from raito_pipeline.config.groups import Patterns
from raito_pipeline.config.option import Option, OptionGroup
from raito_pipeline.config.regions import aws_partition

ACCOUNT: Final = "#account#"
"""what stands for the id of an account, in the role, its external id, names and options of discovered targets"""
NAME: Final = "#name#"
CLOSED: Final = "closed"
"""the one name in an entry of a discovered target that is no option: since when AWS says that the account is closed"""
OF_EACH: Final = frozenset({"name", "connector-name", "aws-account-id", "data-source-id", "identity-store-id"})
"""what belongs to one target and cannot be shared"""
_ROLE = re.compile(r"[\w+=,.@/#-]{1,512}", re.ASCII)
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/#-]{2,1224}", re.ASCII)
_SESSION = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def _matching(pattern: re.Pattern[str], text: str) -> str:
    if not pattern.fullmatch(text.strip()):
        raise kinds.NotThatKind
    return text.strip()


def _with_account(text: str) -> str:
    if ACCOUNT not in text:
        raise kinds.NotThatKind
    return text.strip()


ROLE_NAME = kinds.Kind(
    "role",
    "the name of a role (with its path), as in raito-sync or teams/raito-sync, without the ARN before it",
    "raito-sync",
    lambda text: _matching(_ROLE, text).lstrip("/"),
)
EXTERNAL_ID = kinds.Kind(
    "external id",
    "2 to 1,224 letters, digits and + = , . @ : / _ -",
    "acme",
    lambda text: _matching(_EXTERNAL_ID, text),
)
SESSION_NAME = kinds.Kind(
    "session name",
    "2 to 64 letters, digits and + = , . @ _ -",
    "raito-pipeline",
    lambda text: _matching(_SESSION, text),
)
ACCOUNT_NAME = kinds.Kind("text", f"a name with {ACCOUNT} in it", f"{NAME} ({ACCOUNT})", _with_account)
ACCOUNT_IDS = kinds.Kind(
    "list of account ids",
    "account ids of 12 digits, separated by commas or as a YAML list",
    "012345678901,123456789012",
    lambda parts: tuple(dict.fromkeys(kinds.ACCOUNT_ID.read(part) for part in parts)),
    is_list=True,
)


@dataclass(frozen=True)
class AssumedRole:
    """A role that is assumed with the credentials of the target's profile: how a discovered account is reached."""

    arn: str
    session_name: str
    external_id: str | None = None


class Discovery(OptionGroup):
    """Which accounts of the organization become targets, and how they are reached (`pipeline: discover:`)."""

    role: Annotated[
        str,
        Option(
            ROLE_NAME,
            "The role that is assumed in each discovered account, with the credentials of `profile`. `#account#` stands"
            " for the account's id. The account of these credentials itself is read without it.",
            required=True,
        ),
    ]
    external_id: Annotated[
        str | None,
        Option(EXTERNAL_ID, "The external id that the role's trust policy asks for; `#account#` as above."),
    ] = None
    session_name: Annotated[
        str, Option(SESSION_NAME, "What CloudTrail calls the sessions of the role.", default="raito-pipeline")
    ] = "raito-pipeline"
    profile: Annotated[
        str | None,
        Option(
            kinds.TEXT,
            "The AWS profile that lists the accounts of the organization (of its management account, or of a delegated"
            " administrator) and assumes the role in each.",
            default="that of the organization's target",
        ),
    ] = None
    units: Annotated[
        tuple[str, ...],
        Option(
            kinds.TEXTS,
            "Only accounts in one of these organizational units, or anywhere below: ids (`ou-...`), names, or paths"
            " of names (`production/analytics`).",
            default="all",
        ),
    ] = ()
    exclude_units: Annotated[
        tuple[str, ...],
        Option(kinds.TEXTS, "No account in one of these organizational units, or anywhere below.", default="none"),
    ] = ()
    tags: Annotated[
        tuple[str, ...], Option(kinds.TAGS, "Only accounts that have one of these tags.", default="all")
    ] = ()
    exclude_tags: Annotated[
        tuple[str, ...], Option(kinds.TAGS, "No account that has one of these tags.", default="none")
    ] = ()
    accounts: Annotated[tuple[str, ...], Option(ACCOUNT_IDS, "Only these accounts.", default="all")] = ()
    exclude_accounts: Annotated[tuple[str, ...], Option(ACCOUNT_IDS, "None of these accounts.", default="none")] = ()
    names: Annotated[
        Patterns, Option(kinds.PATTERNS, "Only accounts whose whole name matches one of these.", default="all")
    ] = ()
    exclude_names: Annotated[
        Patterns, Option(kinds.PATTERNS, "No account whose whole name matches one of these.", default="none")
    ] = ()
    data_source_name: Annotated[
        str,
        Option(
            ACCOUNT_NAME,
            "What the data source of an account is called in Raito Cloud; `#name#` stands for the account's name. One"
            " of this name that is there already is taken.",
        ),
    ] = f"{NAME} ({ACCOUNT})"
    identity_store_name: Annotated[
        str,
        Option(ACCOUNT_NAME, "What the identity store of an account is called in Raito Cloud, in the same way."),
    ] = f"{NAME} ({ACCOUNT})"
    every_minutes: Annotated[
        int,
        Option(
            kinds.whole(5, 10_080, 60),
            "How often the sensor `discover_accounts`, which is off until somebody turns it on, looks for accounts.",
        ),
    ] = 60
    dagster_url: Annotated[
        str | None,
        Option(
            kinds.BASE_URL,
            "The address of the Dagster UI, which that sensor asks to load the location again when there are new"
            " accounts.",
            default="somebody reloads the location",
        ),
    ] = None

    region: str = "us-east-1"
    """the first region of the discovered accounts; it tells the partition of AWS"""
    names_organization: bool = False
    """whether the discovered targets name their organization's Identity Center"""

    def role_in(self, account_id: str, region: str) -> AssumedRole:
        """The role in an account; `region` tells the partition of AWS."""
        name = self.role.replace(ACCOUNT, account_id)
        external = None if self.external_id is None else self.external_id.replace(ACCOUNT, account_id)
        return AssumedRole(f"arn:{aws_partition(region)}:iam::{account_id}:role/{name}", self.session_name, external)

    @property
    def asks_units(self) -> bool:
        """Whether it matters where in the organization an account stands."""
        return bool(self.units or self.exclude_units)

    @property
    def asks_tags(self) -> bool:
        """Whether it matters which tags an account has."""
        return bool(self.tags or self.exclude_tags)


def template_of(section: Section, account_id: str) -> Section:
    """The options that all discovered targets share, for one account: its id in place of `#account#`."""
    entries = {name: _filled(node, account_id) for name, node in section.entries.items()}
    return Section(entries, section.line, section.lines, section.template)


def _filled(node: Node, account_id: str) -> Node:
    if isinstance(node, Scalar):
        return Scalar(node.text.replace(ACCOUNT, account_id), node.line, node.null)
    if isinstance(node, Items):
        return Items(tuple(_filled(item, account_id) for item in node.items), node.line)
    return node


def closed_since(entries: Mapping[str, Node]) -> str | None:
    """Since when an entry says that its account is closed, as YYYY-MM-DD; None where it does not."""
    node = entries.get(CLOSED)
    return node.text if isinstance(node, Scalar) and _DATE.fullmatch(node.text) else None
