"""Import files read back, for the tests of what writes them."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from raito_pipeline.raito.files.writer import ImportFile

ACCOUNT = "111122223333"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def read(file: ImportFile) -> list[dict[str, Any]]:
    """The elements of a file, once its length, hash and count have been checked."""
    content = file.path.read_bytes()
    assert len(content) == file.bytes
    assert hashlib.sha256(content).hexdigest() == file.sha256
    elements: list[dict[str, Any]] = json.loads(content)
    assert len(elements) == file.elements
    return elements
