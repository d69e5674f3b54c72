"""Rows of the upload stage."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated

from raito_pipeline.model.tables import Layer, Outside, TableSpec, declare_table


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


def elements_table(table: str) -> str:
    """The table in which an import notes what Raito Cloud holds of what it sent."""
    return f"{table}_elements"


def _declare_import(spec: TableSpec, *, removes: bool = True) -> None:
    """Declare a table of imports; one that may remove something with the table of what Raito Cloud holds."""
    declare_table(spec)
    if removes:
        declare_table(
            replace(
                spec,
                name=elements_table(spec.name),
                row_type=ImportElement,
                description=(
                    f"What Raito Cloud holds of the files of `{spec.name}`: what the next import would remove is "
                    "counted by it."
                ),
                key=("kind", "hash"),
                reads=(spec.name,),
                after=(),
                sinks=(),
                remembered_for=spec.name,
            )
        )


_IMPORT = TableSpec("", ImportResult, "", "account", ("target", "task"), Layer.FINISH, sinks=(Outside.RAITO_CLOUD,))
_declare_import(
    replace(
        _IMPORT,
        name="org_identity_store_import",
        description="The import of the users and groups of an organization.",
        partitioned_by="organization",
        layer=Layer.ORGANIZATION,
        reads=("org_users", "org_groups"),
    )
)
_declare_import(
    replace(
        _IMPORT,
        name="identity_store_import",
        description="The import of the IAM users and groups of an account.",
        reads=("iam_users", "iam_groups"),
    )
)
_declare_import(
    replace(
        _IMPORT,
        name="data_source_import",
        description="The import of the data objects of an account.",
        reads=("s3_buckets", "data_objects"),
    )
)
_declare_import(
    replace(
        _IMPORT,
        name="access_provider_import",
        description="The import of the access providers of an account.",
        reads=("access_providers", "access_controls", "access_push_results"),
        after=("data_source_import",),
        looks_at=("s3_bucket_policies",),
    )
)
_declare_import(
    replace(
        _IMPORT,
        name="data_usage_import",
        description="The import of the usage statements of an account.",
        reads=("cloudtrail_files", "usage_statements"),
        after=("data_source_import",),
    ),
    removes=False,  # usage is only ever added
)
