"""The history is what the instance records, whatever was read before."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from raito_pipeline.model import Layer
from raito_pipeline.orchestration.automation.history import HORIZON, History, State
from raito_pipeline.orchestration.runs.tags import REFUSED_TAG, WILL_RETRY_TAG, joined, layer_tags, syncs_of

ONE, TWO = "111122220000", "111122220001"


def _add(instance: dg.DagsterInstance, layer: Layer, owner: str, status: dg.DagsterRunStatus) -> dg.DagsterRun:
    return instance.add_run(dg.DagsterRun("any", status=status, tags=layer_tags(layer, owner, "s1")))


def test_what_changes_after_it_was_read_is_read_again() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        history, now = History(), datetime.now(UTC)
        run = _add(instance, Layer.ACCOUNT, ONE, dg.DagsterRunStatus.STARTED)
        (before,) = history.refresh(instance, now)[ONE]
        _add(instance, Layer.REGIONS, TWO, dg.DagsterRunStatus.SUCCESS)
        instance.add_run_tags(run.run_id, {REFUSED_TAG: "another sync"})
        instance.report_run_failed(run)

        after = history.refresh(instance, now)

        assert (before.state, before.refused) == (State.RUNNING, None)
        assert [(view.state, view.refused) for view in after[ONE]] == [(State.FAILED, "another sync")]
        assert [view.layer for view in after[TWO]] == [Layer.REGIONS]
        assert History().refresh(instance, now) == after


@pytest.mark.parametrize("minutes", [1, -60], ids=["", "the clock was ahead"])
def test_a_run_that_somebody_deleted_is_waited_for_by_nobody(minutes: int) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        history, now = History(), datetime.now(UTC)
        queued = _add(instance, Layer.ACCOUNT, ONE, dg.DagsterRunStatus.NOT_STARTED)
        other = _add(instance, Layer.ACCOUNT, TWO, dg.DagsterRunStatus.NOT_STARTED)
        assert set(history.refresh(instance, now)) == {ONE, TWO}
        instance.delete_run(queued.run_id)

        after = history.refresh(instance, now + timedelta(minutes=minutes))

        assert [[view.run_id for view in runs] for runs in after.values()] == [[other.run_id]]


def test_what_a_worker_with_a_slow_clock_wrote_is_read_within_a_minute() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        history, now = History(), datetime.now(UTC)
        run = _add(instance, Layer.ACCOUNT, ONE, dg.DagsterRunStatus.STARTED)
        history.refresh(instance, now + timedelta(minutes=10))
        instance.report_run_failed(run)

        after = history.refresh(instance, now + timedelta(minutes=11))

        assert [view.state for view in after[ONE]] == [State.FAILED]


def test_accounts_of_which_nothing_changed_cost_nothing_and_the_others_are_as_a_new_process_reads_them() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        history, now = History(), datetime.now(UTC)
        for owner in (ONE, TWO):
            run = _add(instance, Layer.ACCOUNT, owner, dg.DagsterRunStatus.STARTED)
        before = history.refresh(instance, now)
        instance.report_run_failed(run)

        after = history.refresh(instance, now)

        assert after[ONE] is before[ONE], "a thousand accounts have 200,000 runs in three days"
        assert [view.state for view in after[TWO]] == [State.FAILED]
        assert History().refresh(instance, now) == after


def test_a_failed_run_may_be_tried_again_until_dagster_says_that_it_is_not(tmp_path: Path) -> None:
    retries = {"run_retries": {"enabled": True, "max_retries": 1}}
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides=retries) as instance:
        history, now = History(), datetime.now(UTC)
        first, second = (_add(instance, Layer.ACCOUNT, owner, dg.DagsterRunStatus.FAILURE) for owner in (ONE, TWO))
        undecided = history.refresh(instance, now)
        instance.add_run_tags(first.run_id, {WILL_RETRY_TAG: "false"})
        instance.add_run_tags(second.run_id, {WILL_RETRY_TAG: "true"})
        decided = history.refresh(instance, now)

    assert [runs[0].will_retry for runs in undecided.values()] == [True, True]
    assert {owner: runs[0].will_retry for owner, runs in decided.items()} == {ONE: False, TWO: True}
    with dg.DagsterInstance.ephemeral() as without:
        _add(without, Layer.ACCOUNT, ONE, dg.DagsterRunStatus.FAILURE)
        assert not History().refresh(without, now)[ONE][0].will_retry


def test_a_run_that_works_for_days_is_seen_by_a_process_that_starts_and_old_ones_are_forgotten() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        _add(instance, Layer.ACCOUNT, ONE, dg.DagsterRunStatus.STARTED)
        _add(instance, Layer.ACCOUNT, TWO, dg.DagsterRunStatus.SUCCESS)
        later = datetime.now(UTC) + HORIZON + timedelta(hours=1)
        assert set(History().refresh(instance, datetime.now(UTC))) == {ONE, TWO}
        assert set(History().refresh(instance, later)) == {ONE}
        kept = History()
        kept.refresh(instance, datetime.now(UTC))
        assert set(kept.refresh(instance, later)) == {ONE}


def test_the_runs_of_others_and_the_parts_of_a_run_over_two_accounts() -> None:
    syncs = {ONE: "s1", TWO: "s2"}
    assert syncs_of(joined(syncs)) == syncs
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_run(dg.DagsterRun("any", tags={"team": "others"}))
        instance.add_run(dg.DagsterRun("any", tags={**joined(syncs), "raito/layer": "cells"}))
        found = History().refresh(instance, datetime.now(UTC))
        assert {owner: [view.sync for view in runs] for owner, runs in found.items()} == {ONE: ["s1"], TWO: ["s2"]}
