"""The WebSocket for triggers over the wire: what breaks it, and that nothing is lost that could be kept."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import pytest

from raito_pipeline.raito.client import RaitoClient
from raito_pipeline.raito.trigger_socket import SocketPatience, TriggerSocket
from raito_pipeline.sandbox.raito.faults import CloudFault
from raito_pipeline.sandbox.raito.server import LocalRaitoCloud

from .conftest import SECRET, Answer, ScriptedServer, connection_to

QUICK = SocketPatience(first_wait=0.05, longest_wait=0.2, refused=0.1, look=0.02)
ENOUGH = 10.0


@dataclass
class Listening:
    """What a listener heard and said."""

    heard: list[str | bytes] = field(default_factory=list)
    gaps: int = 0
    said: list[str] = field(default_factory=list)
    clients: int = 0

    def wait(self, condition: Callable[[], bool]) -> None:
        """Wait until something is so."""
        until = time.monotonic() + ENOUGH
        while not condition():
            assert time.monotonic() < until, (self.heard, self.gaps, self.said)
            time.sleep(0.01)

    def gap(self) -> None:
        self.gaps += 1


@contextmanager
def listening(make: Callable[[], RaitoClient], patience: SocketPatience = QUICK) -> Iterator[Listening]:
    """A listener in a thread of its own, until the end of the block."""
    found, stop = Listening(), threading.Event()

    def client() -> RaitoClient:
        found.clients += 1
        return make()

    socket = TriggerSocket(
        client, lambda: ["ds-1"], found.heard.append, found.gap, found.said.append, patience=patience
    )
    thread = threading.Thread(target=socket.listen, args=(stop,))
    thread.start()
    try:
        yield found
    finally:
        stop.set()
        thread.join(ENOUGH)
        assert not thread.is_alive()


def connected(cloud: LocalRaitoCloud, count: int = 1) -> Callable[[], bool]:
    """Whether clients have sent their heartbeat."""
    return lambda: sum(client.heartbeats > 0 for client in cloud.triggers.clients()) == count


def test_it_logs_in_sends_its_heartbeat_and_hears_messages(cloud: LocalRaitoCloud, client: RaitoClient) -> None:
    with listening(lambda: client) as found:
        found.wait(connected(cloud))
        (there,) = cloud.triggers.clients()
        assert there.data_sources == {"ds-1"}
        assert cloud.triggers.access_changed("sandbox", "ds-1") == 1
        assert cloud.triggers.access_changed("sandbox", "ds-2") == 0
        found.wait(lambda: bool(found.heard))
    assert found.heard == ['{"apUpdate": {"domain": "sandbox", "dataSourceNames": ["ds-1"]}}']
    assert (found.gaps, found.clients) == (1, 1)


def test_heartbeats_go_on(cloud: LocalRaitoCloud, client: RaitoClient) -> None:
    with listening(lambda: client, SocketPatience(heartbeat=0.05, look=0.01)) as found:
        found.wait(lambda: any(each.heartbeats >= 3 for each in cloud.triggers.clients()))


@pytest.mark.parametrize("code", [None, 1000, 1001, 1011, 4401])
def test_a_connection_that_ends_is_opened_anew_and_the_gap_is_told(
    cloud: LocalRaitoCloud, client: RaitoClient, code: int | None
) -> None:
    with listening(lambda: client) as found:
        used = client.token()
        for number in (1, 2):
            found.wait(connected(cloud))
            found.wait(lambda number=number: found.gaps == number)  # type: ignore[misc]
            cloud.triggers.drop(code)
            found.wait(lambda number=number: found.gaps == number + 1)  # type: ignore[misc]
        cloud.triggers.send({"after": "it"})
        found.wait(lambda: bool(found.heard))
        assert (client.token() == used) == (code != 4401)  # a token that is not taken any more is not used again
    assert any("does not hear of changes" in line for line in found.said)


def test_a_connection_on_which_nothing_answers_any_more_is_given_up(
    cloud: LocalRaitoCloud, client: RaitoClient
) -> None:
    with listening(lambda: client, replace(QUICK, ping=0.1, pong=0.1)) as found:
        found.wait(connected(cloud))
        cloud.triggers.fall_silent()
        found.wait(lambda: any("does not hear" in line for line in found.said))
        cloud.triggers.fall_silent(silent=False)
        found.wait(lambda: found.gaps >= 2)


def test_an_old_connection_is_replaced_without_a_gap(cloud: LocalRaitoCloud, client: RaitoClient) -> None:
    with listening(lambda: client, SocketPatience(renewal=0.2, look=0.02)) as found:
        found.wait(connected(cloud))
        (first,) = cloud.triggers.clients()
        sent = 0
        until = time.monotonic() + ENOUGH
        while first in cloud.triggers.clients() or not cloud.triggers.clients():
            assert time.monotonic() < until
            sent += cloud.triggers.send({"number": sent}) > 0
            time.sleep(0.05)
        found.wait(lambda: len(set(found.heard)) == sent)
    assert found.gaps == 1


def test_an_old_connection_stays_where_no_new_one_comes_about(cloud: LocalRaitoCloud, client: RaitoClient) -> None:
    with listening(lambda: client, SocketPatience(renewal=0.1, longest_wait=0.1, look=0.02)) as found:
        found.wait(connected(cloud))
        cloud.add_fault(CloudFault(on="trigger", status=400, times=None))
        found.wait(lambda: any("keeps its old connection" in line for line in found.said))
        cloud.triggers.send({"still": "there"})
        found.wait(lambda: bool(found.heard))
    assert found.gaps == 1


def test_a_token_that_is_not_taken_any_more_is_replaced_at_once(cloud: LocalRaitoCloud, client: RaitoClient) -> None:
    cloud.add_fault(CloudFault(on="trigger", status=401, times=1))
    with listening(lambda: client) as found:
        found.wait(connected(cloud))
    assert not any("does not hear" in line for line in found.said)


def test_a_login_that_is_refused_is_tried_again_with_secrets_read_anew(cloud: LocalRaitoCloud) -> None:
    passwords = iter(("Wr0ng-horse!", SECRET))

    def made() -> RaitoClient:
        return RaitoClient(connection_to(cloud.url, api_secret=next(passwords)))

    with listening(made) as found:
        found.wait(connected(cloud))
    assert found.clients == 2
    assert not any("Wr0ng" in line or SECRET in line for line in found.said)


@pytest.mark.parametrize("fault", [CloudFault(on="trigger", status=503), CloudFault(on="trigger", drop=True)])
def test_a_service_that_is_down_is_tried_again(cloud: LocalRaitoCloud, client: RaitoClient, fault: CloudFault) -> None:
    cloud.add_fault(fault)
    with listening(lambda: client) as found:
        found.wait(connected(cloud))
    assert len([line for line in found.said if "does not hear" in line]) == 1
    assert found.gaps == 1


def test_waits_grow_while_it_stays_down(scripted_login: ScriptedServer) -> None:
    scripted_login.on("POST", "/query", Answer({"data": {"cliTriggerUrl": {"url": "ws://127.0.0.1:9/gone"}}}))
    patience = SocketPatience(first_wait=0.02, longest_wait=0.1, look=0.01)
    began = time.monotonic()
    with listening(lambda: RaitoClient(connection_to(scripted_login.url)), patience) as found:
        found.wait(lambda: len(found.said) >= 5)
        took = time.monotonic() - began
    assert took >= 0.8 * (0.02 + 0.04 + 0.08 + 0.1)


@pytest.mark.parametrize("url", ["ws://raito.example.com/t?token=s3cr3t", "http://127.0.0.1/t", "ftp://x/y", "nothing"])
def test_no_login_goes_to_an_address_that_others_can_read_or_that_is_none(
    scripted_login: ScriptedServer, url: str
) -> None:
    scripted_login.on("POST", "/query", Answer({"data": {"cliTriggerUrl": {"url": url}}}))
    with listening(lambda: RaitoClient(connection_to(scripted_login.url))) as found:
        found.wait(lambda: bool(found.said))
    assert "does not hear of changes" in found.said[0]
    assert "plain http (or ws)" in found.said[0] or "no address of a WebSocket" in found.said[0]
    assert "s3cr3t" not in " ".join(found.said)


@pytest.mark.parametrize(
    "url",
    [
        "wss://[::1?token=s3cr3t",
        "wss://127.0.0.1:99999/t?token=s3cr3t",
        "wss://127.0.0.1:s3cr3t/",
        "wss://..x../t?token=s3cr3t",
        "wss://127.0.0.1/t?token=s3cr3t#part",
        "wss:///t?token=s3cr3t",
    ],
)
def test_an_address_that_leads_nowhere_is_asked_for_again_and_nothing_secret_of_it_is_told(
    scripted_login: ScriptedServer, url: str
) -> None:
    scripted_login.on("POST", "/query", Answer({"data": {"cliTriggerUrl": {"url": url}}}))
    with listening(lambda: RaitoClient(connection_to(scripted_login.url))) as found:
        found.wait(lambda: len(found.said) >= 2)
    assert all("does not hear of changes" in line for line in found.said)
    assert "s3cr3t" not in " ".join(found.said)


def test_whatever_happens_with_a_message_it_goes_on_listening(cloud: LocalRaitoCloud, client: RaitoClient) -> None:
    said: list[str] = []
    heard: list[str | bytes] = []

    def message(text: str | bytes) -> None:
        heard.append(text)
        raise KeyError("of a message")

    stop = threading.Event()
    socket = TriggerSocket(lambda: client, lambda: ["ds-1"], message, lambda: None, said.append, patience=QUICK)
    thread = threading.Thread(target=socket.listen, args=(stop,))
    thread.start()
    try:
        until = time.monotonic() + ENOUGH
        while len(heard) < 2 and time.monotonic() < until:
            if connected(cloud)():
                cloud.triggers.send_text("x")
            time.sleep(0.02)
    finally:
        stop.set()
        thread.join(ENOUGH)
    assert len(heard) >= 2
    assert "KeyError" in " ".join(said)


def test_garbage_is_handed_on_and_one_message_too_large_ends_the_connection(
    cloud: LocalRaitoCloud, client: RaitoClient
) -> None:
    with listening(lambda: client) as found:
        found.wait(connected(cloud))
        cloud.triggers.send_text("\x00garbage")
        cloud.triggers.send_text("x" * ((1 << 20) + 1))
        found.wait(lambda: found.gaps == 2)
        found.wait(connected(cloud))
        cloud.triggers.send_text("again")
        found.wait(lambda: len(found.heard) == 2)
    assert found.heard == ["\x00garbage", "again"]


def test_nothing_secret_is_logged_even_at_debug(
    cloud: LocalRaitoCloud, client: RaitoClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), listening(lambda: client) as found:
        found.wait(connected(cloud))
        cloud.triggers.drop()
        found.wait(lambda: found.gaps == 2)
    token = client.token()
    assert token is not None
    assert "Authorization" in caplog.text
    assert not [secret for secret in (token, SECRET, *client.secrets()) if secret in caplog.text]
