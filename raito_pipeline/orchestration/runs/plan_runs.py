"""The Dagster runs of `raito-pipeline plan --read` and `raito-pipeline apply`: ordinary ones, which the UI shows.

They name no sync: what reads all that AWS grants anew is one of its own, what follows and what applies joins that. They
take the account's lease like any other run.
"""

from collections.abc import Iterator, Sequence

from raito_pipeline.aws.push.inputs import PLANNED_ON
from raito_pipeline.config import Options
from raito_pipeline.model import TABLES, Layer, upstream_tables
from raito_pipeline.orchestration.partitioning import partitions
from raito_pipeline.orchestration.partitioning.grid import Grid
from raito_pipeline.orchestration.runs.sync import LayerRun
from raito_pipeline.orchestration.runs.tags import (
    ACCOUNT_TAG,
    LOSSES_TAG,
    PLAN_TAG,
    RANGE_END,
    RANGE_START,
    command_tags,
)

_PLAN_TABLES = ("access_push_plan", "access_push_targets", "access_push_orphans")


def reading_runs(options: Options, grid: Grid, account: str) -> Iterator[LayerRun]:
    """What a plan is made of, read anew, layer by layer as a sync does; the last run exports and makes the plan."""
    organization = partitions.organization_of(options, account)
    of_organization = _tables(Layer.ORGANIZATION)
    if organization is not None and of_organization:
        yield _run(organization, "organization", of_organization)
    yield _run(account, "what AWS grants", _tables(Layer.ACCOUNT))
    regional = _tables(Layer.REGIONS)
    if regional:
        keys = grid.regional_keys(account)
        yield _run(account, "what regions hold", regional, None, {RANGE_START: keys[0], RANGE_END: keys[-1]})
    yield _run(account, "export and plan", (*_tables(Layer.FINISH), *_PLAN_TABLES))


def tables_of_a_look() -> tuple[str, ...]:
    """What is read again to find drift, and the plan that is made of it: neither the export nor the results."""
    read = [name for name in PLANNED_ON if TABLES[name].is_read_from_aws]
    return (*read, *_PLAN_TABLES)


def tables_of_a_push() -> tuple[str, ...]:
    """What a push of some access controls reads anew, exports, plans and makes; the regions stay as they are stored."""
    return (*tables_of_a_look(), "access_controls", "access_push_results")


def applying_run(account: str, plan_id: str, *, with_losses: bool = False) -> LayerRun:
    """Makes one plan, which is kept in the storage; `with_losses` also where it exceeds the limits."""
    tags = {PLAN_TAG: plan_id, **({LOSSES_TAG: "true"} if with_losses else {})}
    return _run(account, f"plan {plan_id}", ("access_push_results",), tags=tags)


def _tables(layer: Layer) -> tuple[str, ...]:
    """The tables of a layer that a plan is made of, itself or through tables of the account that are made of others.

    What is read a region is among them where the plan itself is made of it: that of another sync counts as not known.
    """
    read = (name for planned_on in PLANNED_ON for name in upstream_tables(planned_on))
    of_account = (name for name in read if TABLES[name].partitioned_by == "account")
    of_plan = TABLES["access_push_plan"].reads
    return tuple(name for name in dict.fromkeys((*of_plan, *of_account)) if TABLES[name].layer is layer)


def _run(
    owner: str, name: str, tables: Sequence[str], key: str | None = "", tags: dict[str, str] | None = None
) -> LayerRun:
    place = f"account {owner}"
    return LayerRun(
        place, name, tuple(tables), owner if key == "" else key, {**command_tags(), ACCOUNT_TAG: owner, **(tags or {})}
    )
