"""Reads `pipeline: discover:` and the file of discovered targets, into layers that the targets are read from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from raito_pipeline.config import document, names
from raito_pipeline.config.discovery import CLOSED, Discovery, closed_since, template_of
from raito_pipeline.config.document import Items, Scalar, Section
from raito_pipeline.config.option import declared
from raito_pipeline.config.options import ACCOUNT_CONNECTOR, AccountTarget
from raito_pipeline.config.problems import Problem
from raito_pipeline.config.reading import WRONG, OptionLayer, Reader

TARGETS = "targets"
_REGIONS = next(option for option in declared(AccountTarget) if option.attribute == "regions")


@dataclass(frozen=True)
class DiscoveredEntry:
    """One discovered target: its own options, those that it shares with the others, and since when it is closed."""

    own: OptionLayer
    shared: OptionLayer
    account_id: str
    closed: str | None


@dataclass(frozen=True)
class Discovered:
    """The options of discovery, where its targets are kept, and these targets in the order of their file."""

    discovery: Discovery
    file: str
    entries: tuple[DiscoveredEntry, ...] = field(repr=False)


def file_of(raito_yml: str) -> str:
    """Where discovered targets are kept, by the path or address of `raito.yml`: `raito.discovered.yml` beside it."""
    folder, separator, name = raito_yml.rpartition("/")
    return f"{folder}{separator}{name.removesuffix('.yaml').removesuffix('.yml')}.discovered.yml"


def read_discovered(
    reader: Reader, raito_yml: str, pipeline: Section, text_of: Callable[[str], str | None]
) -> Discovered | None:
    """What `pipeline: discover:` says, and what was discovered; None without it, or where it has problems.

    `raito_yml` is its path or address. `text_of` reads a file and raises `ConfigError` where it cannot; it gives None
    where there is none: nothing was discovered yet.
    """
    node = pipeline.get("discover")
    if node is None:
        return None
    if not isinstance(node, Section) or node.template:
        line = pipeline.lines["discover"]
        reader.wrong(Problem(raito_yml, line, None, "discover", "a value", "a mapping of options"))
        return None
    layer, template = OptionLayer(raito_yml, node), _template(reader, raito_yml, node)
    names.check_discover(reader, layer, template)
    values = reader.settings(Discovery, (layer,))
    if "role" not in values:
        expected = "the name of the role that is assumed in each account"
        reader.wrong(Problem(raito_yml, node.line, None, "role", "nothing", expected))
    # Read here, too: the accounts are listed there before there is any target.
    regions = reader.option(_REGIONS, (template,))
    if not regions:
        expected = "the regions of the discovered accounts, below `target:`"
        reader.wrong(Problem(raito_yml, template.section.line, None, _REGIONS.name, "nothing", expected))
        return None
    if "role" not in values or WRONG in (regions, *values.values()):
        return None
    values["region"] = regions[0]
    values["names_organization"] = template.section.get("aws-organization-profile") is not None
    file = file_of(raito_yml)
    text = text_of(file)
    entries = () if text is None else tuple(_entries(reader, file, template, text))
    return Discovered(Discovery(**values), file, entries)


def _template(reader: Reader, raito_yml: str, discover: Section) -> OptionLayer:
    node = discover.get("target")
    if node is not None and not isinstance(node, Section):
        line = discover.lines["target"]
        reader.wrong(Problem(raito_yml, line, None, "target", "a value", "a mapping of options of a target"))
    return OptionLayer(raito_yml, node if isinstance(node, Section) else Section({}, discover.line))


def _entries(reader: Reader, file: str, template: OptionLayer, text: str) -> Iterator[DiscoveredEntry]:
    root, problems = document.parse(text, file)
    for problem in problems:
        reader.wrong(problem)
    node = root.get(TARGETS) if isinstance(root, Section) else None
    empty = isinstance(root, Section) and TARGETS in root.entries and node is None
    if root is not None and not isinstance(node, Items) and not problems and not empty:
        reader.wrong(Problem(file, None, None, TARGETS, "no list", "what `raito-pipeline discover` wrote there"))
    for item in node.items if isinstance(node, Items) else ():
        account = item.get("aws-account-id") if isinstance(item, Section) else None
        if not isinstance(item, Section) or not isinstance(account, Scalar):
            expected = "what `raito-pipeline discover` wrote there"
            reader.wrong(Problem(file, item.line, None, TARGETS, "an entry without an account", expected))
            continue
        kept = {name: value for name, value in item.entries.items() if name != CLOSED}
        kept.setdefault("connector-name", Scalar(ACCOUNT_CONNECTOR, item.line))
        kept.setdefault("name", account)
        own = Section(kept, item.line, {name: item.lines.get(name, item.line) for name in kept})
        shared = OptionLayer(template.file, template_of(template.section, account.text), template.target)
        yield DiscoveredEntry(OptionLayer(file, own), shared, account.text, closed_since(item.entries))
