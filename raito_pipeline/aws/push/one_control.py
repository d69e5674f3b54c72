"""Plans one access control: by its type, in the place of what it had of another one, or only what it loses."""

from dataclasses import replace

from raito_pipeline.aws.push.account.imported_documents import inline_source
from raito_pipeline.aws.push.documents.effects import Effect
from raito_pipeline.aws.push.draft import Draft, Plans, Refused
from raito_pipeline.aws.push.owners.own_objects import existing
from raito_pipeline.aws.push.owners.replacing import plan_narrowing
from raito_pipeline.aws.push.owners.unedited import leave_as_it_is
from raito_pipeline.aws.push.pushed_types import NotPushedYet, PushedTypes
from raito_pipeline.model import AccessControl, PushChange, made_by_raito


def plan_one(plans: Plans, types: PushedTypes, draft: Draft) -> None:
    """Plan a draft: its rows, its name and its external id. Never raises: what cannot be done is an error of it."""
    control, pushed = draft.control, types.of(draft.kind)
    if draft.unedited:
        leave_as_it_is(draft)
    elif isinstance(pushed, NotPushedYet):
        _refuse_new(plans, types, draft, pushed.reason)
    elif control.delete and control.delete_locked:
        draft.refuse("it is to be removed, but its deletion is locked")
    else:
        try:
            if draft.nothing_new and inline_source(control.external_id) is None:
                raise Refused(draft.nothing_new)
            (pushed.delete if control.delete else pushed.plan)(plans, draft)
        except Refused as error:
            _refuse_new(plans, types, draft, str(error))
            return
        if draft.replaces is not None:
            try:
                _remove_replaced(plans, types, draft, draft.replaces)
            except Refused as error:
                _refuse_new(plans, types, draft, str(error))


def _refuse_new(plans: Plans, types: PushedTypes, draft: Draft, reason: str) -> None:
    """Nothing can be planned for an access control: what it has, of this type or another, loses what is not granted."""
    old = draft.replaces or draft.control
    rows = [] if old.delete else _narrowing_of(plans, types, old)
    if not rows:
        draft.refuse(reason)
        return
    plans.planned.pop(draft.control.id, None)
    draft.leave_out(reason)
    draft.warnings.clear()  # they are about the new object
    draft.rows, draft.name, draft.external_id = rows, old.actual_name or "", old.external_id


def _narrowing_of(plans: Plans, types: PushedTypes, old: AccessControl) -> list[PushChange]:
    """What the object that an access control has loses, as it stays and gets nothing new.

    Of what Raito did not make nothing goes because another type was asked for.
    """
    kind = types.owned_by(old.external_id)
    pushed, there = types.of(kind or ""), existing(plans.state, old.external_id or "")
    if kind is None or isinstance(pushed, NotPushedYet) or there is None:
        return []
    if old.type not in (None, kind) and not made_by_raito(there.tags):
        return []
    return plan_narrowing(plans, types, pushed, kind, old)


def _remove_replaced(plans: Plans, types: PushedTypes, draft: Draft, control: AccessControl) -> None:
    """Remove the object of another type that an access control has. Raises `Refused`."""
    old = types.owned_by(control.external_id) or ""
    pushed = types.of(old)
    if isinstance(pushed, NotPushedYet) or control.delete_locked:
        never = isinstance(pushed, NotPushedYet) and pushed.why is not None
        not_by_a_push = f"{old} cannot be removed by a push{'' if never else ' yet'}"
        why = "its deletion is locked" if control.delete_locked else not_by_a_push
        raise Refused(f"its type has changed from {old} to {draft.kind}, and {why}: nothing new is made")
    removal = Draft(control, old, replacing=True, external_id=draft.external_id)
    pushed.delete(plans, removal)
    if removal.errors:
        raise Refused(f"its type has changed from {old} to {draft.kind}, and {removal.errors[0]}: nothing new is made")
    if not any(change.revokes and Effect.REMOVES not in change.effect for change in types.changes(removal.rows)):
        draft.rows += plan_narrowing(plans, types, pushed, old, control)
    gone = {(row.kind, row.resource) for row in draft.rows if row.operation == "delete"}
    going = (row for row in removal.rows if (row.kind, row.resource) not in gone)
    draft.rows += [replace(row, why=f"its type is {draft.kind} now") for row in going]
    draft.warnings += removal.warnings
