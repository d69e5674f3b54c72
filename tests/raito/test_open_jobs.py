"""Jobs that a killed run left open: noted while they run, closed by the next sync of their target."""

import errno
from pathlib import Path
from typing import Any

import pytest

from raito_pipeline.raito.client import RaitoClient
from raito_pipeline.raito.errors import RaitoUnreachable
from raito_pipeline.raito.jobs import ACCESS_SYNC, Job, JobType, Status
from raito_pipeline.raito.open_jobs import INTERRUPTED, OpenJob, OpenJobs
from raito_pipeline.sandbox.raito.faults import CloudFault
from raito_pipeline.sandbox.raito.server import LocalRaitoCloud
from raito_pipeline.storage import Store
from raito_pipeline.storage.files import LocalFiles

from .conftest import connection_to

PLANNED = (JobType.DATA_SOURCE, JobType.DATA_ACCESS)
TARGET = "sales & more/eu"


@pytest.fixture
def open_jobs(tmp_path: Path) -> OpenJobs:
    return OpenJobs(Store.open(tmp_path / "data"))


def state(client: RaitoClient, job_id: str) -> Any:
    """What Raito Cloud shows of a job, asked for by a document that only people use."""
    query = (
        "query ($id: String!) { job(id: $id) { status errors tasks { jobType status errors subtasks { status } } } }"
    )
    body = {"query": query, "variables": {"id": job_id}}
    return client.send("POST", "query", what="job", repeatable=True, json=body).json()["data"]["job"]


def begun(client: RaitoClient, open_jobs: OpenJobs) -> Job:
    """A job whose run is killed while it waits for a push, after its data objects arrived."""
    job = Job.create(client, None, None)
    job.on_change = lambda changed: open_jobs.note(TARGET, OpenJob.of(changed, PLANNED))
    job.on_change(job)
    job.update(Status.IN_PROGRESS)
    job.task(JobType.DATA_SOURCE).start().complete()
    job.task(JobType.DATA_ACCESS).start().subtask_event(ACCESS_SYNC, Status.STARTED)
    return job


def test_a_job_whose_id_did_not_arrive_is_said(
    client: RaitoClient, cloud: LocalRaitoCloud, caplog: pytest.LogCaptureFixture
) -> None:
    """It stays open in Raito Cloud, which has no way to find it; that it is not made twice says `test_client`."""
    cloud.add_fault(CloudFault(on="operation:createJob", drop=True))
    with pytest.raises(RaitoUnreachable):
        Job.create(client, None, None)
    assert "may have made a job all the same" in caplog.text


def test_the_next_sync_closes_what_was_left_open_once(client: RaitoClient, open_jobs: OpenJobs) -> None:
    job = begun(client, open_jobs)
    assert state(client, job.id)["status"] == "IN_PROGRESS"

    assert open_jobs.close(TARGET, client) == (job.id,)

    found = state(client, job.id)
    assert (found["status"], found["errors"]) == ("FAILED", [INTERRUPTED])
    tasks = {task["jobType"]: (task["status"], task["errors"]) for task in found["tasks"]}
    assert tasks == {"DS": ("COMPLETED", []), "DA": ("FAILED", [INTERRUPTED])}
    assert open_jobs.close(TARGET, client) == ()
    assert list(Path(open_jobs.store.root).rglob("*.json")) == []


def test_an_end_that_was_not_taken_is_reported_as_it_was(
    cloud: LocalRaitoCloud, client: RaitoClient, open_jobs: OpenJobs
) -> None:
    job = begun(client, open_jobs)
    job.task(JobType.DATA_ACCESS).fail(ValueError("no such role"))
    cloud.add_fault(CloudFault(on="operation:updateJob", times=8, status=503))
    assert not job.finish()
    open_jobs.note(TARGET, OpenJob.of(job, PLANNED).ended(job))

    assert open_jobs.close(TARGET, client) == ()
    cloud.faults.clear()
    assert open_jobs.close(TARGET, client) == (job.id,)

    found = state(client, job.id)
    assert (found["status"], found["errors"]) == ("FAILED", ["no such role"])


def test_a_job_that_raito_cloud_does_not_know_any_more_is_forgotten(client: RaitoClient, open_jobs: OpenJobs) -> None:
    settings = client.connection
    open_jobs.note(TARGET, OpenJob("gone", settings.base_url, settings.domain, None, None, ("IS",)))
    assert open_jobs.close(TARGET, client) == ("gone",)
    assert open_jobs.read(TARGET) == ()


def test_a_job_of_another_domain_is_left_for_it(cloud: LocalRaitoCloud, open_jobs: OpenJobs) -> None:
    open_jobs.note(TARGET, OpenJob("theirs", "https://elsewhere/", "other", None, None, ()))
    with RaitoClient(connection_to(cloud.url)) as client:
        assert open_jobs.close(TARGET, client) == ()
    assert [job.id for job in open_jobs.read(TARGET)] == ["theirs"]


@pytest.mark.parametrize("content", [b"", b"{", b"[3]", b'[{"id": 7}]', b"\xff\xfe", b"{}"])
def test_a_file_that_cannot_be_used_counts_as_none(client: RaitoClient, open_jobs: OpenJobs, content: bytes) -> None:
    path = Path(open_jobs.path(TARGET))
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    assert open_jobs.close(TARGET, client) == ()
    job = begun(client, open_jobs)
    assert [each.id for each in open_jobs.read(TARGET)] == [job.id]


def test_a_place_where_nothing_can_be_written_fails_nothing(client: RaitoClient, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    nowhere = OpenJobs(Store.open(tmp_path / "file"))
    begun(client, nowhere)
    assert nowhere.close(TARGET, client) == ()


class Disk(LocalFiles):
    """A disk that gives an error for each read while it is `broken`, and can be written."""

    broken = False

    def read(self, path: str) -> bytes | None:
        if self.broken:
            raise OSError(errno.EIO, "Input/output error")
        return super().read(path)


def test_what_cannot_be_read_now_is_not_forgotten(client: RaitoClient, tmp_path: Path) -> None:
    disk = Disk(tmp_path / "data")
    open_jobs = OpenJobs(Store(disk, str(tmp_path / "data")))
    left = begun(client, open_jobs)

    disk.broken = True
    assert open_jobs.interrupted(TARGET)
    assert open_jobs.close(TARGET, client) == ()
    job = begun(client, open_jobs)
    open_jobs.forget(TARGET, left.id)

    disk.broken = False
    assert [each.id for each in open_jobs.read(TARGET)] == [left.id]
    job.task(JobType.DATA_ACCESS).complete()  # from its next change on it is noted, too
    assert open_jobs.close(TARGET, client) == (left.id, job.id)
    assert not open_jobs.interrupted(TARGET)
