"""Faults that tests order, and the log of what clients asked for."""

import json
import time
from typing import Any

import pytest
import requests

from raito_pipeline.sandbox.raito.faults import without_secrets

from .wire import DOMAIN, Wire, flat, small_tree

VERSION = "{ SupportedCLIVersion { supportedVersions } }"


def log(wire: Wire) -> list[dict[str, Any]]:
    return requests.get(f"{wire.url}/sandbox-api/log", timeout=60).json()


def test_uploads_fail_as_often_as_ordered(wire: Wire) -> None:
    wire.order(on="upload", status=503, times=2)
    signed = wire.sign(b"[]")

    codes = [
        requests.put(signed["URL"], data=b"[]", headers=flat(signed["signedHeaders"]), timeout=60).status_code
        for _ in range(3)
    ]

    assert codes == [503, 503, 200]


def test_signed_addresses_fail(wire: Wire) -> None:
    wire.order(on="signed-url", status=500)

    address = f"{wire.url}/file/upload/signed-url"
    assert requests.get(address, headers=wire.headers, timeout=60).status_code == 500
    assert requests.get(address, headers=wire.headers, timeout=60).status_code == 400


def test_polls_fail(wire: Wire, source: str) -> None:
    started = wire.start("usage", source, fileKeys=[])
    wire.order(on="poll", status=502, times=3)

    document = f'{{ jobSubtask(jobId: "{started[0]}", jobType: "DU", subtaskId: "{started[2]}") {{ status }} }}'
    codes = [wire.post(json.dumps({"query": document})).status_code for _ in range(4)]

    assert codes == [502, 502, 502, 200]


def test_an_operation_answers_with_an_error(wire: Wire) -> None:
    wire.order(on="operation:createJob", status=200, message="not now")

    answer = wire.answer("mutation { createJob(input: {}) { jobId } }")

    assert answer == {"data": None, "errors": [{"message": "not now"}]}
    assert wire.job()


@pytest.mark.parametrize(
    ("outcome", "errors"), [("FAILED", ["out of memory"]), ("TIMED_OUT", [])], ids=["failed", "timed out"]
)
def test_an_import_ends_as_ordered(wire: Wire, source: str, outcome: str, errors: list[str]) -> None:
    wire.order(on="import:data-objects", outcome=outcome, message="out of memory")

    answer = wire.imported("data-objects", source, small_tree())

    assert (answer["status"], answer["errors"]) == (outcome, errors)
    assert wire.counts()["dataSources"][source]["dataObjects"] == {}
    assert wire.result("data-objects", source, small_tree())["dataObjectsAdded"] == 5


def test_an_import_takes_its_time_and_shows_it(wire: Wire, source: str) -> None:
    wire.order(on="import:data-objects", delay=2.0)
    key = wire.upload(json.dumps(small_tree()).encode())
    started = wire.start("data-objects", source, fileKey=key)
    for _ in range(20):
        if wire.poll(*started)["status"] != "QUEUED":
            break
        time.sleep(0.02)

    assert wire.poll(*started)["status"] == "DATA_PROCESSING"
    assert wire.wait(*started)["status"] == "COMPLETED"
    document = (
        f'{{ jobSubtask(jobId: "{started[0]}", jobType: "DS", subtaskId: "{started[2]}") {{ events {{ status }} }} }}'
    )
    states = [event["status"] for event in wire.ask(document)["events"]]
    assert states == ["QUEUED", "DATA_PROCESSING", "COMPLETED"]


def test_a_connection_is_dropped(wire: Wire) -> None:
    wire.order(on="query", drop=True)

    with pytest.raises(requests.ConnectionError):
        wire.post(json.dumps({"query": VERSION}))
    assert wire.answer(VERSION)["data"]


def test_an_answer_comes_late(wire: Wire) -> None:
    wire.order(on="admin", delay=0.2)
    begun = time.monotonic()

    assert requests.get(f"{wire.url}/admin/org/{DOMAIN}", timeout=60).status_code == 200
    assert time.monotonic() - begun >= 0.2


def test_a_fault_of_the_second_call_only(wire: Wire) -> None:
    wire.order(on="query", status=429, skip=1)

    assert [wire.post(json.dumps({"query": VERSION})).status_code for _ in range(3)] == [200, 429, 200]


def test_a_fault_of_one_data_source_only(wire: Wire, source: str) -> None:
    wire.order(on="import:usage", outcome="FAILED", match="another")

    assert wire.imported("usage", source)["status"] == "COMPLETED"


def test_faults_are_listed_and_cleared(wire: Wire) -> None:
    address = f"{wire.url}/sandbox-api/faults"
    requests.post(
        address, json=[{"on": "upload", "status": 500, "times": None}, {"on": "query", "status": 500}], timeout=9
    )
    assert [fault["on"] for fault in requests.get(address, timeout=60).json()] == ["upload", "query"]

    assert requests.delete(address, timeout=60).status_code == 204

    assert requests.get(address, timeout=60).json() == []
    assert wire.answer(VERSION)["data"]


@pytest.mark.parametrize("body", [b"", b"{}", b'{"on": "query", "nonsense": 1}', b'{"on": 5}'])
def test_a_fault_that_cannot_be(wire: Wire, body: bytes) -> None:
    assert requests.post(f"{wire.url}/sandbox-api/faults", data=body, timeout=60).status_code == 400


def test_the_log_shows_operations_with_variables_and_literals(wire: Wire) -> None:
    wire.ask("mutation c($input: JobInput!) { createJob(input: $input) { jobId } }", {"input": {"status": "STARTED"}})
    wire.ask('{ dataSource(id: "x") { __typename } }')

    first, second = log(wire)
    assert (first["operations"], first["variables"]) == (["createJob"], {"input": {"status": "STARTED"}})
    assert first["arguments"] == {"createJob": {"input": {"status": "STARTED"}}}
    assert second["arguments"] == {"dataSource": {"id": "x"}}
    assert (second["method"], second["path"], second["status"]) == ("POST", "/query", 200)


def test_the_log_shows_errors_and_can_be_cleared(wire: Wire) -> None:
    wire.answer("{ nonsense }")
    assert "nonsense" in log(wire)[0]["errors"][0]

    requests.delete(f"{wire.url}/sandbox-api/log", timeout=60)

    assert log(wire) == []


def test_the_log_holds_no_signature(wire: Wire) -> None:
    signed = wire.sign(b"[]")
    wire.session.put(signed["URL"], data=b"[]", headers=flat(signed["signedHeaders"]), timeout=60)

    (entry,) = [entry for entry in log(wire) if entry["method"] == "PUT"]
    assert entry["query"]["Signature"] == "***"


def test_secrets_are_masked_at_any_depth() -> None:
    value = {"a": [{"api-secret": "x", "apiPassword": "x", "IdToken": "x"}], "b": ("x", {"passwd": ["x"]}), "c": "x"}

    assert without_secrets(value) == {
        "a": [{"api-secret": "***", "apiPassword": "***", "IdToken": "***"}],
        "b": ["x", {"passwd": "***"}],
        "c": "x",
    }
