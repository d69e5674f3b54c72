"""What an option is: its kind, explanation and spellings, declared on the attribute that holds its value.

A group of options is a frozen object whose annotated fields are options. An attribute is named like its option with `_`
for `-`, or else its `Option` names it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from pydantic import BaseModel, ConfigDict

from raito_pipeline.config.kinds import Kind


@dataclass(frozen=True)
class Option:
    """What is known of an option besides its attribute's type and default.

    `names`: its spellings, the preferred one first; none = the attribute's name with `-`. `default`: worded, where the
    plain value would not tell. `required`: a target without it cannot work. `deferrable`: it may be read when it is
    used (`deferred.py`), and so is not needed to load the file.
    """

    kind: Kind
    text: str
    names: tuple[str, ...] = ()
    default: str | None = None
    required: bool = False
    deferrable: bool = False


@dataclass(frozen=True)
class Declared:
    """An option together with the attribute that holds it."""

    attribute: str
    option: Option
    default: Any

    @cached_property
    def names(self) -> tuple[str, ...]:
        return self.option.names or (self.attribute.replace("_", "-"),)

    @property
    def name(self) -> str:
        return self.names[0]


@dataclass(frozen=True)
class FromEnvironment:
    """An option that a variable of the environment gives; `kept_by` are the targets that say something else."""

    variable: str
    option: str
    kept_by: tuple[str, ...] = ()

    def __str__(self) -> str:
        own = f"; the targets {', '.join(self.kept_by)} have their own" if self.kept_by else ""
        return f"`{self.option}` is read from the environment variable {self.variable}{own}"


class OptionGroup(BaseModel):
    """A frozen group of options."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


@cache
def declared(model: type[OptionGroup]) -> tuple[Declared, ...]:
    """The options of `model`: those of its bases first, each group in the order of its declaration."""
    return tuple(_declared(model))


@cache
def places_by_name(model: type[OptionGroup]) -> dict[str, int]:
    """Each spelling of an option of `model`, with the place of that option in `declared(model)`."""
    return {name: place for place, option in enumerate(declared(model)) for name in option.names}


def _declared(model: type[OptionGroup]) -> Iterator[Declared]:
    for attribute in dict.fromkeys(_attributes(model)):
        info = model.model_fields[attribute]
        for extra in info.metadata:
            if isinstance(extra, Option):
                yield Declared(attribute, extra, None if info.is_required() else info.default)


def _attributes(model: type[OptionGroup]) -> Iterator[str]:
    for base in model.__bases__:
        if issubclass(base, OptionGroup):
            yield from _attributes(base)
    yield from (name for name in model.__annotations__ if name in model.model_fields)
