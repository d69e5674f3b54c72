"""An object that another one takes the place of: what is not granted any more goes at once, and the rest with it.

The old object goes once the new one is there, so that nobody is without access in between. Who or what the access
control does not name any more does not wait for that: the new object may never come.
"""

from collections.abc import Sequence
from dataclasses import replace

from raito_pipeline.aws.push.account.imported import Claims, ImportView
from raito_pipeline.aws.push.changes import Change
from raito_pipeline.aws.push.documents.document_edits import Edit, narrowed
from raito_pipeline.aws.push.documents.effects import Effect
from raito_pipeline.aws.push.documents.revocations import only_taking
from raito_pipeline.aws.push.documents.statements import same
from raito_pipeline.aws.push.draft import Draft, Plans, Refused
from raito_pipeline.aws.push.pushed_types import PushedType, PushedTypes
from raito_pipeline.model import AccessControl, PushChange

WHY = "it is not granted any more, whatever comes in its place"


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
    return only_revoking(types.changes(trial.rows), plans.state.view)


def only_revoking(changes: Sequence[Change], view: ImportView) -> list[PushChange]:
    """Of some changes what only takes access away: of a document that does both, the part that takes."""
    revoking = []
    for change in changes:
        if Effect.TAKES not in change.effect or Effect.REMOVES in change.effect:
            continue
        after = change.row.after if change.revokes else less(change.row.before or "", change.row.after or "", view)
        if change.revokes or after is not None:
            revoking.append(replace(change.row, after=after, why=WHY))
    return revoking


def less(before: str, after: str, view: ImportView, gone: Claims = frozenset()) -> str | None:
    """A document without what another one does not give any more; None where that is nothing.

    What people get by a policy is compared by what it gives, as `view` reads it: other words for the same are no loss.
    `gone` is what it gives beside that and shall not any more.
    """
    if '"Principal"' in before:
        return only_taking(before, after)
    left = narrowed(before, Edit(view, view.given_by(before) | gone, view.given_by(after)), named="it")
    if left.text is None:
        return only_taking(before, after)
    return None if left.text == before or same(before, left.text) else left.text
