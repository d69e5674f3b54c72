"""What is noted of an import that ends with an error: the next one is sent, whatever it says."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from raito_pipeline.model import ImportResult
from raito_pipeline.orchestration.partitioning.grid import Grid
from raito_pipeline.orchestration.recording.guard import Verdict
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.orchestration.upload.imports import DataObjectUpload
from raito_pipeline.orchestration.upload.prepared import counted, unchanged_import
from raito_pipeline.orchestration.upload.unchanged import SENT
from raito_pipeline.orchestration.upload.uploads import in_doubt_unless_done
from raito_pipeline.orchestration.upload.work import Work
from raito_pipeline.raito.errors import RaitoUnreachable
from tests.model.test_schema import example_row
from tests.orchestration.upload.conftest import ACCOUNT, sends


@pytest.mark.parametrize("interruption", [RaitoUnreachable, KeyboardInterrupt])
def test_after_an_import_that_failed_it_is_not_known_what_raito_cloud_holds_until_one_removes_the_rest(
    grid: Grid, work: Work, interruption: type[BaseException]
) -> None:
    """Raito Cloud may have taken it over all the same: that it held this before says nothing any more."""
    upload = DataObjectUpload(grid)
    sends(work, 2)
    upload.imported(counted(upload, work))
    last = replace(example_row(ImportResult, null=True), status="COMPLETED", failed=0, finished_at=datetime.now(UTC))
    work.store.write(upload.table, [last], ACCOUNT, extra={SENT: "f"})
    always = work.services.options.pipeline.model_copy(update={"unchanged_imports_hours": 24})
    hours = work.services.options.model_copy(update={"pipeline": always})
    work = replace(work, sent="f", services=Services(hours))
    assert unchanged_import(upload, counted(upload, work)) is not None

    sends(work, 5)
    sending = counted(upload, work)
    with pytest.raises(interruption), in_doubt_unless_done([(upload, sending)]):
        if interruption is not RaitoUnreachable:
            raise interruption
        upload.send(sending, upload.write(sending))
    sends(work, 2)

    again = counted(upload, work)
    assert unchanged_import(upload, again) is None
    assert again.count is not None
    assert len(again.count.held or ()) == 3  # what was known before: the account and two
    upload.imported(counted(upload, replace(work, verdict=Verdict(("a region is missing",)))))
    assert unchanged_import(upload, counted(upload, work)) is None
    upload.imported(again)
    assert unchanged_import(upload, counted(upload, work)) is not None
