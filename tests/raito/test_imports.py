"""The imports of a target as the real client makes them, with what goes wrong on the way."""

import json
import time
from pathlib import Path

import pytest

from raito_pipeline.model import DataObjectReference, UsageStatement, WhatItem
from raito_pipeline.model.schema import to_batch
from raito_pipeline.raito.client import RaitoClient
from raito_pipeline.raito.errors import ImportFailed, ImportTimedOut, RaitoError, RaitoRefused
from raito_pipeline.raito.export import export_access_controls
from raito_pipeline.raito.files.access_providers import write_access_providers
from raito_pipeline.raito.files.feedback import write_feedback
from raito_pipeline.raito.files.usage import write_usage
from raito_pipeline.raito.files.writer import write_json_array
from raito_pipeline.raito.imports import (
    Imported,
    PendingImport,
    counts_of,
    finish,
    finish_all,
    skipped,
    start_access_provider_import,
    start_data_source_import,
    start_data_usage_import,
    start_feedback_import,
    start_identity_store_import,
)
from raito_pipeline.raito.jobs import (
    ACCESS_SYNC,
    Counts,
    Job,
    JobType,
    Polling,
    Status,
    Subtask,
    end_of_targets,
    wait,
    wait_all,
)
from raito_pipeline.raito.metadata import set_data_source_metadata, set_identity_store_metadata
from raito_pipeline.raito.usage_window import usage_window
from raito_pipeline.sandbox.raito.faults import CloudFault
from raito_pipeline.sandbox.raito.server import LocalRaitoCloud

from .conftest import SECRET, Answer, ScriptedServer, connection_to
from .files.test_access_providers import access_provider
from .files.test_usage import statement
from .small_target import (
    ACCOUNT,
    PERMISSIONS,
    QUICK,
    TYPES,
    Target,
    groups_file,
    objects_file,
    operations,
    users_file,
)


def test_a_whole_target_as_the_real_client_reports_it(cloud: LocalRaitoCloud, target: Target, tmp_path: Path) -> None:
    client = target.client
    bucket = f"{ACCOUNT}:eu-central-1:data-02"
    cloud.define_access_control(
        target.source,
        {
            "id": "ac-1",
            "name": "Readers",
            "who": {"users": ["ann"]},
            "what": [{"dataObject": {"fullName": bucket, "type": "bucket"}, "permissions": ["s3:GetObject"]}],
        },
    )
    cloud.log.clear()
    with target.job() as job:
        with job.task(JobType.DATA_SOURCE) as task:
            set_data_source_metadata(client, target.source, PERMISSIONS, TYPES, glue=False, organization=False)
            pending = start_data_source_import(task, objects_file(tmp_path, "data-02"), delete_untouched=True)
            objects = finish(pending, QUICK)
        with job.task(JobType.IDENTITY_STORE) as task:
            set_identity_store_metadata(client, target.store, organization=False)
            files = users_file(tmp_path, "ann", "bob"), groups_file(tmp_path)
            people = finish(start_identity_store_import(task, *files, delete_untouched=True), QUICK)
        with job.task(JobType.DATA_ACCESS) as task:
            task.event(Status.DATA_RETRIEVE)
            task.subtask_event(ACCESS_SYNC, Status.STARTED)
            exported = export_access_controls(task, tmp_path, polling=QUICK)
            task.subtask_event(ACCESS_SYNC, Status.IN_PROGRESS, exported.received)
            feedback = write_feedback(tmp_path / "feedback.json", exported.controls, [])
            finish(start_feedback_import(task, feedback), QUICK)
            task.subtask_event(ACCESS_SYNC, Status.COMPLETED, exported.received)
            rows = [access_provider(who_users=("ann",), who_groups=("g1",))]
            providers = write_access_providers(tmp_path / "ap.json", rows)
            access = finish(start_access_provider_import(task, providers, delete_untouched=True), QUICK)
        with job.task(JobType.DATA_USAGE) as task:
            used = (WhatItem(DataObjectReference(bucket, "bucket"), ("s3:ListBucket",)),)
            usage_rows = [statement(number, user="ann", accessed=used) for number in (1, 2)]
            statements = write_usage(tmp_path, [to_batch(UsageStatement, usage_rows)], 100)
            usage = finish(start_data_usage_import(task, statements), QUICK)
    end_of_targets(client, [job.id])

    assert list(operations(cloud)) == [
        "createJob",
        "updateJob IN_PROGRESS",
        "addTaskEvent DS STARTED",
        "setDataSourceMetaData",
        "addTaskEvent DS DATA_UPLOAD",
        "importDataSourceRequest",
        "addTaskEvent DS QUEUED",
        "addTaskEvent DS COMPLETED",
        "addTaskEvent IS STARTED",
        "setIdentityStoreMetaData",
        "addTaskEvent IS DATA_UPLOAD",
        "importIdentityRequest",
        "addTaskEvent IS QUEUED",
        "addTaskEvent IS COMPLETED",
        "addTaskEvent DA STARTED",
        "addTaskEvent DA DATA_RETRIEVE",
        "addSubtaskEvent DA AccessSync STARTED",
        "exportAccessProvidersRequest",
        "addSubtaskEvent DA AccessSync IN_PROGRESS",
        "addTaskEvent DA DATA_UPLOAD",
        "importAccessProvidersSyncFeedback",
        "addTaskEvent DA QUEUED",
        "addSubtaskEvent DA AccessSync COMPLETED",
        "addTaskEvent DA DATA_UPLOAD",
        "importAccessProvidersRequest",
        "addTaskEvent DA QUEUED",
        "addTaskEvent DA COMPLETED",
        "addTaskEvent DU STARTED",
        "addTaskEvent DU DATA_UPLOAD",
        "importDataUsageRequest",
        "addTaskEvent DU QUEUED",
        "addTaskEvent DU COMPLETED",
        "updateJob COMPLETED",
        "endOfTargetsSync",
    ]
    assert [(c.object_type, c.added) for c in people.counts] == [("users", 2), ("groups", 1)]
    row = objects.to_row("account")
    assert (row.task, row.status, row.added, row.removed, row.failed) == ("DS", "COMPLETED", 2, 0, 0)
    assert (row.elements, row.sha256, row.delete_untouched) == (2, pending.files[0].sha256, True)
    assert access.to_row("account").added == 1
    assert len(statements) == 2
    assert (usage.to_row("account").elements, usage.to_row("account").added) == (2, 2)
    assert [control.id for control in exported.controls] == ["ac-1"]
    assert exported.controls[0].who.users == ("ann",)
    assert usage_window(client, target.source).last_used is not None
    assert [entry["errors"] for entry in cloud.log if entry.get("errors")] == []


def test_the_same_file_twice_changes_nothing(target: Target, tmp_path: Path) -> None:
    results = []
    for names in (("a", "b"), ("a", "b"), ("a",)):
        with target.job() as job, job.task(JobType.DATA_SOURCE) as task:
            pending = start_data_source_import(task, objects_file(tmp_path, *names), delete_untouched=True)
            results.append(finish(pending, QUICK).to_row("t"))
    assert [(row.added, row.updated, row.removed) for row in results] == [(3, 0, 0), (0, 0, 0), (0, 0, 1)]


def test_without_delete_untouched_nothing_is_removed(target: Target, tmp_path: Path) -> None:
    for names, delete in ((("a", "b"), True), (("a",), False)):
        with target.job() as job, job.task(JobType.DATA_SOURCE) as task:
            pending = start_data_source_import(task, objects_file(tmp_path, *names), delete_untouched=delete)
            row = finish(pending, QUICK).to_row("t", "cell x is missing")
    assert (row.removed, row.delete_untouched, row.reason) == (0, False, "cell x is missing")


def test_independent_imports_are_waited_for_together(cloud: LocalRaitoCloud, target: Target, tmp_path: Path) -> None:
    cloud.add_fault(CloudFault(on="import:data-objects", delay=1.0))
    cloud.add_fault(CloudFault(on="import:identities", delay=1.0))
    with target.job() as job:
        first = job.task(JobType.DATA_SOURCE).start()
        second = job.task(JobType.IDENTITY_STORE).start()
        pending = [
            start_data_source_import(first, objects_file(tmp_path, "a"), delete_untouched=True),
            start_identity_store_import(
                second, users_file(tmp_path, "ann"), groups_file(tmp_path), delete_untouched=True
            ),
        ]
        outcomes = finish_all(pending, QUICK)
    asked = [entry["arguments"]["jobSubtask"] for entry in cloud.log if "jobSubtask" in entry.get("operations", ())]
    polls = [each["jobType"] for each in asked]
    assert polls.index("IS") < len(polls) - 1 - polls[::-1].index("DS")  # before the first one had ended
    assert [outcome.task for outcome in outcomes if isinstance(outcome, Imported)] == ["DS", "IS"]
    assert finish_all([]) == ()


def test_one_failed_import_leaves_the_others_alone(cloud: LocalRaitoCloud, target: Target, tmp_path: Path) -> None:
    cloud.add_fault(CloudFault(on="import:data-objects", outcome="FAILED", message="no room"))
    with target.job() as job:
        first = job.task(JobType.DATA_SOURCE).start()
        second = job.task(JobType.IDENTITY_STORE).start()
        outcomes = finish_all(
            [
                start_data_source_import(first, objects_file(tmp_path, "a"), delete_untouched=True),
                start_identity_store_import(
                    second, users_file(tmp_path, "ann"), groups_file(tmp_path), delete_untouched=True
                ),
            ],
            QUICK,
        )
    assert isinstance(outcomes[0], ImportFailed)
    assert outcomes[0].errors == ("no room",)
    assert isinstance(outcomes[1], Imported)
    seen = list(operations(cloud))
    assert "addTaskEvent DS FAILED" in seen
    assert "addTaskEvent IS COMPLETED" in seen
    assert seen[-1] == "updateJob FAILED"


def test_an_import_that_times_out(cloud: LocalRaitoCloud, target: Target, tmp_path: Path) -> None:
    cloud.add_fault(CloudFault(on="import:data-objects", outcome="TIMED_OUT"))
    with pytest.raises(ImportTimedOut), target.job() as job, job.task(JobType.DATA_SOURCE) as task:
        finish(start_data_source_import(task, objects_file(tmp_path, "a"), delete_untouched=True), QUICK)
    assert list(operations(cloud))[-2:] == ["addTaskEvent DS FAILED", "updateJob FAILED"]


def test_our_own_patience_ends(cloud: LocalRaitoCloud, target: Target, tmp_path: Path) -> None:
    cloud.add_fault(CloudFault(on="import:data-objects", delay=3))
    with target.job() as job, job.task(JobType.DATA_SOURCE) as task:
        pending = start_data_source_import(task, objects_file(tmp_path, "a"), delete_untouched=True)
        with pytest.raises(ImportTimedOut, match=r"not finished by Raito Cloud within [0-2] s"):
            finish(pending, Polling(first=0.02, longest=0.05, deadline=0.3))


@pytest.mark.parametrize("drop", [False, True])
def test_five_failed_polls_in_a_row_are_forgiven(
    cloud: LocalRaitoCloud, target: Target, tmp_path: Path, drop: bool
) -> None:
    job = target.job()
    for failures, forgiven in ((5, True), (6, False)):
        cloud.add_fault(CloudFault(on="poll", times=failures, status=None if drop else 500, drop=drop))
        task = job.task(JobType.DATA_SOURCE).start()
        pending = start_data_source_import(task, objects_file(tmp_path, "a"), delete_untouched=True)
        if forgiven:
            assert finish(pending, QUICK).status == "COMPLETED"
        else:
            with pytest.raises(RaitoError):
                finish(pending, QUICK)


def test_polls_come_soon_and_then_rarely(scripted_login: ScriptedServer) -> None:
    running = Answer({"data": {"jobSubtask": {"status": "QUEUED", "result": None}}})
    done = Answer({"data": {"jobSubtask": {"status": "COMPLETED", "result": {"warnings": None}}}})
    scripted_login.on("POST", "/query", *[running] * 6, done)
    with RaitoClient(connection_to(scripted_login.url)) as client:
        client.login()
        started = time.monotonic()
        answer = wait(client, Subtask("j", "DS", "s"), Polling(first=0.05, growth=2.0, longest=0.4))
    assert answer.warnings == ()
    # 0.05 + 0.1 + 0.2 + 0.4 + 0.4 + 0.4 + 0.4
    assert 1.9 < time.monotonic() - started < 6  # 6.3 where waits grow on


def test_a_retry_after_of_a_poll_is_honoured(scripted_login: ScriptedServer) -> None:
    done = Answer({"data": {"jobSubtask": {"status": "COMPLETED", "result": None}}})
    scripted_login.on("POST", "/query", Answer({"message": "busy"}, 503, headers={"Retry-After": "1"}), done)
    with RaitoClient(connection_to(scripted_login.url)) as client:
        client.login()
        started = time.monotonic()
        (outcome,) = wait_all(client, [Subtask("j", "DS", "s")], QUICK)
    assert not isinstance(outcome, RaitoError)
    assert time.monotonic() - started >= 0.95


@pytest.mark.parametrize("asked", ["inf", "1e300", "86400"])
def test_the_waiting_ends_in_time_however_long_the_service_asks_to_be_left_alone(
    scripted_login: ScriptedServer, asked: str
) -> None:
    scripted_login.on("POST", "/query", Answer({"message": "busy"}, 429, headers={"Retry-After": asked}))
    with RaitoClient(connection_to(scripted_login.url)) as client:
        client.login()
        patience = Polling(first=0.01, longest=0.02, deadline=0.1, forgiven=100)
        (outcome,) = wait_all(client, [Subtask("j", "DS", "s")], patience)
    assert isinstance(outcome, ImportTimedOut)


def test_an_import_that_raito_cloud_skipped_was_not_made(scripted_login: ScriptedServer) -> None:
    skipped = {"status": "SKIPPED", "result": None, "errors": ["the store is locked"]}
    scripted_login.on("POST", "/query", Answer({"data": {"jobSubtask": skipped}}))
    with RaitoClient(connection_to(scripted_login.url)) as client, pytest.raises(ImportFailed) as failed:
        wait(client, Subtask("j", "IS", "s"), QUICK)
    assert failed.value.errors == ("Raito Cloud skipped it", "the store is locked")


@pytest.mark.parametrize("status", ["CANCELLED", "error", "failed"])
def test_a_status_that_can_only_be_an_end_is_one(scripted_login: ScriptedServer, status: str) -> None:
    scripted_login.on("POST", "/query", Answer({"data": {"jobSubtask": {"status": status, "errors": ["by ann"]}}}))
    with RaitoClient(connection_to(scripted_login.url)) as client, pytest.raises(ImportFailed, match="by ann"):
        wait(client, Subtask("j", "IS", "s"), QUICK)


def test_errors_of_what_raito_cloud_completed_are_told(scripted_login: ScriptedServer) -> None:
    result = {"__typename": "IdentityStoreImportResult", "warnings": ["one was odd"]}
    completed = {"status": "COMPLETED", "result": result, "errors": ["two users were left out"]}
    scripted_login.on("POST", "/query", Answer({"data": {"jobSubtask": completed}}))
    with RaitoClient(connection_to(scripted_login.url)) as client:
        task = Job(client, "j", None, "s").task(JobType.IDENTITY_STORE)
        done = finish(PendingImport(task, Subtask("j", "IS", "s"), (), False), QUICK)
    assert done.errors == ("two users were left out",)
    assert done.to_row("t").warnings == tuple(task.warnings) == ("one was odd", "two users were left out")


def test_a_status_that_says_nothing_is_told_once_and_waited_on(
    scripted_login: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    odd, done = ({"data": {"jobSubtask": {"status": name, "result": None}}} for name in ("CANCELLING", "COMPLETED"))
    scripted_login.on("POST", "/query", *[Answer(odd)] * 3, Answer(done))
    with RaitoClient(connection_to(scripted_login.url)) as client:
        assert wait(client, Subtask("j", "IS", "s"), QUICK).status == "COMPLETED"
    assert caplog.text.count("CANCELLING") == 1


@pytest.mark.parametrize("answer", [{}, {"status": None, "result": None}, {"status": 3}])
def test_answers_without_a_status_are_not_waited_on_for_hours(
    scripted_login: ScriptedServer, answer: dict[str, object]
) -> None:
    scripted_login.on("POST", "/query", Answer({"data": {"jobSubtask": answer}}))
    looked = pytest.raises(RaitoRefused, match="the answer holds no status")
    with RaitoClient(connection_to(scripted_login.url)) as client, looked:
        wait(client, Subtask("j", "IS", "s"), QUICK)
    assert len(scripted_login.requests("POST", "/query")) == QUICK.forgiven + 1


@pytest.mark.parametrize("answer", [{"data": "later"}, {"data": []}, {"data": {"addTaskEvent": ["x"]}}])
def test_a_status_update_whose_answer_is_odd_does_not_fail_the_sync(
    scripted_login: ScriptedServer, answer: dict[str, object]
) -> None:
    scripted_login.on("POST", "/query", Answer(answer))
    with RaitoClient(connection_to(scripted_login.url)) as client:
        Job(client, "job-1", "ds-1", None).task(JobType.DATA_ACCESS).start().complete()


def test_a_look_that_is_odd_is_forgiven_and_what_else_is_waited_for_ends(scripted_login: ScriptedServer) -> None:
    odd = Answer({"data": {"jobSubtask": ["QUEUED"]}})
    done = Answer({"data": {"jobSubtask": {"status": "COMPLETED", "result": [], "errors": None}}})
    failed = Answer({"data": {"jobSubtask": {"status": "FAILED", "result": None, "errors": "no such key"}}})
    scripted_login.on("POST", "/query", odd, done, failed)
    with RaitoClient(connection_to(scripted_login.url)) as client:
        first = wait(client, Subtask("j", "DS", "s"), QUICK)
        (second,) = wait_all(client, [Subtask("j", "IS", "t")], QUICK)
    assert (first.status, first.kind, first.warnings) == ("COMPLETED", "", ())
    assert isinstance(second, ImportFailed)
    assert second.errors == ("no such key",)


def test_counts_and_warnings_of_a_result_are_read_where_they_are_some(scripted_login: ScriptedServer) -> None:
    counts = {"dataObjectsAdded": "many", "dataObjectsUpdated": 2, "dataObjectsRemoved": None}
    result = {"__typename": "DataSourceImportResult", "warnings": "one object was odd", **counts}
    scripted_login.on("POST", "/query", Answer({"data": {"jobSubtask": {"status": "COMPLETED", "result": result}}}))
    with RaitoClient(connection_to(scripted_login.url)) as client:
        answer = wait(client, Subtask("j", "DS", "s"), QUICK)
    assert answer.warnings == ("one object was odd",)
    assert counts_of(answer.kind, answer.result) == (Counts("data objects", updated=2),)


def test_status_updates_that_fail_do_not_fail_the_sync(
    cloud: LocalRaitoCloud, target: Target, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("updateJob", "addTaskEvent", "addSubtaskEvent", "endOfTargetsSync"):
        cloud.add_fault(CloudFault(on=f"operation:{name}", times=None, status=400, message="not now"))
    with target.job() as job, job.task(JobType.DATA_SOURCE) as task:
        task.subtask_event(ACCESS_SYNC, Status.STARTED)
        imported = finish(start_data_source_import(task, objects_file(tmp_path, "a"), delete_untouched=True), QUICK)
    end_of_targets(target.client, [job.id])
    assert imported.status == "COMPLETED"
    assert "Raito Cloud could not be informed of task DS COMPLETED" in caplog.text


def test_an_exception_in_a_task_is_its_error(cloud: LocalRaitoCloud, target: Target) -> None:
    with pytest.raises(ZeroDivisionError), target.job() as job, job.task(JobType.DATA_SOURCE):
        raise ZeroDivisionError(f"half of {SECRET}")
    job.skip(JobType.DATA_USAGE)
    failed = [entry["arguments"] for entry in cloud.log if "FAILED" in json.dumps(entry.get("arguments") or {})]
    assert [given.get("addTaskEvent", given.get("updateJob"))["input"]["errors"] for given in failed] == [
        ["half of ***"],
        ["half of ***"],
    ]
    assert list(operations(cloud))[-1] == "addTaskEvent DU SKIPPED"
    assert skipped(job.task(JobType.DATA_USAGE)).to_row("t", "switched off").status == "SKIPPED"


def test_a_file_that_raito_cloud_refuses(target: Target, tmp_path: Path) -> None:
    broken = write_json_array(tmp_path / "x.json", [{"name": "no external id"}])
    with (
        pytest.raises(ImportFailed, match="DS task of job"),
        target.job() as job,
        job.task(JobType.DATA_SOURCE) as task,
    ):
        finish(start_data_source_import(task, broken, delete_untouched=True), QUICK)
