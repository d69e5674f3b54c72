"""The feedback of a push to Raito Cloud: every access control of the export gets its answer, whatever went wrong."""

from collections.abc import Iterable
from pathlib import Path

from raito_pipeline.model import AccessControl, PushResult
from raito_pipeline.raito.files.feedback import write_feedback
from raito_pipeline.raito.imports import Imported, finish, start_feedback_import
from raito_pipeline.raito.jobs import ACCESS_SYNC, PATIENT, Counts, Polling, Status, Task


def send_feedback(
    task: Task,
    folder: Path,
    controls: Iterable[AccessControl],
    results: Iterable[PushResult],
    received: int | None = None,
    polling: Polling = PATIENT,
) -> Imported:
    """Write the feedback file into `folder`, send it, and wait until Raito Cloud took it over.

    `received` is `Export.received`. The task goes on: its end is reported by who uses it last. Raises
    `RaitoError`.
    """
    results = tuple(results)
    file = write_feedback(folder / "feedback.json", controls, results)
    failed = sum(bool(result.errors) for result in results)
    task.counts.append(Counts("exported access providers", added=len(results) - failed, failed=failed))
    done = finish(start_feedback_import(task, file), polling)
    task.subtask_event(ACCESS_SYNC, Status.COMPLETED, received)
    return done
