"""The address for triggers: a WebSocket that clients hold open, and over which they are told what to sync or push.

A client names its data sources in its heartbeats, and is sent what concerns them. The handshake and the frames are
those of RFC 6455; only what such a client needs is here: pings are answered, a close is answered and ends it, texts are
taken for heartbeats, everything else is read and left.
"""

import base64
import contextlib
import hashlib
import json
import socket
import struct
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from raito_pipeline.sandbox.raito.login import Gate, LoginRefused

PATH = "/trigger"
_MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEY = "Sec-Websocket-Key"
_TEXT, _CLOSE, _PING, _PONG = 0x1, 0x8, 0x9, 0xA
_LONGEST_FRAME = 1 << 20


@dataclass(eq=False)
class _Client:
    """One open connection: the data sources of its last heartbeat, and how many came."""

    connection: socket.socket
    data_sources: frozenset[str] = frozenset()
    heartbeats: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, operation: int, payload: bytes) -> bool:
        """Send a frame; whether it left."""
        try:
            with self._lock:
                self.connection.sendall(_framed(operation, payload))
        except OSError:
            return False
        return True

    def heartbeat(self, text: bytes) -> None:
        """Take a text for what it is, where it is a heartbeat."""
        with contextlib.suppress(ValueError, AttributeError, TypeError):
            said = json.loads(text)
            if said.get("message") == "heartbeat":
                self.data_sources = frozenset(map(str, said["datasources"]))
                self.heartbeats += 1


class Triggers:
    """The open connections of clients that wait for triggers; thread-safe. `close` ends them all."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._lock = threading.Lock()
        self._open: set[_Client] = set()
        self._closed = False
        self._silent = threading.Event()

    def check(self, headers: Mapping[str, str]) -> None:
        """Raises `LoginRefused` for what is no WebSocket, and for somebody who is not logged in."""
        if "websocket" not in headers.get("Upgrade", "").lower() or not headers.get(_KEY):
            raise LoginRefused(426, "this address speaks WebSocket: send Upgrade: websocket and Sec-WebSocket-Key")
        self._gate.check_login(headers)

    def serve(self, headers: Mapping[str, str], connection: socket.socket) -> None:
        """Take over the connection of a request that was checked, until either side ends it."""
        key = headers[_KEY]
        accepted = base64.b64encode(hashlib.sha1((key + _MAGIC).encode()).digest()).decode()
        client = _Client(connection)
        try:
            # A client sends its heartbeat every five minutes, longer than a request may be silent.
            connection.settimeout(None)
            lines = ("HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade")
            connection.sendall("\r\n".join((*lines, f"Sec-WebSocket-Accept: {accepted}", "", "")).encode())
            with self._lock:
                if self._closed:
                    return
                self._open.add(client)
            with contextlib.suppress(OSError, EOFError):
                self._converse(client)
        finally:
            with self._lock:
                self._open.discard(client)
            _shut(connection)

    def send(self, message: Mapping[str, Any], data_sources: Collection[str] | None = None) -> int:
        """Send a message to every client (that named one of `data_sources`); gives how many got it."""
        wanted = [
            client
            for client in self.clients()
            if data_sources is None or not client.data_sources.isdisjoint(data_sources)
        ]
        payload = json.dumps(message).encode()
        return sum(client.send(_TEXT, payload) for client in wanted)

    def access_changed(self, domain: str, data_source: str) -> int:
        """Tell whom it concerns that access controls of a data source are not in AWS as they are defined now."""
        return self.send({"apUpdate": {"domain": domain, "dataSourceNames": [data_source]}}, [data_source])

    def send_text(self, text: str) -> int:
        """Send any text, also what no message is; gives how many clients got it."""
        return sum(client.send(_TEXT, text.encode()) for client in self.clients())

    def clients(self) -> list[_Client]:
        """The clients that are connected."""
        with self._lock:
            return list(self._open)

    def drop(self, code: int | None = None) -> None:
        """End all connections, as a service that is restarted: without a word, or by a close with its code."""
        for client in self.clients():
            if code is not None:
                client.send(_CLOSE, struct.pack(">H", code))
            _shut(client.connection)

    def fall_silent(self, *, silent: bool = True) -> None:
        """Leave everything without an answer from now on, pings too, as where the network lost the connection."""
        (self._silent.set if silent else self._silent.clear)()

    def close(self) -> None:
        """End all connections, and take no more."""
        with self._lock:
            self._closed = True
        self.drop()

    def _converse(self, client: _Client) -> None:
        """Read frames until the client closes. Raises `EOFError` where it is gone."""
        while True:
            operation, payload = _frame(client.connection)
            if self._silent.is_set():
                continue
            if operation == _PING:
                client.send(_PONG, payload)
            elif operation == _TEXT:
                client.heartbeat(payload)
            elif operation == _CLOSE:
                client.send(_CLOSE, payload[:2])
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
    """A whole frame of a server, which is not masked."""
    length = len(payload)
    if length < 126:
        return bytes((0x80 | operation, length)) + payload
    if length < 1 << 16:
        return bytes((0x80 | operation, 126)) + struct.pack(">H", length) + payload
    return bytes((0x80 | operation, 127)) + struct.pack(">Q", length) + payload


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
