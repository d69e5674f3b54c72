"""Who is let in, and how: headers, tokens, the look-up of the client id, and what stands behind the JSON."""

import base64
import json
import threading
import time
from collections.abc import Mapping
from typing import Any

import pytest
import requests

from raito_pipeline.sandbox.raito.server import LocalRaitoCloud

from .conftest import Start
from .wire import CLIENT_ID, DOMAIN, Wire

VERSION = "query SupportedCLIVersion { SupportedCLIVersion { supportedVersions } }"


def token(**claims: Any) -> str:
    content = {"token_use": "id", "aud": CLIENT_ID, "cognito:username": "syncer", "exp": time.time() + 3600, **claims}
    parts = ({"alg": "RS256"}, content)
    head, body = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    return f"{head}.{body}.c2lnbmF0dXJl"


@pytest.fixture
def guarded(start: Start) -> LocalRaitoCloud:
    return start(require_login=True)


def test_somebody_who_is_logged_in_gets_an_answer(guarded: LocalRaitoCloud) -> None:
    answer = Wire(guarded.url, token()).answer(VERSION)

    assert answer["data"]["SupportedCLIVersion"]["supportedVersions"]


REFUSED: list[tuple[str, dict[str, str | None], int]] = [
    ("no token", {"Authorization": None}, 401),
    ("the word Bearer", {"Authorization": f"Bearer {token()}"}, 401),
    ("no JSON Web Token", {"Authorization": "token abc"}, 401),
    ("rubbish in the token", {"Authorization": "token a.b.c"}, 401),
    ("an expired token", {"Authorization": f"token {token(exp=time.time() - 1)}"}, 401),
    ("another client's token", {"Authorization": f"token {token(aud='another')}"}, 401),
    ("an access token", {"Authorization": f"token {token(token_use='access')}"}, 401),
    ("no user", {"Authorization": f"token {token(**{'cognito:username': ''})}"}, 401),
    ("no domain", {"Raito-Domain": None}, 400),
    ("another domain", {"Raito-Domain": "other"}, 403),
    ("another kind of content", {"Content-Type": "text/plain"}, 415),
]


@pytest.mark.parametrize(("headers", "status"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_whoever_does_not_belong_here_is_refused(
    guarded: LocalRaitoCloud, headers: Mapping[str, str | None], status: int
) -> None:
    good = {"Raito-Domain": DOMAIN, "Authorization": f"token {token()}", "Content-Type": "application/json"}
    sent = {name: value for name, value in {**good, **headers}.items() if value is not None}

    response = requests.post(f"{guarded.url}/query", json={"query": VERSION}, headers=sent, timeout=60)

    assert response.status_code == status
    assert response.json()["message"]


def test_a_refusal_never_repeats_the_token(guarded: LocalRaitoCloud) -> None:
    secret = token(aud="another")

    response = Wire(guarded.url, secret).post(json.dumps({"query": VERSION}))

    assert response.status_code == 401
    assert secret not in response.text
    assert secret not in requests.get(f"{guarded.url}/sandbox-api/log", timeout=60).text


def test_signed_addresses_are_for_those_who_are_logged_in(guarded: LocalRaitoCloud) -> None:
    for path in ("file/upload/signed-url", "file/upload/logs/signed-url"):
        response = requests.get(f"{guarded.url}/{path}", headers={"Raito-Domain": DOMAIN}, timeout=60)
        assert response.status_code == 401


def test_the_client_id_is_told_to_everybody(guarded: LocalRaitoCloud) -> None:
    response = requests.get(f"{guarded.url}/admin/org/{DOMAIN}", timeout=60)

    assert response.status_code == 200
    found = {name.lower(): value for name, value in response.json().items()}
    assert found["clientappid"] == CLIENT_ID
    assert found["authorgid"]


def test_an_unknown_domain_is_not_found(guarded: LocalRaitoCloud) -> None:
    assert requests.get(f"{guarded.url}/admin/org/nobody", timeout=60).status_code == 404


BODIES = [
    ("stray quote", '{"query": %s, "variables": {}}"'),
    ("stray quote, newline and tab", '{"query": %s}"\n\t'),
    ("another object", '{"query": %s} {"query": "{ nonsense }"}'),
    ("variables null", '{"query": %s, "variables": null}'),
    ("no variables", '{"query": %s}'),
    ("operationName null", '{"operationName": null, "query": %s, "variables": {}}'),
    ("operationName empty", '{"operationName": "", "query": %s, "variables": {}}'),
    ("operationName given", '{"operationName": "SupportedCLIVersion", "query": %s, "variables": {}}'),
    ("extensions", '{"query": %s, "extensions": {}}'),
    ("space in front", '\n  {"query": %s}'),
]


@pytest.mark.parametrize("body", [case[1] for case in BODIES], ids=[case[0] for case in BODIES])
def test_the_first_json_value_of_the_body_counts(wire: Wire, body: str) -> None:
    response = wire.post(body % json.dumps(VERSION))

    assert response.status_code == 200
    assert "errors" not in response.json()


@pytest.mark.parametrize("body", ["", "{", "[]", "{}", '{"query": 5}', b"\xff\xfe"])
def test_a_body_without_a_query_is_refused(wire: Wire, body: str | bytes) -> None:
    assert wire.post(body).status_code == 400


def test_a_document_against_the_schema_is_refused_with_its_problems(wire: Wire) -> None:
    response = wire.post(json.dumps({"query": "{ dataSource(id: 5.5) { nonsense } }"}))

    assert response.status_code == 422
    assert response.json()["errors"]


def test_slashes_in_the_address_do_not_matter(cloud: LocalRaitoCloud) -> None:
    for base in (cloud.url, f"{cloud.url}/"):
        assert requests.get(f"{base}/admin/org/{DOMAIN}", timeout=60).status_code == 200
        assert Wire(base).answer(VERSION)["data"]


def test_unknown_addresses_are_not_found(wire: Wire) -> None:
    assert requests.get(f"{wire.url}/nowhere", timeout=60).status_code == 404
    assert requests.get(f"{wire.url}/query", timeout=60).status_code == 404


def test_it_speaks_http_1_1(wire: Wire) -> None:
    assert wire.post(json.dumps({"query": VERSION})).raw.version == 11


def test_many_clients_at_once(wire: Wire) -> None:
    failures: list[str] = []

    def work() -> None:
        for _ in range(5):
            job = Wire(wire.url).job()
            answer = wire.answer(f'mutation {{ updateJob(id: "{job}", input: {{ status: "COMPLETED" }}) {{ jobId }} }}')
            if answer.get("errors"):
                failures.append(str(answer))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not failures
    assert len(wire.ask("{ jobs { jobId status } }")) == 40


def test_nothing_runs_on_after_the_end(start: Start) -> None:
    before = set(threading.enumerate())
    cloud = start()
    wire = Wire(cloud.url)
    source = cloud.catalog.create_data_source("One account")
    wire.imported("data-objects", source, [])

    cloud.stop()

    assert set(threading.enumerate()) <= before
    with pytest.raises(requests.ConnectionError):
        requests.get(wire.url, timeout=60)


def test_starting_takes_little(start: Start) -> None:
    begun = time.process_time()
    start()
    assert time.process_time() - begun < 2


@pytest.mark.usefixtures("source")
def test_the_page_shows_what_is_there(wire: Wire) -> None:
    response = requests.get(f"{wire.url}/", timeout=60)

    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/html")
    assert "One account" in response.text
