"""The journal of what was changed in the emulated AWS from outside, so that a restart finds it again.

One JSON line a call, without credentials: account, region and service stand in place of the signature. Every call ran
with the emulator's random numbers seeded by `seed`, so that a replay makes the same ids and ARNs.
"""

import base64
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from raito_pipeline.sandbox.aws.incoming import Incoming

_KEPT_HEADERS = ("HTTP_X_AMZ_", "CONTENT_TYPE", "HTTP_CONTENT_ENCODING", "HTTP_CONTENT_MD5")
_SECRET_HEADERS = frozenset({"HTTP_X_AMZ_SECURITY_TOKEN", "HTTP_X_AMZ_CONTENT_SHA256", "HTTP_X_AMZ_DATE"})


class JournalEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One successful writing call; `headers` are named as in WSGI, `body` is base64."""

    account: str
    region: str
    service: str
    operation: str
    method: str
    uri: str
    headers: dict[str, str]
    body: str
    seed: int

    @property
    def content(self) -> bytes:
        """The body as it was sent."""
        return base64.b64decode(self.body)


class UnreadableJournal(ValueError):
    """A line of the journal that is no change."""

    def __init__(self, path: Path, line: int, reason: str) -> None:
        self.path, self.line = path, line
        super().__init__(f"Cannot replay line {line} of {path}: {reason}. Delete the file to start anew.")


class Journal:
    """The journal in one file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._is_whole = False

    def append(self, change: JournalEntry) -> None:
        """Write a change to the end of the file."""
        with self._lock:
            if not self._is_whole:
                self._cut_torn_line()
                self._is_whole = True
            with self.path.open("ab") as file:
                file.write(msgspec.json.encode(change) + b"\n")

    def changes(self) -> Iterator[JournalEntry]:
        """All changes, oldest first; a last line that was cut short by a crash is left out. UnreadableJournal."""
        if not self.path.exists():
            return
        lines = self.path.read_bytes().split(b"\n")
        # Every whole line ends in a line end, so what follows the last one is nothing or a torn line.
        for number, line in enumerate(lines[:-1], start=1):
            try:
                yield msgspec.json.decode(line, type=JournalEntry)
            except msgspec.MsgspecError as error:
                raise UnreadableJournal(self.path, number, str(error)) from error

    def _cut_torn_line(self) -> None:
        # A crash while writing leaves half a line, to which the next change must not be added.
        if self.path.exists():
            content = self.path.read_bytes()
            os.truncate(self.path, content.rfind(b"\n") + 1)


def change_of(call: Incoming, environ: dict[str, Any], seed: int) -> JournalEntry:
    """What is to be kept of a call so that it can be made again."""
    headers = {
        name: str(value)
        for name, value in environ.items()
        if name.startswith(_KEPT_HEADERS) and name not in _SECRET_HEADERS
    }
    return JournalEntry(
        account=call.account,
        region=call.region,
        service=call.service,
        operation=call.operation,
        method=call.method,
        uri=str(environ["RAW_URI"]),
        headers=headers,
        body=base64.b64encode(call.body).decode(),
        seed=seed,
    )
