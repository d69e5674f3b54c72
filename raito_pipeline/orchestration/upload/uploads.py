"""The uploads to Raito Cloud: the imports of a cell side by side, and what is kept of each, however it ends."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from raito_pipeline.model import TABLES, ImportResult
from raito_pipeline.model.upload import elements_table
from raito_pipeline.orchestration.partitioning.grid import Cell
from raito_pipeline.orchestration.recording.cells import CellLog
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.orchestration.upload.imports import Upload
from raito_pipeline.orchestration.upload.prepared import fingerprint_of, mark, prepared, unchanged_import
from raito_pipeline.orchestration.upload.raito_jobs import RunJobs
from raito_pipeline.orchestration.upload.unchanged import SENT
from raito_pipeline.orchestration.upload.work import Count, Work
from raito_pipeline.raito.deletions import Elements, disagreement, remember, remember_lost, why_lost
from raito_pipeline.raito.errors import RaitoError
from raito_pipeline.raito.imports import Imported, PendingImport, finish_all, skipped
from raito_pipeline.raito.jobs import Task
from raito_pipeline.storage import ReadStatus, StorageError


def upload_all(uploads: Sequence[Upload], log: CellLog, services: Services, jobs: RunJobs, cell: Cell) -> None:
    """Make the imports of one cell at the same time; one that fails does not keep the others from their end."""
    pending: list[tuple[Upload, Work, PendingImport]] = []
    with ExitStack() as folders:
        for upload in uploads:
            with log.attempt(cell, *upload.tables()):
                begun = _begin(upload, log, services, jobs, cell, folders)
                if begun is not None:
                    pending.append((upload, *begun))
        with in_doubt_unless_done((upload, work) for upload, work, _ in pending):
            outcomes = finish_all([begun for _, _, begun in pending])
        for (upload, work, _), outcome in zip(pending, outcomes, strict=True):
            with log.attempt(cell, *upload.tables()), in_doubt_unless_done([(upload, work)]):
                _take(upload, log, cell, work, outcome)


def _take(upload: Upload, log: CellLog, cell: Cell, work: Work, outcome: Imported | RaitoError) -> None:
    """Keep what came of an import. Raises `RaitoError` where nothing did, `StorageError`."""
    if isinstance(outcome, RaitoError):
        raise outcome
    notes = upload.imported(work)
    row = outcome.to_row(work.target.name, work.verdict.text)
    noted = work.count.note(row) if work.count else row
    problems = (*_problems(work), *(f"Raito Cloud: {error}" for error in outcome.errors))
    _keep(upload, log, cell, noted, problems, sent=mark(upload, work, outcome))
    for info in notes:
        log.record(cell, info, {})


@contextmanager
def in_doubt_unless_done(imports: Iterable[tuple[Upload, Work]]) -> Iterator[None]:
    """Note of imports that Raito Cloud may hold something else than was known, where the block ends with any error.

    Their answers may have been lost, the run interrupted, the storage full: the next import is sent, whatever it says.
    """
    try:
        yield
    except BaseException:
        for upload, work in imports:
            if work.count is not None and work.count.held is not None:
                _note_doubt(upload, work, work.count, work.count.held)
        raise


def _note_doubt(upload: Upload, work: Work, count: Count, held: Elements) -> None:
    try:
        remember(work.store, upload.table, work.cell.place, count.owner, held, doubt=True, lost=count.lost)
    except StorageError as error:
        work.store.warn(f"{upload.table}: that its import may have been made could not be noted: {error}")


def _begin(
    upload: Upload, log: CellLog, services: Services, jobs: RunJobs, cell: Cell, folders: ExitStack
) -> tuple[Work, PendingImport] | None:
    target = upload.target(services, cell)
    if target is None:
        _keep_notes(upload, log, cell)
        log.out_of_scope(upload.table, cell, "no target of raito.yml uploads this organization")
        return None
    off = upload.switched_off(target)
    if off is not None:
        row = skipped(jobs.of(target).task(upload.job_type)).to_row(target.name, off)
        _keep_notes(upload, log, cell)
        _keep(upload, log, cell, row, out_of_scope=True)
        return None
    log.require_lease(cell)
    task = jobs.task(target, upload.job_type)
    try:
        work = prepared(upload, log, services, task, cell, target, folders)
        if work.count is not None and jobs.follow_a_killed_run(target):
            work = replace(work, count=replace(work.count, certain=False))
        files = upload.write(work)
        work = replace(work, sent=fingerprint_of(upload, work, files))
        again = unchanged_import(upload, work)
        if files and again is None:
            with in_doubt_unless_done([(upload, work)]):
                return work, upload.send(work, files)
    except Exception as error:
        task.fail(error)
        raise
    task.complete()
    if again is None:
        _keep(upload, log, cell, _nothing_sent(task, target.name))
    else:
        _keep(upload, log, cell, again, _problems(work), sent=work.sent)
    _keep_notes(upload, log, cell)
    return None


def _problems(work: Work) -> tuple[str, ...]:
    """What makes the import partial. That only a part was asked for does not."""
    return () if work.subtree else work.verdict.reasons


def _nothing_sent(task: Task, target: str) -> ImportResult:
    done = Imported(task.job.id, task.job_type.value, "COMPLETED", (), False, (), (), datetime.now(UTC))
    return replace(done.to_row(target), reason="nothing new to send")


def _keep(
    upload: Upload,
    log: CellLog,
    cell: Cell,
    row: ImportResult,
    problems: Sequence[str] = (),
    *,
    out_of_scope: bool = False,
    sent: str = "",
) -> None:
    """Store what came of an import; one that `raito.yml` leaves out has a row, too, as it is reported as skipped."""
    status = ReadStatus.OUT_OF_SCOPE if out_of_scope else ReadStatus.COMPLETE
    extra = {"reason": row.reason or ""} if out_of_scope else {SENT: sent}
    info = log.store.write(
        upload.table, [row], cell.account, cell.region, status=status, problems=problems, extra=extra
    )
    metadata = {
        **({"in_scope": False, "why": row.reason or ""} if out_of_scope else {}),
        "status": row.status,
        "elements": row.elements,
        "added": row.added,
        "updated": row.updated,
        "removed": row.removed,
        "failed": row.failed,
        "delete untouched": row.delete_untouched,
        **({} if row.held is None else {"held by Raito Cloud": row.held}),
        **({"counts": differs} if (differs := disagreement(row)) else {}),
        "reason": row.reason or "",
        "job": row.job_id,
        "sent bytes": row.bytes,
    }
    log.record(cell, info, metadata)


def _keep_notes(upload: Upload, log: CellLog, cell: Cell) -> None:
    """Where nothing was imported, what is noted for the next sync stays true; to be done before that is stored.

    What cannot be read any more stays unknown.
    """
    for table in TABLES[upload.table].notes:
        if log.store.info(table, *cell.place) is None:
            _note_nothing(upload, log, cell, table)
        else:
            log.record(cell, log.store.confirm(table, *cell.place), {})


def _note_nothing(upload: Upload, log: CellLog, cell: Cell, table: str) -> None:
    lost = why_lost(log.store, upload.table, cell.place) if table == elements_table(upload.table) else ""
    if lost:
        log.record(cell, remember_lost(log.store, upload.table, cell.place, lost), {"why": lost})
    else:
        log.out_of_scope(table, cell, "nothing was ever imported")
