"""The jobs of a sync: one a layer, and how a run of each is requested."""

from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

import dagster as dg

from raito_pipeline.first_few import first_lines
from raito_pipeline.model import Layer, Outside
from raito_pipeline.orchestration.automation.reconcile import Request
from raito_pipeline.orchestration.naming import Naming
from raito_pipeline.orchestration.partitioning.grid import Grid
from raito_pipeline.orchestration.runs.plan_runs import tables_of_a_look, tables_of_a_push
from raito_pipeline.orchestration.runs.tags import (
    ASIDE_TAG,
    LAYER_TAG,
    LOOKS_TAG,
    OUT_OF_SYNC_TAG,
    PRIORITY_TAG,
    RANGE_END,
    RANGE_START,
    layer_tags,
)

JOB_NAMES = {
    Layer.ORGANIZATION: "sync_organization",
    Layer.ACCOUNT: "sync_account",
    Layer.REGIONS: "sync_account_regions",
    Layer.FINISH: "sync_account_finish",
}
FINISH_AGAIN = "sync_account_finish_again"
LOOK_FOR_DRIFT = "look_for_drift"
PUSH_OUT_OF_SYNC = "push_out_of_sync"
STAGES_OF = {
    Layer.ACCOUNT: "sync_stages_account",
    Layer.REGIONS: "sync_stages_regions",
    Layer.FINISH: "sync_stages_finish",
}
"""The jobs of what Raito Cloud asks for of a sync: some tables of a layer, as part of the last sync of the account."""
_MOST_NAMES = 50
_TEXTS = {
    Layer.ORGANIZATION: "Syncs the people of an organization: pick one partition, several, or all.",
    Layer.ACCOUNT: (
        "Syncs an account: pick one partition, several, or all. This is the first of three runs an account; the "
        "sensor `continue_sync` launches the other two as soon as they can go on."
    ),
    Layer.REGIONS: "The second run of a sync of an account: what its regions hold. Launched by `continue_sync`.",
    Layer.FINISH: "The last run of a sync of an account: access, uploads and push. Launched by `continue_sync`.",
}


_AGAIN = (
    "The last run of a sync once more, after a cell was made by hand. IAM is read again first: the push may have "
    "changed it. Launched by `continue_sync`."
)

_LOOK = (
    "Looks whether AWS is as the last push left it: reads again what a plan is made of, and makes the plan. The check "
    "`no_drift_since_last_push` of access_push_plan says what somebody changed by hand. Nothing is pushed. "
    "`pipeline: drift-schedule` launches it; pick one partition, several, or all."
)

_PUSH = (
    "Pushes the access controls that are out of sync, and no others: IAM is read again first. Launched by "
    "`do_what_raito_cloud_asks`; pick one partition, several, or all."
)
_STAGES = (
    "What Raito Cloud asks for of layer `{}`: the tables of some stages, or of a part of the data objects (the run tag "
    "`raito/data-object-parent`), as part of the last sync of the account. Launched by `do_what_raito_cloud_asks`."
)

AssetJob = Any
"""What `dagster.define_asset_job` gives: Dagster has no public name for it."""


def make_jobs(targets: Mapping[str, str] = MappingProxyType({}), naming: Naming | None = None) -> dict[str, AssetJob]:
    """The jobs by their plain names, each with the tags and the partitions of its layer.

    `targets` are the names of the accounts by partition key: who picks a partition sees ids only, so the text of the
    job says whose they are.
    """
    texts = {**_TEXTS, Layer.ACCOUNT: _TEXTS[Layer.ACCOUNT] + _accounts(targets)}
    build = partial(_job, naming or Naming())
    jobs = {name: build(layer, name, layer.tables, texts[layer]) for layer, name in JOB_NAMES.items()}
    again = (*Outside.AWS_IAM.feeds, *Layer.FINISH.tables)
    look = build(Layer.CELLS, LOOK_FOR_DRIFT, tables_of_a_look(), _LOOK, {LOOKS_TAG: "true"})
    jobs |= {FINISH_AGAIN: build(Layer.FINISH, FINISH_AGAIN, again, _AGAIN), LOOK_FOR_DRIFT: look}
    aside, only = {ASIDE_TAG: "true"}, {ASIDE_TAG: "true", OUT_OF_SYNC_TAG: "true"}
    jobs[PUSH_OUT_OF_SYNC] = build(Layer.CELLS, PUSH_OUT_OF_SYNC, tables_of_a_push(), _PUSH, only)
    for layer, name in STAGES_OF.items():
        jobs[name] = build(Layer.CELLS, name, layer.tables, _STAGES.format(layer.value), aside)
    return jobs


def _accounts(targets: Mapping[str, str]) -> str:
    named = [f"{key} is {name}" for key, name in targets.items() if name not in key]
    return "".join(f"\n- {each}" for each in first_lines(named, _MOST_NAMES))


def _job(
    naming: Naming,
    layer: Layer,
    name: str,
    tables: Sequence[str],
    text: str,
    more: Mapping[str, str] = MappingProxyType({}),
) -> AssetJob:
    return dg.define_asset_job(
        naming.of(name),
        selection=dg.AssetSelection.assets(*(naming.key(table) for table in tables)),
        description=text,
        # What a person launches gets its sync and its account at the start of the run.
        tags={LAYER_TAG: layer.value, PRIORITY_TAG: layer.priority, **naming.tags, **more},
    )


def run_request(request: Request, grid: Grid) -> dg.RunRequest:
    """The Dagster run of a request."""
    naming = grid.naming
    tags = {**layer_tags(request.layer, request.owner, request.sync), **naming.tags}
    name = naming.of(JOB_NAMES[request.layer])
    if request.layer is Layer.REGIONS:
        keys = grid.regional_keys(request.owner)
        tags = {**tags, RANGE_START: keys[0], RANGE_END: keys[-1]}
        return dg.RunRequest(run_key=request.run_key, job_name=name, tags=tags)
    if request.layer is Layer.FINISH and request.attempt > 1:
        name = naming.of(FINISH_AGAIN)
    return dg.RunRequest(run_key=request.run_key, job_name=name, partition_key=request.owner, tags=tags)
