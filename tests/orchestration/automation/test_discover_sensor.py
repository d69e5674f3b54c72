"""The sensor: off until it is turned on, writes what is new, and asks the UI to load the location again."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import dagster as dg
import pytest

from raito_pipeline.config import load
from raito_pipeline.definitions import build_definitions
from raito_pipeline.orchestration.automation.discover_sensor import NAME, DiscoveryFailed, reload_location, tick
from raito_pipeline.sandbox.raito.faults import CloudFault
from tests.member_organization import MASTER, MemberOrganization, member_organization


@pytest.fixture(scope="module")
def organization(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MemberOrganization]:
    with member_organization(tmp_path_factory.mktemp("sensor"), 3) as made:
        yield made


@contextmanager
def user_interface(answer: dict[str, Any]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """What stands for the Dagster UI: its address, and what it was asked."""
    asked: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

        def do_POST(self) -> None:
            asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


LOADED = {"data": {"reloadRepositoryLocation": {"__typename": "WorkspaceLocationEntry", "locationOrLoadError": {}}}}


def test_it_is_off_and_there_only_where_it_was_asked_for(organization: MemberOrganization) -> None:
    organization.configure("every-minutes: 30")
    sensor = build_definitions(load(organization.file)).get_repository_def().get_sensor_def(NAME)
    assert (sensor.default_status, sensor.minimum_interval_seconds) == (dg.DefaultSensorStatus.STOPPED, 1800)

    text = organization.file.read_text()
    organization.file.write_text(text[: text.index("  discover:")])
    assert not build_definitions(load(organization.file)).get_repository_def().has_sensor_def(NAME)


def test_a_tick_adds_accounts_whose_partitions_are_there_after_loading_again(organization: MemberOrganization) -> None:
    with user_interface(LOADED) as (url, asked):
        organization.configure("exclude-names: team-0002", f"dagster-url: {url}")
        before = build_definitions(load(organization.file)).get_repository_def()
        context = dg.build_sensor_context(repository_def=before, sensor_name=NAME)
        words = before.get_sensor_def(NAME).evaluate_tick(context).skip_message

    wanted = {MASTER, "310000000000", "310000000001"}
    assert words is not None
    assert all(account in words for account in wanted)
    assert "3 new, 1 left out" in words
    after = build_definitions(load(organization.file)).get_repository_def()
    partitions = after.get_job("sync_account").partitions_def
    assert partitions is not None
    assert set(partitions.get_partition_keys()) == wanted

    file, shown = str(organization.file), load(organization.file)
    assert tick(file, lambda: pytest.fail("nothing is new"), shown) == "3 known, 1 left out"
    assert len(asked) <= 1


def test_what_became_of_loading_again_is_said() -> None:
    with user_interface(LOADED) as (url, asked):
        assert reload_location(url, "here") == "here was loaded again"
        assert asked[0]["variables"] == {"name": "here"}
        assert "dagster-url" in reload_location(None, "here")
    for answer, why in (
        ({"data": {"reloadRepositoryLocation": {"__typename": "PythonError", "message": "broken"}}}, "broken"),
        ({"data": {"reloadRepositoryLocation": {"__typename": "ReloadNotSupported"}}}, "ReloadNotSupported"),
        ({"errors": []}, "KeyError"),
    ):
        with user_interface(answer) as (url, _):
            assert why in reload_location(url, "here")
    assert "load the code location again" in reload_location("http://127.0.0.1:1/", "here")


def test_a_tick_that_fails_says_so(organization: MemberOrganization) -> None:
    text = organization.configure().read_text()
    organization.file.write_text(text.replace(MASTER, "399999999999"))
    with pytest.raises(DiscoveryFailed, match="399999999999"):
        tick(str(organization.file), lambda: "", load(organization.file))


def test_what_was_not_loaded_again_is_loaded_by_a_later_tick(organization: MemberOrganization) -> None:
    organization.configure("exclude-names: team-000[12]")
    shown, file = load(organization.file), str(organization.file)
    assert "the UI is down" in tick(file, lambda: "the UI is down", shown)

    assert tick(file, lambda: "loaded again", shown) == "2 known, 2 left out; loaded again"
    assert tick(file, lambda: pytest.fail("all are shown"), load(organization.file)) == "2 known, 2 left out"


def test_an_account_that_raito_cloud_refuses_keeps_no_other_from_being_shown(organization: MemberOrganization) -> None:
    organization.configure("data-source-name: 'not there yet #account#'")
    shown, file, loads = load(organization.file), str(organization.file), []
    refused = CloudFault(on="operation:createDataSource", status=200, match="310000000000", message="no such name")
    organization.raito.add_fault(refused)
    try:
        with pytest.raises(
            DiscoveryFailed, match=r"3 accounts became targets, and 1 could not: 310000000000: .*such name"
        ):
            tick(file, lambda: str(loads.append("again")), shown)
    finally:
        organization.raito.faults.clear()

    accounts = {target.account_id for target in load(organization.file).accounts}
    assert accounts == {MASTER, "310000000001", "310000000002"}
    assert loads == ["again"]
