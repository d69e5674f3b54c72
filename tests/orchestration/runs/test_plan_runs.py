"""The runs of `plan --read` and `apply`: all that a plan is made of, whatever tables that will be."""

from raito_pipeline.model import TABLES, Layer
from raito_pipeline.orchestration.partitioning.grid import make_grid
from raito_pipeline.orchestration.runs.plan_runs import applying_run, reading_runs
from raito_pipeline.orchestration.runs.tags import PLAN_TAG, RANGE_END, RANGE_START, SYNC_TAG
from tests.orchestration.conftest import Loads, account_ids


def test_everything_that_a_plan_stands_on_is_read_before_it_is_made(loads: Loads) -> None:
    options = loads()
    grid, (account,) = make_grid(options), account_ids(1)
    runs = list(reading_runs(options, grid, account))
    tables = [table for run in runs for table in run.tables]
    assert set(TABLES["access_push_plan"].reads) <= set(tables)
    assert tables[-3:] == ["access_push_plan", "access_push_targets", "access_push_orphans"]
    assert "access_push_results" not in tables
    assert [[TABLES[table].layer for table in run.tables] for run in runs] == [
        [layer] * len(run.tables) for layer, run in zip((Layer.ACCOUNT, Layer.REGIONS, Layer.FINISH), runs, strict=True)
    ]
    assert [run.tags.get(SYNC_TAG) for run in runs] == [None] * len(runs), "the first begins a sync, the others join it"
    regions = grid.regional_keys(account)
    assert [(run.partition_key, run.tags.get(RANGE_START), run.tags.get(RANGE_END)) for run in runs] == [
        (account, None, None),
        (None, regions[0], regions[-1]),
        (account, None, None),
    ]


def test_one_plan_is_made() -> None:
    run = applying_run("111122223333", "abc")
    assert (run.tables, run.partition_key, run.tags[PLAN_TAG]) == (("access_push_results",), "111122223333", "abc")
