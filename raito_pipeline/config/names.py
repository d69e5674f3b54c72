"""Which option names are known where, and what is said about the others."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from raito_pipeline.config.discovery import OF_EACH, Discovery
from raito_pipeline.config.document import Items, Node, Section
from raito_pipeline.config.groups import Locks, OrganizationLink
from raito_pipeline.config.option import OptionGroup, declared
from raito_pipeline.config.options import (
    AccountTarget,
    General,
    OrganizationTarget,
    Pipeline,
    Shared,
)
from raito_pipeline.config.problems import Problem, safe_name
from raito_pipeline.config.reading import OptionLayer, Reader
from raito_pipeline.config.spelling import closest, nearest

# Options of the Raito CLI that mean nothing here. They are accepted, so that one file serves both.
NOT_USED: Final = {
    "data-object-enrichers": "Connectors of the Raito CLI that add to data objects.",
    "repositories": "Where the Raito CLI finds connectors that are not public.",
    "log-file": "The log file of the Raito CLI.",
    "log-output": "How the Raito CLI prints its log.",
    "debug": "More output of the Raito CLI.",
    "connector-version": "Which version of a connector the Raito CLI installs.",
    "config-file": "Read from the command line only.",
    "skip-resource-provider-sync": "A stage that AWS targets do not have.",
    "skip-tag-sync": "A stage that AWS targets do not have.",
    "disable-log-forwarding-resource-provider-sync": "A stage that AWS targets do not have.",
    "disable-log-forwarding-tag-sync": "A stage that AWS targets do not have.",
}


_WORDS = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)+|[a-z]{1,15}")


def known(*models: type[OptionGroup]) -> frozenset[str]:
    """All spellings of the options of `models`."""
    return frozenset(name for model in models for option in declared(model) for name in option.names)


TOP: Final = known(General, Shared, Locks) | {"targets", "pipeline"}
OVERRIDABLE: Final = known(General, Shared, Locks) | {"max-import-deletions", "removed-regions"}
ACCOUNT: Final = known(AccountTarget, Locks, OrganizationLink)
ORGANIZATION: Final = known(OrganizationTarget, Locks)
PIPELINE: Final = known(Pipeline) | {"discover"}
DISCOVER: Final = known(Discovery) | {"target"}


@dataclass(frozen=True)
class _Place:
    """A part of the file: the options that stand there, and how a sentence names it."""

    names: frozenset[str]
    words: str


_TOP = _Place(TOP, "at the top of the file")
_PIPELINE = _Place(PIPELINE, "below `pipeline:`")
_ACCOUNT = _Place(ACCOUNT, "in the target")
_ORGANIZATION = _Place(ORGANIZATION, "in the target")
_DISCOVER = _Place(DISCOVER, "below `pipeline: discover:`")
# Elsewhere, `target` is more likely a slip of `targets`.
_DISCOVER_ALONE = _Place(DISCOVER - {"target"}, _DISCOVER.words)
_DISCOVERED = _Place(ACCOUNT - OF_EACH, "below `pipeline: discover: target:`")

# What keeps a sync from changing more than was wanted. A file that was meant to have one of these, and does not because
# of a slip, must not be synced.
_GUARDS = re.compile(r"mode|max-.+-(deletions|losses|share)|delete-untouched|only-targets|(aws-access-)?skip-.+")
# What people of other tools call it; they expect that nothing is changed.
_PLANS_ONLY = re.compile(r"(dry|test|trial|no|read|plan|report)-?(run|mode|push|write|only|op)|simulat(e|ion)|what-?if")
_HOLDERS = ("x-", ".")  # as in other YAML formats: values to merge into other places
_SHORT = 8


def check_top(reader: Reader, layer: OptionLayer) -> None:
    """Take note of names at the top of the file that mean nothing there."""
    _check_section(reader, layer, _TOP)


def check_pipeline(reader: Reader, layer: OptionLayer) -> None:
    """Take note of names below `pipeline:` that mean nothing there."""
    _check_section(reader, layer, _PIPELINE)


def check_discover(reader: Reader, layer: OptionLayer, template: OptionLayer) -> None:
    """Take note of names below `pipeline: discover:`, and below its `target:`, that mean nothing there."""
    _check_section(reader, layer, _DISCOVER)
    _check_section(reader, template, _DISCOVERED)


def check_target(reader: Reader, layer: OptionLayer, model: type[AccountTarget] | type[OrganizationTarget]) -> None:
    """Take note of names in a target that mean nothing there.

    Options of the other AWS connector only warn: targets that share their options by a YAML merge have them.
    """
    place, other = (_ACCOUNT, ORGANIZATION) if model is AccountTarget else (_ORGANIZATION, ACCOUNT)
    _check_section(reader, layer, place, of_the_other_connector=other - place.names)


def guards(name: str) -> bool:
    """Whether the option `name` keeps a sync from changing more than was wanted."""
    return _GUARDS.fullmatch(name) is not None and name not in NOT_USED


def as_key(text: str) -> str:
    """`text` as part of a partition key: it names folders, and Dagster gives a meaning to some characters."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", text)


def _check_section(
    reader: Reader, layer: OptionLayer, place: _Place, of_the_other_connector: frozenset[str] = frozenset()
) -> None:
    for name, node in layer.section.entries.items():
        if name in place.names:
            continue
        if name in of_the_other_connector:
            found, expected = (
                "an option of the other AWS connector; it is not used",
                "options of this target's connector",
            )
            reader.warn(_problem(layer, name, found, expected))
        elif name in NOT_USED:
            found = "an option that belongs to the Raito CLI; the pipeline does not use it"
            reader.warn(_problem(layer, name, found, None))
        elif (home := _home(name)) is not None:
            reader.wrong(_problem(layer, name, f"an option of another place {place.words}", f"it {home.words}"))
        else:
            _check_unknown(reader, layer, name, node, place)


def _check_unknown(reader: Reader, layer: OptionLayer, name: str, node: Node, place: _Place) -> None:
    """An unknown name is a warning, unless what guards against harm could be meant by it or stand below it."""
    meant, home = _meant(name, place)
    advice = "a known option" if meant is None else f"perhaps `{meant}`" + ("" if home is place else f" {home.words}")
    if isinstance(node, Section | Items) and not _is_template(node):
        kind = "mapping" if isinstance(node, Section) else "list"
        if name.startswith(_HOLDERS) or (meant is None and place is _TOP and name in layer.section.aliased):
            found = f"a {kind} that only holds values for other places; it is not used itself"
            reader.warn(_problem(layer, name, found, None))
            return
        found = f"an unknown {kind}; nothing in it would be used"
        reader.wrong(_problem(layer, name, found, advice if meant else _advice_below(node) or advice))
    elif meant is not None and guards(meant):
        found = "an unknown option, near to one that guards against harm"
        reader.wrong(_problem(layer, name, found, advice))
    elif meant is None and not _WORDS.fullmatch(name):  # perhaps a value that slipped into the place of a name
        found = "something that is not the name of an option"
        reader.warn(_problem(layer, name, found, "`option: value`", f"{safe_name(name)[:3]}..."))
    else:
        reader.warn(_problem(layer, name, "an unknown option; it is not used", advice))


def _meant(name: str, place: _Place) -> tuple[str | None, _Place]:
    """The option that was probably meant by `name`, and where it stands.

    Options of the same place come first. Of other places only those that guard against harm count, and the last part of
    a name with dots: `pipeline.mode` stands for `mode` below `pipeline:`.
    """
    written = name.replace("_", "-")
    slips = 1 if len(written) < _SHORT else 2
    near = closest(written, place.names | NOT_USED.keys(), slips)
    if near is not None:
        return near, place
    if _PLANS_ONLY.fullmatch(written):
        return "mode", _PIPELINE
    last = written.rpartition(".")[2]
    dotted = None if last == written else place if last in place.names else _home(last)
    if dotted is not None:
        return last, dotted
    others = [(other, list(filter(_GUARDS.fullmatch, other.names))) for other in (_PIPELINE, _TOP, _ACCOUNT)]
    for other, guards in others:
        near = closest(written, guards, slips)
        if near is not None:
            return near, other
    for other, options in ((place, list(place.names)), *others):
        near = nearest(written, options)
        if near is not None:
            return near, other
    return None, place


def _advice_below(node: Node) -> str | None:
    """Where the first known option below an unknown mapping stands."""
    names = node.entries if isinstance(node, Section) else ()
    homes = ((name, _home(name)) for name in names)
    return next((f"`{name}` {home.words}" for name, home in homes if home is not None), None)


def _is_template(node: Node) -> bool:
    """Whether the mapping is a variable without quotes, {{NAME}}."""
    return isinstance(node, Section) and node.template


def _home(name: str) -> _Place | None:
    """The place of a known option; for one of several places the most general one."""
    places = (_TOP, _PIPELINE, _ACCOUNT, _ORGANIZATION, _DISCOVER_ALONE)
    return next((place for place in places if name in place.names), None)


def _problem(layer: OptionLayer, name: str, found: str, expected: str | None, name_shown: str | None = None) -> Problem:
    return Problem(layer.file, layer.section.lines[name], layer.target, name_shown or safe_name(name), found, expected)
