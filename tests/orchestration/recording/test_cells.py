"""The edge of a cell: whatever escapes the work on one fails that cell alone."""

from pathlib import Path

import dagster as dg
import pytest

from raito_pipeline.model import IamUser, S3Bucket
from raito_pipeline.orchestration.naming import Naming
from raito_pipeline.orchestration.recording.cells import CellLog
from raito_pipeline.orchestration.recording.guard import Attempts
from raito_pipeline.storage import Store

CELLS = dg.StaticPartitionsDefinition(["111122223333", "444455556666"])


def run(
    folder: Path, error: Exception | None = None, reads: type = IamUser
) -> tuple[dg.ExecuteInProcessResult, dg.DagsterInstance]:
    """A step of two cells, of which the first meets an error; the second reads rows of `reads` before it is made."""

    @dg.multi_asset(
        specs=[dg.AssetSpec("iam_users", partitions_def=CELLS, skippable=True)],
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def step(context: dg.AssetExecutionContext):  # type: ignore[no-untyped-def]
        log = CellLog(
            context,
            lambda _cell: Store.open(str(folder)),
            lambda _cell: None,
            Attempts(context.instance, Naming()),
        )
        for cell in log.cells("account"):
            with log.attempt(cell, "iam_users"):
                if cell.account.startswith("1") and error is not None:
                    raise error
                log.store.earlier(reads, cell.account)
                log.record(cell, log.store.write("iam_users", [], cell.account), {})
        yield from log.finish()

    instance = dg.DagsterInstance.ephemeral()
    job = dg.Definitions(assets=[step]).resolve_implicit_global_asset_job_def()
    tags = {"dagster/asset_partition_range_start": "111122223333", "dagster/asset_partition_range_end": "444455556666"}
    return job.execute_in_process(instance=instance, tags=tags, raise_on_error=False), instance


@pytest.mark.parametrize(
    "error",
    [
        KeyError("AccessPointArn"),
        ValueError("two\nlines"),
        OSError("no space left"),
        RuntimeError(""),
        TypeError("x" * 900),
    ],
)
def test_what_nobody_expected_fails_one_cell_in_one_line(tmp_path: Path, error: Exception) -> None:
    result, instance = run(tmp_path, error)
    assert not result.success
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    data = failure.step_failure_data.user_failure_data
    assert data is not None
    told = data.description or ""
    assert len(told.splitlines()) == 1
    assert "iam_users" in told
    assert "111122223333" in told
    assert type(error).__name__ in told
    assert "444455556666" not in told
    assert len(told.strip()) < 700
    done = instance.get_materialized_partitions(dg.AssetKey("iam_users"))
    assert done == {"444455556666"}


def test_a_cell_is_made_of_what_its_table_declares_alone(tmp_path: Path) -> None:
    result, _ = run(tmp_path, reads=S3Bucket)

    (failure,) = [event for event in result.all_events if event.is_step_failure]
    data = failure.step_failure_data.user_failure_data
    assert data is not None
    assert "iam_users 111122223333: UndeclaredRead: rows of s3_buckets were read" in str(data.description)
    assert run(tmp_path)[0].success
