"""The local Raito Cloud as a whole: start it, talk HTTP to its `url`, stop it; its state stays in one SQLite file."""

import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from werkzeug.serving import BaseWSGIServer, ThreadedWSGIServer, WSGIRequestHandler

from raito_pipeline.sandbox.raito.catalog import Catalog
from raito_pipeline.sandbox.raito.controls import Controls
from raito_pipeline.sandbox.raito.counts import Counts, count_all
from raito_pipeline.sandbox.raito.database import Database
from raito_pipeline.sandbox.raito.faults import CloudFault, CloudFaults, RequestLog
from raito_pipeline.sandbox.raito.http import Application
from raito_pipeline.sandbox.raito.jobs import Jobs
from raito_pipeline.sandbox.raito.login import Gate
from raito_pipeline.sandbox.raito.resolvers import Context, Versions, build_schema
from raito_pipeline.sandbox.raito.triggers import PATH as TRIGGERS
from raito_pipeline.sandbox.raito.triggers import Triggers
from raito_pipeline.sandbox.raito.uploads import UploadedFiles
from raito_pipeline.sandbox.raito.worker import ImportWorkers

HOST = "127.0.0.1"
AUTH_ORG_ID = "local-raito-organization"
_SECONDS_OF_SILENCE = 60


class _CloudHandler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"
    # A client that sends nothing must not keep a thread for ever.
    timeout = _SECONDS_OF_SILENCE

    def log(self, *_: Any) -> None:
        """Nothing is printed; what was asked for is in the request log."""


class _Server(ThreadedWSGIServer):
    # So that closing the server waits for the requests under way.
    daemon_threads = False
    block_on_close = True
    request_queue_size = 128


class LocalRaitoCloud:
    """A Raito Cloud on 127.0.0.1.

    `database` is the SQLite file that keeps all state over restarts, `files` the folder of uploaded and exported files.
    Clients log in at the emulated Cognito at `cognito_endpoint` with `client_id`; with `require_login=False` no token
    is asked for. `domain` is the one Raito domain that exists. `port=0` takes a free one; `url` tells which.
    """

    def __init__(
        self,
        database: Path,
        files: Path,
        cognito_endpoint: str,
        client_id: str,
        domain: str,
        port: int = 0,
        *,
        require_login: bool = True,
    ) -> None:
        self.cognito_endpoint = cognito_endpoint
        self.domain = domain
        self._database_file = database
        self._folder = files
        self._gate = Gate(domain, client_id, require_login=require_login)
        self._wanted_port = port
        self._running: _Running | None = None
        self.versions = Versions()
        self.faults = CloudFaults()
        self.log = RequestLog()

    def start(self) -> Self:
        """Opens the state, takes up unfinished imports, and serves. Raises OSError where the port is taken."""
        if self._running is None:
            self._running = _Running(self)
        return self

    def stop(self) -> None:
        """Ends serving and all threads. Imports under way are undone, and done again at the next start."""
        if self._running is not None:
            running, self._running = self._running, None
            running.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The base address, without a trailing slash."""
        return self._needed().url

    @property
    def catalog(self) -> Catalog:
        return self._needed().catalog

    @property
    def controls(self) -> Controls:
        return self._needed().controls

    @property
    def triggers(self) -> Triggers:
        """The clients that wait for triggers."""
        return self._needed().triggers

    def define_access_control(self, data_source: str, definition: Mapping[str, Any]) -> str:
        """Defines or changes an access control of a data source, as `Controls.define`; gives its id.

        Clients that wait for triggers are told.
        """
        identifier = self.controls.define(data_source, definition)
        self.triggers.access_changed(self.domain, data_source)
        return identifier

    def counts(self) -> Counts:
        """What `GET /sandbox-api/counts` answers."""
        running = self._needed()
        return count_all(running.database, running.catalog, running.controls)

    def add_fault(self, fault: CloudFault) -> None:
        self.faults.add(fault)

    def _needed(self) -> "_Running":
        if self._running is None:
            raise RuntimeError("the local Raito Cloud is not started")
        return self._running


class _Running:
    """Everything that exists only while the server runs."""

    def __init__(self, cloud: LocalRaitoCloud) -> None:
        self._cloud = cloud
        self.database = Database(cloud._database_file)
        self.catalog = Catalog(self.database)
        self.controls = Controls(self.database)
        self.jobs = Jobs(self.database)
        self.files = UploadedFiles(self.database, cloud._folder)
        self.workers = ImportWorkers(self.database, self.jobs, self.files, self.controls, cloud.faults)
        self.triggers = Triggers(cloud._gate)
        application = Application(
            build_schema(), self._context, cloud._gate, AUTH_ORG_ID, cloud.faults, cloud.log, self.triggers
        )
        try:
            self._server: BaseWSGIServer = _Server(HOST, cloud._wanted_port, application, _CloudHandler)
        except OSError:
            self.database.close()
            raise
        self.url = f"http://{HOST}:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="raito-cloud", daemon=True
        )
        self.workers.resume()
        self._thread.start()

    def close(self) -> None:
        # First, as serving ends only when every connection has.
        self.triggers.close()
        self._server.shutdown()
        self._thread.join()
        self.workers.stop()
        self._server.server_close()
        self.database.close()

    def _context(self, url: str) -> Context:
        return Context(
            url=url,
            trigger_url=url.replace("http://", "ws://", 1) + TRIGGERS,
            versions=self._cloud.versions,
            database=self.database,
            catalog=self.catalog,
            jobs=self.jobs,
            files=self.files,
            workers=self.workers,
            controls=self.controls,
        )
