"""Jobs, tasks and subtasks: what makes a sync visible in Raito Cloud, and the waiting for its work.

Life of a job: created, IN_PROGRESS, its tasks, then COMPLETED or FAILED with the errors. A status update that
Raito Cloud does not take is logged and never fails the sync.
"""

import heapq
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from types import TracebackType
from typing import Any

from raito_pipeline.raito.client import RaitoClient, messages_of
from raito_pipeline.raito.errors import (
    ImportFailed,
    ImportTimedOut,
    RaitoError,
    RaitoLoginFailed,
    RaitoRefused,
    RaitoUnreachable,
)

logger = logging.getLogger(__name__)

ACCESS_SYNC = "AccessSync"


class JobType(StrEnum):
    """What a task works on."""

    IDENTITY_STORE = "IS"
    DATA_SOURCE = "DS"
    DATA_ACCESS = "DA"
    DATA_USAGE = "DU"


class Status(StrEnum):
    """Where a job, task or subtask is."""

    STARTED = "STARTED"
    IN_PROGRESS = "IN_PROGRESS"
    DATA_RETRIEVE = "DATA_RETRIEVE"
    DATA_UPLOAD = "DATA_UPLOAD"
    QUEUED = "QUEUED"
    DATA_PROCESSING = "DATA_PROCESSING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"
    TIMED_OUT = "TIMED_OUT"


_ENDED_OTHERWISE = frozenset(
    {"ABORTED", "CANCELED", "CANCELLED", "ERROR", "ERRORED", "EXPIRED", "FAILURE", "KILLED", "REJECTED", "STOPPED"}
)
"""what is no status that is known, and cannot be anything but an end: nobody waits for hours on it"""
FINAL = frozenset({Status.COMPLETED, Status.FAILED, Status.SKIPPED, Status.TIMED_OUT})


@dataclass(frozen=True, slots=True)
class Counts:
    """What an import did to one kind of object, as a task reports it."""

    object_type: str
    added: int = 0
    updated: int = 0
    removed: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Polling:
    """How to wait for Raito Cloud: seconds before the first look, growing by `growth` to `longest`; `forgiven` failed
    looks in a row; `deadline` seconds after which the waiting ends."""

    first: float = 0.2
    growth: float = 1.5
    longest: float = 5.0
    forgiven: int = 5
    deadline: float = 6 * 3600.0


PATIENT = Polling()


@dataclass(frozen=True, slots=True)
class Subtask:
    """A piece of work that Raito Cloud does for a task."""

    job_id: str
    job_type: str
    subtask_id: str


@dataclass(frozen=True, slots=True)
class SubtaskAnswer:
    """What became of a subtask: its status, the fields of its result, and the errors that stand beside them."""

    subtask: Subtask
    status: str
    kind: str
    result: Mapping[str, Any]
    errors: tuple[str, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What Raito Cloud warned of, and the errors of what it completed all the same."""
        return *messages_of(self.result.get("warnings") or ()), *self.errors

    def count(self, name: str) -> int:
        """A counter of the result, 0 where it has none."""
        return number_of(self.result, name)


@dataclass
class Job:
    """A job of one target. As a context manager it reports its end: COMPLETED, or FAILED with every error.

    It keeps its tasks, one a job type: whatever works on a task asks for it here. `on_change` is called when a task
    begins or ends.
    """

    client: RaitoClient
    id: str
    data_source_id: str | None
    identity_store_id: str | None
    errors: list[str] = field(default_factory=list)
    tasks: "dict[JobType, Task]" = field(default_factory=dict)
    on_change: "Callable[[Job], None] | None" = None

    @classmethod
    def create(cls, client: RaitoClient, data_source_id: str | None, identity_store_id: str | None) -> "Job":
        """Create a job. Raises `RaitoError` where Raito Cloud makes none, or its answer does not arrive.

        In that case there may be a job that stays open: Raito Cloud gives it its id, takes none of ours, and has no
        query that lists jobs, so that nobody can find it again. It is not asked twice, which would leave more of them.
        """
        ids = {"dataSourceId": data_source_id, "identityStoreId": identity_store_id}
        try:
            job_id = client.ask("CreateJob", {"input": {**ids, "eventTime": now()}}, "jobId")
        except RaitoUnreachable:
            logger.warning("Raito Cloud may have made a job all the same: nothing ends it, as its id is not known")
            raise
        return cls(client, job_id, data_source_id, identity_store_id)

    @classmethod
    def start(cls, client: RaitoClient, data_source_id: str | None, identity_store_id: str | None) -> "Job":
        """Create a job and say that it runs. Raises `RaitoError` where it cannot be created."""
        job = cls.create(client, data_source_id, identity_store_id)
        job.update(Status.IN_PROGRESS)
        return job

    @property
    def ids(self) -> dict[str, str | None]:
        """The ids that every report of the job names."""
        return {"dataSourceId": self.data_source_id, "identityStoreId": self.identity_store_id}

    def update(self, status: Status, errors: Sequence[str] = ()) -> bool:
        """Report a status of the job; gives whether Raito Cloud took it."""
        return report(self.client, *self._status_call(status, errors), f"job {self.id} {status}")

    def report_status(self, status: Status, errors: Sequence[str] = ()) -> None:
        """Report a status of the job. Raises `RaitoError` where Raito Cloud does not take it."""
        self.client.call(*self._status_call(status, errors))

    def _status_call(self, status: Status, errors: Sequence[str]) -> tuple[str, dict[str, Any]]:
        values = {**self.ids, "status": status.value, "eventTime": now(), "errors": list(errors)}
        return "UpdateJob", {"id": self.id, "input": values}

    @property
    def outcome(self) -> Status:
        """COMPLETED only where nothing went wrong and every task ended well, else FAILED."""
        well = all(task.status in (Status.COMPLETED, Status.SKIPPED) for task in self.tasks.values())
        return Status.COMPLETED if well and not self.errors else Status.FAILED

    def finish(self) -> bool:
        """Report the end: `outcome`, with the errors. Gives whether Raito Cloud took it."""
        return self.update(self.outcome, self.errors)

    def task(self, job_type: JobType) -> "Task":
        """The task of this type; it begins with its first event."""
        return self.tasks.setdefault(job_type, Task(self, job_type))

    def skip(self, job_type: JobType) -> None:
        """Report a task that is switched off."""
        self.task(job_type).event(Status.SKIPPED)

    def __enter__(self) -> "Job":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.add_error(said(self.client, error))
        self.finish()

    def add_error(self, text: str) -> None:
        """Remember an error for the end of the job, once."""
        _remember(self.errors, text)


@dataclass
class Task:
    """A task of a job. As a context manager it reports STARTED, and COMPLETED with `counts` or FAILED at the end.

    Several stages may work on one task, one after the other: it may begin again after it ended, and what failed once
    stays: a task with errors never ends as COMPLETED.
    """

    job: Job
    job_type: JobType
    counts: list[Counts] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    status: Status | None = None
    open_subtasks: set[str] = field(default_factory=set)

    @property
    def ended(self) -> bool:
        """Whether its last event was a final one."""
        return self.status in FINAL

    def event(self, status: Status) -> None:
        """Report a status of the task, with the counts, warnings and errors that it has."""
        changed = self.status is None or self.ended != (status in FINAL)
        self.status = status
        values = {
            "jobId": self.job.id,
            "jobType": self.job_type.value,
            **self.job.ids,
            "status": status.value,
            "eventTime": now(),
            "errors": list(self.errors),
            "warnings": list(self.warnings),
            "result": [_counts(each) for each in self.counts],
        }
        report(self.job.client, "AddTaskEvent", {"input": values}, f"task {self.job_type} {status}")
        if changed and self.job.on_change is not None:
            self.job.on_change(self.job)

    def start(self) -> "Task":
        """Report STARTED, unless it is under way."""
        if self.status is None or self.ended:
            self.event(Status.STARTED)
        return self

    def complete(self) -> None:
        """Report COMPLETED with the counts, or FAILED where it has errors, unless the end was reported already."""
        if not self.ended:
            self._end(Status.FAILED if self.errors else Status.COMPLETED)

    def fail(self, error: BaseException) -> None:
        """Report FAILED with the error and those before it, and remember it for the job."""
        self.fail_because([said(self.job.client, error)])

    def fail_because(self, causes: Iterable[str]) -> None:
        """Report FAILED with these texts and those before them, unless they were all reported already."""
        known = len(self.errors)
        for text in causes:
            _remember(self.errors, text)
            self.job.add_error(text)
        if len(self.errors) > known or not self.ended:
            self._end(Status.FAILED)

    def subtask_event(self, subtask_id: str, status: Status, received: int | None = None) -> None:
        """Report a status of a subtask of our own; `received` is `Export.received` of its input."""
        if status in FINAL:
            self.open_subtasks.discard(subtask_id)
        else:
            self.open_subtasks.add(subtask_id)
        values = {
            "jobId": self.job.id,
            "jobType": self.job_type.value,
            "subtaskId": subtask_id,
            **self.job.ids,
            "status": status.value,
            "eventTime": now(),
            "receivedDate": received,
        }
        report(self.job.client, "AddSubtaskEvent", {"input": values}, f"subtask {subtask_id} {status}")

    def _end(self, status: Status) -> None:
        """Report the end. A subtask that is still open ends with its task: nothing came of it."""
        for subtask_id in sorted(self.open_subtasks):
            self.subtask_event(subtask_id, Status.FAILED if status is Status.FAILED else Status.SKIPPED)
        self.event(status)

    def __enter__(self) -> "Task":
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.complete()
        else:
            self.fail(error)


def end_of_targets(client: RaitoClient, job_ids: Sequence[str]) -> None:
    """Say, once after all targets of a sync, that these jobs were all."""
    report(client, "EndOfTargetsSync", {"input": {"jobIds": list(job_ids)}}, "end of all targets")


def poll(client: RaitoClient, subtask: Subtask) -> SubtaskAnswer:
    """Look at a subtask once. Raises `RaitoError`, `ImportFailed` also where Raito Cloud skipped it."""
    names = {"jobId": subtask.job_id, "jobType": subtask.job_type, "subtaskId": subtask.subtask_id}
    answer = client.call("JobSubtask", names, attempts=1)
    given = answer.get("result")
    result = given if isinstance(given, dict) else {}
    status = answer.get("status")
    if not status or not isinstance(status, str):  # other than one that nobody knows, it says that something is wrong
        raise RaitoRefused(f"JobSubtask of {subtask.job_id}", ("the answer holds no status",))
    errors = tuple(client.redact(text) for text in messages_of(answer.get("errors") or ()))
    status = status.strip().upper()
    if status == Status.FAILED:
        raise ImportFailed(*_names(subtask), errors)
    if status in _ENDED_OTHERWISE:
        raise ImportFailed(*_names(subtask), (f"Raito Cloud says {status}", *errors))
    if status == Status.SKIPPED:  # what nobody did is nothing that was taken over
        raise ImportFailed(*_names(subtask), ("Raito Cloud skipped it", *errors))
    return SubtaskAnswer(subtask, status, str(result.get("__typename", "")), result, errors)


def number_of(result: Mapping[str, Any], name: str) -> int:
    """A counter of a result, 0 where it has none."""
    try:
        return int(result.get(name) or 0)
    except (TypeError, ValueError, OverflowError):
        return 0


def wait(client: RaitoClient, subtask: Subtask, polling: Polling = PATIENT) -> SubtaskAnswer:
    """Wait for a subtask. Raises `ImportFailed`, `ImportTimedOut`, or what made the waiting fail."""
    (outcome,) = wait_all(client, [subtask], polling)
    if isinstance(outcome, RaitoError):
        raise outcome
    return outcome


def wait_all(
    client: RaitoClient,
    subtasks: Sequence[Subtask],
    polling: Polling = PATIENT,
    on_end: Callable[[int, SubtaskAnswer | RaitoError], None] | None = None,
) -> tuple[SubtaskAnswer | RaitoError, ...]:
    """Wait for independent subtasks at the same time; gives answers and errors in the order of `subtasks`.

    `on_end` is told of each one, by its position, as soon as it ends.
    """
    waits = [_Wait(subtask, polling) for subtask in subtasks]
    due = [(waiting.next_look, position) for position, waiting in enumerate(waits)]
    heapq.heapify(due)
    while due:
        moment, position = heapq.heappop(due)
        time.sleep(max(0.0, moment - time.monotonic()))
        waits[position].look(client)
        outcome = waits[position].outcome
        if outcome is None:
            heapq.heappush(due, (waits[position].next_look, position))
        elif on_end is not None:
            on_end(position, outcome)
    return tuple(waiting.outcome for waiting in waits if waiting.outcome is not None)


class _Wait:
    """The waiting for one subtask: when to look next, and how often in a row looking failed."""

    def __init__(self, subtask: Subtask, polling: Polling) -> None:
        self.subtask, self.polling = subtask, polling
        self.started = time.monotonic()
        self.pause = polling.first
        self.next_look = self.started + self.pause
        self.failed = 0
        self.unknown = ""
        self.outcome: SubtaskAnswer | RaitoError | None = None

    def look(self, client: RaitoClient) -> None:
        waited, asked = time.monotonic() - self.started, 0.0
        try:
            answer = poll(client, self.subtask)
        except (RaitoUnreachable, RaitoRefused) as error:
            self.failed += 1
            asked = error.retry_after if isinstance(error, RaitoRefused) else 0.0
            logger.warning("looking at %s of job %s failed: %s", self.subtask.job_type, self.subtask.job_id, error)
            if self.failed > self.polling.forgiven:
                self.outcome = error
        except (ImportFailed, RaitoLoginFailed) as error:
            self.outcome = error
        else:
            self.failed = 0
            if answer.status == Status.TIMED_OUT:
                self.outcome = ImportTimedOut(*_names(self.subtask), waited, answer.errors)
            elif answer.status in FINAL:
                self.outcome = answer
            elif answer.status not in Status.__members__ and answer.status != self.unknown:
                self.unknown = answer.status
                logger.warning(
                    "%s of job %s is %s, which says nothing: waiting on", *_names(self.subtask)[:2], answer.status
                )
        if self.outcome is None and waited > self.polling.deadline:
            self.outcome = ImportTimedOut(*_names(self.subtask), waited)
        self.pause = min(self.pause * self.polling.growth, self.polling.longest)
        # However long the service asks to be left alone, the waiting ends in time.
        end = max(self.started + self.polling.deadline, time.monotonic())
        self.next_look = min(time.monotonic() + max(self.pause, asked), end + self.pause)


def _names(subtask: Subtask) -> tuple[str, str, str]:
    return subtask.job_type, subtask.job_id, subtask.subtask_id


def report(client: RaitoClient, name: str, variables: Mapping[str, Any], what: str) -> bool:
    """Send a status update; one that fails is a warning in the log, never an error of the sync.

    Gives whether Raito Cloud took it.
    """
    try:
        client.call(name, variables)
    except RaitoError as error:
        logger.warning("Raito Cloud could not be informed of %s: %s", what, error)
        return False
    return True


def said(client: RaitoClient, error: BaseException) -> str:
    """An error as one text without secrets."""
    return client.redact(str(error) or type(error).__name__)


def now() -> str:
    """The present as RFC 3339."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _remember(texts: list[str], text: str) -> None:
    """Add a text, unless one there says the same; one that says it with less is replaced."""
    for position, known in enumerate(texts):
        if text in known:
            return
        if known in text:
            texts[position] = text
            return
    texts.append(text)


def _counts(counts: Counts) -> dict[str, Any]:
    return {
        "objectType": counts.object_type,
        "added": counts.added,
        "updated": counts.updated,
        "removed": counts.removed,
        "failed": counts.failed,
    }
