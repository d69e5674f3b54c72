"""Writes one JSON array to a file, element by element, and knows its length and SHA-256 when it is done."""

import base64
import hashlib
from collections.abc import Iterable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from raito_pipeline.storage.errors import StorageError, storage_error, storage_errors
from raito_pipeline.storage.private import make_private_folder, open_private

_BUFFER = 1 << 20
_BEGIN, _BETWEEN, _END, _EMPTY = b"[\n", b",\n", b"\n]\n", b"[]\n"
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class ImportFile:
    """A finished file: where it lies, its elements, its length in bytes, its SHA-256 (hexadecimal)."""

    path: Path
    elements: int
    bytes: int
    sha256: str

    @property
    def sha256_base64(self) -> str:
        """The SHA-256 as the upload address takes it."""
        return base64.b64encode(bytes.fromhex(self.sha256)).decode()

    @classmethod
    def of(cls, path: Path, elements: int = 0) -> "ImportFile":
        """The description of any file that lies there already (a log, say); reads it once."""
        digest = hashlib.sha256()
        size = 0
        with path.open("rb") as source:
            while chunk := source.read(_BUFFER):
                digest.update(chunk)
                size += len(chunk)
        return cls(path, elements, size, digest.hexdigest())


class JsonArrayWriter:
    """A context manager that writes one JSON array: UTF-8, an element a line. An exception removes the file.

    Raises `StorageError` where it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.elements = 0
        self.size = 0
        self._digest = hashlib.sha256()

    def __enter__(self) -> "JsonArrayWriter":
        with self._errors():
            make_private_folder(self.path.parent)
            self._sink = open_private(self.path, buffering=_BUFFER)
        return self

    def write(self, element: Any) -> None:
        """Append one element (anything that msgspec turns into JSON)."""
        self.write_encoded(_encode(element), 1)

    def write_encoded(self, encoded: bytes | memoryview, elements: int) -> None:
        """Append elements that are JSON already, with `,` and a newline between them."""
        if elements == 0:
            return
        self._put(_BETWEEN if self.elements else _BEGIN)
        self._put(encoded)
        self.elements += elements

    def room(self, maximum: int) -> int:
        """How many bytes of elements still fit a file of so many, with the two that stand before each of them."""
        return maximum - self.size - len(_END)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with self._errors() if error is None else suppress(OSError):  # the first error counts
                if error is None:
                    self._put(_END if self.elements else _EMPTY)
                self._sink.close()
        except StorageError:
            self.path.unlink(missing_ok=True)
            raise
        if error is not None:
            self.path.unlink(missing_ok=True)

    @property
    def file(self) -> ImportFile:
        """What was written; whole only after the end of the context."""
        return ImportFile(self.path, self.elements, self.size, self._digest.hexdigest())

    @property
    def _what(self) -> str:
        return f"the file {self.path.name} for Raito Cloud"

    def _errors(self) -> AbstractContextManager[None]:
        return storage_errors(self._what, "written", str(self.path))

    def _put(self, data: bytes | memoryview) -> None:
        try:
            self._sink.write(data)
        except OSError as error:
            raise storage_error(error, self._what, "written", str(self.path)) from error
        self._digest.update(data)
        self.size += len(data)


def write_json_array(path: Path, elements: Iterable[Any]) -> ImportFile:
    """Write elements as one JSON array."""
    with JsonArrayWriter(path) as writer:
        for element in elements:
            writer.write(element)
    return writer.file
