"""What Raito Cloud sees of a sync: one job a target that says what happened, whatever happened, and its logs."""

import logging
import re
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import boto3
import pytest

from raito_pipeline.config import Options
from raito_pipeline.model import ImportResult
from raito_pipeline.orchestration.partitioning.grid import make_grid
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.orchestration.runs.sync import LayerResult, layers, run_sync
from raito_pipeline.orchestration.upload.raito_jobs import report_unusable
from raito_pipeline.raito.deletions import disagreement, held_by_raito_cloud
from raito_pipeline.raito.open_jobs import INTERRUPTED
from raito_pipeline.raito.targets_sync import TargetsSync
from raito_pipeline.sandbox.aws.faults import Fault as AwsFault
from raito_pipeline.sandbox.raito.faults import CloudFault
from tests.end_to_end.conftest import World, failures, started
from tests.forked import Forked

ACCOUNT, TARGET = "210000000012", "marketing"
LAST = "access, upload, push"
NO_ACCESS_NOR_USAGE = {"skip_data_access_sync": "true", "skip_data_usage_sync": "true"}
EndedAt = Callable[..., str]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with started(tmp_path_factory.mktemp("jobs")) as world:
        yield world


@pytest.fixture(scope="module")
def first(world: World) -> "Told":
    """The first sync of an organization and an account, as the command makes it."""
    return synced(world, ["organization", ACCOUNT])


@pytest.fixture(autouse=True)
def _no_faults(world: World, first: "Told") -> Iterator[None]:
    assert first.failures == []
    yield
    world.embedded.raito.faults.clear()
    world.embedded.aws.faults.clear()


@dataclass(frozen=True)
class Told:
    """What arrived in Raito Cloud during a sync, and what failed here."""

    requests: list[dict[str, Any]]
    results: Sequence[LayerResult]

    @property
    def failures(self) -> list[str]:
        return failures(self.results)

    @property
    def operations(self) -> list[str]:
        """A word each, in order: `addTaskEvent DS QUEUED`; polls left out."""
        words = []
        for name, given in self._calls():
            parts = (name, given.get("jobType"), given.get("subtaskId"), given.get("status"))
            words.append(" ".join(part for part in parts if part))
        return [word for word in words if not word.startswith("jobSubtask")]

    def inputs(self, wanted: str) -> list[dict[str, Any]]:
        return [given for name, given in self._calls() if name == wanted]

    def task(self, job_type: str) -> dict[str, Any]:
        """The last event of a task."""
        return [event for event in self.inputs("addTaskEvent") if event["jobType"] == job_type][-1]

    def _calls(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for entry in self.requests:
            for name in entry.get("operations") or []:
                given = (entry.get("arguments") or {}).get(name, {})
                yield name, given.get("input") or given


def synced(
    world: World,
    only: Sequence[str],
    layer: str = "",
    options: Options | None = None,
    *,
    one_sync: bool = True,
    sync_id: str = "first",
) -> Told:
    """Runs the layers of these places (and of this name, where one is given), as part of the first sync."""
    chosen = options or world.options()
    sync = TargetsSync()
    services = Services(chosen, targets_sync=sync if one_sync else None)
    services.progress = lambda what, _done, _total: logger.warning("%s with %s", what, " ".join(services.secrets()))
    wanted = [
        each
        for each in layers(chosen, make_grid(chosen), sync_id)
        if any(place in each.place for place in only) and layer in each.name
    ]
    world.embedded.raito.log.clear()
    with sync.until_the_end():
        results = run_sync(world.built.definitions(services), world.instance, wanted, lambda _layer, _result: None)
    return Told(list(world.embedded.raito.log), results)


def logs(world: World, told: Told) -> dict[tuple[str, str], str]:
    """The logs that were attached to tasks, by job and job type."""
    folder = world.embedded.directory / "raito-cloud-files"
    return {
        (each["jobId"], each["jobType"]): (folder / each["fileKey"]).read_text("utf-8")
        for each in told.inputs("addLogFileToTask")
    }


def job(world: World, identifier: str) -> dict[str, Any]:
    """A job as Raito Cloud's pages show it."""
    fields = "status errors tasks { jobType status errors subtasks { subtaskId status } }"
    document = f'{{ job(id: "{identifier}") {{ {fields} }} }}'
    client = Services(world.options()).raito(world.options().account(ACCOUNT))
    body = {"query": document, "variables": None}
    answer = client.send("POST", "query", what="job", repeatable=True, json=body)
    found: dict[str, Any] = answer.json()["data"]["job"]
    return found


logger = logging.getLogger("raito_pipeline.tests")
TASK = ["STARTED", "DATA_UPLOAD", "QUEUED", "COMPLETED"]


def test_a_sync_is_reported_as_the_real_client_does_it(first: Told) -> None:
    operations = first.operations
    organization, account = next(each["jobIds"] for each in first.inputs("endOfTargetsSync"))
    assert operations[0] == "SupportedCLIVersion"
    assert operations.count("SupportedCLIVersion") == 1
    assert operations[1:3] == ["createJob", "updateJob IN_PROGRESS"]
    assert operations[-2:] == ["updateJob COMPLETED", "endOfTargetsSync"]
    assert operations.count("endOfTargetsSync") == 1

    events: dict[tuple[str, str], list[str]] = {}
    for event in first.inputs("addTaskEvent"):
        events.setdefault((event["jobId"], event["jobType"]), []).append(event["status"])
    assert {job_type: events[organization, job_type] for job_type in ("DS", "IS", "DA", "DU")} == {
        "DS": ["SKIPPED"],
        "IS": TASK,
        "DA": ["SKIPPED"],
        "DU": ["SKIPPED"],
    }
    assert {job_type: events[account, job_type] for job_type in ("DS", "IS", "DU")} == dict.fromkeys(
        ("DS", "IS", "DU"), TASK
    )
    assert events[account, "DA"] == ["STARTED", "DATA_RETRIEVE", *(TASK[1:3] * 2), "COMPLETED"]


def test_access_controls_are_asked_for_after_what_they_are_calculated_from(first: Told) -> None:
    operations = first.operations
    export = operations.index("exportAccessProvidersRequest")
    for before in ("addTaskEvent DS COMPLETED", "addSubtaskEvent DA AccessSync STARTED"):
        assert operations.index(before) < export
    assert [each for each in operations[:export] if each == "addTaskEvent IS COMPLETED"] == [
        "addTaskEvent IS COMPLETED"
    ] * 2
    for after in ("addSubtaskEvent DA AccessSync IN_PROGRESS", "addSubtaskEvent DA AccessSync COMPLETED"):
        assert export < operations.index(after) < operations.index("importAccessProvidersRequest")
    received = [each["receivedDate"] for each in first.inputs("addSubtaskEvent")]
    assert received[0] is None
    assert received[1] == received[2]
    assert received[1] is not None


def test_results_are_named_in_the_words_of_the_service(first: Told) -> None:
    named = {
        job_type: [result["objectType"] for result in first.task(job_type)["result"]]
        for job_type in ("DS", "IS", "DA", "DU")
    }
    assert named == {
        "DS": ["data objects"],
        "IS": ["users", "groups"],
        "DA": ["exported access providers", "imported access providers"],
        "DU": ["statements"],
    }
    (pushed, _) = first.task("DA")["result"]
    assert (pushed["added"], pushed["failed"]) == (7, 0)


def test_every_task_that_was_worked_on_has_its_log_and_no_secret_is_in_it(world: World, first: Told) -> None:
    (organization, account) = first.inputs("endOfTargetsSync")[0]["jobIds"]
    found = logs(world, first)
    assert sorted(found) == sorted([(organization, "IS"), *((account, each) for each in ("DS", "IS", "DA", "DU"))])
    assert "data_source_import 210000000012" in found[account, "DS"]
    assert "access_push_results 210000000012" in found[account, "DA"]
    assert "access_push_results" not in found[account, "DU"].replace("upload_access", "")
    # Every progress of the push was logged together with all secrets (see `synced`).
    assert re.search(r"with (\*\*\* ?){3,}\n", found[account, "DA"])
    secrets = [world.embedded.environment["RAITO_API_SECRET"], "eyJ"]
    secrets += [each.secret_access_key for each in world.embedded.estate.members]
    assert not [secret for secret in secrets for text in found.values() if secret in text]


def test_switched_off_logs_are_not_sent(world: World) -> None:
    some = world.options(disable_log_forwarding_data_access_sync="true", disable_log_forwarding_data_usage_sync="true")
    told = synced(world, [ACCOUNT], LAST, some)
    assert sorted(each["jobType"] for each in told.inputs("addLogFileToTask")) == ["DS", "IS"]
    told = synced(world, ["organization"], options=world.options(disable_log_forwarding="true"))
    assert told.inputs("addLogFileToTask") == []
    assert told.inputs("updateJob")[-1]["status"] == "COMPLETED"


def test_a_log_that_cannot_be_sent_fails_nothing(world: World) -> None:
    world.embedded.raito.add_fault(
        CloudFault(on="operation:addLogFileToTask", times=None, status=200, message="no logs")
    )
    told = synced(world, ["organization"])
    assert told.failures == []
    assert told.inputs("updateJob")[-1]["status"] == "COMPLETED"


def test_switched_off_stages_are_reported_as_such(world: World) -> None:
    off = world.options(**NO_ACCESS_NOR_USAGE)
    told = synced(world, [ACCOUNT], LAST, off)
    assert {each: told.task(each)["status"] for each in ("DS", "IS", "DA", "DU")} == {
        "DS": "COMPLETED",
        "IS": "COMPLETED",
        "DA": "SKIPPED",
        "DU": "SKIPPED",
    }
    assert told.inputs("updateJob")[-1]["status"] == "COMPLETED"


def test_each_run_outside_the_command_ends_its_own_sync(world: World) -> None:
    told = synced(world, ["organization"], one_sync=False)
    assert told.operations[-2:] == ["updateJob COMPLETED", "endOfTargetsSync"]


def test_a_task_that_fails_says_why_and_so_does_the_job(world: World) -> None:
    world.embedded.raito.add_fault(
        CloudFault(on="import:data-objects", outcome="FAILED", message="column name missing")
    )
    told = synced(world, [ACCOUNT], LAST)
    ended = told.inputs("updateJob")[-1]
    assert ended["status"] == "FAILED"
    assert len([text for text in ended["errors"] if "column name missing" in text]) == 1
    statuses = {each: told.task(each)["status"] for each in ("DS", "IS", "DA", "DU")}
    assert statuses == {"DS": "FAILED", "IS": "COMPLETED", "DA": "COMPLETED", "DU": "COMPLETED"}
    owners = {"data_source_import": ended["dataSourceId"], "identity_store_import": ended["identityStoreId"]}
    held = {each: held_by_raito_cloud(world.store, each, (ACCOUNT, None), owner) for each, owner in owners.items()}
    assert [each for each, one in held.items() if one.in_doubt] == ["data_source_import"]
    assert not list((world.embedded.directory / "data" / "_jobs").glob("*.json"))


def test_a_push_that_fails_stays_the_error_of_its_task_after_the_import_that_goes_on(world: World) -> None:
    world.embedded.raito.add_fault(CloudFault(on="import:export", outcome="FAILED", message="no calculation"))
    told = synced(world, [ACCOUNT], LAST)
    task, ended = told.task("DA"), told.inputs("updateJob")[-1]
    assert (task["status"], ended["status"]) == ("FAILED", "FAILED")
    assert [text for text in task["errors"] if "no calculation" not in text] == []
    assert [result["objectType"] for result in task["result"]] == ["imported access providers"]
    assert [text for text in ended["errors"] if "no calculation" not in text] == []
    assert told.operations[-3:-1].count("updateJob FAILED") == 1
    assert "addSubtaskEvent DA AccessSync FAILED" in told.operations


def test_a_refused_job_is_asked_for_once_and_blamed_on_its_cause(world: World) -> None:
    world.embedded.raito.add_fault(
        CloudFault(on="operation:createJob", times=None, status=200, message="data source 'ds-x' does not exist")
    )
    told = synced(world, [ACCOUNT], LAST)
    assert told.operations.count("createJob") == 1
    causes = {line.partition(": ")[2] for line in told.failures if ": " in line}
    assert causes - {"not tried, because access_controls failed"} == {
        f"Raito Cloud refused to begin a job for target {TARGET} with data-source-id 'ds-{ACCOUNT}' and "
        f"identity-store-id 'is-{ACCOUNT}': data source 'ds-x' does not exist. Correct data-source-id and "
        "identity-store-id, or let the API user work with them; nothing was sent for this target."
    }


def test_a_version_that_is_not_supported_sends_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = world.embedded.raito
    monkeypatch.setattr(cloud, "versions", type(cloud.versions)(supported=">=9"))
    told = synced(world, ["organization", ACCOUNT], LAST)
    assert {each for each in told.operations if each != "dataSource"} == {"SupportedCLIVersion"}
    assert any("supports CLI versions >=9" in line for line in told.failures)


LAST_LAYER = """
import sys
import dagster as dg
from raito_pipeline.config import load
from raito_pipeline.orchestration.partitioning.grid import make_grid
from raito_pipeline.definitions import build_definitions
from raito_pipeline.raito.targets_sync import TargetsSync
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.orchestration.runs.sync import layers, run_sync

skipped = dict.fromkeys(sys.argv[3:], "true")
options, sync = load(only_targets=[sys.argv[1]], overrides=skipped), TargetsSync()
wanted = [layer for layer in layers(options, make_grid(options), "first") if layer.name == sys.argv[2]]
with dg.DagsterInstance.ephemeral() as instance, sync.until_the_end():
    run_sync(build_definitions(options, Services(options, targets_sync=sync)), instance, wanted, lambda *_: None)
"""


REPORT = """
import sys
from raito_pipeline.config import load
from raito_pipeline.orchestration.upload.raito_jobs import report_unusable
from raito_pipeline.orchestration.resources import Services

options = load(only_targets=[sys.argv[1]])
report_unusable(Services(options), options.accounts[0], ["its credentials have expired"])
"""


@pytest.fixture
def ended_at(world: World, forked: Forked) -> EndedAt:
    """Runs the last layer as the command does, and ends it at a place of a fault, which takes long; gives its job."""

    def end(place: str, number: signal.Signals, *skipped: str, script: str = LAST_LAYER, skip: int = 0) -> str:
        cloud = world.embedded.raito
        cloud.add_fault(CloudFault(on=place, delay=5.0, skip=skip))
        before = job_ids(world)
        process = forked.begin(script, TARGET, LAST, *skipped)
        until(lambda: any(fault.on == place for fault in cloud.faults.listed()), False)
        process.send(number)
        process.wait()
        cloud.faults.clear()
        (identifier,) = job_ids(world) - before
        return identifier

    return end


def job_ids(world: World) -> set[str]:
    """All jobs that Raito Cloud knows: its log may get an answer to a process that was killed before the last one."""
    with closing(sqlite3.connect(world.embedded.directory / "raito-cloud.sqlite")) as database:
        return {identifier for (identifier,) in database.execute("SELECT id FROM jobs")}


def until(check: Callable[[], bool], wanted: bool) -> None:
    """Waits for a condition."""
    end = time.monotonic() + 120
    while check() is not wanted:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_an_interrupted_run_says_so(world: World, ended_at: EndedAt) -> None:
    identifier = ended_at("operation:exportAccessProvidersRequest", signal.SIGINT)
    found = job(world, identifier)
    assert found["status"] == "FAILED"
    assert any("interrupted" in text for text in found["errors"])
    tasks = {task["jobType"]: task for task in found["tasks"]}
    assert {each: tasks[each]["status"] for each in tasks} == {
        "DS": "COMPLETED",
        "IS": "COMPLETED",
        "DA": "FAILED",
        "DU": "FAILED",
    }
    assert any("interrupted" in text for text in tasks["DA"]["errors"])


def test_a_killed_run_is_closed_by_the_next_sync(world: World, ended_at: EndedAt) -> None:
    identifier = ended_at("operation:exportAccessProvidersRequest", signal.SIGKILL)
    assert job(world, identifier)["status"] == "IN_PROGRESS"

    told = synced(world, [ACCOUNT], LAST, world.options(**NO_ACCESS_NOR_USAGE))

    assert told.failures == []
    found = job(world, identifier)
    assert (found["status"], found["errors"]) == ("FAILED", [INTERRUPTED])
    tasks = {task["jobType"]: task["status"] for task in found["tasks"]}
    assert tasks == {"DS": "COMPLETED", "IS": "COMPLETED", "DA": "FAILED", "DU": "FAILED"}
    assert not list((world.embedded.directory / "data" / "_jobs").glob("*.json"))


def test_a_killed_report_of_an_unusable_target_is_closed_by_the_next(world: World, ended_at: EndedAt) -> None:
    identifier = ended_at("operation:addTaskEvent", signal.SIGKILL, script=REPORT, skip=1)
    assert job(world, identifier)["status"] == "IN_PROGRESS"

    options = world.options()
    report_unusable(Services(options), options.account(ACCOUNT), ["its credentials have expired"])

    found = job(world, identifier)
    assert (found["status"], found["errors"]) == ("FAILED", [INTERRUPTED])
    assert {task["status"] for task in found["tasks"]} == {"FAILED"}
    assert not list((world.embedded.directory / "data" / "_jobs").glob("*.json"))


def test_what_a_killed_run_sent_is_no_difference_of_counts(world: World, ended_at: EndedAt) -> None:
    """It was killed after Raito Cloud had its files and before it could keep what Raito Cloud holds then."""
    before = objects(world)
    s3 = boto3.Session(profile_name=TARGET).client("s3", region_name="us-east-1")
    s3.put_object(Bucket=f"{TARGET}-sales", Key="killed/data.csv", Body=b"")
    assert world.materialize(["data_objects"], f"{ACCOUNT}|us-east-1").success
    skipped = "skip-identity-store-sync", "skip-data-access-sync", "skip-data-usage-sync"
    ended_at("poll", signal.SIGKILL, *skipped)
    until(lambda: objects(world) == before + 2, True)

    options = world.options(**dict.fromkeys(skipped, "true"))
    for expected in (None, 0):
        assert synced(world, [ACCOUNT], LAST, options).failures == []
        (row,) = world.store.rows(ImportResult, ACCOUNT, table="data_source_import")
        assert (row.added, row.expected_added, disagreement(row)) == (0, expected, None)
        assert row.held == objects(world)


def objects(world: World) -> int:
    """How many data objects of the account Raito Cloud holds."""
    return sum(world.counts()["dataSources"][f"ds-{ACCOUNT}"]["dataObjects"].values())


def test_what_failed_before_the_uploads_fails_the_job(world: World) -> None:
    region = world.embedded.estate.members[0].regions[0]
    world.embedded.aws.faults.add(AwsFault(kind="deny", account=ACCOUNT, region=region, service="s3"))
    told = synced(world, [ACCOUNT], sync_id="second")
    ended = told.inputs("updateJob")[-1]
    assert ended["status"] == "FAILED"
    for table in ("data_objects", "usage_statements"):
        assert any(text.startswith(f"{table} {ACCOUNT}/{region}") for text in ended["errors"]), ended["errors"]
    assert any("nothing is removed" in text for text in told.task("DS")["warnings"])
