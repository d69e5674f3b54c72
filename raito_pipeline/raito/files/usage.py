"""Usage statements, split over as many files as the largest permitted size asks for."""

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec

from raito_pipeline.model import UsageStatement
from raito_pipeline.raito.files.writer import ImportFile, JsonArrayWriter


def usage_element(row: UsageStatement) -> dict[str, Any]:
    """One usage statement; what is empty (role, status, error) is left out."""
    element: dict[str, Any] = {
        "externalId": row.external_id,
        "accessedDataObjects": [
            {
                "permissions": item.permissions,
                "globalPermission": row.global_permission,
                "dataObject": {"fullName": item.data_object.full_name, "type": item.data_object.type},
            }
            for item in row.accessed
        ],
        "user": row.user,
    }
    if row.role:
        element["role"] = row.role
    element["success"] = row.success
    if row.status:
        element["status"] = row.status
    element["query"] = ""
    if row.start_time:
        element["startTime"] = row.start_time
    element["bytes"] = row.bytes
    if row.error:
        element["error"] = row.error
    return element


def write_usage(folder: Path, rows: Iterable[UsageStatement], maximum_file_size: int) -> tuple[ImportFile, ...]:
    """Write `usage-0001.json`, `usage-0002.json`, ...: none longer than `maximum_file_size` bytes, unless one single
    statement is. No statements, no file."""
    encode = msgspec.json.Encoder().encode
    files: list[ImportFile] = []
    with ExitStack() as stack:
        writer: JsonArrayWriter | None = None
        for row in rows:
            encoded = encode(usage_element(row))
            if writer is not None and writer.size_with(encoded) > maximum_file_size:
                stack.close()
                files.append(writer.file)
                writer = None
            if writer is None:
                writer = stack.enter_context(JsonArrayWriter(folder / f"usage-{len(files) + 1:04d}.json"))
            writer.write_encoded(encoded, 1)
    if writer is not None:
        files.append(writer.file)
    return tuple(files)
