"""Jobs, uploads, imports, export and feedback, against the local Raito Cloud."""

import json
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from raito_pipeline.aws.policy.permissions import Permission
from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.model import DataObjectReference, WhatItem
from raito_pipeline.raito import (
    ExportUnreadable,
    ImportFailed,
    ImportTimedOut,
    RaitoClient,
    RaitoError,
    RaitoRefused,
    UploadFailed,
)
from raito_pipeline.raito.export import export_access_controls, read_export
from raito_pipeline.raito.files import write_access_providers, write_feedback, write_json_array, write_usage
from raito_pipeline.raito.files.data_objects import data_source_element
from raito_pipeline.raito.files.writer import ImportFile
from raito_pipeline.raito.imports import (
    Imported,
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
from raito_pipeline.raito.setup import ensure_data_source, ensure_identity_store, link
from raito_pipeline.raito.upload import upload, upload_log
from raito_pipeline.raito.usage_window import usage_window
from raito_pipeline.sandbox.raito.faults import CloudFault
from raito_pipeline.sandbox.raito.server import LocalRaitoCloud

from .conftest import SECRET, Answer, ScriptedServer, connection_to
from .test_raito_files import access_provider, statement

ACCOUNT = "111122223333"
TYPES = ACCESS_PROVIDER_TYPES.descriptions
QUICK = Polling(first=0.02, longest=0.2)
PERMISSIONS = (Permission("s3:GetObject", "read", "read", True, True, False, True, False),)


@dataclass(frozen=True)
class Target:
    """A data source with its identity store."""

    client: RaitoClient
    source: str
    store: str

    def job(self) -> Job:
        return Job.start(self.client, self.source, self.store)


@pytest.fixture
def target(client: RaitoClient) -> Target:
    store, source = ensure_identity_store(client, "people"), ensure_data_source(client, "account")
    link(client, source, store)
    set_identity_store_metadata(client, store, organization=False)
    set_data_source_metadata(client, source, PERMISSIONS, TYPES, glue=False, organization=False)
    return Target(client, source, store)


def users_file(folder: Path, *names: str) -> ImportFile:
    elements = [{"externalId": n, "name": n, "userName": n, "email": n, "groupExternalIds": ["g1"]} for n in names]
    return write_json_array(folder / "users.json", elements)


def groups_file(folder: Path) -> ImportFile:
    return write_json_array(folder / "groups.json", [{"externalId": "g1", "name": "g1", "displayName": "g1"}])


def objects_file(folder: Path, *names: str) -> ImportFile:
    elements = [data_source_element(ACCOUNT)]
    for name in names:
        full = f"{ACCOUNT}:eu-central-1:{name}"
        about = {"name": name, "fullName": full, "type": "bucket", "description": "", "parentExternalId": ACCOUNT}
        elements.append({"externalId": full, **about, "tags": None})
    return write_json_array(folder / "objects.json", elements)


def operations(cloud: LocalRaitoCloud) -> Iterator[str]:
    """What arrived, in a word each: `addTaskEvent DS QUEUED`; polls and look-ups left out."""
    for entry in cloud.log:
        for name in entry.get("operations") or []:
            given = (entry.get("arguments") or {}).get(name, {}).get("input") or {}
            parts = [name, given.get("jobType"), given.get("subtaskId"), given.get("status")]
            if name not in ("jobSubtask", "dataSources", "identityStores"):
                yield " ".join(part for part in parts if part)


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
            rows_of_usage = [statement(number, user="ann", accessed=used) for number in (1, 2)]
            statements = write_usage(tmp_path, rows_of_usage, 100)
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
    cloud.add_fault(CloudFault(on="import:data-objects", delay=0.6))
    cloud.add_fault(CloudFault(on="import:identities", delay=0.6))
    with target.job() as job:
        first = job.task(JobType.DATA_SOURCE).start()
        second = job.task(JobType.IDENTITY_STORE).start()
        pending = [
            start_data_source_import(first, objects_file(tmp_path, "a"), delete_untouched=True),
            start_identity_store_import(
                second, users_file(tmp_path, "ann"), groups_file(tmp_path), delete_untouched=True
            ),
        ]
        started = time.monotonic()
        outcomes = finish_all(pending, QUICK)
    assert time.monotonic() - started < 1.1
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
    assert 1.9 < time.monotonic() - started < 4


def test_a_retry_after_of_a_poll_is_honoured(scripted_login: ScriptedServer) -> None:
    done = Answer({"data": {"jobSubtask": {"status": "COMPLETED", "result": None}}})
    scripted_login.on("POST", "/query", Answer({"message": "busy"}, 503, headers={"Retry-After": "1"}), done)
    with RaitoClient(connection_to(scripted_login.url)) as client:
        client.login()
        started = time.monotonic()
        (outcome,) = wait_all(client, [Subtask("j", "DS", "s")], QUICK)
    assert not isinstance(outcome, RaitoError)
    assert time.monotonic() - started >= 0.95


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


# --- upload


def test_an_upload_is_tried_three_times_from_its_first_byte(
    cloud: LocalRaitoCloud, target: Target, tmp_path: Path
) -> None:
    file = objects_file(tmp_path, "a")
    cloud.add_fault(CloudFault(on="upload", status=500))
    cloud.add_fault(CloudFault(on="upload", drop=True))
    key = upload(target.client, file)
    stored = next(path for path in (tmp_path / "cloud" / "files").rglob("*") if path.as_posix().endswith(key))
    assert stored.read_bytes() == file.path.read_bytes()
    cloud.add_fault(CloudFault(on="upload", times=3, status=403))
    with pytest.raises(UploadFailed, match=r"objects\.json failed three times: status 403"):
        upload(target.client, file)


ENDED = b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"
TOKEN_ENDED = b"<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>"
SKEWED = b"<Error><Code>AccessDenied</Code><Message>Request is not yet valid</Message></Error>"


def _addresses(server: ScriptedServer, *keys: str) -> None:
    """Signed addresses, one after the other; the last one repeats."""
    answers = [Answer({"URL": f"{server.url}/put/{key}?X-Amz-Signature=hush-{key}", "Key": key}) for key in keys]
    server.on("GET", "/file/upload/signed-url", *answers)


@pytest.mark.parametrize(("status", "body"), [(403, ENDED), (400, TOKEN_ENDED), (403, SKEWED)])
def test_an_address_that_ended_is_replaced_and_the_file_sent_from_its_first_byte(
    scripted_login: ScriptedServer, tmp_path: Path, caplog: pytest.LogCaptureFixture, status: int, body: bytes
) -> None:
    file = objects_file(tmp_path, "a")
    _addresses(scripted_login, "k1", "k2")
    scripted_login.on("PUT", "/put/k1", Answer(b"slow down", 503), Answer(body, status))
    scripted_login.on("PUT", "/put/k2", Answer())
    with caplog.at_level("DEBUG", "raito_pipeline"), RaitoClient(connection_to(scripted_login.url)) as client:
        assert upload(client, file) == "k2"
    assert [len(scripted_login.requests("PUT", f"/put/{key}")) for key in ("k1", "k2")] == [2, 1]
    assert scripted_login.requests("PUT", "/put/k2")[0].body == file.path.read_bytes()
    assert "asking for a new one" in caplog.text
    assert "hush" not in caplog.text
    assert "/put/" not in caplog.text


def test_new_addresses_are_asked_for_three_times_at_most(scripted_login: ScriptedServer, tmp_path: Path) -> None:
    _addresses(scripted_login, "k1")
    scripted_login.on("PUT", "/put/k1", Answer(ENDED, 403))
    with (
        RaitoClient(connection_to(scripted_login.url)) as client,
        pytest.raises(UploadFailed, match="the signed address ended before the file was there") as error,
    ):
        upload(client, objects_file(tmp_path, "a"))
    assert len(scripted_login.requests("GET", "/file/upload/signed-url")) == 3
    assert len(scripted_login.requests("PUT", "/put/k1")) == 3
    assert "hush" not in str(error.value)


@pytest.mark.parametrize(
    "answer",
    [Answer(b"", 500), Answer(b"", 503), Answer(drop=True), Answer(b"<Code>SignatureDoesNotMatch</Code>", 403)],
)
def test_what_says_nothing_of_the_address_is_tried_with_the_same_one(
    scripted_login: ScriptedServer, tmp_path: Path, answer: Answer
) -> None:
    _addresses(scripted_login, "k1")
    scripted_login.on("PUT", "/put/k1", answer, answer, Answer())
    with RaitoClient(connection_to(scripted_login.url)) as client:
        assert upload(client, objects_file(tmp_path, "a")) == "k1"
    assert len(scripted_login.requests("GET", "/file/upload/signed-url")) == 1


def test_a_store_that_sends_an_upload_on_gets_it_there_whole_and_once(
    scripted_login: ScriptedServer, tmp_path: Path
) -> None:
    file = objects_file(tmp_path, "a")
    _addresses(scripted_login, "k1")
    scripted_login.on("PUT", "/put/k1", Answer(b"", 307, {"Location": "/region/k1"}))
    scripted_login.on("PUT", "/region/k1", Answer())
    with RaitoClient(connection_to(scripted_login.url)) as client:
        assert upload(client, file) == "k1"
        assert [put.body for put in scripted_login.requests("PUT", "/region/k1")] == [file.path.read_bytes()]
        scripted_login.on("PUT", "/region/k1", Answer(b"", 307, {"Location": "/put/k1"}))
        with pytest.raises(UploadFailed, match="status 307"):
            upload(client, file)


def test_the_address_of_the_local_service_that_ended(cloud: LocalRaitoCloud, target: Target, tmp_path: Path) -> None:
    cloud.add_fault(CloudFault(on="upload", status=403, message="request has expired"))
    assert upload(target.client, objects_file(tmp_path, "a"))
    assert len([entry for entry in cloud.log if entry["path"] == "/file/upload/signed-url"]) == 2


def test_an_upload_sends_the_signed_headers_and_none_of_ours(scripted_login: ScriptedServer, tmp_path: Path) -> None:
    address = f"{scripted_login.url}/bucket/key?X-Amz-Signature=abc"
    signed = {"url": address, "KEY": "k1", "SignedHeaders": {"x-amz-meta-a": ["1", "2"]}}
    scripted_login.on("GET", "/file/upload/signed-url", Answer(signed))
    scripted_login.on("PUT", "/bucket/key", Answer())
    for content in ([], [{"a": 1}]):
        file = write_json_array(tmp_path / "x.json", content)
        with RaitoClient(connection_to(scripted_login.url)) as client:
            assert upload(client, file) == "k1"
        put = scripted_login.requests("PUT", "/bucket/key")[-1]
        assert put.body == file.path.read_bytes()
        assert put.headers["Content-Length"] == str(file.bytes)
        assert put.headers["x-amz-meta-a"] == "1, 2"
        assert not {"Raito-Domain", "Authorization", "Transfer-Encoding"} & put.headers.keys()
        asked = scripted_login.requests("GET", "/file/upload/signed-url")[-1]
        assert f"contentLength={file.bytes}" in asked.path


def test_without_file_upload_the_path_is_the_key(scripted: ScriptedServer, tmp_path: Path) -> None:
    file = objects_file(tmp_path, "a")
    settings = connection_to(scripted.url, skip_file_upload=True, skip_authentication=True)
    with RaitoClient(settings) as client:
        assert upload(client, file) == str(file.path)
    assert scripted.seen == []


def test_the_log_of_a_task(cloud: LocalRaitoCloud, target: Target, tmp_path: Path) -> None:
    log = tmp_path / "task.log"
    log.write_text("a line\n")
    job = target.job()
    key = upload_log(job.task(JobType.DATA_SOURCE).start(), ImportFile.of(log))
    asked = [entry["query"] for entry in cloud.log if entry["path"] == "/file/upload/logs/signed-url"]
    assert [query["task"] for query in asked] == ["DS"]
    assert key


# --- export


def test_only_what_is_out_of_sync(cloud: LocalRaitoCloud, target: Target, tmp_path: Path) -> None:
    cloud.define_access_control(target.source, {"id": "ac-1", "name": "One"})
    task = target.job().task(JobType.DATA_ACCESS)
    everything = export_access_controls(task, tmp_path, polling=QUICK)
    assert [control.name for control in everything.controls] == ["One"]
    export_access_controls(task, tmp_path, out_of_sync_only=True, polling=QUICK)
    filters = [
        entry["variables"]["filter"]
        for entry in cloud.log
        if entry.get("operationName") == "ExportAccessProvidersRequest"
    ]
    assert filters == [{}, {"status": {"outOfSync": True}}]


def test_a_download_that_fails(cloud: LocalRaitoCloud, target: Target, tmp_path: Path) -> None:
    task = target.job().task(JobType.DATA_ACCESS)
    cloud.add_fault(CloudFault(on="download", times=2, status=500))
    assert export_access_controls(task, tmp_path, polling=QUICK).controls == ()
    cloud.add_fault(CloudFault(on="download", times=2, drop=True))
    assert export_access_controls(task, tmp_path, polling=QUICK).controls == ()
    cloud.add_fault(CloudFault(on="download", times=9, status=404))
    with pytest.raises(RaitoRefused, match=r"download of http://.*yaml") as caught:
        export_access_controls(task, tmp_path, polling=QUICK)
    assert "Signature" not in str(caught.value)


EXPORT = """
lastCalculated: 1795468319
fileBuildTime: 1795468320000
accessProviders:
- id: ap-1
  name: Sales
  description: null
  namingHint: sales
  type: aws_policy
  externalId: policy:sales
  action: grant
  delete: false
  actualName: sales
  who: {users: [ann], groups: null, inheritFrom: ['role:x', 'ID:ap-2']}
  deletedWho: {users: [bob]}
  what:
  - dataObject: {fullName: '111122223333:eu-central-1:b', type: bucket}
    permissions: [s3:GetObject]
  deleteWhat: null
  whoLocked: true
  owners: [{email: o@example.com, accountName: '', groupName: null}]
- {id: ap-2, name: 123, delete: true}
"""


def test_an_exported_file(tmp_path: Path) -> None:
    path = tmp_path / "export.yaml"
    path.write_text(EXPORT)
    export = read_export(path)
    first, second = export.controls
    assert (first.position, first.type, first.external_id) == (0, "aws_policy", "policy:sales")
    assert first.who.inherit_from == ("role:x", "ID:ap-2")
    assert first.deleted_who is not None
    assert first.deleted_who.users == ("bob",)
    assert first.what[0].permissions == ("s3:GetObject",)
    assert (first.who_locked, first.what_locked) == (True, False)
    assert json.loads(first.owners[0])["email"] == "o@example.com"
    assert (second.name, second.delete, second.who.users, second.deleted_who) == ("123", True, (), None)
    assert (second.type, second.external_id, second.actual_name, second.action) == (None, None, None, "grant")
    assert export.calculated_at is not None
    assert export.built_at is not None
    assert (export.built_at - export.calculated_at).total_seconds() == 1


def test_the_same_file_as_json(tmp_path: Path) -> None:
    plain, as_json = tmp_path / "export.yaml", tmp_path / "export.json"
    plain.write_text(EXPORT)
    as_json.write_text(json.dumps(yaml.safe_load(EXPORT)))
    assert read_export(plain).controls == read_export(as_json).controls


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", "neither YAML nor JSON"),
        ("a: [", "neither YAML nor JSON"),
        ("- a", "the top level is no mapping"),
        ("accessProviders: 3", "accessProviders is no list"),
    ],
)
def test_an_export_that_is_not_as_it_must_be(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "export.yaml"
    path.write_text(text)
    with pytest.raises(ExportUnreadable, match=expected) as caught:
        read_export(path)
    assert "\n" not in str(caught.value)


def test_no_secret_reaches_a_log_line(
    cloud: LocalRaitoCloud, target: Target, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="raito_pipeline")
    cloud.add_fault(CloudFault(on="query", times=2, skip=1, status=500))
    with target.job() as job, job.task(JobType.DATA_SOURCE) as task:
        finish(start_data_source_import(task, objects_file(tmp_path, "a"), delete_untouched=True), QUICK)
    assert SECRET not in caplog.text
    assert "eyJ" not in caplog.text
