"""Works off what was queued: one thread a data source or identity store, each in the order of arrival."""

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy.engine import Connection

from raito_pipeline.sandbox.raito.controls import Controls
from raito_pipeline.sandbox.raito.database import Database
from raito_pipeline.sandbox.raito.faults import CloudFault, CloudFaults
from raito_pipeline.sandbox.raito.imports.access_providers import import_access_providers
from raito_pipeline.sandbox.raito.imports.common import ImportRejected, ImportWork, Stopping
from raito_pipeline.sandbox.raito.imports.data_objects import import_data_objects
from raito_pipeline.sandbox.raito.imports.feedback import import_feedback
from raito_pipeline.sandbox.raito.imports.identities import import_identities
from raito_pipeline.sandbox.raito.imports.usage import import_usage
from raito_pipeline.sandbox.raito.jobs import Jobs, Queued, finish
from raito_pipeline.sandbox.raito.uploads import UploadedFiles


@dataclass
class _Line:
    """One thread and what it has to do."""

    waiting: "queue.Queue[Queued | None]"
    thread: threading.Thread


class ImportWorkers:
    """The threads behind the imports and the export. Started on demand; `stop` ends them all."""

    def __init__(
        self, database: Database, jobs: Jobs, files: UploadedFiles, controls: Controls, faults: CloudFaults
    ) -> None:
        self._database = database
        self._jobs = jobs
        self._files = files
        self._controls = controls
        self._faults = faults
        self._lock = threading.Lock()
        self._lines: dict[str, _Line] = {}
        self._stopping = threading.Event()
        self._steps: dict[str, Callable[[ImportWork, Connection], None]] = {
            "identities": import_identities,
            "data-objects": import_data_objects,
            "access-providers": import_access_providers,
            "usage": import_usage,
            "feedback": partial(import_feedback, controls=controls),
            "export": self._export,
        }

    def resume(self) -> None:
        """Takes up what was not finished when the server last stopped."""
        for queued in self._jobs.unfinished():
            self.put(queued)

    def put(self, queued: Queued) -> None:
        with self._lock:
            if self._stopping.is_set():
                return
            line = self._lines.get(queued.store)
            if line is None:
                line = self._lines[queued.store] = self._started(queued.store)
            line.waiting.put(queued)

    def stop(self) -> None:
        """Ends all threads; an import under way is undone and done at the next start."""
        with self._lock:
            self._stopping.set()
            lines = list(self._lines.values())
            self._lines.clear()
        for line in lines:
            line.waiting.put(None)
        for line in lines:
            line.thread.join()

    def _started(self, store: str) -> _Line:
        waiting: queue.Queue[Queued | None] = queue.Queue()
        thread = threading.Thread(target=self._work_off, args=(waiting,), name=f"raito-worker-{store}", daemon=True)
        thread.start()
        return _Line(waiting, thread)

    def _work_off(self, waiting: "queue.Queue[Queued | None]") -> None:
        while not self._stopping.is_set():
            queued = waiting.get()
            if queued is None:
                return
            self._do(queued)

    def _do(self, queued: Queued) -> None:
        try:
            self._jobs.set_status(queued.number, "DATA_PROCESSING")
            fault = self._fault(queued)
            if fault is not None and fault.outcome not in (None, "COMPLETED"):
                errors = [fault.message] if fault.outcome == "FAILED" else []
                self._jobs.set_status(queued.number, fault.outcome, errors)
                return
            errors = [fault.message] if fault is not None and fault.outcome else []
            work = ImportWork(
                self._database,
                queued.store,
                queued.request,
                self._files.arrived,
                self._finish(queued, errors),
                self._stopping,
            )
            with self._database.session() as connection:
                self._steps[queued.kind](work, connection)
        except Stopping:
            return
        except ImportRejected as error:
            self._jobs.set_status(queued.number, "FAILED", error.errors)
        except Exception as error:  # the edge of a run: the client has to hear of it, and the thread lives on
            self._jobs.set_status(queued.number, "FAILED", [f"internal error: {type(error).__name__}: {error}"])

    def _fault(self, queued: Queued) -> CloudFault | None:
        """The fault that is due, once its delay is over."""
        fault = self._faults.take(f"import:{queued.kind}", subject=f"{queued.store} {queued.request}")
        if fault is not None and self._stopping.wait(fault.delay):
            raise Stopping
        return fault

    @staticmethod
    def _finish(queued: Queued, errors: Sequence[str]) -> Callable[[Connection, Mapping[str, Any]], None]:
        def write(connection: Connection, result: Mapping[str, Any]) -> None:
            finish(connection, queued.number, "COMPLETED", errors=errors, result=result)

        return write

    def _export(self, work: ImportWork, connection: Connection) -> None:
        with self._database.exclusively(connection):
            content = self._controls.export(
                connection, work.store, only_out_of_sync=bool(work.request.get("outOfSync"))
            )
            key = self._files.write_export(content)
            work.finish(connection, {"__typename": "AccessProviderExportResult", "fileKey": key, "warnings": []})
