"""The address for triggers, as a client holds it open: by a WebSocket library that knows nothing of ours."""

import json
import threading
import time

import pytest
import requests
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from raito_pipeline.sandbox.raito.server import LocalRaitoCloud

from .conftest import Start
from .test_cloud_http import token
from .wire import Wire

HEARTBEAT = json.dumps({"message": "heartbeat", "datasources": ["ds-1"]})


def address(wire: Wire) -> str:
    """The address that the service names."""
    return str(wire.ask("{ cliTriggerUrl { ... on CliTriggerUrl { url } } }")["url"])


def test_a_client_that_is_logged_in_can_hold_it_open(start: Start) -> None:
    cloud = start(require_login=True)
    login = {"Authorization": f"token {token()}"}
    with connect(address(Wire(cloud.url, token())), additional_headers=login) as socket:
        socket.send(HEARTBEAT)
        socket.send("x" * 70_000)
        assert socket.ping(b"still there?").wait(10)
        socket.send(HEARTBEAT)
    assert [entry["status"] for entry in cloud.log if entry["path"] == "/trigger"] == [101]


def test_nobody_else_can(start: Start) -> None:
    cloud = start(require_login=True)
    url = address(Wire(cloud.url, token()))
    for headers in ({}, {"Authorization": f"token {token(exp=0)}"}):
        with pytest.raises(InvalidStatus, match="401"), connect(url, additional_headers=headers):
            pass


def test_what_is_no_websocket_is_refused_in_words(wire: Wire) -> None:
    answer = requests.get(f"{wire.url}/trigger", timeout=60)
    assert answer.status_code == 426
    assert "Upgrade: websocket" in answer.json()["message"]


def test_the_end_of_the_service_ends_it_and_no_thread_stays(start: Start) -> None:
    before = set(threading.enumerate())
    cloud: LocalRaitoCloud = start()
    with connect(address(Wire(cloud.url))) as socket:
        began = time.monotonic()
        cloud.stop()
        assert time.monotonic() - began < 30
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=60)
    assert set(threading.enumerate()) <= before


def test_who_named_a_data_source_is_told_when_its_access_changes(start: Start) -> None:
    cloud = start()
    source = cloud.catalog.create_data_source("one", "", "ON_PREM", None)
    with connect(address(Wire(cloud.url))) as socket, connect(address(Wire(cloud.url))) as other:
        socket.send(json.dumps({"message": "heartbeat", "datasources": [source]}))
        other.send(HEARTBEAT)
        for waits in (socket, other):
            assert waits.ping().wait(10)
        answer = requests.post(
            f"{cloud.url}/sandbox-api/access-controls/{source}", json={"id": "a", "name": "A"}, timeout=60
        )
        assert answer.status_code == 201
        update = {"apUpdate": {"domain": cloud.domain, "dataSourceNames": [source]}}
        assert json.loads(socket.recv(timeout=60)) == update
        with pytest.raises(TimeoutError):
            other.recv(timeout=0.05)


@pytest.mark.parametrize("length", [1, 125, 126, 70_000])
def test_what_is_ordered_over_http_is_sent_whatever_its_length(start: Start, length: int) -> None:
    cloud = start()
    with connect(address(Wire(cloud.url))) as socket:
        assert socket.ping().wait(10)
        answer = requests.post(f"{cloud.url}/sandbox-api/triggers", json={"text": "x" * length}, timeout=60)
        assert answer.json() == {"clients": 1}
        assert json.loads(socket.recv(timeout=60)) == {"text": "x" * length}
    assert requests.post(f"{cloud.url}/sandbox-api/triggers", data="[", timeout=60).status_code == 400
