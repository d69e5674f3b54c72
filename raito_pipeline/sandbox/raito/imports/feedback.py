"""Import of feedback: what a push says became of the exported access controls."""

import msgspec
from sqlalchemy.engine import Connection

from raito_pipeline.sandbox.raito.controls import Controls
from raito_pipeline.sandbox.raito.imports.common import MOST_ERRORS, ImportRejected, ImportWork, Warnings, only_valid
from raito_pipeline.sandbox.raito.jobs import NotThere
from raito_pipeline.sandbox.raito.reading import BrokenFile, batches


class AccessRecord(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """What one access control became; there are no other fields."""

    access_id: str
    actual_name: str | None = ""
    external_id: str | None = None
    type: str | None = None
    errors: list[str] | None = None
    warnings: list[str] | None = None


class FeedbackRecord(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """One element of the feedback file."""

    external_id: str
    access: list[AccessRecord] | None = None


def import_feedback(work: ImportWork, connection: Connection, controls: Controls) -> None:
    """Notes names, external ids and errors; an id that is not known is a warning, a wrong file an ImportRejected."""
    records = _read(work)
    warnings = Warnings()
    named = 0
    with work.database.exclusively(connection):
        for record in records:
            for access in record.access or ():
                answer = msgspec.to_builtins(access)
                try:
                    named += controls.answer(connection, work.store, record.external_id, answer)
                except NotThere as error:
                    warnings.add(str(error))
        work.finish(
            connection,
            {
                "__typename": "AccessProviderSyncFeedbackResult",
                "accessNamesAdded": named,
                "warnings": warnings.listed(),
            },
        )


def _read(work: ImportWork) -> list[FeedbackRecord]:
    errors: list[str] = []
    records: list[FeedbackRecord] = []
    try:
        for batch in batches(work.path(work.request["fileKey"]), "feedback", FeedbackRecord):
            records += only_valid(batch, errors)
    except BrokenFile as error:
        errors.append(str(error))
    for record in records:
        errors += [
            f"feedback on {record.external_id}: accessId {access.access_id!r} is another one"
            for access in record.access or ()
            if access.access_id != record.external_id
        ]
    if errors:
        raise ImportRejected(errors[:MOST_ERRORS])
    return records
