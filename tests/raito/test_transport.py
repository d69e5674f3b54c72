"""What is said where there was no answer, by connections that fail in each way."""

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator

import pytest
import requests

from raito_pipeline.raito.errors import RaitoUnreachable
from raito_pipeline.raito.transport import (
    RetryPolicy,
    never_left,
    new_session,
    proxy_of,
    reason_of,
    retry_after,
    send,
    trusted_certificates,
)

Serve = Callable[[Callable[[socket.socket], None]], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serves one connection on 127.0.0.1 by a function, and gives its address."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(answer: Callable[[socket.socket], None]) -> str:
        def one() -> None:
            accepted, _ = listener.accept()
            with accepted:
                accepted.recv(65_536)
                answer(accepted)

        threading.Thread(target=one, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/"

    yield serve
    listener.close()


def error_of(address: str) -> requests.RequestException:
    with pytest.raises(requests.RequestException) as caught:
        requests.get(address, timeout=0.3)
    return caught.value


def reset(accepted: socket.socket) -> None:
    accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda _: None, "the connection was dropped"),
        (reset, "the connection was reset"),
        (lambda _: threading.Event().wait(0.6), "no answer in time"),
        (
            lambda accepted: accepted.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"),
            "the answer broke off",
        ),
    ],
    ids=["dropped", "reset", "slow", "cut"],
)
def test_a_connection_that_came_about(serve: Serve, answer: Callable[[socket.socket], None], words: str) -> None:
    error = error_of(serve(answer))
    assert reason_of(error) == words
    assert not never_left(error)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://127.0.0.1:1/", "connection refused"),
        ("http://nowhere.invalid/", "its name is not known to the name service"),
        ("127.0.0.1/", "it is no http or https address"),
        ("ftp://127.0.0.1/", "it is no http or https address"),
    ],
)
def test_a_connection_that_never_came_about(address: str, words: str) -> None:
    assert reason_of(error_of(address)) == words


def test_https_where_there_is_none(serve: Serve) -> None:
    address = serve(lambda accepted: accepted.sendall(b"HTTP/1.1 400 Bad\r\n\r\n"))
    assert reason_of(error_of(address.replace("http:", "https:"))).startswith("no TLS connection came about (")


def test_a_proxy_that_does_not_let_through_is_named_without_its_login(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = serve(lambda accepted: accepted.sendall(b"HTTP/1.1 407 Login first\r\n\r\n")).rstrip("/")
    monkeypatch.setenv("HTTPS_PROXY", proxy.replace("//", "//ann:hunter22@"))
    url = "https://raito.example/"
    with pytest.raises(RaitoUnreachable, match=r"through the proxy .*407 Login first.*Check HTTPS_PROXY") as caught:
        send(lambda: requests.get(url), what="x", url=url, repeatable=True, policy=RetryPolicy(1, 0, 0))
    assert "hunter22" not in str(caught.value)
    for written in ("ann:hunter22@proxy:1", "http://ann:hunt/er22@proxy:1"):
        monkeypatch.setenv("HTTPS_PROXY", written)
        assert (proxy_of(url) or "").endswith("***@proxy:1")
    monkeypatch.setenv("NO_PROXY", "raito.example")
    assert proxy_of(url) is None


def test_certificates_that_are_not_there_are_an_error_of_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/no/such/bundle")
    with pytest.raises(requests.exceptions.SSLError) as caught:
        new_session().get("https://127.0.0.1:1/")
    assert "REQUESTS_CA_BUNDLE, /no/such/bundle" in reason_of(caught.value)
    assert trusted_certificates() == "/no/such/bundle"


def answer(url: str, **headers: str) -> requests.Response:
    given = requests.Response()
    given.url, given.status_code = url, 302
    given.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return given


@pytest.mark.parametrize(
    ("url", "location", "followed"),
    [
        ("https://store.example/a", "https://eu.store.example/a", True),
        ("https://store.example/a", "/b", True),
        ("https://store.example/a", "http://store.example/a", False),
        ("https://store.example/a", "ftp://store.example/a", False),
        ("https://store.example/a", "https://[store", False),
        ("http://127.0.0.1/a", "http://127.0.0.1/b", True),
        ("http://127.0.0.1/a", "https://store.example/b", True),
    ],
)
def test_nobody_is_sent_from_https_to_where_others_can_read(url: str, location: str, followed: bool) -> None:
    assert new_session().get_redirect_target(answer(url, Location=location)) == (location if followed else None)


@pytest.mark.parametrize(
    ("given", "seconds"),
    [("", None), ("3", 3), ("-5", 0), ("inf", None), ("1e999", None), ("nan", None), ("soon", None), ("1e6", 1e6)],
)
def test_what_a_service_asks_to_wait(given: str, seconds: float | None) -> None:
    assert retry_after(answer("https://raito.example", Retry_After=given)) == seconds


@pytest.mark.parametrize("zone", ["GMT", "-0000", ""])
def test_a_moment_to_wait_for_is_one_of_utc(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    given = time.strftime("%a, %d %b %Y %H:%M:%S", time.gmtime(time.time() + 600)) + f" {zone}"
    asked = retry_after(answer("https://raito.example", Retry_After=given.strip()))
    monkeypatch.undo()
    time.tzset()
    assert asked == pytest.approx(600, abs=5)
