"""An account that AWS has closed stays a partition, and nothing begins a sync of it."""

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from raito_pipeline.cli.gather import places_of
from raito_pipeline.definitions import build_definitions
from raito_pipeline.orchestration.partitioning.grid import make_grid
from raito_pipeline.orchestration.runs.sync import layers
from tests.config.conftest import Loads, account, loads, raito_yml
from tests.config.test_discovered import DISCOVER, entry, kept

__all__ = ["loads"]
OPEN, CLOSED = "123456789012", "111122223333"


def test_it_is_a_partition_that_neither_a_command_nor_a_schedule_syncs(loads: Loads, tmp_path: Path) -> None:
    kept(tmp_path, entry("old", CLOSED, 'closed: "2026-11-26"'))
    options = loads(raito_yml(account(), top=f'cron: "@hourly"\n{DISCOVER}'))
    definitions = build_definitions(options)

    assert make_grid(options).account.get_partition_keys() == [OPEN, CLOSED]
    assert {layer.place for layer in layers(options, make_grid(options), "s")} == {f"account {OPEN}"}
    assert [place.key for place in places_of(options)] == [OPEN]
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        repository = definitions.get_repository_def()
        context = dg.build_schedule_context(instance, datetime(2026, 3, 1, 12, tzinfo=UTC), repository_def=repository)
        tick = repository.get_schedule_def("sync_accounts_by_cron").evaluate_tick(context)
    assert [request.partition_key for request in tick.run_requests or ()] == [OPEN]
    (warning,) = [each for each in options.warnings if each.option == "closed"]
    assert CLOSED in warning.found
