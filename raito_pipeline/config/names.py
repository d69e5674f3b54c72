"""Which option names are known where, and what is said about the others."""

from __future__ import annotations

import re
from typing import Final

from raito_pipeline.config.options import (
    AccountTarget,
    General,
    Locks,
    OrganizationLink,
    OrganizationTarget,
    Pipeline,
    Settings,
    Shared,
    declared,
)
from raito_pipeline.config.problems import Problem, safe_name
from raito_pipeline.config.reading import Layer, Reader
from raito_pipeline.config.spelling import nearest

# Options of the Raito CLI that mean nothing here. They are accepted, so that one file serves both.
NOT_USED: Final = {
    "data-object-enrichers": "Connectors of the Raito CLI that add to data objects.",
    "repositories": "Where the Raito CLI finds connectors that are not public.",
    "log-file": "The log file of the Raito CLI.",
    "log-output": "How the Raito CLI prints its log.",
    "debug": "More output of the Raito CLI.",
    "config-file": "Read from the command line only.",
    "skip-resource-provider-sync": "A stage that AWS targets do not have.",
    "skip-tag-sync": "A stage that AWS targets do not have.",
    "disable-log-forwarding-resource-provider-sync": "A stage that AWS targets do not have.",
    "disable-log-forwarding-tag-sync": "A stage that AWS targets do not have.",
}


_WORDS = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)+|[a-z]{1,15}")


def known(*models: type[Settings]) -> frozenset[str]:
    """All spellings of the options of `models`."""
    return frozenset(name for model in models for option in declared(model) for name in option.names)


TOP: Final = known(General, Shared, Locks) | {"targets", "pipeline"}
OVERRIDABLE: Final = known(General, Shared, Locks)
ACCOUNT: Final = known(AccountTarget, Locks, OrganizationLink)
ORGANIZATION: Final = known(OrganizationTarget, Locks)
PIPELINE: Final = known(Pipeline)


def check_top(reader: Reader, layer: Layer) -> None:
    """Warn of options at the top of the file that nothing reads."""
    for name in layer.section.entries:
        if name in ACCOUNT | ORGANIZATION and name not in TOP:
            _warn(
                reader, layer, name, "an option of a target at the top of the file; it is not used", "it in the target"
            )
        elif name in PIPELINE and name not in TOP:
            _warn(
                reader,
                layer,
                name,
                "an option of the pipeline at the top of the file; it is not used",
                "it below `pipeline:`",
            )
        else:
            _check(reader, layer, name, TOP)


def check_pipeline(reader: Reader, layer: Layer) -> None:
    """Warn of options below `pipeline:` that nothing reads."""
    for name in layer.section.entries:
        _check(reader, layer, name, PIPELINE)


def check_target(reader: Reader, layer: Layer, model: type[AccountTarget] | type[OrganizationTarget]) -> None:
    """Warn of options of a target that nothing reads."""
    mine, other = (ACCOUNT, ORGANIZATION) if model is AccountTarget else (ORGANIZATION, ACCOUNT)
    for name in layer.section.entries:
        if name in other and name not in mine:
            _warn(
                reader,
                layer,
                name,
                "an option of the other AWS connector; it is not used",
                "options of this target's connector",
            )
        elif name in TOP and name not in mine:
            _warn(
                reader,
                layer,
                name,
                "an option for the whole file in a target; it is not used",
                "it at the top of the file",
            )
        else:
            _check(reader, layer, name, mine)


def as_key(text: str) -> str:
    """`text` as part of a partition key: it names folders, and Dagster gives a meaning to some characters."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", text)


def _check(reader: Reader, layer: Layer, name: str, names: frozenset[str]) -> None:
    if name in names:
        return
    if name in NOT_USED:
        _warn(reader, layer, name, "an option that belongs to the Raito CLI; the pipeline does not use it", None)
        return
    near = nearest(name, names)
    if near is None and not _WORDS.fullmatch(name):  # perhaps a value that slipped into the place of a name
        name_shown = f"{safe_name(name)[:3]}..."
        found, line = "something that is not the name of an option", layer.section.lines[name]
        reader.warn(Problem(layer.file, line, layer.target, name_shown, found, "`option: value`"))
        return
    _warn(reader, layer, name, "an unknown option; it is not used", f"perhaps `{near}`" if near else "a known option")


def _warn(reader: Reader, layer: Layer, name: str, found: str, expected: str | None) -> None:
    problem = Problem(layer.file, layer.section.lines[name], layer.target, safe_name(name), found, expected)
    reader.warn(problem)
