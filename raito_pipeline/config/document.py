"""`raito.yml` as text with line numbers: every scalar stays what the person wrote.

YAML would read the account id 012345678901 as a number and `on` as a boolean. The options know better which type they
want, so nothing is converted here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import yaml

from raito_pipeline.config.problems import Problem, safe_name

_QUOTED = re.compile(r"'(<[^'<>]+>)'|'[^']{2,}'|\"[^\"]{2,}\"")
_HINTS = (
    (r"mapping values", "lines of one target indented alike, and a value that holds `: ` in quotes"),
    (r"expected ':'", "`option: value`, with a plain blank behind the colon"),
    (r"alias|alphabetic or numeric", "a value that begins with `*` or `&` in quotes"),
    (r"cannot start any token", "a value that begins with this character in quotes"),
    (r"escape", "a value that holds backslashes in single quotes"),
    (r"another document", "one document, with no `---` behind its first line"),
    (r"block end|end of stream", "lines of one target indented alike, and each quote closed"),
    (r"", "YAML, with `option: value` on each line"),
)
"""what to do, by PyYAML's message; the first that fits counts"""
_SEEN_DIFFERENTLY = re.compile("[?\ufeff\x85\u2028\u2029]|^ *\t", re.MULTILINE)
_A_TAB = repr("\t")
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_MERGE = "<<"
_MOST_NODES = 500_000  # a thousand targets with every option have a fifth of that
_DEEPEST = 20
_FLOW = 1_000
_ALIAS = re.compile(r"(?:^|[\s,\[{])\*[^\s*]", re.MULTILINE)
_INDENTED = re.compile(r"^[ \-?:]{200}", re.MULTILINE)


@dataclass(frozen=True)
class Scalar:
    """One value as written. `null` tells an empty or `null` value from a quoted empty text."""

    text: str = field(repr=False)  # may be a secret
    line: int | None
    null: bool = False
    sign: bool = False
    """whether a tag (`!name`) or an anchor without a value (`&name`) stands there, which may have been meant as text"""


@dataclass(frozen=True)
class Items:
    """A YAML list."""

    items: tuple[Node, ...]
    line: int | None


@dataclass(frozen=True)
class Section:
    """A YAML mapping: option name in lower case -> value. `lines` holds the line of each name."""

    entries: Mapping[str, Node]
    line: int | None
    lines: Mapping[str, int | None] = field(default_factory=dict)
    template: bool = False  # an unquoted {{NAME}}, which YAML reads as a mapping
    aliased: frozenset[str] = frozenset()  # names whose value, or a value in it, stands in other places, too (*alias)

    def get(self, name: str) -> Node | None:
        """The value of `name`, or None where it is absent or written as null."""
        node = self.entries.get(name)
        return None if isinstance(node, Scalar) and node.null else node


Node = Scalar | Items | Section


_TOO_DEEP = f"values nested in themselves or more than {_DEEPEST} levels deep"


@dataclass
class _Reader:
    """Turns PyYAML's node graph into our values, collecting the problems of mappings on the way."""

    file: str
    problems: list[Problem] = field(default_factory=list)
    nodes: int = 0
    shared: frozenset[int] = frozenset()
    """the nodes, by their identity, that stand in several places"""

    def node(self, node: yaml.Node, depth: int = 0) -> Node:
        line = node.start_mark.line + 1
        self.nodes += 1
        if self.nodes > _MOST_NODES:
            return Scalar("", line, null=True)
        if depth > _DEEPEST:
            self._problem(line, _TOO_DEEP, "plain values and lists")
            return Scalar("", line, null=True)
        if isinstance(node, yaml.ScalarNode):
            sign = _has_sign(node)
            return Scalar(node.value, line, null=not sign and not node.style and node.value in _NULLS, sign=sign)
        if isinstance(node, yaml.SequenceNode):
            return Items(tuple(self.node(item, depth + 1) for item in node.value), line)
        return self._section(node, line, depth)

    def _section(self, node: yaml.Node, line: int, depth: int) -> Section:
        entries: dict[str, Node] = {}
        lines: dict[str, int | None] = {}
        merged: list[Section] = []
        template = False
        for key, value in node.value:
            key_line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                template = isinstance(node, yaml.MappingNode) and bool(node.flow_style)
                if not template:
                    self._problem(key_line, "a name that is not plain text", "`option: value`")
            elif key.value == _MERGE:
                merged.extend(self._merged(self.node(value, depth + 1), key_line))
            elif key.value.lower() in lines:
                first = lines[key.value.lower()]
                self._problem(key_line, f"the name a second time (first in line {first})", "each name once", key.value)
            else:
                lines[key.value.lower()] = key_line
                entries[key.value.lower()] = self.node(value, depth + 1)
        for section in merged:
            for name, inherited in section.entries.items():
                entries.setdefault(name, inherited)
                lines.setdefault(name, section.lines[name])
        return Section(entries, line, lines, template, self._aliased(node) if self.shared else frozenset())

    def _aliased(self, node: yaml.Node) -> frozenset[str]:
        """The names that hold the anchor of an alias: what is written there stands behind the name."""
        return frozenset(
            key.value.lower()
            for key, value in node.value
            for held in (value, *_values_in(value))
            if isinstance(key, yaml.ScalarNode)
            and id(held) in self.shared
            and held.start_mark.index > key.start_mark.index
        )

    def _merged(self, value: Node, line: int) -> Iterator[Section]:
        for part in value.items if isinstance(value, Items) else (value,):
            if isinstance(part, Section):
                yield part
            else:
                self._problem(line, "a merge (<<) of something else", "a merge of mappings")

    def _problem(self, line: int, found: str, expected: str, option: str | None = None) -> None:
        name = None if option is None else safe_name(option)
        self.problems.append(Problem(self.file, line, None, name, found, expected))


def _has_sign(node: yaml.ScalarNode) -> bool:
    empty = not node.style and not node.value
    return (node.tag or "").startswith("!") or (empty and node.start_mark.index < node.end_mark.index)


def parse(text: str, file: str) -> tuple[Node | None, list[Problem]]:
    """The document in `text` (None where it is empty or not YAML) and what is wrong with it as YAML.

    Nothing of the file's values gets into a problem, since any of them may be a secret.
    """
    line = _line_too_deep(text)
    if line is not None:
        return None, [Problem(file, line, None, None, _TOO_DEEP, "plain values and lists")]
    try:
        root = _compose(text)
    except yaml.YAMLError as error:
        return None, [_syntax_problem(error, text, file)]
    if root is None:
        return None, []
    reader = _Reader(file, shared=_shared(root) if _ALIAS.search(text) else frozenset())
    # Those that aliases multiply are counted before they are made.
    too_many = bool(reader.shared) and _count(root, 0, {}) > _MOST_NODES
    document = None if too_many else reader.node(root)
    if too_many or reader.nodes > _MOST_NODES:
        found = f"more than {_MOST_NODES:,} values, aliases (*name) counted each time"
        return None, [Problem(file, None, None, None, found, "fewer of them")]
    return document, reader.problems


def _shared(root: yaml.Node) -> frozenset[int]:
    """The mappings and lists, by their identity, that stand in several places of a graph."""
    seen, twice, left = {id(root)}, set(), [root]
    while left:
        for value in _values_in(left.pop()):
            if isinstance(value, yaml.ScalarNode):
                continue
            if id(value) in seen:
                twice.add(id(value))
            else:
                seen.add(id(value))
                left.append(value)
    return frozenset(twice)


def _count(node: yaml.Node, depth: int, known: dict[tuple[int, int], int]) -> int:
    """How many values a node is when each alias is written out, as deep as values may be nested."""
    place = id(node), depth
    if place not in known:
        values = _values_in(node) if depth <= _DEEPEST else []
        known[place] = 1 + sum(_count(value, depth + 1, known) for value in values)
    return known[place]


def _values_in(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [value for _, value in node.value]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _line_too_deep(text: str) -> int | None:
    """The line where values are nested so deeply that composing them, which is recursive, could end the process."""
    if text.count("[") + text.count("{") < _FLOW and _INDENTED.search(text) is None:
        return None
    depth = 0
    try:
        for event in yaml.parse(text, Loader=yaml.CBaseLoader if yaml.__with_libyaml__ else yaml.BaseLoader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEEPEST:
                return event.start_mark.line + 1 if event.start_mark is not None else 1
    except (yaml.YAMLError, RecursionError):
        pass  # told when it is composed
    return None


def _compose(text: str) -> yaml.Node | None:
    """The node graph of a document, by libyaml where it is there: the file is read by every process, and may be long.

    What libyaml does not take, PyYAML's own parser decides about, and so do characters that the two see differently:
    files and messages are the same everywhere.
    """
    if yaml.__with_libyaml__ and _SEEN_DIFFERENTLY.search(text) is None:
        try:
            return yaml.compose(text, Loader=_loader())
        except yaml.YAMLError:
            pass
    return yaml.compose(text, Loader=TextLoader)


class TabsBetween(yaml.reader.Reader, yaml.scanner.Scanner):
    """What reads tabs between the words of a line as YAML, libyaml and Go do: before a comment, or behind a colon.

    PyYAML's own scanner takes none. Before the first word of a line, where they would indent, nobody takes one.
    """

    def scan_to_next_token(self) -> None:
        """Go to where the next token begins."""
        super().scan_to_next_token()
        while self.peek() == "\t" and (self.flow_level or not self.allow_simple_key):
            while self.peek() in (" ", "\t"):
                self.forward()
            super().scan_to_next_token()

    def scan_plain_spaces(self, indent: Any, start_mark: Any) -> Any:
        """The blanks within or behind a value without quotes."""
        length = 0
        while self.peek(length) in (" ", "\t"):
            length += 1
        blanks = self.prefix(length)
        if "\t" not in blanks:
            return super().scan_plain_spaces(indent, start_mark)
        self.forward(length)
        return super().scan_plain_spaces(indent, start_mark) if self.peek() in ("\r", "\n") else [blanks]


class TextLoader(TabsBetween, yaml.BaseLoader):
    """PyYAML's own loader, which takes every scalar for a text."""


@cache
def _loader() -> type[Any]:
    """libyaml's loader, which asks for the tag of each of the many values; nothing here reads one."""

    class Untagged(yaml.CBaseLoader):
        def resolve(self, *_: Any) -> str:
            return ""

        def descend_resolver(self, *_: Any) -> None: ...

        def ascend_resolver(self) -> None: ...

    return Untagged


def _syntax_problem(error: yaml.YAMLError, text: str, file: str) -> Problem:
    told = str(getattr(error, "problem", None) or "a character that is not allowed")
    marks = [getattr(error, "problem_mark", None), getattr(error, "context_mark", None)]
    if "expected ':'" in told:  # it is missed where the next line begins
        marks.reverse()
    mark = next((mark for mark in marks if mark is not None), None)
    line = mark.line + 1 if mark is not None else None
    reason = _QUOTED.sub(lambda quoted: quoted[1] or "something", told)
    lines = text.splitlines()
    if (
        line is not None
        and line <= len(lines)
        and "\t" in lines[line - 1][: len(lines[line - 1]) - len(lines[line - 1].lstrip())]
    ):
        return Problem(file, line, None, None, "a tab before the text", "spaces to indent with")
    if _A_TAB in told:
        return Problem(file, line, None, None, "a tab where YAML allows none", "spaces")
    expected = next(hint for words, hint in _HINTS if re.search(words, told))
    return Problem(file, line, None, None, f"text that is not YAML ({reason})", expected)
