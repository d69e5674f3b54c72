"""How old the last tables of a sync may become, by the schedule of raito.yml."""

from datetime import timedelta

import dagster as dg
import pytest

from raito_pipeline.definitions import build_definitions
from raito_pipeline.orchestration.recording.freshness import LAST_TABLES, freshness_policy
from tests.orchestration.conftest import Loads


@pytest.mark.parametrize(
    ("options", "policy"),
    [
        ((), None),
        (("sync-at-startup: true",), None),
        (("frequency: 60",), dg.FreshnessPolicy.time_window(timedelta(hours=2), timedelta(minutes=90))),
        (('cron: "0 6 * * *"',), dg.FreshnessPolicy.time_window(timedelta(days=2), timedelta(hours=36))),
        (
            ('cron: "0 6 * * 1-5"', "frequency: 60"),
            dg.FreshnessPolicy.time_window(timedelta(days=4), timedelta(hours=84)),
        ),
    ],
)
def test_the_policy_of_a_schedule_is_on_the_last_tables(
    loads: Loads, options: tuple[str, ...], policy: dg.FreshnessPolicy | None
) -> None:
    chosen = loads(*options)

    specs = build_definitions(chosen).resolve_all_asset_specs()

    found = {spec.key.to_user_string(): spec.freshness_policy for spec in specs if spec.freshness_policy}
    assert freshness_policy(chosen) == policy
    assert found == ({} if policy is None else dict.fromkeys(LAST_TABLES, policy))
