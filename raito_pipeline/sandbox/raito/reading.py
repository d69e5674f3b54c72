"""Reads an import file, one JSON array of any length, in pieces: a million elements need no more memory than ten."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, TypeVar

import msgspec

Record = TypeVar("Record", bound=msgspec.Struct)

CHUNK = 1 << 20
_CUTS_TO_TRY = 6
_BLANK = b" \t\r\n"
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{},]', re.DOTALL)


class BrokenFile(Exception):
    """An import file that is not one JSON array of objects. `file` is what the file is for, `problem` what is wrong."""

    def __init__(self, file: str, problem: str) -> None:
        super().__init__(f"the {file} file cannot be read: {problem}")
        self.file = file
        self.problem = problem


class InvalidRecord(Exception):
    """An element that is not what it has to be. `position` counts from 1."""

    def __init__(self, file: str, position: int, problem: str) -> None:
        super().__init__(f"{file} file, element {position}: {problem}")
        self.file = file
        self.position = position
        self.problem = problem


def batches(path: Path, file: str, record: type[Record], chunk: int = CHUNK) -> Iterator[list[Record | InvalidRecord]]:
    """The elements of the file in order, in batches of about `chunk` bytes of text.

    An element of the wrong shape comes as an InvalidRecord in its place, so that the caller decides what it costs.
    Raises BrokenFile where the text is not a JSON array, possibly after some batches have been given.
    """
    position = 0
    whole = msgspec.json.Decoder(list[record])  # type: ignore[valid-type]
    for piece in _pieces(path, file, chunk):
        try:
            elements: list[Record | InvalidRecord] = whole.decode(piece)
        except msgspec.ValidationError:
            elements = list(_one_by_one(piece, file, record, position))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BrokenFile(file, str(error)) from None
        position += len(elements)
        yield elements


def _one_by_one(piece: bytes, file: str, record: type[Record], before: int) -> Iterator[Record | InvalidRecord]:
    decoder = msgspec.json.Decoder(record)
    try:
        raws = msgspec.json.decode(piece, type=list[msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BrokenFile(file, str(error)) from None
    for position, raw in enumerate(raws, before + 1):
        try:
            yield decoder.decode(raw)
        except msgspec.DecodeError as error:
            yield InvalidRecord(file, position, str(error))


def _pieces(path: Path, file: str, chunk: int) -> Iterator[bytes]:
    """The array cut into smaller arrays, each valid by itself if the whole is."""
    with path.open("rb") as stream:
        rest = _after_the_bracket(stream, file, chunk)
        wanted = chunk
        after_a_comma = False
        while True:
            more = stream.read(wanted)
            if not more:
                break
            rest += more
            cut = _cut(rest)
            if cut is None:
                # One element longer than a piece: read on, ever more at a time, so that it stays linear.
                wanted *= 2
                continue
            wanted = chunk
            yield b"[" + rest[:cut] + b"]"
            rest = rest[cut + 1 :]
            after_a_comma = True
    rest = rest.strip(_BLANK)
    if not rest.endswith(b"]"):
        raise BrokenFile(file, "it ends before its array does")
    if after_a_comma and rest == b"]":
        raise BrokenFile(file, "nothing stands behind its last comma")
    yield b"[" + rest


def _after_the_bracket(stream: BinaryIO, file: str, chunk: int) -> bytes:
    start = stream.read(chunk).removeprefix(b"\xef\xbb\xbf").lstrip(_BLANK)
    if not start:
        raise BrokenFile(file, "it is empty")
    if not start.startswith(b"["):
        raise BrokenFile(file, "it is not a JSON array")
    return start[1:]


def _cut(text: bytes) -> int | None:
    """Where a comma between two elements of the array stands, as far back as possible; None if there is none.

    Text up to a comma is a whole number of elements exactly if it is a valid array within brackets: a cut inside an
    element leaves a bracket or a string open. Nearly always the last "}," is right; else the text is walked through.
    """
    end = len(text)
    for _ in range(_CUTS_TO_TRY):
        brace = text.rfind(b"}", 0, end)
        if brace < 0:
            return None
        after = text[brace + 1 : brace + 64].lstrip(_BLANK)
        if after.startswith(b",") and _is_array(text[: brace + 1]):
            return text.index(b",", brace)
        end = brace
    return _cut_by_depth(text)


def _is_array(text: bytes) -> bool:
    try:
        msgspec.json.decode(b"[" + text + b"]", type=list[msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True


def _cut_by_depth(text: bytes) -> int | None:
    depth = 0
    cut = None
    for token in _TOKEN.finditer(text):
        match token.group()[:1]:
            case b"{" | b"[":
                depth += 1
            case b"}" | b"]":
                depth -= 1
            case b"," if depth == 0:
                cut = token.start()
    return cut
