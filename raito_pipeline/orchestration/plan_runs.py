"""The Dagster runs of `raito-pipeline plan --read` and `raito-pipeline apply`: ordinary ones, which the UI shows.

They name no sync, so that they join the last one of the account, and take its lease like any other run.
"""

from collections.abc import Iterator, Sequence

from raito_pipeline.aws.push.inputs import PLANNED_ON
from raito_pipeline.config import Options
from raito_pipeline.model import TABLES
from raito_pipeline.orchestration import partitions
from raito_pipeline.orchestration.grid import Grid
from raito_pipeline.orchestration.plans import EXPORT
from raito_pipeline.orchestration.sync import LayerRun
from raito_pipeline.orchestration.tags import ACCOUNT_TAG, PLAN_TAG, RANGE_END, RANGE_START, command_tags

_PLAN_TABLES = (EXPORT, "access_push_plan", "access_push_targets")


def reading_runs(options: Options, grid: Grid, account: str) -> Iterator[LayerRun]:
    """What a plan is made of, read anew: AWS first, then the export of Raito Cloud and the plan itself."""
    organization = partitions.organization_of(options, account)
    of_organization = _tables("organization")
    if organization is not None and of_organization:
        yield _run(organization, "organization", of_organization)
    yield _run(account, "what AWS grants", _tables("account"))
    regional = _tables("account_region")
    if regional:
        keys = grid.regional_keys(account)
        yield _run(account, "what regions hold", regional, None, {RANGE_START: keys[0], RANGE_END: keys[-1]})
    derived = (name for name in PLANNED_ON if TABLES[name].is_derived)
    yield _run(account, "export and plan", (*derived, *_PLAN_TABLES))


def applying_run(account: str, plan_id: str) -> LayerRun:
    """Makes one plan, which is kept in the storage."""
    return _run(account, f"plan {plan_id}", ("access_push_results",), tags={PLAN_TAG: plan_id})


def _tables(partitioned_by: str) -> tuple[str, ...]:
    """The tables of AWS that a plan is made of, by what partitions them."""
    read = (TABLES[name] for name in PLANNED_ON if TABLES[name].is_read_from_aws)
    return tuple(spec.name for spec in read if spec.partitioned_by == partitioned_by)


def _run(
    owner: str, name: str, tables: Sequence[str], key: str | None = "", tags: dict[str, str] | None = None
) -> LayerRun:
    place = f"account {owner}"
    return LayerRun(
        place, name, tuple(tables), owner if key == "" else key, {**command_tags(), ACCOUNT_TAG: owner, **(tags or {})}
    )
