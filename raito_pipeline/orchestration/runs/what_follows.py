"""Whether anything launches the layer after a run: where somebody turned `continue_sync` off, nothing does."""

import dagster as dg

from raito_pipeline.orchestration.naming import Naming
from raito_pipeline.orchestration.runs.tags import BACKFILL_TAG, RunScope, launched_by_command

CONTINUE_SYNC = "continue_sync"
"""The plain name of the sensor that launches the layer after one that ended."""


def nothing_follows(instance: dg.DagsterInstance, run: dg.DagsterRun, scope: RunScope, naming: Naming) -> str | None:
    """Why no layer will follow a run, in a sentence; None where one does, and where none has to.

    A command, and a backfill of assets, launch their layers themselves.
    """
    of_assets = BACKFILL_TAG in run.tags and run.asset_selection is not None
    if scope.layer.following is None or launched_by_command(run.tags) or of_assets or instance.schedule_storage is None:
        return None
    origin, name = run.remote_job_origin, naming.of(CONTINUE_SYNC)
    for state in instance.all_instigator_state():
        location = state.origin.repository_origin.code_location_origin.location_name
        ours = state.instigator_name == name and (origin is None or origin.location_name == location)
        if ours and not state.is_running:
            return (
                f"the sensor {name} is turned off: the sync stops after this run, and nothing is uploaded or pushed. "
                f"Turn it on (Automation, {name}), and the sync goes on from here"
            )
    return None
