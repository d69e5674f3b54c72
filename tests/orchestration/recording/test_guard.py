"""Whether stored cells are the whole truth of a sync: by its id, by the last attempt, and by how they were read."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import dagster as dg
import pytest
from dagster import AssetPartitionStatus

from raito_pipeline.orchestration.naming import Naming
from raito_pipeline.orchestration.partitioning.grid import cell_of
from raito_pipeline.orchestration.recording.guard import Attempts, Need, Verdict, in_one_sentence, judge
from raito_pipeline.storage import ReadStatus, Store

ACCOUNT = "111122223333"
PARTITIONS = dg.StaticPartitionsDefinition([ACCOUNT])
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """An instance without any run."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store, seen by the second of two syncs."""
    return Store.open(tmp_path / "data", "run-2", "s2")


def _reasons(instance: dg.DagsterInstance, store: Store, since: datetime | None = None) -> str | None:
    need = Need("iam_users", [cell_of("account", ACCOUNT)], PARTITIONS, since, own_sync=since is not None)
    return judge(Attempts(instance, Naming()), store, [need]).text


def _write(store: Store, status: ReadStatus = ReadStatus.COMPLETE) -> None:
    store.write("iam_users", (), ACCOUNT, status=status, read_at=NOW)


def _fail(instance: dg.DagsterInstance) -> None:
    """An attempt at the cell that failed."""

    @dg.asset(name="iam_users", partitions_def=PARTITIONS)
    def iam_users() -> None:
        raise dg.Failure("denied", allow_retries=False)

    dg.materialize([iam_users], partition_key=ACCOUNT, instance=instance, raise_on_error=False)


def test_a_cell_that_was_never_read(instance: dg.DagsterInstance, store: Store) -> None:
    assert _reasons(instance, store) == f"iam_users {ACCOUNT} was never read"


def test_a_cell_of_this_sync_is_the_truth_whatever_the_clocks_say(instance: dg.DagsterInstance, store: Store) -> None:
    _write(replace(store, sync="s1"))
    assert "is of another sync" in (_reasons(instance, store) or "")
    _write(store)
    assert _reasons(instance, store) is None


def test_a_cell_that_this_sync_confirmed_counts_as_its_own(instance: dg.DagsterInstance, store: Store) -> None:
    _write(replace(store, sync="s1"))
    store.confirm("iam_users", ACCOUNT)
    assert _reasons(instance, store) is None


def test_a_cell_that_was_read_in_part_says_so(instance: dg.DagsterInstance, store: Store) -> None:
    _write(store, ReadStatus.PARTIAL)
    assert f"iam_users {ACCOUNT} is partial" in (_reasons(instance, store) or "")


def test_a_table_whose_rows_say_what_they_lack_may_be_partial_but_not_failed(
    instance: dg.DagsterInstance, store: Store
) -> None:
    need = Need("iam_users", [cell_of("account", ACCOUNT)], PARTITIONS, may_be_partial=True)
    assert "was never read" in (judge(Attempts(instance, Naming()), store, [need]).text or "")
    _write(store, ReadStatus.PARTIAL)
    assert judge(Attempts(instance, Naming()), store, [need]).text is None
    _fail(instance)
    assert "the last attempt to read it failed" in (judge(Attempts(instance, Naming()), store, [need]).text or "")


def test_a_cell_with_a_sync_of_its_own_is_judged_by_age_and_by_its_last_attempt(
    instance: dg.DagsterInstance, store: Store
) -> None:
    _write(replace(store, sync="of the organization"))
    assert _reasons(instance, store, NOW - timedelta(hours=24)) is None
    assert "is too old" in (_reasons(instance, store, NOW + timedelta(hours=1)) or "")
    _fail(instance)
    assert "the last attempt to read it failed" in (_reasons(instance, store, NOW - timedelta(hours=24)) or "")


def test_a_cell_of_this_sync_whose_last_attempt_failed_is_not_the_truth(
    instance: dg.DagsterInstance, store: Store
) -> None:
    _write(store)
    _fail(instance)
    assert "the last attempt to read it failed" in (_reasons(instance, store) or "")


def _attempt(instance: dg.DagsterInstance, key: str, how: str) -> None:
    """One attempt at a cell: made, failed, canceled before it was made, or a run that is still queued."""

    @dg.asset(name="iam_users", partitions_def=HISTORIES)
    def iam_users() -> None:
        if how == "failed":
            raise dg.Failure("denied", allow_retries=False)

    if how in ("made", "failed"):
        dg.materialize([iam_users], partition_key=key, instance=instance, raise_on_error=False)
        return
    job = dg.Definitions([iam_users]).resolve_implicit_global_asset_job_def()
    run = instance.create_run_for_job(job, tags={"dagster/partition": key}, asset_selection=frozenset({iam_users.key}))
    if how == "canceled":
        instance.report_run_canceled(run)


ATTEMPTS = ("made", "failed", "canceled", "queued")
HISTORIES = dg.StaticPartitionsDefinition(
    [".".join(history) for length in (1, 2) for history in product(ATTEMPTS, repeat=length)]
)


def test_an_attempt_ended_as_dagster_says_whatever_came_before_it(instance: dg.DagsterInstance) -> None:
    asset, keys = dg.AssetKey("iam_users"), HISTORIES.get_partition_keys()
    need = Need("iam_users", [cell_of("account", key) for key in keys], HISTORIES)
    alone = [replace(need, cells=[cell]) for cell in need.cells]
    for key in keys:
        for how in key.split("."):
            _attempt(instance, key, how)

    asked_alone = {key: Attempts(instance, Naming()).of(one).get(key) for key, one in zip(keys, alone, strict=True)}
    expected = instance.get_status_by_partition(asset, keys, HISTORIES)

    assert asked_alone == expected
    assert dict(Attempts(instance, Naming()).of(need)) == expected
    assert set(asked_alone.values()) == {*AssetPartitionStatus, None}


def test_what_other_accounts_made_is_not_asked_for(instance: dg.DagsterInstance, store: Store) -> None:
    need = Need("iam_users", [cell_of("account", ACCOUNT)], dg.StaticPartitionsDefinition([ACCOUNT, "444455556666"]))

    @dg.asset(name="iam_users", partitions_def=need.definition)
    def iam_users() -> None:
        pass

    for key in need.definition.get_partition_keys():
        dg.materialize([iam_users], partition_key=key, instance=instance)
    _write(store)

    assert judge(Attempts(instance, Naming()), store, [need]).complete
    (record,) = instance.get_asset_records([dg.AssetKey("iam_users")])
    assert record.asset_entry.cached_status is None, "the answer of all partitions was worked out"


def test_reasons_that_are_sentences_are_joined_as_parts_of_one() -> None:
    verdict = Verdict(("users were not read: denied. Grant it.", "groups are old"))
    assert verdict.text == "users were not read: denied. Grant it; groups are old"
    assert in_one_sentence(()) == ""


@pytest.mark.parametrize(
    ("own_sync", "made_here", "in_this_step", "in_the_next"),
    [
        (False, (), None, None),
        (True, (), None, AssetPartitionStatus.FAILED),
        (False, ("iam_users",), AssetPartitionStatus.FAILED, AssetPartitionStatus.FAILED),
    ],
    ids=["guarded by the lease of the run", "of another sync", "made by this run"],
)
def test_what_the_lease_of_a_run_guards_is_asked_for_once_and_other_things_again(
    instance: dg.DagsterInstance,
    own_sync: bool,
    made_here: Sequence[str],
    in_this_step: AssetPartitionStatus | None,
    in_the_next: AssetPartitionStatus | None,
) -> None:
    need = Need("iam_users", [cell_of("account", ACCOUNT)], PARTITIONS, own_sync=own_sync)
    step = Attempts(instance, Naming(), made_here).for_a_step()
    assert step.of(need).get(ACCOUNT) is None

    _fail(instance)

    assert step.of(need).get(ACCOUNT) is in_this_step
    assert step.for_a_step().of(need).get(ACCOUNT) is in_the_next
    assert Attempts(instance, Naming()).of(need)[ACCOUNT] is AssetPartitionStatus.FAILED, "asked by another run"
