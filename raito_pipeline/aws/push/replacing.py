"""An object that another one takes the place of: what is not granted any more goes at once, and the rest with it.

The old object goes once the new one is there, so that nobody is without access in between. Who or what the access
control does not name any more does not wait for that: the new object may never come.
"""

from collections.abc import Sequence
from dataclasses import replace

from raito_pipeline.aws.push.changes import Change
from raito_pipeline.aws.push.draft import Draft, Plans, Refused
from raito_pipeline.aws.push.effects import Effect
from raito_pipeline.aws.push.pushed_types import PushedType, PushedTypes
from raito_pipeline.aws.push.revocations import only_taking
from raito_pipeline.model import AccessControl, PushChange

_WHY = "it is not granted any more, whatever comes in its place"


def plan_narrowing(
    plans: Plans, types: PushedTypes, old: PushedType, kind: str, control: AccessControl
) -> list[PushChange]:
    """The changes that only take access away, of an object of type `old` that is to go.

    `control` is the access control as it is now, with the external id and the name of that object.
    """
    trial = Draft(replace(control, type=kind), kind, name=old.named((control.external_id or "").partition(":")[2]))
    try:
        old.plan(plans, trial)
    except Refused:
        return []
    return only_revoking(types.changes(trial.rows))


def only_revoking(changes: Sequence[Change]) -> list[PushChange]:
    """Of some changes what only takes access away: of a document that does both, the part that takes."""
    found = []
    for change in changes:
        if Effect.TAKES not in change.effect or Effect.REMOVES in change.effect:
            continue
        after = change.row.after if change.revokes else only_taking(change.row.before, change.row.after)
        if change.revokes or after is not None:
            found.append(replace(change.row, after=after, why=_WHY))
    return found
