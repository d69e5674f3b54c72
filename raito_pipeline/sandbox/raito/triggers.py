"""The address for triggers: a WebSocket that real clients can hold open. It takes heartbeats and sends nothing yet.

The handshake and the frames are those of RFC 6455; only what such a client needs is here: pings are answered, a close
is answered and ends it, everything else is read and left.
"""

import base64
import contextlib
import hashlib
import socket
import struct
import threading
from collections.abc import Mapping

from raito_pipeline.sandbox.raito.login import Gate, LoginRefused

PATH = "/trigger"
_MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEY = "Sec-Websocket-Key"
_CLOSE, _PING, _PONG = 0x8, 0x9, 0xA
_LONGEST_FRAME = 1 << 20


class Triggers:
    """The open connections of clients that wait for triggers; thread-safe. `close` ends them all."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._closed = False

    def check(self, headers: Mapping[str, str]) -> None:
        """Raises `LoginRefused` for what is no WebSocket, and for somebody who is not logged in."""
        if "websocket" not in headers.get("Upgrade", "").lower() or not headers.get(_KEY):
            raise LoginRefused(426, "this address speaks WebSocket: send Upgrade: websocket and Sec-WebSocket-Key")
        self._gate.check_login(headers)

    def serve(self, headers: Mapping[str, str], connection: socket.socket) -> None:
        """Take over the connection of a request that was checked, until either side ends it."""
        key = headers[_KEY]
        accepted = base64.b64encode(hashlib.sha1((key + _MAGIC).encode()).digest()).decode()
        with self._lock:
            if self._closed:
                return
            self._open.add(connection)
        try:
            # A client sends its heartbeat every five minutes, longer than a request may be silent.
            connection.settimeout(None)
            lines = ("HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade")
            connection.sendall("\r\n".join((*lines, f"Sec-WebSocket-Accept: {accepted}", "", "")).encode())
            with contextlib.suppress(OSError, EOFError):
                _converse(connection)
        finally:
            with self._lock:
                self._open.discard(connection)
            _shut(connection)

    def close(self) -> None:
        """End all connections, and take no more."""
        with self._lock:
            self._closed = True
            connections = list(self._open)
        for connection in connections:
            _shut(connection)


def _converse(connection: socket.socket) -> None:
    """Read frames until the client closes. Raises `EOFError` where it is gone."""
    while True:
        operation, payload = _frame(connection)
        if operation == _PING:
            connection.sendall(_framed(_PONG, payload))
        elif operation == _CLOSE:
            connection.sendall(_framed(_CLOSE, payload[:2]))
            return


def _frame(connection: socket.socket) -> tuple[int, bytes]:
    """Operation and payload of the next frame."""
    first, second = _exactly(connection, 2)
    length = second & 0x7F
    if length == 126:
        (length,) = struct.unpack(">H", _exactly(connection, 2))
    elif length == 127:
        (length,) = struct.unpack(">Q", _exactly(connection, 8))
    if length > _LONGEST_FRAME:
        raise EOFError("a frame that is too long")
    mask = _exactly(connection, 4) if second & 0x80 else bytes(4)
    masked = _exactly(connection, length)
    return first & 0x0F, bytes(byte ^ mask[place % 4] for place, byte in enumerate(masked))


def _framed(operation: int, payload: bytes) -> bytes:
    """A whole frame of a server: short, as answers to control frames are."""
    return bytes((0x80 | operation, len(payload))) + payload


def _exactly(connection: socket.socket, length: int) -> bytes:
    content = b""
    while len(content) < length:
        piece = connection.recv(length - len(content))
        if not piece:
            raise EOFError("the client is gone")
        content += piece
    return content


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
