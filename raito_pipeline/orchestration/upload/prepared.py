"""What is settled before an import is sent: what it may remove, and whether Raito Cloud holds just that already."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime

from raito_pipeline.aws.data_objects.subtree import Subtree
from raito_pipeline.model import ImportResult
from raito_pipeline.orchestration.partitioning.grid import Cell
from raito_pipeline.orchestration.recording.cells import CellLog
from raito_pipeline.orchestration.recording.guard import judge, unusable_memories
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.orchestration.upload.imports import Upload
from raito_pipeline.orchestration.upload.unchanged import fingerprint, last_alike, not_sent_again
from raito_pipeline.orchestration.upload.work import Count, Target, Work, exchange_folder
from raito_pipeline.raito.deletions import Elements, held_by_raito_cloud, too_many, unread
from raito_pipeline.raito.files.writer import ImportFile
from raito_pipeline.raito.imports import Imported
from raito_pipeline.raito.jobs import Task
from raito_pipeline.storage import CellUnusable


def prepared(
    upload: Upload, log: CellLog, services: Services, task: Task, cell: Cell, target: Target, folders: ExitStack
) -> Work:
    """What an upload works with; says why nothing may be removed, where that is so. Raises as `counted`."""
    verdict = judge(log.attempts, log.store, upload.needs(services, log.store, cell))
    for reason in (*upload.doubts(services, log.store, cell), *unusable_memories(log.store, upload.table, cell)):
        verdict = verdict.but(reason)
    subtree = Subtree.from_tags(log.context.run.tags)
    if subtree is not None:
        verdict = verdict.but(f"only what lies below {subtree.parent} was read")
    folder = folders.enter_context(exchange_folder(target, upload.job_type.value))
    work = counted(upload, Work(services, log.store, cell, target, task, verdict, folder, subtree))
    for reason in work.verdict.reasons:
        log.context.log.warning(f"{upload.table}: nothing is removed from Raito Cloud, because {reason}")
        task.warnings.append(f"nothing is removed, because {reason}")
    return work


def counted(upload: Upload, work: Work) -> Work:
    """The same work, with what the import would do to what Raito Cloud holds, which must not be to remove too much.

    Raises `CellMissing` where there is nothing to send.
    """
    ids = upload.ids(work)
    if ids is None:
        return work
    owner = upload.owner(work.target)
    held = held_by_raito_cloud(work.store, upload.table, work.cell.place, owner)
    certain = not (held.in_doubt or held.lost)
    count = Count(owner, held.elements, Elements.of(ids), certain, held.lost)
    verdict = work.verdict
    if work.may_delete:
        share = work.services.options.pipeline.max_import_deletions
        for reason in (*held.may_not_remove(share), *_too_much(upload, work, count, share)):
            verdict = verdict.but(reason)
    return replace(work, count=count, verdict=verdict)


def _too_much(upload: Upload, work: Work, count: Count, share: float) -> Iterator[str]:
    """Why what an import lacks of what is known to be held may not be removed."""
    if count.held is not None:
        try:
            yield from unread(count.held, upload.not_read(work))
        except CellUnusable as error:
            yield str(error)
        yield from too_many(count.held, count.sent, Elements.of(upload.meant_to_go(work)), share)


def unchanged_import(upload: Upload, work: Work) -> ImportResult | None:
    """The row of an import that need not be sent, as Raito Cloud holds just that; None for one that is to be sent."""
    count = work.count
    if not work.sent or count is None or count.held is None or not count.certain:
        return None
    # What is held and not sent is to go, where it may.
    if len(count.sent.less(count.held)) or (work.may_delete and len(count.held.less(count.sent))):
        return None
    hours = work.services.options.pipeline.unchanged_imports_hours
    last = last_alike(work.store, upload.table, work.cell.place, work.sent, hours, datetime.now(UTC))
    return None if last is None else not_sent_again(last, work.task.job.id)


def fingerprint_of(upload: Upload, work: Work, files: Sequence[ImportFile]) -> str:
    """What tells the import from others; empty where each one is sent."""
    if not work.services.options.pipeline.unchanged_imports_hours:
        return ""
    part = work.subtree.parent if work.subtree else None
    settings = (upload.owner(work.target), work.target.name, work.may_delete, work.replace_groups, part)
    return fingerprint(files, settings)


def mark(upload: Upload, work: Work, outcome: Imported) -> str:
    """What tells what was sent from other files; empty where it was not taken over whole, so that it is sent again."""
    return "" if outcome.errors or upload.lacks(work) else work.sent
