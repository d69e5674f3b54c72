"""What Dagster is told of a cell: where it is stored, how its read ended, and in few bytes."""

from collections import Counter
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from raito_pipeline.model import TABLES
from raito_pipeline.orchestration.naming import Naming
from raito_pipeline.orchestration.partitioning.grid import cell_of
from raito_pipeline.orchestration.recording.lineage import column_lineage
from raito_pipeline.orchestration.recording.recorder import Recorder, Results, cell_metadata
from raito_pipeline.orchestration.recording.steps import step
from raito_pipeline.storage import ReadStatus, Store
from tests.model.test_schema import example_row
from tests.orchestration.recording.test_previews import PLACES

LARGEST = 14_000
"""bytes that the metadata of a materialization takes in the event log of Dagster"""
ACCOUNT = "111122223333"


@pytest.mark.parametrize("table", list(TABLES))
def test_the_metadata_of_a_cell_stays_small_whatever_it_holds(tmp_path: Path, table: str) -> None:
    spec, store = TABLES[table], Store.open(tmp_path)
    rows: list[Any] = [example_row(spec.row_type, null=False)] * 2_000
    info = store.write(table, rows, *PLACES[spec.partitioned_by])

    metadata = {**cell_metadata(store, info), **column_lineage(table, Naming())}

    assert len(dg.serialize_value(dg.AssetMaterialization(table, metadata=metadata))) < LARGEST


def test_a_cell_says_where_it_is_how_it_was_read_and_what_is_missing(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    info = store.write("iam_users", [], ACCOUNT, status=ReadStatus.PARTIAL, problems=["ListGroups was denied"])

    metadata = {name: value.value for name, value in cell_metadata(store, info).items() if name != "first rows"}

    assert metadata["dagster/uri"] == metadata["path"] == info.uri
    assert metadata["dagster/partition_row_count"] == 0
    assert (metadata["read"], metadata["problems"], metadata["warnings"]) == (
        "partial",
        "- ListGroups was denied",
        "none",
    )


@pytest.mark.parametrize("selected", [["iam_users"], ["iam_users", "iam_groups"]])
def test_a_table_that_was_not_asked_for_is_told_too_where_it_was_stored(tmp_path: Path, selected: list[str]) -> None:
    accounts = dg.StaticPartitionsDefinition([ACCOUNT])
    store = Store.open(tmp_path)

    @dg.multi_asset(
        specs=[dg.AssetSpec(t, partitions_def=accounts, skippable=True) for t in ("iam_users", "iam_groups")],
        can_subset=True,
    )
    def made(context: dg.AssetExecutionContext):  # type: ignore[no-untyped-def]
        recorder = Recorder(context)
        for table in ("iam_users", "iam_groups"):
            cell = cell_of("account", context.partition_key)
            recorder.materialized(cell, store.write(table, [], ACCOUNT), store, {})
            assert recorder.is_recorded(table, cell)
        yield from recorder.ready()
        assert list(recorder.ready()) == []

    instance = dg.DagsterInstance.ephemeral()
    result = dg.materialize([made], selection=selected, partition_key=ACCOUNT, instance=instance)

    assert result.success
    for table in ("iam_users", "iam_groups"):
        assert instance.get_materialized_partitions(dg.AssetKey(table)) == {ACCOUNT}


def events_of(tmp_path: Path, *tables: str) -> Counter[str]:
    """What Dagster keeps of a step that makes `tables` of an account, by type of event."""
    accounts, store = dg.StaticPartitionsDefinition([ACCOUNT]), Store.open(tmp_path)

    @step(Naming(), [dg.AssetSpec(table, partitions_def=accounts, skippable=True) for table in tables], name="made")
    def made(context: dg.AssetExecutionContext) -> Results:
        """Makes tables."""
        recorder = Recorder(context)
        for table in tables:
            cell, info = cell_of("account", context.partition_key), store.write(table, [], ACCOUNT)
            recorder.materialized(cell, info, store, {})
            recorder.checked(cell, info, store)
        yield from recorder.ready()
        recorder.checks_are_told()

    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([made], partition_key=ACCOUNT, instance=instance)
        logged = instance.all_logs(result.run_id)
    for entry in logged:
        event = entry.dagster_event
        if event and event.is_step_materialization:
            shown = event.step_materialization_data.materialization.metadata
            assert {"dagster/uri", "first rows", "read"} <= shown.keys()
        if event and event.is_successful_output:
            assert not event.step_output_data.metadata
        assert "did not yield" not in entry.message
    return Counter(entry.dagster_event_type.value for entry in logged if entry.dagster_event_type)


def test_what_is_shown_of_a_cell_is_in_one_event(tmp_path: Path) -> None:
    """Events are most of what an instance keeps. Steps after these in the same run wait for their outputs."""
    events = events_of(tmp_path, "iam_users", "iam_groups")
    assert (events["ASSET_MATERIALIZATION"], events["STEP_OUTPUT"], events["ASSET_CHECK_EVALUATION"]) == (2, 2, 2)


def test_what_nothing_in_a_run_waits_for_has_no_output(tmp_path: Path) -> None:
    events = events_of(tmp_path, "access_controls", "data_usage_import", "access_push_results")
    assert (events["ASSET_MATERIALIZATION"], events["STEP_OUTPUT"]) == (3, 0)


def test_a_table_whose_columns_are_its_code_version_has_an_output(tmp_path: Path) -> None:
    """Dagster compares code versions of outputs only."""
    assert TABLES["access_providers"].is_derived
    assert events_of(tmp_path, "access_providers")["STEP_OUTPUT"] == 1
