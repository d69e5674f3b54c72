"""`raito-pipeline listen`: hears of changes in Raito Cloud between the syncs, and queues what they ask for.

A small process beside the Dagster daemon, on any machine that reaches Raito Cloud and the storage. The sensor
`do_what_raito_cloud_asks` launches the runs. Of several listeners on one storage one listens, the others stand by.
"""

import argparse
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from rich.console import Console

from raito_pipeline.cli.arguments import add_config_file
from raito_pipeline.cli.console import Terminal
from raito_pipeline.config import AccountTarget, ConfigError, Options, OrganizationTarget
from raito_pipeline.config.groups import Login, RaitoService
from raito_pipeline.orchestration.automation.trigger_queue import Trigger, TriggerQueue
from raito_pipeline.orchestration.automation.triggers import asked_for, pushes_of
from raito_pipeline.orchestration.config_file import load_configuration
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.raito.client import RaitoClient
from raito_pipeline.raito.trigger_socket import SocketPatience, TriggerSocket
from raito_pipeline.raito.triggers import MessageUnreadable, read_message
from raito_pipeline.redaction import redact
from raito_pipeline.storage import StorageError
from raito_pipeline.storage.lease import Lease, Leases, SyncUnderWay

LISTENER = "listener"
"""the key of the lease that one listener of a storage holds"""
GAPS_APART = 300.0
"""Seconds between two pushes of everything that is out of sync, however often the connection breaks."""
RELOAD_EVERY = 300.0
"""Seconds between two looks whether the configuration is another one."""
_TRIES_AGAIN = 5.0
_LOOK = 0.2
_MOST_SHOWN = 5


def arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    add_config_file(parser)


def execute(given: argparse.Namespace) -> int:
    """Run the command until SIGTERM (status 0) or Ctrl-C (130). Raises `ConfigError`."""
    options = load_configuration(given.config_file)
    console = Terminal()
    for warning in options.warnings:
        console.print(f"note: {warning}", style="yellow", soft_wrap=True)
    if options.disable_websocket:
        console.print(f"disable-websocket is on in {options.file}: nothing is listened for", soft_wrap=True)
        return 0
    options.check_usable()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    try:
        reload = partial(load_configuration, given.config_file)
        Listener(options, partial(_say, console), reload=reload).run(stop)
    finally:
        stop.set()
    return 0


def _say(console: Console, text: str) -> None:
    console.print(f"{datetime.now():%Y-%m-%d %H:%M:%S} {text}", soft_wrap=True)


@dataclass
class Listener:
    """Listens for every login of a configuration, a thread each, until it is told to stop.

    `reload` gives the configuration as it is then: accounts that are discovered are listened for, too.
    """

    options: Options
    say: Callable[[str], None]
    patience: SocketPatience = field(default_factory=SocketPatience)
    gaps_apart: float = GAPS_APART
    reload: Callable[[], Options] | None = None
    reload_every: float = RELOAD_EVERY
    _unwritten: list[Trigger] = field(default_factory=list)

    def run(self, stop: threading.Event) -> None:
        """Listen until `stop` is set; first waits while another process listens for the same storage."""
        lease = self._become_the_one(stop)
        if lease is None:
            return
        with lease:
            while not stop.is_set():
                self._listen_until_changed(stop)
                if self.options.disable_websocket:
                    self.say(f"disable-websocket is on in {self.options.file} now: nothing is listened for any more")
                    return

    def _listen_until_changed(self, stop: threading.Event) -> None:
        """Listen for the logins of the configuration until a connection is to be another one.

        Accounts that are added or taken out change no connection: only what is lost while there is none has to be asked
        for again, by a push of every account.
        """
        ended = threading.Event()
        inboxes = [Inbox(self.options, targets, self.say, self.gaps_apart) for targets in by_login(self.options)]
        for inbox in inboxes[:1]:
            inbox.unwritten += self._unwritten
        threads = [
            threading.Thread(target=self._socket(inbox).listen, args=(ended,), name="listen", daemon=True)
            for inbox in inboxes
        ]
        for thread in threads:
            thread.start()
        try:
            looked = time.monotonic()
            while not stop.wait(_LOOK):  # so that a signal is handled meanwhile
                if time.monotonic() - looked >= self.reload_every:
                    before = _connections(self.options)
                    if self._changed():
                        if self.options.disable_websocket or _connections(self.options) != before:
                            break
                        for inbox, targets in zip(inboxes, by_login(self.options), strict=True):
                            inbox.configure(self.options, targets)
                    looked = time.monotonic()
        finally:
            ended.set()
            for thread in threads:
                thread.join()
        self._unwritten = [trigger for inbox in inboxes for trigger in inbox.unwritten]

    def _changed(self) -> bool:
        """Read the configuration again; whether it is another one. One that is wrong is said, and left."""
        if self.reload is None:
            return False
        try:
            options = self.reload()
            options.check_usable()
        except (ConfigError, StorageError) as error:
            self.say(f"listens for what was configured before: {error}")
            return False
        if options == self.options:
            return False
        self.options = options
        self.say(f"{options.file} has changed: listens for {len(options.targets)} targets now")
        return True

    def _become_the_one(self, stop: threading.Event) -> Lease | None:
        """The lease of the listener; None where it was stopped before."""
        leases, said = Leases(self.options.pipeline.storage), ""
        while not stop.is_set():
            try:
                return leases.acquire(LISTENER, LISTENER, f"{os.getpid()}", "listening for changes in Raito Cloud")
            except SyncUnderWay as error:
                reason = f"another one listens, on {error.record.owner.host}: stands by"
            except StorageError as error:
                reason = str(error)
            if reason != said:
                self.say(reason)
                said = reason
            stop.wait(_TRIES_AGAIN)
        return None

    def _socket(self, inbox: "Inbox") -> TriggerSocket:
        return TriggerSocket(
            client=partial(_client, self.options, inbox.targets[0]),
            data_sources=lambda: inbox.data_sources,
            message=inbox.message,
            gap=inbox.gap,
            say=self.say,
            idle=inbox.flush,
            patience=self.patience,
        )


def by_login(options: Options) -> list[list[AccountTarget | OrganizationTarget]]:
    """The targets that share a login in Raito Cloud."""
    logins: dict[tuple[str | None, str], list[AccountTarget | OrganizationTarget]] = {}
    for target in options.targets:
        logins.setdefault((target.api_user, target.domain.strip().lower()), []).append(target)
    return list(logins.values())


def _connections(options: Options) -> list[object]:
    """What the connections of a configuration depend on: the service, the logins, and where what is heard is kept."""
    logins = [targets[0] for targets in by_login(options)]
    return [
        *(getattr(options, name) for name in RaitoService.model_fields),
        *(getattr(login, name) for login in logins for name in Login.model_fields),
        options.pipeline.allow_plain_http,
        options.pipeline.storage,
    ]


def _client(options: Options, target: AccountTarget | OrganizationTarget) -> RaitoClient:
    """A new client, which reads its secrets anew. Raises `RaitoError`."""
    return Services(options).raito(target)


class Inbox:
    """Takes the messages of one login, and queues what they ask for. What cannot be written is kept and tried again."""

    def __init__(
        self,
        options: Options,
        targets: Sequence[AccountTarget | OrganizationTarget],
        say: Callable[[str], None],
        gaps_apart: float = GAPS_APART,
    ) -> None:
        self._say, self._gaps_apart = say, gaps_apart
        self._options, self.targets = options, targets
        self._configured: tuple[Options, Sequence[AccountTarget | OrganizationTarget]] | None = None
        self._domain = targets[0].domain.strip().lower()
        self._queue = TriggerQueue(options.pipeline.storage)
        self.unwritten: list[Trigger] = []
        self._said_why = ""
        self._tries_at = 0.0
        self._gap = False
        self._asks_at = float("-inf")

    def configure(self, options: Options, targets: Sequence[AccountTarget | OrganizationTarget]) -> None:
        """Listen for other targets of the same login from the next look on, which the thread that listens takes."""
        self._configured = options, targets

    def _take_configured(self) -> None:
        """Take what was configured. What was missed of an account that was not listened for is asked for."""
        if self._configured is None:
            return
        before = {target.partition for target in self._accounts}
        (self._options, self.targets), self._configured = self._configured, None
        added = [target for target in self._accounts if target.partition not in before]
        self.unwritten += pushes_of(self._options, added)

    @property
    def _accounts(self) -> list[AccountTarget]:
        return [target for target in self.targets if isinstance(target, AccountTarget)]

    @property
    def data_sources(self) -> list[str]:
        """The ids that heartbeats name."""
        return [target.data_source_id for target in self._accounts if target.data_source_id]

    def message(self, text: str | bytes) -> None:
        """Queue what a message asks for; one that nobody understands is said and left."""
        try:
            messages = read_message(text, self._domain)
        except MessageUnreadable as error:
            self._say(f"a message of Raito Cloud was left: {redact(str(error))}")
            return
        for message in messages:
            asked = asked_for(message, self._options)
            for remark in asked.remarks:
                self._say(remark)
            for trigger in asked.triggers[:_MOST_SHOWN]:
                self._say(f"{trigger.owner}: Raito Cloud asks for {trigger.what}")
            self.unwritten += asked.triggers
        self._tries_at = min(self._tries_at, time.monotonic())
        self.flush()

    def gap(self) -> None:
        """Messages may have been lost: what is out of sync is pushed, not too often."""
        self._gap = True
        self.flush()

    def flush(self) -> None:
        """Queue what waits to be queued."""
        self._take_configured()
        now = time.monotonic()
        if self._gap and now >= self._asks_at:
            self._gap, self._asks_at = False, now + self._gaps_apart
            self.unwritten += pushes_of(self._options, self._accounts)
        if not self.unwritten or now < self._tries_at:
            return
        try:
            self._queue.put(self.unwritten)
        except StorageError as error:
            self._tries_at = now + _TRIES_AGAIN
            if str(error) != self._said_why:
                self._say(f"what was asked for is kept and written later: {error}")
            self._said_why = str(error)
            return
        self.unwritten, self._said_why = [], ""
