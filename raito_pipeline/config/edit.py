"""Adds targets to a file of targets (`raito.yml`, `raito.discovered.yml`) and leaves every other byte as it was.

The file is a person's: comments, order, quotes and blank lines stay. So lines are put in by the positions that the
YAML parser gives, and the result is parsed again: a file whose form this does not meet (a list in braces, say) is
refused with the lines to put in by hand, and never half changed.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import yaml

from raito_pipeline.config.discovered import TARGETS
from raito_pipeline.config.discovery import CLOSED
from raito_pipeline.config.document import TabsBetween, TextLoader

Entry = Mapping[str, str | bool | Sequence[str]]
"""A target as it is written: option -> value."""
_ACCOUNT: Final = "aws-account-id"


class NotEditable(Exception):
    """A file cannot be changed without changing more of it than was asked for; the text says what to do by hand."""


def with_targets(text: str, entries: Sequence[Entry], file: str) -> str:
    """`text` with more entries at the end of its list `targets`, which is begun where there is none.

    Raises `NotEditable`.
    """
    if not entries:
        return text
    root, sequence = _targets(text, file)
    if sequence is None or not sequence.value:
        lines = _lines(entries, "  ")
        new = _begun(text, root, lines)
    else:
        new = _put_in(text, _end_of(sequence), _lines(entries, " " * _dash(sequence)))
    before = [] if sequence is None else _values(text).get(TARGETS) or []
    wanted = {**_values(text), TARGETS: [*before, *map(dict, entries)]}
    if _values_or_none(new) != wanted:
        raise NotEditable(
            f"{file}: the list `{TARGETS}` has a form that nothing can be put into by itself. Put this at its end:\n"
            + "".join(f"{line}\n" for line in _lines(entries, "  "))
        )
    return new


def with_closed(text: str, since: Mapping[str, str | None], file: str) -> str:
    """`text` in which the entries of accounts say since when these are closed (None: no longer), by account.

    Raises `NotEditable`.
    """
    _, sequence = _targets(text, file)
    lines = text.splitlines(keepends=True)
    for item in reversed(sequence.value if sequence is not None else []):
        values = {key.value: (key, value) for key, value in item.value}
        account = str(values[_ACCOUNT][1].value) if _ACCOUNT in values else ""
        if account not in since:
            continue
        if CLOSED in values:
            del lines[values[CLOSED][0].start_mark.line]
        closed = since[account]
        if closed is not None:
            at = values[_ACCOUNT][0].start_mark
            lines.insert(at.line + 1, f'{" " * at.column}{CLOSED}: "{closed}"\n')
    new = "".join(lines)
    wanted = _values(text)
    wanted[TARGETS] = [_closed(entry, since) for entry in wanted.get(TARGETS) or []]
    if _values_or_none(new) != wanted:
        raise NotEditable(f"{file}: its entries are not as `raito-pipeline discover` wrote them, one option a line")
    return new


def without_accounts(text: str, accounts: Collection[str], file: str) -> str:
    """`text` without the entries of some accounts. Raises `NotEditable`."""
    _, sequence = _targets(text, file)
    lines = text.splitlines(keepends=True)
    for item in reversed(sequence.value if sequence is not None else []):
        if _account_of(item) in accounts:
            del lines[item.start_mark.line : _end_of(item) + 1]
    new = "".join(lines)
    wanted = _values(text)
    kept = [entry for entry in wanted.get(TARGETS) or [] if str(entry.get(_ACCOUNT)) not in accounts]
    values = _values_or_none(new)
    if values is None or {**values, TARGETS: values.get(TARGETS) or []} != {**wanted, TARGETS: kept}:
        raise NotEditable(f"{file}: its entries are not as `raito-pipeline discover` wrote them, one option a line")
    return new


def _account_of(item: yaml.Node) -> str:
    pairs = item.value if isinstance(item, yaml.MappingNode) else ()
    return next((str(value.value) for key, value in pairs if key.value == _ACCOUNT), "")


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all; one that is there keeps its permissions. Raises `OSError`."""
    path = path.resolve()
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        if path.exists():
            temporary.chmod(path.stat().st_mode & 0o7777)
        temporary.replace(path)
    except BaseException:
        with suppress(FileNotFoundError):
            temporary.unlink()
        raise


def entry_lines(entry: Entry, indent: str = "") -> list[str]:
    """The lines of one entry, as `with_targets` writes them."""
    return _lines([entry], indent)


def _closed(entry: Any, since: Mapping[str, str | None]) -> Any:
    account = str(entry.get(_ACCOUNT)) if isinstance(entry, dict) else ""
    if account not in since:
        return entry
    kept = {name: value for name, value in entry.items() if name != CLOSED}
    return kept if since[account] is None else {**kept, CLOSED: since[account]}


def _targets(text: str, file: str) -> tuple[yaml.Node | None, yaml.SequenceNode | None]:
    try:
        root = yaml.compose(text, Loader=TextLoader)
    except yaml.YAMLError as error:
        raise NotEditable(f"{file}: it is not YAML ({error})") from None
    if root is not None and not isinstance(root, yaml.MappingNode):
        raise NotEditable(f"{file}: it is no mapping of options")
    for key, value in root.value if root is not None else ():
        if key.value == TARGETS and isinstance(value, yaml.SequenceNode):
            return root, value
    return root, None


def _begun(text: str, root: yaml.Node | None, lines: list[str]) -> str:
    """`text` with a new list; in the place of an empty one, where there is one in a line of its own."""
    for key, value in root.value if isinstance(root, yaml.MappingNode) else ():
        if key.value == TARGETS:
            start, end = value.start_mark.index, value.end_mark.index
            return text[:start].rstrip(" ") + "\n" + "\n".join(lines) + text[end:]
    ended = text if not text or text.endswith("\n") else f"{text}\n"
    return ended + "\n".join([f"{TARGETS}:", *lines, ""])


def _put_in(text: str, line: int, new: list[str]) -> str:
    """`text` with lines after line number `line` (from 0)."""
    lines = text.splitlines(keepends=True)
    if not lines[line].endswith("\n"):
        lines[line] += "\n"
    ending = "\r\n" if lines[line].endswith("\r\n") else "\n"
    return "".join([*lines[: line + 1], *(f"{each}{ending}" for each in new), *lines[line + 1 :]])


def _dash(sequence: yaml.SequenceNode) -> int:
    return int(sequence.start_mark.column)


def _end_of(node: yaml.Node) -> int:
    """The last line of a node. The parser's own end of a list is where the next thing begins, behind all comments."""
    while isinstance(node, (yaml.MappingNode, yaml.SequenceNode)) and node.value and not node.flow_style:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    # What ends at the start of a line (a text of several lines) ended in the line before.
    return int(node.end_mark.line - (1 if node.end_mark.column == 0 and node.end_mark.line > 0 else 0))


def _lines(entries: Sequence[Entry], indent: str) -> list[str]:
    lines = []
    for entry in entries:
        text = yaml.safe_dump(dict(entry), sort_keys=False, allow_unicode=True, width=10_000)
        body = text.splitlines()
        lines += [f"{indent}- {body[0]}", *(f"{indent}  {line}" for line in body[1:])]
    return lines


def _values(text: str) -> dict[str, Any]:
    loaded = yaml.load(text, Loader=_Texts)
    return loaded if isinstance(loaded, dict) else {}


def _values_or_none(text: str) -> dict[str, Any] | None:
    try:
        return _values(text)
    except yaml.YAMLError:
        return None


class _Texts(TabsBetween, yaml.SafeLoader):
    """Reads the types that `safe_dump` writes, so that what was put in is compared as it was given."""


_TYPES = tuple(f"tag:yaml.org,2002:{name}" for name in ("bool", "null", "merge"))
_Texts.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag in _TYPES]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
