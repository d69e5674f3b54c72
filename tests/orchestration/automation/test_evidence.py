"""What automation asks beyond the records of runs: cells that a run did not make and why, backfills, and makers."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import pytest

from raito_pipeline.model import Layer
from raito_pipeline.orchestration.automation.evidence import InstanceEvidence, Known
from raito_pipeline.orchestration.automation.history import History, RunView, State
from raito_pipeline.orchestration.automation.reconcile import FailedCell
from raito_pipeline.orchestration.partitioning.grid import make_grid
from raito_pipeline.orchestration.runs.tags import layer_tags, work_of
from raito_pipeline.storage import Store
from raito_pipeline.storage.lease import Leases
from tests.orchestration.conftest import FIRST, Loads

ACCOUNT, ORGANIZATION = str(FIRST), "999988887777_eu-west-1"
WHY = f"iam_users {ACCOUNT}: iam:ListUsers was denied"


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def ran(instance: dg.DagsterInstance, layer: Layer, owner: str, *tables: str, read: str = "complete") -> str:
    """A run of a layer that made these tables of it and then failed; gives its id."""
    partitions = dg.StaticPartitionsDefinition([owner])

    @dg.multi_asset(specs=[dg.AssetSpec(table, partitions_def=partitions, skippable=True) for table in layer.tables])
    def step():  # type: ignore[no-untyped-def]
        for table in tables:
            yield dg.MaterializeResult(asset_key=table, metadata={"read": dg.MetadataValue.text(read)})
        raise dg.Failure(f"something else\n{WHY}", allow_retries=False)

    tags = layer_tags(layer, owner, "s1")
    result = dg.materialize([step], partition_key=owner, instance=instance, raise_on_error=False, tags=tags)
    return result.run_id


def evidence(loads: Loads, instance: dg.DagsterInstance, store: Store | None = None) -> InstanceEvidence:
    options = loads(accounts=1)
    runs = History().refresh(instance, datetime.now(UTC))
    here = store or Store.open(options.pipeline.storage)
    return InstanceEvidence(instance, here, options, make_grid(options), runs, Known())


def only(found: InstanceEvidence, owner: str) -> RunView:
    (run,) = found.runs[owner]
    return run


def test_what_a_run_did_not_make_has_its_own_reason_or_that_of_the_same_cell(
    loads: Loads, instance: dg.DagsterInstance
) -> None:
    run_id = ran(instance, Layer.ACCOUNT, ACCOUNT, "s3_buckets", "s3_bucket_policies", "iam_roles")
    found = evidence(loads, instance)

    cells = found.failed_cells(only(found, ACCOUNT))

    why = f"it failed in run {run_id[:8]}: iam:ListUsers was denied"
    # the others came of the same work
    assert set(cells) == {
        FailedCell(table, ACCOUNT, None, why)
        for table in ("iam_users", "iam_groups", "iam_policies", "iam_attachments")
    }


def test_what_a_run_was_not_to_make_did_not_fail_in_it(loads: Loads, instance: dg.DagsterInstance) -> None:
    """As a run that is re-executed from where it failed, which has the steps that had succeeded to make no more."""
    partitions = dg.StaticPartitionsDefinition([ACCOUNT])

    @dg.asset(partitions_def=partitions)
    def iam_users() -> None:
        raise dg.Failure(WHY, allow_retries=False)

    tags = layer_tags(Layer.ACCOUNT, ACCOUNT, "s1")
    dg.materialize([iam_users], partition_key=ACCOUNT, instance=instance, raise_on_error=False, tags=tags)
    found = evidence(loads, instance)

    assert [cell.table for cell in found.failed_cells(only(found, ACCOUNT))] == ["iam_users"]


def test_what_a_run_did_not_make_that_broke_as_a_whole_has_the_reason_of_the_run(
    loads: Loads, instance: dg.DagsterInstance
) -> None:
    @dg.job
    def regions() -> None:
        """Made of nothing."""

    run = instance.create_run_for_job(regions, tags=layer_tags(Layer.REGIONS, ACCOUNT, "s1"))
    instance.report_run_failed(
        run, "Partition range eu-west-1 to us-east-1 is not a valid range. " + "It is not. " * 20
    )
    found = evidence(loads, instance)

    reasons = {cell.reason for cell in found.failed_cells(only(found, ACCOUNT))}

    (reason,) = reasons
    assert reason.startswith(
        f"run {run.run_id[:8]} did not make it: Partition range eu-west-1 to us-east-1 is not a va"
    )
    assert reason.endswith("…")


def test_a_run_that_says_nothing_of_a_region_just_did_not_make_it(loads: Loads, instance: dg.DagsterInstance) -> None:
    tags = layer_tags(Layer.REGIONS, ACCOUNT, "s1")
    run = instance.add_run(dg.DagsterRun("any", tags=tags, status=dg.DagsterRunStatus.FAILURE))
    found = evidence(loads, instance)

    cells = found.failed_cells(only(found, ACCOUNT))

    assert {(cell.table, cell.region) for cell in cells} == {
        (table, region) for table in Layer.REGIONS.tables for region in ("eu-west-1", "us-east-1")
    }
    assert {cell.reason for cell in cells} == {f"run {run.run_id[:8]} did not make it"}


def test_what_was_read_in_part_is_told_apart(loads: Loads, instance: dg.DagsterInstance) -> None:
    run_id = ran(instance, Layer.ACCOUNT, ACCOUNT, "iam_users", read="partial")
    found = evidence(loads, instance)

    assert found.partial_cells(only(found, ACCOUNT)) == (
        FailedCell("iam_users", ACCOUNT, None, f"run {run_id[:8]} read it in part"),
    )


def test_what_an_ended_run_left_is_asked_for_once_and_forgotten_with_the_run(
    loads: Loads, instance: dg.DagsterInstance
) -> None:
    ran(instance, Layer.ACCOUNT, ACCOUNT)
    found = evidence(loads, instance)
    run = only(found, ACCOUNT)
    cells = found.failed_cells(run)
    instance.delete_run(run.run_id)

    assert found.failed_cells(run) is cells
    found.known.keep({})
    assert {cell.reason for cell in found.failed_cells(run)} == {f"run {run.run_id[:8]} did not make it"}


def test_a_cell_was_made_by_a_run_only_as_of_its_sync(
    loads: Loads, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    store = Store.open(tmp_path / "data", "run-1", "s1")
    found = evidence(loads, instance, store)
    cell = FailedCell("iam_users", ACCOUNT, None, "denied")

    assert found.maker(cell, "s1") is None
    store.write("iam_users", (), ACCOUNT)
    assert found.maker(cell, "s1") == "run-1"
    assert found.maker(cell, "s2") is None


def test_the_newest_run_of_the_organization_of_an_account(loads: Loads, instance: dg.DagsterInstance) -> None:
    assert evidence(loads, instance).organization(ACCOUNT) is None
    for sync in ("s1", "s2"):
        instance.add_run(dg.DagsterRun("any", tags=layer_tags(Layer.ORGANIZATION, ORGANIZATION, sync)))
    instance.add_run(dg.DagsterRun("any", tags=layer_tags(Layer.CELLS, ORGANIZATION, "s3")))

    newest = evidence(loads, instance).organization(ACCOUNT)

    assert newest is not None
    assert newest.sync == "s2"


def test_a_run_that_was_deleted_is_known_by_what_the_lease_says_of_it(
    loads: Loads, instance: dg.DagsterInstance
) -> None:
    run_id = ran(instance, Layer.ACCOUNT, ACCOUNT)
    found = evidence(loads, instance)
    Leases(found.options.pipeline.storage).acquire(ACCOUNT, "s1", run_id, work_of(Layer.ACCOUNT)).release()
    assert found.deleted(ACCOUNT, "s1", Layer.ACCOUNT) is None

    instance.delete_run(run_id)

    assert found.deleted(ACCOUNT, "s1", Layer.ACCOUNT) == run_id
    assert found.deleted(ACCOUNT, "s1", Layer.FINISH) is found.deleted(ACCOUNT, "s2", Layer.ACCOUNT) is None


@pytest.mark.parametrize(
    ("status", "of_assets", "state"),
    [
        ("REQUESTED", True, State.RUNNING),
        ("CANCELED", True, State.CANCELED),
        ("REQUESTED", False, None),
        ("COMPLETED_SUCCESS", False, None),
        ("CANCELING", False, State.CANCELED),
        ("CANCELED", False, State.CANCELED),
    ],
)
def test_of_a_backfill_of_a_job_counts_only_that_it_was_cancelled(
    loads: Loads,
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
    *,
    status: str,
    of_assets: bool,
    state: State | None,
) -> None:
    backfill = SimpleNamespace(is_asset_backfill=of_assets, status=SimpleNamespace(value=status))
    monkeypatch.setattr(instance, "get_backfill", lambda _id: backfill)

    assert evidence(loads, instance).backfill("bf") is state


def test_a_backfill_that_the_instance_does_not_know_is_none(loads: Loads, instance: dg.DagsterInstance) -> None:
    assert evidence(loads, instance).backfill("gone") is None
