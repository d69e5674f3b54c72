"""Reads options out of sections of `raito.yml`: variables filled in, texts turned into values, problems collected.

The rules that concern more than one option are in `load.py`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from raito_pipeline.config import kinds
from raito_pipeline.config.deferred import Deferred, NoReference, ValueSource, read_reference
from raito_pipeline.config.document import Items, Node, Scalar, Section
from raito_pipeline.config.kinds import Kind, NotThatKind
from raito_pipeline.config.not_read_yet import NOT_READ_YET
from raito_pipeline.config.option import Declared, Option, OptionGroup, declared, places_by_name
from raito_pipeline.config.problems import HIDDEN, Problem, is_secret_name, safe_name, shown

_TEMPLATE = re.compile(r"\s*\{\{\s*([^{}]+?)\s*\}\}\s*")
_TEMPLATE_WITHIN = re.compile(r"\{\{[^{}]+\}\}")
_HALF_A_TEMPLATE = re.compile(r"\{\{\s*\}\}|\{\{\s*\w+\s*\}?|\{?\s*\w+\s*\}\}|\{[A-Z][A-Z0-9_]{2,}\}")
_PLACEHOLDER = re.compile(r"\s*<+[^<>]+>+\s*")
_SHELL = re.compile(r"\$\{\w+\}|\$[A-Z][A-Z0-9_]{2,}|%[A-Z][A-Z0-9_]{2,}%")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_COUNT_WITH_COMMA = re.compile(r"\{\d*,\d*\}")
_NOT_IN_KEYS = re.compile(r"[|,\[\]]")

# Kinds whose value stays a text: here a placeholder can be kept until somebody needs the real value.
_MAY_WAIT = (
    kinds.TEXT,
    kinds.PATH,
    kinds.ACCOUNT_ID,
    kinds.REGION_NAME,
    kinds.REGIONS,
    kinds.BUCKET,
    kinds.INSTANCE_ARN,
    kinds.IDENTITY_STORE,
)


class Wrong:
    """Stands for the value of an option that was given and could not be read."""


WRONG: Final = Wrong()


@dataclass(frozen=True)
class OptionLayer:
    """One place that can hold an option: a section of `file`, which belongs to `target` or to no target."""

    file: str
    section: Section
    target: str | None = None


@dataclass(frozen=True)
class _Given:
    """The texts given for one option, and where."""

    layer: OptionLayer
    name: str
    line: int | None
    parts: tuple[str, ...] = field(repr=False)
    is_list: bool
    variables: tuple[str, ...] = ()

    @property
    def found(self) -> str:
        if is_secret_name(self.name) or any(map(is_secret_name, self.variables)):
            return HIDDEN
        text = shown(", ".join(self.parts) if self.is_list else self.parts[0])
        return f"{text} (from the environment: {', '.join(self.variables)})" if self.variables else text

    def problem(self, found: str, expected: str | None) -> Problem:
        return Problem(self.layer.file, self.line, self.layer.target, self.name, found, expected)


@dataclass
class Reader:
    """Reads options from layers of sections. Problems and warnings are kept once each, in the order they were found."""

    environ: Mapping[str, str] = field(repr=False)
    problems: dict[Problem, None] = field(default_factory=dict)
    warnings: dict[Problem, None] = field(default_factory=dict)
    placeholders: dict[Problem, None] = field(default_factory=dict)

    def wrong(self, problem: Problem) -> None:
        """Take note of something that has to be corrected."""
        self.problems[problem] = None

    def warn(self, problem: Problem) -> None:
        """Take note of something that should be known, but stops nothing."""
        self.warnings[problem] = None

    def settings(
        self, model: type[OptionGroup], layers: Sequence[OptionLayer], leave_out: Collection[str] = ()
    ) -> dict[str, Any]:
        """The given options of `model`: attribute -> value, or `WRONG`; absent ones are left out."""
        values = {}
        for option in _mentioned(model, layers):
            if option.attribute in leave_out:
                continue
            value = self.option(option, layers)
            if value is not None:
                values[option.attribute] = value
        return values

    def option(self, option: Declared, layers: Sequence[OptionLayer]) -> Any:
        """The value in the first of `layers` that gives the option: None without any, `WRONG` if it cannot be read."""
        for layer in layers:
            given = self._given(option, layer)
            if given is WRONG or isinstance(given, Deferred):
                return given
            if isinstance(given, _Given):
                self._warn_if_not_read(option, given)
                return self._value(option, given)
        return None

    def text(self, kind: Kind, layer: OptionLayer, name: str) -> Any:
        """The value of the one name `name`, read as `kind`; as `option`, for names that are no option of their own."""
        return self.option(Declared(name, Option(kind, "", (name,)), None), (layer,))

    def _given(self, option: Declared, layer: OptionLayer) -> _Given | Deferred | Wrong | None:
        names = [name for name in option.names if layer.section.get(name) is not None]
        if not names:
            return None
        for other in names[1:]:
            problem = Problem(
                layer.file,
                layer.section.lines[other],
                layer.target,
                other,
                f"the option besides `{names[0]}`",
                "only one of them; it is not used",
            )
            self.warn(problem)
        node = layer.section.get(names[0])
        if node is None:
            return None
        return self._deferred(option, layer, names[0], node) or self._texts(option.option.kind, layer, names[0], node)

    def _deferred(self, option: Declared, layer: OptionLayer, name: str, node: Node) -> Deferred | Wrong | None:
        """What a reference to AWS, or to a variable that is not set now, stands for; None for anything else."""
        match = _TEMPLATE.fullmatch(node.text) if isinstance(node, Scalar) else None
        if match is None:
            return None
        try:
            reference = read_reference(match.group(1))
        except NoReference as error:
            self.wrong(Problem(layer.file, node.line, layer.target, name, "a reference without a name", str(error)))
            return WRONG
        if reference.source is ValueSource.ENVIRONMENT:
            if not option.option.deferrable or reference.name in self.environ:
                return None
        elif not option.option.deferrable:
            found, expected = str(reference), "a value: only `api-user` and `api-secret` are read when they are used"
            self.wrong(Problem(layer.file, node.line, layer.target, name, found, expected))
            return WRONG
        return Deferred(option.attribute, reference, layer.file, node.line, layer.target, name)

    def _texts(self, kind: Kind, layer: OptionLayer, name: str, node: Node) -> _Given | Wrong:
        line = layer.section.lines[name]
        scalars: tuple[Scalar, ...]
        if isinstance(node, Scalar):
            scalars = (node,)
        elif isinstance(node, Items) and kind.is_list and all(isinstance(item, Scalar) for item in node.items):
            scalars = tuple(item for item in node.items if isinstance(item, Scalar) and not item.null)
        else:
            self.wrong(self._shape(kind, layer, name, node, line))
            return WRONG
        variables: list[str] = []
        texts = []
        for scalar in scalars:
            text = self._filled_in(scalar, kind, layer, name, variables)
            if text is None:
                return WRONG
            texts.append(text)
        return _Given(layer, name, line, tuple(texts), isinstance(node, Items), tuple(variables))

    def _shape(self, kind: Kind, layer: OptionLayer, name: str, node: Node, line: int | None) -> Problem:
        if isinstance(node, Section) and node.template:
            return Problem(
                layer.file,
                line,
                layer.target,
                name,
                "{{...}} without quotes",
                'an environment variable in quotes, as in "{{NAME}}"',
            )
        found = (
            "a mapping"
            if isinstance(node, Section)
            else "a list of other things than texts"
            if kind.is_list
            else "a list"
        )
        return Problem(layer.file, line, layer.target, name, found, kind.expected)

    def _filled_in(self, scalar: Scalar, kind: Kind, layer: OptionLayer, name: str, variables: list[str]) -> str | None:
        """The scalar's text, or the environment variable that it names; None (and a problem) where that is not set."""
        if scalar.sign:
            found = "a value that begins with `!` or `&`, which YAML reads as a sign of its own"
            expected = 'the value in quotes, or "{{NAME}}" for an environment variable'
            self.wrong(Problem(layer.file, scalar.line, layer.target, name, found, expected))
            return None
        match = _TEMPLATE.fullmatch(scalar.text)
        if match is None:
            self._warn_of_variables(scalar, kind, layer, name)
            return scalar.text
        variable = match.group(1)
        variables.append(variable)
        if variable not in self.environ:
            found, shown_name = f'"{{{{{safe_name(variable)}}}}}"', safe_name(variable)
            expected = f"the environment variable {shown_name} to be set"
            self.wrong(Problem(layer.file, scalar.line, layer.target, name, found, expected))
            return None
        if not self.environ[variable].strip():
            found = f"the environment variable {safe_name(variable)}, which is empty: the option counts as not given"
            self.warn(Problem(layer.file, scalar.line, layer.target, name, found, "a value in it"))
        return self.environ[variable]

    def _warn_of_variables(self, scalar: Scalar, kind: Kind, layer: OptionLayer, name: str) -> None:
        """A reference that is not read is sent and stored as it stands: a password of `${NAME}`, a folder `$HOME`."""
        found, expected = None, '"{{NAME}}" in quotes'
        if _TEMPLATE_WITHIN.search(scalar.text) is not None:
            found, expected = "{{...}} within a longer value; it stays as it is", 'nothing but "{{NAME}}"'
        elif _HALF_A_TEMPLATE.fullmatch(scalar.text.strip()) is not None:
            found = "something like {{NAME}} that is none; it stays as it is"
        elif kind in kinds.PATTERN_KINDS or is_secret_name(name):  # may well hold such signs
            if _SHELL.fullmatch(scalar.text.strip()) is not None:
                found = "an environment variable in the way of a shell; it stays as it is"
        elif _SHELL.search(scalar.text) is not None:
            found = "an environment variable in the way of a shell; it stays as it is"
        if found is not None:
            self.warn(Problem(layer.file, scalar.line, layer.target, name, found, expected))

    def _value(self, option: Declared, given: _Given) -> Any:
        kind = option.option.kind
        if not any(text.strip() for text in given.parts):
            return () if kind.is_list else option.default
        if kind in _MAY_WAIT and any(_PLACEHOLDER.fullmatch(text) for text in given.parts):
            return self._placeholder(kind, given)
        try:
            value = kind.read(_split(kind, given) if kind.is_list else _one_line(kind, given.parts[0]))
        except NotThatKind as error:
            self.wrong(given.problem(given.found, error.expected or kind.expected))
            return WRONG
        for text, doubt in kind.doubts(value):
            self.warn(given.problem(f"{shown(text, option=given.name)}: {doubt}", None))
        self._warn_of_blanks(kind, given)
        return value

    def _warn_if_not_read(self, option: Declared, given: _Given) -> None:
        why = NOT_READ_YET.get(option.name)
        if why is not None and any(text.strip() for text in given.parts):
            self.warn(given.problem(f"an option that is not read yet: it changes nothing ({why})", None))

    def _warn_of_blanks(self, kind: Kind, given: _Given) -> None:
        """Files with a value and programs that print one end in a line break, which no login and no id has."""
        text = given.parts[0]
        if kind.is_list or (text == text.strip() and text.isprintable()):
            return
        source = f" (from the environment: {', '.join(given.variables)})" if given.variables else ""
        hidden = dict.fromkeys(f"U+{ord(sign):04X}" for sign in text.strip() if not sign.isprintable())
        if hidden:
            found = f"characters that cannot be seen within the value{source}, {', '.join(hidden)}"
            self.warn(given.problem(f"{found}; they count as part of it", None))
        if text.rstrip("\r\n") != text:
            self.warn(given.problem(f"a line break at the end of the value{source}; it is taken off", None))
        if kind is kinds.SECRET and text.rstrip("\r\n").strip() != text.rstrip("\r\n"):
            self.warn(given.problem(f"blanks around the value{source}; they count as part of the secret", None))
        elif kind is not kinds.SECRET and text.rstrip("\r\n").strip() != text.rstrip("\r\n"):
            self.warn(given.problem(f"blanks around the value{source}; they are taken off", None))

    def _placeholder(self, kind: Kind, given: _Given) -> Any:
        expected = "the real value" if kind is kinds.TEXT else kind.expected
        found = f"the placeholder {given.found}"
        self.placeholders[Problem(given.layer.file, given.line, given.layer.target, given.name, found, expected)] = None
        texts = tuple(_NOT_IN_KEYS.sub(" ", text.strip()) for text in given.parts)
        return texts if kind.is_list else texts[0]


def _mentioned(model: type[OptionGroup], layers: Sequence[OptionLayer]) -> Iterator[Declared]:
    """The options of `model` that a layer has a name of: a file of thousands of targets gives few of the many."""
    places = places_by_name(model)
    options = declared(model)
    mentioned = {places[name] for layer in layers for name in layer.section.entries if name in places}
    return (options[place] for place in sorted(mentioned))


def _split(kind: Kind, given: _Given) -> tuple[str, ...]:
    """The parts of a list. Only a plain text is split at commas: an item of a YAML list may hold one."""
    if given.is_list:
        parts = tuple(text.strip("\r\n") for text in given.parts if text.strip())
    else:
        text = given.parts[0]
        if kind in kinds.PATTERN_KINDS and _COUNT_WITH_COMMA.search(text):
            raise NotThatKind(
                "a YAML list, since commas separate the expressions and one of these holds a comma itself"
            )
        parts = tuple(part.strip() for part in text.split(",") if part.strip())
    if any("\n" in part for part in parts):
        raise NotThatKind(f"{kind.expected}, not by line breaks")
    return tuple(_one_line(kind, part) for part in parts)


def _one_line(kind: Kind, text: str) -> str:
    """`text`. Control characters are what YAML makes of backslashes in double quotes: no value but a secret has any."""
    if kind is not kinds.SECRET and _CONTROL.search(text.strip()) is not None:
        raise NotThatKind(f"{kind.expected}, without control characters (put what has backslashes in single quotes)")
    return text


def is_placeholder(text: str) -> bool:
    """Whether `text` has the form `<what belongs here>`, as in examples to fill in."""
    return _PLACEHOLDER.fullmatch(text) is not None


def without_secrets(problems: Iterable[Problem], secrets: Iterable[str]) -> tuple[Problem, ...]:
    """The problems in the order of the file, with everything secret blanked out."""
    hidden = tuple(secrets)
    ordered = sorted(problems, key=lambda problem: (problem.line is None, problem.line or 0))
    return tuple(problem.without(hidden) for problem in ordered)


def secrets_of(node: Node, environ: Mapping[str, str], *, secret: bool = False) -> set[str]:
    """Every value in the document whose name says that it is secret, variables filled in."""
    if isinstance(node, Section):
        return {
            text
            for name, value in node.entries.items()
            for text in secrets_of(
                value, environ, secret=secret or re.search(r"secret|passw|token|webhook", name) is not None
            )
        }
    if isinstance(node, Items):
        return {text for item in node.items for text in secrets_of(item, environ, secret=secret)}
    match = _TEMPLATE.fullmatch(node.text)
    if match is not None:
        hidden = secret or is_secret_name(match.group(1))
        value = environ.get(match.group(1), "")
        return {value, value.strip()} if hidden else set()
    return {node.text, node.text.strip()} if secret else set()


def templates_of(node: Node) -> set[str]:
    """The names of all the variables that the document asks for, `{{NAME}}`."""
    if isinstance(node, Section):
        return {name for value in node.entries.values() for name in templates_of(value)}
    if isinstance(node, Items):
        return {name for item in node.items for name in templates_of(item)}
    match = _TEMPLATE.fullmatch(node.text)
    return set() if match is None else {match.group(1)}
