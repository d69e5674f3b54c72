"""The emulated AWS: start it, point AWS SDKs at its `endpoint_url`, stop it.

It serves moto with what moto lacks for tests and demonstrations: a call log, faults to order, and a journal that keeps
changes over restarts. One process has one emulated AWS at a time, as moto keeps its state in the process.
"""

import io
import os
import secrets
import threading
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self
from urllib.parse import unquote_to_bytes

import moto.backends as moto_backends
from moto import settings
from moto.core.authorization import ActionAuthenticatorMixin
from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data
from moto.moto_api._internal import mock_random
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from raito_pipeline.sandbox.aws.call_log import CallLog
from raito_pipeline.sandbox.aws.control import PREFIX, answer_control
from raito_pipeline.sandbox.aws.errors import error_answer, fault_answer, foreign_answer, in_the_protocols_shape
from raito_pipeline.sandbox.aws.faults import Fault, Faults
from raito_pipeline.sandbox.aws.http import HOST, Answer, Server
from raito_pipeline.sandbox.aws.incoming import Incoming, read_incoming
from raito_pipeline.sandbox.aws.journal import Journal, JournalEntry, change_of
from raito_pipeline.sandbox.aws.pace import Pace, instantly, set_pace
from raito_pipeline.sandbox.aws.patches import apply_patches
from raito_pipeline.sandbox.aws.patches.organizations import forget_members
from raito_pipeline.sandbox.aws.patches.paging import LONGEST, set_longest_page
from raito_pipeline.sandbox.aws.patches.sso_operations import forget_operations, settle

USER_POOL_ACCOUNT = "123456789012"
USER_POOL_REGION = "eu-west-1"
_ENVIRONMENT = {
    # Answers 403 for another account's bucket, as AWS does without a bucket policy that says otherwise.
    "MOTO_S3_ALLOW_CROSSACCOUNT_ACCESS": "false",
    "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",
}
_FIRST_SEED = 20_240_101


class _Dispatcher(DomainDispatcherApplication):
    """Remembers which service a host means, which moto finds out anew for each call by looking at its folders.

    The applications of services hold no state, and making one takes longer than most calls: a process has one of each.
    """

    _APPLICATIONS: ClassVar[dict[str, Any]] = {}

    def __init__(self) -> None:
        super().__init__(create_backend_app)
        self.app_instances = self._APPLICATIONS
        self._backends: dict[str | None, Any] = {}

    def get_backend_for_host(self, host: str | None) -> Any:
        if host not in self._backends:
            self._backends[host] = super().get_backend_for_host(host)
        return self._backends[host]


class EmulatedAws:
    """AWS on 127.0.0.1, empty at the start; `port=0` takes a free one.

    `journal` keeps the changes that come over HTTP (see `replay_journal`); `latency_seconds` is added to each call.
    `longest_page` is the number of items a page at the most. `pace` is how long AWS takes for what it does after it has
    answered (it may be changed while it runs; `reset_state` brings back what was given). With `remember` a reading call
    that comes again is answered as before until something changes, for tests that read the same again and again.
    `calls` is the call log, `faults` what goes wrong; other processes reach both under `/sandbox-api/`. Whoever seeds
    in-process while clients are at work holds `lock`.
    """

    def __init__(
        self,
        port: int = 0,
        journal: Path | None = None,
        latency_seconds: float = 0.0,
        longest_page: int = LONGEST,
        remember: bool = False,
        pace: Pace | None = None,
    ) -> None:
        os.environ.update(_ENVIRONMENT)
        apply_patches()
        self._longest_page = longest_page
        self._remembered: dict[tuple[str, ...], Answer] | None = {} if remember else None
        self.calls = CallLog()
        self.faults = Faults()
        self.latency_seconds = latency_seconds
        self.lock = threading.RLock()
        self._first_pace = pace or Pace()
        self._journal = Journal(journal) if journal is not None else None
        self._moto = _Dispatcher()
        self.reset_state()
        self._server = Server(port, self._answer)
        self._stopped = False

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_port)

    @property
    def endpoint_url(self) -> str:
        """The address for all AWS services."""
        return f"http://{HOST}:{self.port}"

    def reset_state(self) -> None:
        """Empty all accounts, order no faults, log no calls, enforce no IAM; the journal stays as it is."""
        with self.lock:
            BackendDict.reset()
            reset_model_data()
            settings.INITIAL_NO_AUTH_ACTION_COUNT = float("inf")
            ActionAuthenticatorMixin.request_count = 0
            mock_random.seed(_FIRST_SEED)
            forget_operations()
            forget_members()
            self.pace = replace(self._first_pace)
            set_pace(self.pace)
            set_longest_page(self._longest_page)
        self.faults.clear()
        self.calls.reset()

    def create_user_pool(self, user: str, password: str) -> str:
        """A Cognito user pool with one user who may log in with this password; gives the app client's id."""
        with self.lock:
            cognito = moto_backends.get_backend("cognito-idp")[USER_POOL_ACCOUNT][USER_POOL_REGION]
            pool = cognito.create_user_pool("raito", {})
            flows: dict[str, Any] = {"ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]}
            client = cognito.create_user_pool_client(pool.id, False, flows)
            attributes = [{"Name": "email", "Value": user}]
            cognito.admin_create_user(pool.id, user, "SUPPRESS", "", attributes)
            # Not by way of the service: its rules for good passwords are not the point here.
            created = cognito.admin_get_user(pool.id, user)
            created.password = password
            created.status = "CONFIRMED"
            return str(client.id)

    def replay_journal(self) -> int:
        """Make all changes of the journal again; gives how many. ReplayFailed if one does not succeed."""
        if self._journal is None:
            return 0
        count = 0
        with instantly():
            for count, change in enumerate(self._journal.changes(), start=1):
                answer = self._moto_answer(_environ_of(change, self.endpoint_url), change.seed)
                if answer.status >= 400:
                    raise ReplayFailed(count, change, answer)
        return count

    def settle(self) -> None:
        """Let what AWS was doing after its answers, and has had its time for, be done; each call does so, too."""
        with self.lock:
            if settle() and self._remembered is not None:
                self._remembered.clear()

    def stop(self) -> None:
        """Stop serving; a second call does nothing."""
        if not self._stopped:
            self._stopped = True
            self._server.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _answer(self, environ: dict[str, Any]) -> Answer | None:
        path = str(environ.get("PATH_INFO", ""))
        if path.startswith(PREFIX):
            with self.lock:
                self.settle()
                return answer_control(environ, self.calls, self.faults)
        if path.startswith("/moto-api"):
            return self._moto_answer(environ)
        started = time.time()
        call = read_incoming(environ)
        ordered = self.faults.take(call)
        if self.latency_seconds + ordered.delay > 0:
            time.sleep(self.latency_seconds + ordered.delay)
        answer = self._faulty(call, environ, ordered.fault) if ordered.fault else self._carried_out(call, environ)
        self.calls.add(
            time=started,
            account=call.account,
            region=call.region,
            service=call.service,
            operation=call.operation,
            status=answer.status if answer else 0,
            writes=call.writes,
            seconds=time.time() - started,
            request=call.digest,
            fault=ordered.fault.kind if ordered.fault else "",
        )
        return answer

    def _faulty(self, call: Incoming, environ: dict[str, Any], fault: Fault) -> Answer | None:
        real = self._carried_out(call, environ) if fault.after or fault.kind in ("truncate", "half") else None
        if fault.kind == "drop":
            return None
        if fault.kind in ("truncate", "half") and real is not None:
            return _shortened(real, whole_length=fault.kind == "truncate")
        if fault.kind in ("page", "empty", "stub"):
            return foreign_answer(fault, call)
        return fault_answer(fault, call)

    def _carried_out(self, call: Incoming, environ: dict[str, Any]) -> Answer:
        self.settle()
        if not call.writes:
            return self._read(call, environ)
        if self._remembered is not None:
            self._remembered.clear()
        seed = secrets.randbits(63)
        with self.lock:
            change = change_of(call, environ, seed) if self._journal else None
            answer = self._moto_answer(environ, seed, call)
            if self._journal and change and answer.status < 400:
                self._journal.append(change)
        return answer

    def _read(self, call: Incoming, environ: dict[str, Any]) -> Answer:
        if self._remembered is None:
            return self._moto_answer(environ, call=call)
        key = (call.account, call.region, call.service, call.operation, call.method, call.text, call.body.hex())
        answer = self._remembered.get(key)
        if answer is None:
            answer = self._remembered[key] = self._moto_answer(environ, call=call)
        return answer

    def _moto_answer(self, environ: dict[str, Any], seed: int | None = None, call: Incoming | None = None) -> Answer:
        status: list[str] = []
        headers: list[tuple[str, str]] = []

        def start_response(text: str, given: list[tuple[str, str]], _exc_info: Any = None) -> None:
            status[:] = [text]
            headers[:] = given

        with self.lock:
            if seed is not None:
                mock_random.seed(seed)
            try:
                body = _joined(self._moto(environ, start_response))
            except Exception as error:
                if call is None:
                    raise
                # What moto has not implemented would otherwise be an HTML page.
                message = f"The emulated AWS cannot do {call.service}:{call.operation}: {type(error).__name__} {error}"
                return error_answer(call, 501, "NotImplemented", message)
        answer = Answer(int(status[0].split()[0]), tuple(headers), body)
        return in_the_protocols_shape(call, answer) if call is not None else answer


class ReplayFailed(RuntimeError):
    """A change of the journal that the emulated AWS no longer takes."""

    def __init__(self, number: int, change: JournalEntry, answer: Answer) -> None:
        self.number, self.change, self.status = number, change, answer.status
        super().__init__(
            f"Replaying change {number} ({change.service} {change.operation} in account {change.account}) was answered "
            f"with {answer.status}: {answer.body[:300].decode('utf-8', 'replace')}. Delete the journal to start anew."
        )


def _shortened(answer: Answer, *, whole_length: bool) -> Answer:
    """The first half of an answer; with `whole_length` it announces all of it, and the connection breaks."""
    half = len(answer.body) // 2
    length = ("Content-Length", str(len(answer.body) if whole_length else half))
    headers = (*(header for header in answer.headers if header[0].lower() != "content-length"), length)
    return Answer(answer.status, headers, answer.body[:half], cut=half if whole_length else None)


def _joined(pieces: Iterable[bytes]) -> bytes:
    try:
        return b"".join(pieces)
    finally:
        close = getattr(pieces, "close", None)
        if close is not None:
            close()


def _environ_of(change: JournalEntry, endpoint_url: str) -> dict[str, Any]:
    """The change as a WSGI request; moto takes the account from the header, region and service from the scope."""
    path, _, query = change.uri.partition("?")
    service = "s3" if change.service == "s3control" else change.service
    scope = f"Credential=AKIAREPLAYREPLAY0000/20240101/{change.region}/{service}/aws4_request"
    host = endpoint_url.removeprefix("http://")
    return {
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(change.content),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "REQUEST_METHOD": change.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": _path_info(path),
        "QUERY_STRING": query,
        "RAW_URI": change.uri,
        "REQUEST_URI": change.uri,
        "SERVER_NAME": HOST,
        "SERVER_PORT": host.rpartition(":")[2],
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": host,
        "HTTP_AUTHORIZATION": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=replayed",
        "HTTP_X_MOTO_ACCOUNT_ID": change.account,
        "CONTENT_LENGTH": str(len(change.content)),
        **change.headers,
    }


def _path_info(path: str) -> str:
    # WSGI wants the decoded bytes of the path in a Latin-1 string.
    return unquote_to_bytes(path).decode("latin-1")
