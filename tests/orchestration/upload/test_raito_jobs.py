"""The jobs in Raito Cloud of a run: which task each table belongs to, and what an import stands on."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest

from raito_pipeline.config import Options
from raito_pipeline.model import TABLES, Layer, Outside
from raito_pipeline.orchestration.naming import Naming
from raito_pipeline.orchestration.partitioning.grid import make_grid
from raito_pipeline.orchestration.recording.guard import Attempts
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.orchestration.runs.run_events import RunEvents
from raito_pipeline.orchestration.runs.run_log import RunLog
from raito_pipeline.orchestration.upload.raito_jobs import (
    TASK_TABLES,
    RunJobs,
    _checked,
    _concerns,
    _follows_from_another,
    _needs,
)
from raito_pipeline.raito.client import RaitoClient
from raito_pipeline.raito.jobs import Job, JobType, Status
from raito_pipeline.storage import Store
from tests.orchestration.conftest import FIRST, Loads
from tests.raito.conftest import connection_to

ACCOUNT = str(FIRST)


def test_a_table_belongs_to_one_task_and_each_import_to_one() -> None:
    tables = [table for of_task in TASK_TABLES.values() for table in of_task]

    assert len(tables) == len(set(tables))
    assert set(tables) <= set(TABLES)
    imports = {name for name, spec in TABLES.items() if Outside.RAITO_CLOUD in spec.sinks}
    assert imports <= set(tables)
    assert {"data_source_import", "identity_store_import", "org_identity_store_import", "data_usage_import"} <= imports


def test_a_task_has_the_tables_of_a_layer_that_ends_a_sync() -> None:
    assert {TABLES[table].layer for tables in TASK_TABLES.values() for table in tables} == {
        Layer.FINISH,
        Layer.ORGANIZATION,
    }


def test_an_organization_has_identities_only(loads: Loads) -> None:
    options = loads(accounts=1)

    assert [each for each in TASK_TABLES if _concerns(each, options.organizations[0])] == [JobType.IDENTITY_STORE]
    assert [each for each in TASK_TABLES if _concerns(each, options.accounts[0])] == list(TASK_TABLES)


@pytest.mark.parametrize(
    ("cause", "follows"),
    [
        (f"access_push_plan {ACCOUNT}: not tried, because access_controls failed", True),
        (f"access_controls {ACCOUNT}: Raito Cloud refused", False),
        (f"not tried, because of it: {ACCOUNT}", False),
    ],
)
def test_what_was_only_not_tried_is_no_cause_of_its_own(cause: str, follows: bool) -> None:
    assert _follows_from_another(cause) is follows


def test_a_task_stands_on_what_its_tables_are_made_of_and_on_nothing_else(loads: Loads) -> None:
    options = loads(accounts=1)
    grid, store = make_grid(options), Store.open(options.pipeline.storage)

    def tables(*tasks: JobType) -> set[str]:
        return {need.table for need in _needs(options, grid, store, ACCOUNT, tasks)}

    assert tables(JobType.IDENTITY_STORE) == {"iam_users", "iam_groups"}
    assert tables(JobType.DATA_SOURCE) == {"s3_buckets", "data_objects"}
    assert tables() == set()
    assert tables(JobType.DATA_ACCESS) >= {"iam_roles", "access_points", "org_account_assignments"}


def test_a_job_that_only_says_why_a_target_is_not_synced_has_a_note_of_its_own(loads: Loads) -> None:
    target = loads(accounts=1).accounts[0]

    assert _checked(target) == "account-0 (check)" != target.name


@contextmanager
def a_job(options: Options, tmp_path: Path) -> Iterator[tuple[RunJobs, Job]]:
    """The jobs of a run, and one of them whose data source was imported; nobody answers for Raito Cloud."""
    with (
        dg.DagsterInstance.ephemeral(str(tmp_path)) as instance,
        RaitoClient(connection_to("http://127.0.0.1:9")) as client,
    ):
        events, attempts = RunEvents(instance, "run-1"), Attempts(instance, Naming())
        jobs = RunJobs(Services(options), make_grid(options), events, RunLog(), attempts)
        job = Job(client, "job-1", "source-0", "store-0")
        job.task(JobType.DATA_SOURCE).status = Status.COMPLETED
        yield jobs, job


def test_logs_for_which_there_is_no_room_keep_no_job_from_its_end(
    loads: Loads, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    options = loads(accounts=1)
    (tmp_path / "file").touch()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "file"))
    with a_job(options, tmp_path) as (jobs, job):
        jobs._send_logs(options.accounts[0], job)
    assert "logs of account-0 were not uploaded: the folder of the files of logs could not be made" in caplog.text


def test_tables_that_cannot_be_read_keep_no_job_from_its_end(loads: Loads, tmp_path: Path) -> None:
    options = loads(accounts=1)
    folder = Path(options.pipeline.storage) / "s3_buckets"
    folder.parent.mkdir(parents=True)
    folder.symlink_to(folder)  # the system gives an error for it, to whoever reads there
    with a_job(options, tmp_path) as (jobs, job):
        (error,) = jobs._failed_before(options.accounts[0], job)
    assert "s3_buckets" in error
    assert "could not be read" in error
