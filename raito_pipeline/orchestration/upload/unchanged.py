"""Imports that say what the last one said: within some hours they are not sent again."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from raito_pipeline.model import ImportResult
from raito_pipeline.raito.files.writer import ImportFile
from raito_pipeline.storage import CellMissing, Store

SENT = "sent"
"""Key of the fingerprint in what an import's cell knows besides its row."""

_BYTES = 20


def fingerprint(files: Sequence[ImportFile], settings: Sequence[str | bool | None]) -> str:
    """What tells an import from any other: the elements of its files, and the settings that they are taken over with.

    The order of the elements does not count: data objects come in the order in which S3 answers.
    """
    said = json.dumps([[_elements(file) for file in files], list(settings)])
    return hashlib.sha256(said.encode()).hexdigest()


def _elements(file: ImportFile) -> str:
    """The sum of the hashes of a file's elements, which stand on a line each."""
    total = 0
    with file.path.open("rb") as lines:
        for line in lines:
            digest = hashlib.blake2b(line.rstrip(b",\n"), digest_size=_BYTES).digest()
            total += int.from_bytes(digest, "big")
    return f"{total % 2 ** (8 * _BYTES):x}"


def last_alike(
    store: Store, table: str, place: tuple[str, str | None], sent: str, hours: int, now: datetime
) -> ImportResult | None:
    """The last import of a cell, if it was the same, was taken over whole and is younger than `hours`; else None."""
    info = store.info(table, *place)
    if not hours or info is None or info.extra.get(SENT) != sent:
        return None
    try:
        (row,) = store.rows(ImportResult, *place, table=table)
    except (CellMissing, ValueError):  # damaged: as before the first import
        return None
    taken_over = row.status == "COMPLETED" and not row.failed
    return row if taken_over and now - row.finished_at < timedelta(hours=hours) else None


def not_sent_again(last: ImportResult, job: str) -> ImportResult:
    """The row of an import that was not sent, since Raito Cloud has taken over the same at `last.finished_at`.

    That time stays, and so does the file's SHA-256: it is sent again when it is old enough.
    """
    when = f"{last.finished_at:%Y-%m-%d %H:%M} UTC"
    return replace(
        last,
        job_id=job,
        reason=f"unchanged since it was sent at {when}: not sent again",
        bytes=0,
        added=0,
        updated=0,
        removed=0,
        kinds=(),
        warnings=(),
        expected_added=0,
        expected_removed=0,
    )
