"""What a configuration gets to run by: jobs, the sensor that continues a sync, and what `cron` and others ask for."""

import dagster as dg
import pytest

from raito_pipeline.orchestration.automation.automation import build_automation
from raito_pipeline.orchestration.naming import Naming
from raito_pipeline.orchestration.partitioning.grid import make_grid
from tests.orchestration.conftest import Loads

JOBS = [
    "sync_organization",
    "sync_account",
    "sync_account_regions",
    "sync_account_finish",
    "sync_account_finish_again",
    "look_for_drift",
    "push_out_of_sync",
    "sync_stages_account",
    "sync_stages_regions",
    "sync_stages_finish",
]


@pytest.mark.parametrize(
    ("lines", "schedules", "sensors"),
    [
        ([], [], ["continue_sync", "do_what_raito_cloud_asks"]),
        (
            ["cron: '0 3 * * *'"],
            ["sync_organizations_by_cron", "sync_accounts_by_cron"],
            ["continue_sync", "do_what_raito_cloud_asks"],
        ),
        (["frequency: 120"], [], ["continue_sync", "sync_by_frequency", "do_what_raito_cloud_asks"]),
        (["sync-at-startup: true"], [], ["continue_sync", "sync_by_frequency", "do_what_raito_cloud_asks"]),
        # cron wins over frequency
        (
            ["cron: '0 3 * * *'", "frequency: 120"],
            ["sync_organizations_by_cron", "sync_accounts_by_cron"],
            ["continue_sync", "do_what_raito_cloud_asks"],
        ),
    ],
)
def test_what_a_configuration_runs_by(loads: Loads, lines: list[str], schedules: list[str], sensors: list[str]) -> None:
    options = loads(*lines)

    automation = build_automation(options, make_grid(options))

    assert [job.name for job in automation.jobs] == JOBS
    assert [schedule.name for schedule in automation.schedules] == schedules
    assert [sensor.name for sensor in automation.sensors] == sensors
    # nobody has to switch them on
    assert {sensor.default_status for sensor in automation.sensors} == {dg.DefaultSensorStatus.RUNNING}
    assert all(schedule.cron_schedule == "0 3 * * *" for schedule in automation.schedules)


def test_a_component_gives_its_name_to_all_of_it(loads: Loads) -> None:
    options = loads("cron: '0 3 * * *'")

    automation = build_automation(options, make_grid(options, Naming("eu")))

    names = [each.name for each in (*automation.jobs, *automation.schedules, *automation.sensors)]
    assert len(names) == len(JOBS) + 4
    assert all(name.startswith("eu_") for name in names)
