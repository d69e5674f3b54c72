"""The HTTP server of the emulated AWS: threads, kept-alive connections, and answers that can be dropped or cut short.

Werkzeug reads the requests; its own way of answering closes every connection, which doubles the time of a short call.
"""

import contextlib
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import ThreadedWSGIServer

HOST = "127.0.0.1"
_NO_BODY = frozenset({204, 304})


@dataclass(frozen=True)
class Answer:
    """An HTTP answer. With `cut` the connection is closed after so many bytes of the body."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    cut: int | None = None


Answering = Callable[[dict[str, Any]], Answer | None]


class _AwsHandler(MotoRequestHandler):
    protocol_version = "HTTP/1.1"
    # Answers go out in one piece; waiting for the client's acknowledgement would only cost time.
    disable_nagle_algorithm = True
    server: "Server"

    def setup(self) -> None:
        super().setup()
        self.server.opened(self.connection)

    def finish(self) -> None:
        self.server.closed(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    def run_wsgi(self) -> None:
        """Answer one request; the name is werkzeug's."""
        answer = self.server.answering(self.make_environ())
        if answer is None:
            self.close_connection = True
            _shut(self.connection)
            return
        self.wfile.write(self._head(answer) + self._content(answer))
        if answer.cut is not None:
            self.close_connection = True
            _shut(self.connection)

    def _head(self, answer: Answer) -> bytes:
        try:
            phrase = HTTPStatus(answer.status).phrase
        except ValueError:
            phrase = ""
        lines = [f"HTTP/1.1 {answer.status} {phrase}", f"Date: {self.date_time_string()}"]
        lines += [f"{name}: {value}" for name, value in answer.headers]
        names = {name.lower() for name, _ in answer.headers}
        if "content-length" not in names and answer.status not in _NO_BODY:
            lines.append(f"Content-Length: {len(answer.body)}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")

    def _content(self, answer: Answer) -> bytes:
        if self.command == "HEAD" or answer.status in _NO_BODY:
            return b""
        return answer.body if answer.cut is None else answer.body[: answer.cut]

    def log(self, *_: Any) -> None:
        """Nothing is printed; the call log has it all."""


class Server(ThreadedWSGIServer):
    """Serves `answering` on 127.0.0.1 in a thread of its own until `stop`. `port=0` takes a free one."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, port: int, answering: Answering) -> None:
        self.answering = answering
        self._connections: set[socket.socket] = set()
        self._connections_lock = threading.Lock()
        super().__init__(HOST, port, _no_wsgi, _AwsHandler)
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def opened(self, connection: socket.socket) -> None:
        """Remember an open connection."""
        with self._connections_lock:
            self._connections.add(connection)

    def closed(self, connection: socket.socket) -> None:
        """Forget a connection that ended."""
        with self._connections_lock:
            self._connections.discard(connection)

    def stop(self) -> None:
        """Take no more requests, and close the connections that clients keep open."""
        self.shutdown()
        self._thread.join()
        self.server_close()
        with self._connections_lock:
            connections = list(self._connections)
        for connection in connections:
            _shut(connection)


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _no_wsgi(_environ: Any, _start_response: Any) -> list[bytes]:
    raise NotImplementedError
