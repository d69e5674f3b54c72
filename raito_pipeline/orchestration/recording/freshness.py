"""How old the last tables of a sync may become, from `cron` or `frequency` of `raito.yml`.

A freshness policy of Dagster is of an asset, not of a partition: it turns red where no account at all has reached the
end of a sync in time, which is a daemon that is down or credentials that ended. A single account that is late stays
green there; its own partitions, their checks and the ticks of `continue_sync` show it.
"""

from collections.abc import Sequence
from datetime import timedelta

import dagster as dg

from raito_pipeline.config import Options
from raito_pipeline.config.cron import longest_interval
from raito_pipeline.orchestration.naming import Naming

LAST_TABLES = ("org_identity_store_import", "access_provider_import", "data_usage_import")
"""The tables that a sync writes last."""
_LONGEST_DELAY = timedelta(days=1)


def freshness_policy(options: Options) -> dg.FreshnessPolicy | None:
    """The policy of the last tables of a sync; None where `raito.yml` asks for no schedule.

    A sync that did not end for the longest interval of the schedule and as long again, at most a day more, fails it.
    (A cron policy of Dagster knows the shortest interval only: one of weekdays would fail on every Monday.)
    """
    if options.cron is not None:
        interval = longest_interval(options.cron)
    elif options.frequency:
        interval = timedelta(minutes=options.frequency)
    else:
        return None
    delay = min(interval, _LONGEST_DELAY)
    return dg.FreshnessPolicy.time_window(fail_window=interval + delay, warn_window=interval + delay / 2)


def with_freshness(
    assets: Sequence[dg.AssetsDefinition], options: Options, naming: Naming
) -> list[dg.AssetsDefinition]:
    """The same assets, the last tables of a sync among them with the policy of the schedule."""
    policy = freshness_policy(options)
    if policy is None:
        return list(assets)

    def timed(spec: dg.AssetSpec) -> dg.AssetSpec:
        last = naming.table(spec.key) in LAST_TABLES and spec.freshness_policy is None
        return spec.replace_attributes(freshness_policy=policy) if last else spec

    return [each.map_asset_specs(timed) for each in assets]
