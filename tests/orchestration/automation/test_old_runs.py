"""Which runs are forgotten: those that later ones made superfluous, and never what shows a cell as made."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from raito_pipeline.config import Options
from raito_pipeline.model import Layer
from raito_pipeline.orchestration.automation.automation import build_automation
from raito_pipeline.orchestration.automation.history import HORIZON, History
from raito_pipeline.orchestration.automation.old_runs import FORGETS_TAG, OldRuns, forget_old_runs, forgetting
from raito_pipeline.orchestration.naming import COMPONENT_TAG
from raito_pipeline.orchestration.partitioning.grid import Grid, make_grid
from raito_pipeline.orchestration.runs.tags import BEGUN_TAG, joined, layer_tags
from tests.orchestration.conftest import Loads, account_ids

FIRST, SECOND = account_ids(2)
ORGANIZATION = "999988887777_eu-west-1"
SUCCESS, FAILURE = dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE


@pytest.fixture
def grid(loads: Loads) -> Grid:
    return make_grid(loads())


def ran(
    instance: dg.DagsterInstance, layer: Layer, *owners: str, status: dg.DagsterRunStatus = SUCCESS, **tags: str
) -> str:
    """The record of a run of a layer; gives its id."""
    ours = {**layer_tags(layer, owners[0], "s1"), **joined(dict.fromkeys(owners, "s1")), BEGUN_TAG: "true"}
    more = {name.replace("__", "/"): value for name, value in tags.items()}
    return instance.add_run(dg.DagsterRun("any", tags={**ours, **more}, status=status)).run_id


def forget(instance: dg.DagsterInstance, grid: Grid, *kept: str) -> None:
    """Forget, as if a year had passed; these and no others are there afterwards, and at the next time, too."""
    later = datetime.now(UTC) + timedelta(days=365)
    count = len(instance.get_run_records())
    assert forget_old_runs(instance, grid, later) == count - len(kept)
    assert {record.dagster_run.run_id for record in instance.get_run_records()} == set(kept)
    assert forget_old_runs(instance, grid, later) == 0


def test_what_a_later_successful_run_of_the_layer_made_anew_is_forgotten(
    instance: dg.DagsterInstance, grid: Grid
) -> None:
    ran(instance, Layer.ACCOUNT, FIRST)
    ran(instance, Layer.ACCOUNT, FIRST, status=FAILURE)
    last = ran(instance, Layer.ACCOUNT, FIRST)
    after = ran(instance, Layer.ACCOUNT, FIRST, status=FAILURE)
    regions = ran(instance, Layer.REGIONS, FIRST)
    other = ran(instance, Layer.ACCOUNT, SECOND, status=FAILURE)
    organization = ran(instance, Layer.ORGANIZATION, ORGANIZATION)

    forget(instance, grid, last, after, regions, other, organization)


def test_a_cell_by_hand_is_forgotten_when_each_layer_was_made_since(instance: dg.DagsterInstance, grid: Grid) -> None:
    ran(instance, Layer.CELLS, FIRST)
    runs = [ran(instance, layer, FIRST) for layer in (Layer.ACCOUNT, Layer.REGIONS)]
    second = ran(instance, Layer.CELLS, FIRST)
    runs.append(ran(instance, Layer.FINISH, FIRST))
    of_organization = ran(instance, Layer.CELLS, ORGANIZATION)

    forget(instance, grid, *runs, second, of_organization)


def test_a_run_of_several_accounts_stays_for_the_one_that_was_not_synced_since(
    instance: dg.DagsterInstance, grid: Grid
) -> None:
    both = ran(instance, Layer.ACCOUNT, FIRST, SECOND)
    first = ran(instance, Layer.ACCOUNT, FIRST)

    forget(instance, grid, both, first)
    second = ran(instance, Layer.ACCOUNT, SECOND)
    forget(instance, grid, first, second)


def test_what_made_nothing_is_forgotten_and_what_is_not_over_or_of_others_stays(
    instance: dg.DagsterInstance, grid: Grid
) -> None:
    refused = ran(instance, Layer.ACCOUNT, FIRST, status=FAILURE)
    instance.delete_run(refused)
    never_let_in = dg.DagsterRun("any", tags=layer_tags(Layer.ACCOUNT, FIRST, "s1"), status=FAILURE)
    instance.add_run(never_let_in)
    running = ran(instance, Layer.ACCOUNT, FIRST, status=dg.DagsterRunStatus.STARTED)
    somebodys = instance.add_run(dg.DagsterRun("somebodys", status=SUCCESS)).run_id
    eu = ran(instance, Layer.ACCOUNT, FIRST, **{COMPONENT_TAG: "eu"})
    instance.add_run(dg.DagsterRun("forget_old_runs", tags={FORGETS_TAG: "true"}, status=SUCCESS))

    forget(instance, grid, running, somebodys, eu)


def test_what_changed_since_stays(instance: dg.DagsterInstance, grid: Grid) -> None:
    ran(instance, Layer.ACCOUNT, FIRST)
    ran(instance, Layer.ACCOUNT, FIRST)

    assert forget_old_runs(instance, grid, datetime.now(UTC) - timedelta(days=1)) == 0
    assert forget_old_runs(instance, grid, datetime.now(UTC) + timedelta(days=1)) == 1


def test_runs_that_stay_do_not_use_up_how_many_are_forgotten_at_one_time(
    instance: dg.DagsterInstance, grid: Grid
) -> None:
    """A thousand accounts make 72,000 runs a day: what is left of one time has to go at the next ones."""
    later = datetime.now(UTC) + timedelta(days=1)
    kept = [ran(instance, layer, SECOND) for layer in (Layer.ACCOUNT, Layer.REGIONS, Layer.FINISH)]
    old = [ran(instance, Layer.ACCOUNT, FIRST) for _ in range(5)]
    kept.append(ran(instance, Layer.ACCOUNT, FIRST))

    assert list(OldRuns(instance, grid, page=2).before(later)) == old
    counts = [forget_old_runs(instance, grid, later, most=2) for _ in range(4)]

    assert counts == [2, 2, 1, 0]
    assert {record.dagster_run.run_id for record in instance.get_run_records()} == set(kept)


def test_a_cell_is_shown_as_made_as_before(instance: dg.DagsterInstance, grid: Grid) -> None:
    partitions = dg.StaticPartitionsDefinition([FIRST, SECOND])

    @dg.asset(partitions_def=partitions)
    def iam_users() -> None:
        """Is made."""

    for owner in (FIRST, SECOND, FIRST):
        tags = {**layer_tags(Layer.ACCOUNT, owner, "s1"), BEGUN_TAG: "true"}
        assert dg.materialize([iam_users], instance=instance, partition_key=owner, tags=tags).success

    assert forget_old_runs(instance, grid, datetime.now(UTC) + timedelta(days=1)) == 1

    wanted = dg.AssetRecordsFilter(dg.AssetKey("iam_users"))
    made = {record.partition_key for record in instance.fetch_materializations(wanted, limit=10).records}
    assert made == {FIRST, SECOND}


def keeping(options: Options, days: int) -> Options:
    return options.model_copy(update={"pipeline": options.pipeline.model_copy(update={"keep_runs_days": days})})


def test_the_job_runs_each_hour_and_forgets_what_is_old(loads: Loads, instance: dg.DagsterInstance) -> None:
    options = keeping(loads(), 4)
    automation = build_automation(options, make_grid(options))
    assert "forget_old_runs" in [job.name for job in automation.jobs]
    assert automation.schedules[-1].default_status is dg.DefaultScheduleStatus.RUNNING
    kept = [ran(instance, Layer.ACCOUNT, FIRST) for _ in range(2)]

    result = automation.jobs[-1].execute_in_process(instance=instance)

    assert result.success
    assert result.output_for_node("forget_runs") == 0
    assert {record.dagster_run.run_id for record in instance.get_run_records()} >= set(kept)


def test_what_automation_looks_at_is_kept_however_few_days_are_given(loads: Loads) -> None:
    options = loads()
    grid, history = make_grid(options), History(HORIZON)

    assert forgetting(options, grid, history) is None
    assert forgetting(keeping(options, 4), grid, history) is not None
