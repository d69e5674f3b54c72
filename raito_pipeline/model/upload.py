"""Rows of the upload stage."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, cast

from raito_pipeline.model.schema import Partitioning, declare_table


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
    held: Annotated[
        int | None, "elements that Raito Cloud holds now, by what was sent to it and removed from it; null = not known"
    ] = None
    expected_added: Annotated[
        int | None, "elements that Raito Cloud did not hold before, by what was sent then; null = not known"
    ] = None
    expected_removed: Annotated[
        int | None, "elements that it was to remove, by what was sent then; null = not known"
    ] = None


@dataclass(frozen=True, slots=True)
class ImportElement:
    """One element that Raito Cloud holds by what was sent to it."""

    kind: Annotated[str, "`data object`, `access provider`, `user` or `group`"]
    hash: Annotated[int, "the first 8 bytes of the BLAKE2b hash of its external id, as a signed number"]


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

for _by, _table in (
    ("organization", "org_identity_store_import"),
    ("account", "identity_store_import"),
    ("account", "data_source_import"),
    ("account", "access_provider_import"),
):
    declare_table(
        f"{_table}_elements",
        ImportElement,
        by=cast("Partitioning", _by),
        key=("kind", "hash"),
        description=(
            f"What Raito Cloud holds of the files of `{_table}`: what the next import would remove is counted by it."
        ),
    )
