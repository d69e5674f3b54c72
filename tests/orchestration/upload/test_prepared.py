"""What an import may remove, and whether it need be sent: decided from the stored tables, before any call."""

from dataclasses import replace

import pytest

from raito_pipeline.orchestration.partitioning.grid import Grid
from raito_pipeline.orchestration.recording.guard import Verdict
from raito_pipeline.orchestration.upload.imports import AccessProviderUpload, DataObjectUpload, Upload, UsageUpload
from raito_pipeline.orchestration.upload.prepared import counted, mark
from raito_pipeline.orchestration.upload.work import Work
from raito_pipeline.raito.imports import skipped
from raito_pipeline.raito.jobs import JobType, Status
from tests.orchestration.upload.conftest import UPLOADS, held, sends


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
