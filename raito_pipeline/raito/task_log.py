"""The log of a task, as Raito Cloud shows it: readable lines, without secrets, and never longer than it may be."""

from collections.abc import Iterable
from datetime import UTC, datetime
from logging import getLevelName
from pathlib import Path

from raito_pipeline.raito.files.writer import ImportFile
from raito_pipeline.redaction import redact
from raito_pipeline.storage.private import open_private

MOST_BYTES = 1_000_000
LONGEST_LINE = 4_000


def write_log(
    path: Path, lines: Iterable[tuple[float, int, str, str]], secrets: Iterable[str], most: int = MOST_BYTES
) -> ImportFile:
    """Write the lines (Unix seconds, level of `logging`, where from, text) into a file of at most `most` bytes.

    Where there is more, the beginning and the end are kept, with the number of lines left out between them. `secrets`
    are hidden wherever they stand.
    """
    hidden = tuple(secrets)
    texts = [_line(at, level, where, redact(text, hidden)) for at, level, where, text in lines]
    with open_private(path) as sink:
        sink.writelines(_bounded([text.encode("utf-8", "replace") for text in texts], most))
    return ImportFile.of(path)


def _line(at: float, level: int, where: str, text: str) -> str:
    moment = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    shown = text if len(text) <= LONGEST_LINE else f"{text[:LONGEST_LINE]}... ({len(text)} characters)"
    indented = shown.rstrip().replace("\n", "\n    ")
    return f"{moment} {getLevelName(level):<8} {where + ': ' if where else ''}{indented}\n"


def _bounded(lines: list[bytes], most: int) -> list[bytes]:
    """The lines, less those in the middle that do not fit."""
    if sum(map(len, lines)) <= most:
        return lines
    head, tail = _fitting(lines, most // 4), _fitting(list(reversed(lines)), most // 2)
    left_out = len(lines) - len(head) - len(tail)
    return [*head, f"... {left_out} lines left out ...\n".encode(), *reversed(tail)]


def _fitting(lines: list[bytes], most: int) -> list[bytes]:
    fitting, size = [], 0
    for line in lines:
        size += len(line)
        if size > most:
            break
        fitting.append(line)
    return fitting
