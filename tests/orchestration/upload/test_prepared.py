"""What an import may remove, and whether it need be sent: decided from the stored tables, before any call."""

from dataclasses import replace
from pathlib import Path

import pytest

from raito_pipeline.model import TABLES, S3BucketPolicy
from raito_pipeline.orchestration.partitioning.grid import Grid, cell_of
from raito_pipeline.orchestration.recording.guard import Verdict, unusable_memories
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.orchestration.upload.imports import (
    AccessProviderUpload,
    DataObjectUpload,
    OrganizationIdentityUpload,
    Upload,
    UsageUpload,
)
from raito_pipeline.orchestration.upload.prepared import counted, mark
from raito_pipeline.orchestration.upload.work import Work
from raito_pipeline.raito.deletions import Elements, remember
from raito_pipeline.raito.imports import skipped
from raito_pipeline.raito.jobs import JobType, Status
from tests.model.test_schema import example_row
from tests.orchestration.upload.conftest import ACCOUNT, MASTER, UPLOADS, held, sends


@pytest.mark.parametrize(
    ("holds", "sent", "stopped"),
    [
        (99, 99, False),
        (99, 49, False),  # 50 of 100: as much as max-import-deletions allows
        (99, 48, True),
        (9, 0, False),  # so few may always go
        (11, 0, True),
    ],
)
def test_an_import_that_would_remove_too_much_removes_nothing(
    grid: Grid, work: Work, holds: int, sent: int, stopped: bool
) -> None:
    held(work, holds)
    sends(work, sent)

    ready = counted(DataObjectUpload(grid), work)

    assert ready.may_delete is not stopped
    if stopped:
        assert f"it would remove {holds - sent} of the {holds + 1} data objects" in (ready.verdict.text or "")


def test_before_the_first_import_of_a_data_source_nothing_is_known_to_be_removed(grid: Grid, work: Work) -> None:
    held(work, 99, owner="another-source")
    sends(work, 1)

    ready = counted(DataObjectUpload(grid), work)

    assert ready.may_delete
    assert ready.count is not None
    assert ready.count.held is None


REMOVING = tuple(upload for upload in UPLOADS if TABLES[upload.table].notes and upload is not UsageUpload)


def damage(work: Work, table: str) -> None:
    path = Path(work.store.uri(table, *work.cell.place))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"no table")


def of_the_target(work: Work, upload: type[Upload]) -> Work:
    """The account, or its organization where that is uploaded."""
    if upload is not OrganizationIdentityUpload:
        return work
    organization = work.services.options.organizations[0]
    cell = cell_of("organization", f"{MASTER}_eu-west-1")
    return replace(work, cell=cell, target=organization)


def stored(work: Work) -> None:
    """Everything that is read of the account and its organization, without rows."""
    sends(work, 0)
    for name, spec in TABLES.items():
        if spec.is_read_from_aws and spec.partitioned_by == "account":
            work.store.write(name, (), ACCOUNT)
        if spec.partitioned_by == "organization" and spec.is_read_from_aws:
            work.store.write(name, (), *cell_of("organization", f"{MASTER}_eu-west-1").place)
    work.store.write("access_providers", (), ACCOUNT)


@pytest.mark.parametrize("upload", REMOVING)
def test_what_an_import_remembers_may_be_damaged_and_permits_no_removal(
    grid: Grid, work: Work, upload: type[Upload]
) -> None:
    """Nor does a second import, as what the first one left is not all that there is."""
    work, made = of_the_target(work, upload), upload(grid)
    stored(work)
    assert counted(made, work).may_delete
    damage(work, f"{upload.table}_elements")

    for _ in range(2):
        ready = counted(made, work)
        assert not ready.may_delete
        assert f"{upload.table}_elements" in (ready.verdict.text or "")
        made.imported(ready)

    all_may_go = work.services.options.pipeline.model_copy(update={"max_import_deletions": 1.0})
    options = work.services.options.model_copy(update={"pipeline": all_may_go})
    meant = counted(made, replace(work, services=Services(options)))
    assert meant.may_delete
    made.imported(meant)
    assert counted(made, work).may_delete


@pytest.mark.parametrize(
    ("upload", "memory"),
    [
        (upload, table)
        for upload in REMOVING
        for table in (*TABLES[upload.table].looks_at, *TABLES[upload.table].reads)
        if table in TABLES[upload.table].looks_at or not TABLES[table].is_read_from_aws
    ],
)
def test_what_an_import_looks_at_may_be_damaged_and_permits_no_removal(
    work: Work, upload: type[Upload], memory: str
) -> None:
    assert list(unusable_memories(work.store, upload.table, work.cell)) == []
    damage(work, memory)
    (reason,) = unusable_memories(work.store, upload.table, work.cell)
    assert reason.startswith(f"{memory} {ACCOUNT} cannot be used (")


def test_whether_bucket_policies_were_read_is_not_known_where_their_rows_are_damaged(grid: Grid, work: Work) -> None:
    stored(work)
    work.store.write("s3_bucket_policies", [replace(example_row(S3BucketPolicy, null=False))], ACCOUNT)
    path = Path(work.store.uri("s3_bucket_policies", ACCOUNT))
    path.write_bytes(path.read_bytes().replace(b"PAR1", b"PAR1", 1)[:4] + b"\xff" * 60 + path.read_bytes()[64:])
    remember(work.store, "access_provider_import", work.cell.place, "source-0", Elements.of({}))

    ready = counted(AccessProviderUpload(grid), work)

    assert not ready.may_delete
    assert "s3_bucket_policies" in (ready.verdict.text or "")


def test_a_region_that_is_meant_to_be_gone_and_is_damaged_holds_up_no_import(grid: Grid, work: Work) -> None:
    pipeline = work.services.options.pipeline.model_copy(update={"removed_regions": (f"{ACCOUNT}/us-west-2",)})
    services = Services(work.services.options.model_copy(update={"pipeline": pipeline}))
    held(work, 3)
    sends(work, 3)
    gone = Path(work.store.uri("data_objects", ACCOUNT, "us-west-2"))
    gone.parent.mkdir(parents=True)
    gone.write_bytes(b"no table")

    assert counted(DataObjectUpload(grid), replace(work, services=services)).may_delete


def test_where_nothing_may_be_removed_too_much_is_no_further_reason(grid: Grid, work: Work) -> None:
    held(work, 99)
    sends(work, 0)
    partial = replace(work, verdict=Verdict(("one region is missing",)))

    assert counted(DataObjectUpload(grid), partial).verdict.reasons == ("one region is missing",)


@pytest.mark.parametrize("upload", UPLOADS)
def test_what_an_import_names_has_to_have_reached_raito_cloud_before_it(
    grid: Grid, work: Work, upload: type[Upload]
) -> None:
    """An import that came to nothing would otherwise not be sent again for as long as it does not change."""
    tasks = work.task.job.task(JobType.DATA_SOURCE), work.task.job.task(JobType.IDENTITY_STORE)
    named = {AccessProviderUpload: tasks, UsageUpload: tasks[:1]}.get(upload, ())
    sent, done = replace(work, sent="as it was"), skipped(work.task)
    for task in tasks:
        task.status = Status.FAILED
        assert mark(upload(grid), sent, done) == ("" if task in named else "as it was")
        task.status = Status.COMPLETED
    assert mark(upload(grid), sent, done) == "as it was"
    assert mark(upload(grid), sent, replace(done, errors=("one was left out",))) == ""
