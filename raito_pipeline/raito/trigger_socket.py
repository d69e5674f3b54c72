"""The WebSocket over which Raito Cloud says what is to be synced or pushed: kept open, and opened anew when it breaks.

What the service sends while nobody is connected is lost, and a message has no number by which that could be seen. So
whoever listens is told of each gap (the start is one), to ask then for what waits. A connection that is old is replaced
without a gap: the new one is there before the old one is closed.
"""

import json
import random
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI, WebSocketException
from websockets.sync.client import ClientConnection, connect

from raito_pipeline.config.addresses import refusal
from raito_pipeline.raito.client import RaitoClient
from raito_pipeline.raito.errors import RaitoError, RaitoRefused, RaitoUnreachable
from raito_pipeline.raito.setup import trigger_url
from raito_pipeline.raito.transport import CONNECT_SECONDS, USER_AGENT, trusted_certificates
from raito_pipeline.redaction import redact

_WHAT = "the address for changes"
_LARGEST_MESSAGE = 1 << 20
_CLOSE_SECONDS = 2.0
_LOGIN_REFUSED = frozenset({1008, 3000, 3003, 4001, 4401, 4403})
"""codes with which services close a connection whose token ended: https://www.iana.org/assignments/websocket"""


@dataclass(frozen=True)
class SocketPatience:
    """Seconds between heartbeats, until a connection is replaced, between pings, and how long a pong may take.

    After a connection that failed, `first_wait` is waited, twice as long after each further one, up to `longest_wait`;
    one that stayed for `steady` begins anew. `refused` is waited where the login or the address is refused, which no
    repetition repairs. `look` is how often a quiet connection is left to do something else, and `drain` how long a
    connection that was replaced is read at most.
    """

    heartbeat: float = 300.0
    renewal: float = 5400.0
    ping: float = 20.0
    pong: float = 20.0
    first_wait: float = 1.0
    longest_wait: float = 60.0
    steady: float = 60.0
    refused: float = 300.0
    look: float = 0.5
    drain: float = 1.0


@dataclass
class TriggerSocket:
    """Listens for one login until `stop` is set.

    `client` gives the connection to Raito Cloud; it is asked again after a login that was refused. `data_sources` gives
    the ids that heartbeats name; where they are others, a heartbeat says so at once. `message` is handed each text that
    arrives; `gap` is called as soon as a connection stands before which messages may have been lost, `idle` again and
    again. `say` is told, in a line without secrets, what becomes of the connection.
    """

    client: Callable[[], RaitoClient]
    data_sources: Callable[[], Sequence[str]]
    message: Callable[[str | bytes], None]
    gap: Callable[[], None]
    say: Callable[[str], None]
    idle: Callable[[], None] = lambda: None
    patience: SocketPatience = field(default_factory=SocketPatience)

    def listen(self, stop: threading.Event) -> None:
        """Listen until `stop` is set. What breaks the connection is said and repaired; raises nothing.

        Whatever it is: who listens in a thread of its own would be deaf from then on, and nobody would see it.
        """
        client: RaitoClient | None = None
        failures = 0
        while not stop.is_set():
            began = time.monotonic()
            try:
                client = client or self.client()
                self._stay(client, stop)
                return
            except Exception as error:
                if client is not None and self._refuses_login(error):
                    client.renew_token()
                refused = isinstance(error, RaitoError) and not error.retry_helps
                reason = redact(_reason(error), client.secrets() if client is not None else ())
            failures = 1 if time.monotonic() - began >= self.patience.steady else failures + 1
            wait = self._wait(failures, refused=refused)
            self.say(f"does not hear of changes in Raito Cloud: {reason.rstrip('.')}; tries again in {wait:.0f} s")
            self._pause(wait, stop)
            # A secret may have been changed where it stands.
            client = None if refused else client

    @staticmethod
    def _refuses_login(error: Exception) -> bool:
        """Whether a connection was closed because its token is not good any more."""
        return isinstance(error, ConnectionClosed) and error.rcvd is not None and error.rcvd.code in _LOGIN_REFUSED

    def _stay(self, client: RaitoClient, stop: threading.Event) -> None:
        """Listen until `stop` is set, over one connection after the other without a gap between them.

        Raises `RaitoError`, `WebSocketException`, `OSError` where the connection breaks, and `ValueError` for a host
        that cannot be one.
        """
        with ExitStack() as held:
            here = _Connected(client, self.data_sources, self.patience)
            held.callback(lambda: here.close())
            self.say(f"listens for changes in Raito Cloud at {here.place}")
            self.gap()
            renewal = self.patience.renewal
            while not stop.is_set():
                text = here.read(self.patience.look)
                if text is not None:
                    self.message(text)
                self.idle()
                here.beat()
                if here.age >= renewal:
                    newer = self._newer(client)
                    renewal = self.patience.renewal if newer else here.age + self.patience.longest_wait
                    if newer is not None:
                        self._go_over(here, newer)
                        here = newer

    def _newer(self, client: RaitoClient) -> "_Connected | None":
        """A connection in place of one that is old; None where there is none now: the old one stays then."""
        try:
            return _Connected(client, self.data_sources, self.patience)
        except (RaitoError, OSError, ValueError, WebSocketException) as error:
            self.say(f"keeps its old connection: {redact(_reason(error), client.secrets())}")
            return None

    def _go_over(self, old: "_Connected", newer: "_Connected") -> None:
        """Close a connection that was replaced, and hand over what both bring: what is sent meanwhile comes twice."""
        brought = Counter(self._drained(old))
        old.close()
        for text, times in (brought | Counter(self._drained(newer))).items():
            for _ in range(times):
                self.message(text)

    def _drained(self, connection: "_Connected") -> list[str | bytes]:
        """What a connection brings until it is quiet."""
        until, texts = time.monotonic() + self.patience.drain, []
        with suppress(ConnectionClosed):
            while time.monotonic() < until and (text := connection.read(self.patience.look)) is not None:
                texts.append(text)
        return texts

    def _wait(self, failures: int, *, refused: bool) -> float:
        if refused:
            return self.patience.refused
        growing = self.patience.first_wait * float(2 ** min(failures - 1, 16))
        return min(growing, self.patience.longest_wait) * random.uniform(0.8, 1.2)

    def _pause(self, seconds: float, stop: threading.Event) -> None:
        """Wait, and go on with what is to be done meanwhile."""
        until = time.monotonic() + seconds
        while not stop.wait(max(0.0, min(self.patience.look, until - time.monotonic()))):
            self.idle()
            if time.monotonic() >= until:
                return


class _Connected:
    """One open connection, which has sent its first heartbeat. Making it raises as `TriggerSocket._stay`."""

    def __init__(
        self, client: RaitoClient, data_sources: Callable[[], Sequence[str]], patience: SocketPatience
    ) -> None:
        url = trigger_url(client)
        try:
            self.place = _place(url)
        except ValueError:  # its own words may quote what is secret in the address
            raise RaitoRefused(_WHAT, ("it is none that could be read",)) from None
        _require_usable(url, self.place, allowed=client.connection.allow_plain_http)
        self._data_sources, self._named = data_sources, list[str]()
        self._every = patience.heartbeat
        self._held = ExitStack()
        self._socket = self._open(client, url, patience)
        self._opened = time.monotonic()
        self._beaten = float("-inf")
        with ExitStack() as held:
            held.callback(self.close)
            self.beat()
            held.pop_all()

    @property
    def age(self) -> float:
        """Seconds since it was opened."""
        return time.monotonic() - self._opened

    def read(self, seconds: float) -> str | bytes | None:
        """The next message; None where none came in time. Raises `ConnectionClosed`."""
        try:
            return self._socket.recv(timeout=seconds)
        except TimeoutError:
            return None

    def beat(self) -> None:
        """Send the heartbeat, where it is time or names other data sources. Raises `ConnectionClosed`."""
        wanted = list(self._data_sources())
        if wanted != self._named or time.monotonic() - self._beaten >= self._every:
            self._socket.send(json.dumps({"message": "heartbeat", "datasources": wanted}))
            self._named, self._beaten = wanted, time.monotonic()

    def close(self) -> None:
        """End it. A second call does nothing."""
        self._held.close()

    def _open(self, client: RaitoClient, url: str, patience: SocketPatience) -> ClientConnection:
        """Shake hands; a token that is not taken any more is replaced once."""
        token = client.token()
        try:
            return self._shake_hands(url, token, patience)
        except InvalidStatus as error:
            if error.response.status_code != 401 or token is None:
                raise _refused(error, self.place) from None
        client.reject(token)
        try:
            return self._shake_hands(url, client.token(), patience)
        except InvalidStatus as error:
            raise _refused(error, self.place) from None

    def _shake_hands(self, url: str, token: str | None, patience: SocketPatience) -> ClientConnection:
        opening = connect(
            url,
            additional_headers={} if token is None else {"Authorization": f"token {token}"},
            user_agent_header=USER_AGENT,
            compression=None,
            open_timeout=CONNECT_SECONDS,
            ping_interval=patience.ping,
            ping_timeout=patience.pong,
            close_timeout=min(_CLOSE_SECONDS, patience.pong),
            max_size=_LARGEST_MESSAGE,
            ssl=_trusting() if urlsplit(url).scheme.lower() == "wss" else None,
        )
        return self._held.enter_context(opening)


def _trusting() -> ssl.SSLContext:
    """TLS that trusts what the calls to Raito Cloud trust: of a company's proxy, say, or where the system has none."""
    trusted = trusted_certificates()
    if Path(trusted).is_dir():
        return ssl.create_default_context(capath=trusted)
    return ssl.create_default_context(cafile=trusted)


def _require_usable(url: str, place: str, *, allowed: bool) -> None:
    """Raises `RaitoRefused` for an address to which no login may be sent."""
    if urlsplit(url).scheme.lower() not in ("ws", "wss"):
        raise RaitoRefused(_WHAT, (f"{place} is no address of a WebSocket",))
    exposed = refusal(url, allowed=allowed)
    if exposed is not None:
        raise RaitoRefused(_WHAT, (exposed.replace(url, place),))


def _refused(error: InvalidStatus, place: str) -> RaitoError:
    status = error.response.status_code
    return RaitoRefused(_WHAT, (f"{place} does not take the connection",), status=status)


def _reason(error: Exception) -> str:
    """Why a connection did not come about, or ended."""
    if isinstance(error, ConnectionClosed):
        said = error.rcvd
        if said is None:
            return "the connection broke, or nothing answered any more"
        return f"the service closed the connection ({said.code}{f', {said.reason}' if said.reason else ''})"
    if isinstance(error, InvalidHandshake):
        return f"the answer of {_WHAT} is none of a WebSocket ({type(error).__name__})"
    if isinstance(error, InvalidURI):  # it quotes the address, with what is secret in it
        return f"{_WHAT} is none of a WebSocket"
    if isinstance(error, RaitoError):
        return str(error)
    words = "no answer in time" if isinstance(error, TimeoutError) else f"{type(error).__name__}: {error}"
    return str(RaitoUnreachable(_WHAT, "its server", words))


def _place(url: str) -> str:
    """An address without what may be secret in it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}{parts.path}"
