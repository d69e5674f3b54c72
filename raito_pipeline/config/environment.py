"""Options in the environment, as the Raito CLI takes them: `RAITO_API_USER` is `api-user`, at the top of the file.

The name of the variable is `RAITO_` and that of the option in capitals, with `_` for `-`. What stands below `pipeline:`
begins with `RAITO_PIPELINE_`. A variable that is empty counts as not set. It wins over what stands at the top of the
file (or below `pipeline:`), the command line wins over it, and so does what a target says itself. A stage that the
environment skips is skipped whatever a target says, as by the CLI.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from raito_pipeline.config import kinds, names
from raito_pipeline.config.document import Scalar, Section
from raito_pipeline.config.option import FromEnvironment
from raito_pipeline.config.problems import Problem, safe_name
from raito_pipeline.config.reading import OptionLayer, Reader, templates_of
from raito_pipeline.config.spelling import closest

PREFIX = "RAITO_"
CONFIG_FILE_VARIABLE = "RAITO_CONFIG_FILE"
_PIPELINE = "pipeline-"
_ONLY_IN_FILE = frozenset({"targets", "pipeline", f"{_PIPELINE}s3-inventory", f"{_PIPELINE}discover"})
_SHORT = 8


def variable(option: str, *, below_pipeline: bool = False) -> str | None:
    """The variable of an option that stands at the top of the file or below `pipeline:`; None where it has none."""
    name = f"{_PIPELINE}{option}" if below_pipeline else option
    return None if name in _ONLY_IN_FILE else PREFIX + re.sub(r"[.-]", "_", name).upper()


@dataclass(frozen=True)
class Environment:
    """The layers of the environment, one a variable: of the top of the file, and of what is below `pipeline:`."""

    top: tuple[OptionLayer, ...] = field(default=(), repr=False)
    pipeline: tuple[OptionLayer, ...] = field(default=(), repr=False)
    skips: tuple[OptionLayer, ...] = field(default=(), repr=False)
    """those that leave out a stage of all targets, or cannot be read: that is told whatever a target says"""

    @property
    def all(self) -> Section:
        """Everything as one section."""
        entries = {name: node for layer in (*self.top, *self.pipeline) for name, node in layer.section.entries.items()}
        return Section(entries, None, dict.fromkeys(entries))

    def file_of(self, option: str) -> str | None:
        """How a message names the variable that gives an option; None where none does."""
        return next((each.file for each in (*self.top, *self.pipeline) if option in each.section.entries), None)

    def used(self, targets: Iterable[tuple[str, Section]]) -> tuple[FromEnvironment, ...]:
        """What is read from the environment, over the targets, each a name and what it says itself."""
        sections = list(targets)
        forced = {layer.file for layer in self.skips}
        used = []
        for below, layers in ((False, self.top), (True, self.pipeline)):
            for layer in layers:
                for name in layer.section.entries:
                    own = [] if below or layer.file in forced else sections
                    kept = tuple(target for target, section in own if section.get(name) is not None)
                    used.append(FromEnvironment(variable(name, below_pipeline=below) or "", name, kept))
        return tuple(used)


def read_environment(reader: Reader, root: Section) -> Environment:
    """The options in the environment of `reader`. A variable that is near to that of an option is a problem or warning.

    Variables that `root`, the file, names itself (`{{RAITO_...}}`) may be called as they like.
    """
    given = {name: text for name, text in reader.environ.items() if name.startswith(PREFIX) and text.strip()}
    top = _layers(given, names.TOP, below_pipeline=False)
    pipeline = _layers(given, names.PIPELINE, below_pipeline=True)
    taken = {layer.file for layer in (*top, *pipeline)} | {_place(CONFIG_FILE_VARIABLE)}
    named = templates_of(root)
    for name in sorted(given):
        if _place(name) not in taken and name not in named:
            _check_unknown(reader, name)
    return Environment(top, pipeline, tuple(layer for layer in top if _skips(reader, layer)))


def _layers(given: Mapping[str, str], options: Iterable[str], *, below_pipeline: bool) -> tuple[OptionLayer, ...]:
    return tuple(
        OptionLayer(_place(name), Section({option: Scalar(given[name], None)}, None, {option: None}))
        for option in sorted(options)
        if (name := variable(option, below_pipeline=below_pipeline)) is not None and name in given
    )


def _place(name: str) -> str:
    return f"environment variable {safe_name(name)}"


def _skips(reader: Reader, layer: OptionLayer) -> bool:
    asked = Reader(reader.environ)  # what is wrong is told where the option is read
    return any(
        name.startswith("skip-") and asked.text(kinds.FLAG, layer, name) not in (None, False)
        for name in layer.section.entries
    )


def _check_unknown(reader: Reader, name: str) -> None:
    """Whoever set a variable whose name is near to an option's meant that; any other one is somebody else's."""
    written = name.removeprefix(PREFIX).lower().replace("_", "-")
    if written in names.NOT_USED:
        return
    place = _place(name)
    if written in _ONLY_IN_FILE:
        reader.wrong(Problem(place, None, None, None, "a list or mapping of the file", "it in the file itself"))
    elif written in names.ACCOUNT | names.ORGANIZATION:
        reader.warn(Problem(place, None, None, None, "an option of a target; it is not used", "it in the target"))
    elif (near := _meant(written)) is not None:
        advice = f"perhaps {PREFIX}{near.replace('-', '_').upper()}"
        if names.guards(near.removeprefix(_PIPELINE)):
            found = "an unknown variable, near to one of an option that guards against harm"
            reader.wrong(Problem(place, None, None, None, found, advice))
        else:
            reader.warn(Problem(place, None, None, None, "an unknown variable; it is not used", advice))


def _meant(written: str) -> str | None:
    """The option that a name comes near to, or is all of but its first word; None where there is none."""
    whole = (f"{PREFIX.lower().rstrip('_')}-{written}", f"{_PIPELINE}{written}")
    without_a_word = next((name for name in _options() if name in whole), None)
    return without_a_word or closest(written, _options(), 1 if len(written) < _SHORT else 2)


def _options() -> Iterator[str]:
    yield from names.TOP - _ONLY_IN_FILE
    yield from (f"{_PIPELINE}{name}" for name in names.PIPELINE)
