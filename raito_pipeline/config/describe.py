"""Explains the options to people: `raito-pipeline info` and `docs/options.md` are both made here.

Everything comes from the declarations in `options.py`, `groups.py` and `discovery.py`; nothing is explained twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from raito_pipeline.config.discovery import Discovery
from raito_pipeline.config.environment import variable
from raito_pipeline.config.groups import Locks, OrganizationLink
from raito_pipeline.config.names import NOT_USED
from raito_pipeline.config.not_read_yet import NOT_READ_YET
from raito_pipeline.config.option import Declared, OptionGroup, declared
from raito_pipeline.config.options import (
    ACCOUNT_CONNECTOR,
    ORGANIZATION_CONNECTOR,
    AccountTarget,
    General,
    OrganizationTarget,
    Pipeline,
    Shared,
    Target,
)

WHOLE_FILE = "The whole file"
FILE_OR_TARGET = "The whole file, or one target"
LOCKS = "Locks: the whole file, or one target"
EVERY_TARGET = "Every target"
ACCOUNT = f"Targets of `{ACCOUNT_CONNECTOR}`"
ORGANIZATION = f"Targets of `{ORGANIZATION_CONNECTOR}`"
PIPELINE = "Below `pipeline:`"
DISCOVER = "Below `pipeline: discover:`"
CLI_ONLY = "Of the Raito CLI, not used"

_INTRODUCTIONS = {
    WHOLE_FILE: "These stand at the top of the file.",
    FILE_OR_TARGET: "These stand at the top of the file for all targets, or in a target, which then wins for itself.",
    LOCKS: "Which parts of imported access providers cannot be edited in Raito Cloud. These stand at the top of the"
    " file for all targets, or in a target, which then wins for itself. Names match as a whole.",
    EVERY_TARGET: "Each entry of the list `targets` has these.",
    ACCOUNT: "One AWS account.",
    ORGANIZATION: "The Identity Center of an AWS organization: its users and groups.",
    PIPELINE: "What the Raito CLI does not know stands below the one key `pipeline:`, so that the same file still"
    " serves the CLI.",
    DISCOVER: "With this mapping, accounts of the organization become targets by themselves:"
    " [how](how-to/discover-accounts.md). Which accounts these are is kept in `raito.discovered.yml` beside the file,"
    " which `raito-pipeline discover --write` writes.",
    CLI_ONLY: "These are accepted and reported as not used.",
}
_VARIABLES = {WHOLE_FILE: False, FILE_OR_TARGET: False, LOCKS: False, PIPELINE: True}
_HEAD = """\
# Options of `raito.yml`

<!-- Made by `python -m raito_pipeline.config.docs docs/options.md`; edit the declarations in raito_pipeline/config. -->

The file is looked for as `raito.yml` or `raito.yaml` in the working directory, then in `~/.raito/`; the environment
variable `RAITO_CONFIG_FILE` names another one, which may be an object on S3 (`s3://BUCKET/KEY`, read with the default
credentials of the AWS SDK; `storage` has to be given then).

What stands at the top of the file may stand in the environment too, as for the Raito CLI: `RAITO_` and the option's
name in capitals, with `_` for `-` (`RAITO_API_SECRET`, `RAITO_ONLY_TARGETS`); what stands below `pipeline:` begins
with `RAITO_PIPELINE_` (`RAITO_PIPELINE_STORAGE`). The first of these counts: the command line, what a target says
itself, the environment, the top of the file. A stage that the environment skips (`RAITO_SKIP_...`) is skipped
whatever a target says. An empty variable counts as not set. `raito-pipeline check` says what comes from the
environment.

A value that is exactly `"{{NAME}}"`, in quotes, is replaced by the environment variable NAME. `api-user` and
`api-secret` are read when they are first used, so that a file loads where nobody may know them, and may stand
elsewhere, too: `"{{secretsmanager:NAME}}"` in AWS Secrets Manager (with `:KEY` behind it, a member of a secret that
is a JSON object), `"{{ssm:/NAME}}"` in the parameters of AWS Systems Manager; ARNs will do for names.
`secrets-region` and `secrets-profile`, below `pipeline:`, say where and as whom. A list is one text with commas or a
YAML list; regular expressions that hold a comma themselves need the YAML list. Regular expressions have Go's meaning
(https://pkg.go.dev/regexp/syntax) and match whole names. A value that cannot be read is an error, and so is what
would silently not be read: an option in another place than its own, an unknown mapping or list, a slip in an option
that keeps a sync from changing too much (`mode`, `skip-...`, `delete-untouched`, `only-targets`,
`max-...`). Any other unknown option is a warning. Mappings at the top whose name begins with `x-`, or
that other places name by an alias (`*name`), may hold values to merge there. All errors of a file are reported
together.
"""


@dataclass(frozen=True)
class OptionDoc:
    """One option as people read it. `where`: the part of the file where it stands; `example`: a value that it takes."""

    name: str
    spellings: tuple[str, ...]
    where: str
    kind: str
    default: str
    text: str
    example: str

    @property
    def variable(self) -> str | None:
        """The variable of the environment that gives it in place of the file; None where it stands in targets only."""
        below = _VARIABLES.get(self.where)
        return None if below is None else variable(self.name, below_pipeline=below)


def describe() -> tuple[OptionDoc, ...]:
    """Every option, in the order of the documentation page."""
    return tuple(_described())


def _described() -> Iterator[OptionDoc]:
    yield from _of(General, WHOLE_FILE)
    text = "What to sync: accounts and organizations, with the options below."
    yield OptionDoc("targets", ("targets",), WHOLE_FILE, "list of targets", "required", text, "")
    yield from _of(Shared, FILE_OR_TARGET)
    yield from _of(Locks, LOCKS)
    yield from _of(Target, EVERY_TARGET, Shared)
    yield from _of(OrganizationTarget, ORGANIZATION, Target)
    yield from _of(AccountTarget, ACCOUNT, Target)
    yield from _of(OrganizationLink, ACCOUNT)
    yield from _of(Pipeline, PIPELINE)
    yield from _of(Discovery, DISCOVER)
    text = "The options that all discovered targets share, `aws-regions` among them; `#account#` stands for the"
    text += " account's id. What an entry of `raito.discovered.yml` has itself wins."
    yield OptionDoc("target", ("target",), DISCOVER, "mapping of options", "required", text, "")
    for name, text in NOT_USED.items():
        yield OptionDoc(name, (name,), CLI_ONLY, "anything", "not used", text, "")


def _of(model: type[OptionGroup], where: str, base: type[OptionGroup] | None = None) -> Iterator[OptionDoc]:
    inherited = {option.attribute for option in declared(base)} if base else set()
    for each in sorted(declared(model), key=lambda each: not each.option.required):
        if each.attribute not in inherited:
            kind = each.option.kind
            yield OptionDoc(each.name, each.names, where, kind.name, _default(each), _text(each), kind.example)


def _text(entry: Declared) -> str:
    why = NOT_READ_YET.get(entry.name)
    return entry.option.text if why is None else f"{entry.option.text} Not read yet: {why}."


def _default(entry: Declared) -> str:
    if entry.option.default is not None:
        return entry.option.default
    return "required" if entry.option.required else _worded(entry.default)


def _worded(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "none" if value in (None, (), "") else str(value)


def render_markdown() -> str:
    """The page `docs/options.md`."""
    options = describe()
    pages = [_HEAD]
    for where, introduction in _INTRODUCTIONS.items():
        rows = [_row(option) for option in options if option.where == where]
        table = "\n".join(["| option | value | default | meaning |", "| --- | --- | --- | --- |", *rows])
        pages.append(f"## {where}\n\n{introduction}\n\n{table}\n")
    return "\n".join(pages)


def _row(option: OptionDoc) -> str:
    others = "".join(f"<br>also `{name}`" for name in option.spellings[1:])
    cells = (f"`{option.name}`{others}", option.kind, option.default, option.text)
    return f"| {' | '.join(re.sub(r'[|]', '&#124;', cell) for cell in cells)} |"
