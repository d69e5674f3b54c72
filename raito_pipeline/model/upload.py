"""Rows of the upload stage."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from raito_pipeline.model.schema import declare_table


@dataclass(frozen=True, slots=True)
class ImportedKind:
    """What an import did to one kind of object."""

    kind: Annotated[str, "kind of object, as the task reports it to Raito Cloud"]
    added: Annotated[int, "objects that Raito Cloud added"]
    updated: Annotated[int, "objects that Raito Cloud updated"]
    removed: Annotated[int, "objects that Raito Cloud removed"]
    failed: Annotated[int, "elements that Raito Cloud refused"]


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What one import into Raito Cloud was sent and what came of it."""

    target: Annotated[str, "name of the target in `raito.yml`"]
    task: Annotated[str, "`IS`, `DS`, `DA` or `DU`"]
    job_id: Annotated[str, "job in Raito Cloud"]
    status: Annotated[str, "`COMPLETED`, `FAILED`, `SKIPPED`"]
    delete_untouched: Annotated[bool, "whether Raito Cloud was told to remove what the file lacks"]
    reason: Annotated[str | None, "why it was skipped, or why nothing may be removed: the missing cells"]
    elements: Annotated[int, "elements in the files sent"]
    bytes: Annotated[int, "bytes sent"]
    sha256: Annotated[str, "SHA-256 of the file sent, hexadecimal; empty where none was"]
    added: Annotated[int, "objects that Raito Cloud added"]
    updated: Annotated[int, "objects that Raito Cloud updated"]
    removed: Annotated[int, "objects that Raito Cloud removed"]
    failed: Annotated[int, "elements that Raito Cloud refused"]
    kinds: Annotated[tuple[ImportedKind, ...], "the same by kind of object"]
    warnings: Annotated[tuple[str, ...], "warnings of Raito Cloud"]
    finished_at: Annotated[datetime, "when the import ended"]


_KEY = ("target", "task")
declare_table(
    "org_identity_store_import",
    ImportResult,
    by="organization",
    key=_KEY,
    description=("The import of the users and groups of an organization."),
)
declare_table(
    "identity_store_import",
    ImportResult,
    by="account",
    key=_KEY,
    description=("The import of the IAM users and groups of an account."),
)
declare_table(
    "data_source_import",
    ImportResult,
    by="account",
    key=_KEY,
    description=("The import of the data objects of an account."),
)
declare_table(
    "access_provider_import",
    ImportResult,
    by="account",
    key=_KEY,
    description=("The import of the access providers of an account."),
)
declare_table(
    "data_usage_import",
    ImportResult,
    by="account",
    key=_KEY,
    description=("The import of the usage statements of an account."),
)
