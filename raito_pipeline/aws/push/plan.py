"""From exported access controls and the stored IAM to a plan: every change in AWS, in order, with its reason. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from raito_pipeline.aws.access.external_ids import PERMISSION_SET, POLICY
from raito_pipeline.aws.push.account.imported_documents import inline_source
from raito_pipeline.aws.push.account.state import PushState
from raito_pipeline.aws.push.changes import Change
from raito_pipeline.aws.push.documents.effects import Effect
from raito_pipeline.aws.push.draft import IDLE, Draft, Planned, Plans, Refused
from raito_pipeline.aws.push.names import NameProblem, Names
from raito_pipeline.aws.push.order import in_order
from raito_pipeline.aws.push.owners import owner_tags
from raito_pipeline.aws.push.owners.already_given import AlreadyGiven, unsynced_bucket
from raito_pipeline.aws.push.owners.orphans import find_orphans, removals, shown
from raito_pipeline.aws.push.owners.own_objects import existing, refuse_foreign
from raito_pipeline.aws.push.owners.replacing import plan_narrowing
from raito_pipeline.aws.push.owners.unedited import is_unedited, leave_as_it_is
from raito_pipeline.aws.push.owners.unreported import Unreported
from raito_pipeline.aws.push.owners.unshown import Unshown, unshown, warn
from raito_pipeline.aws.push.pushed_types import NotPushedYet, PushedType, PushedTypes
from raito_pipeline.aws.push.rules.bounds import Bounds
from raito_pipeline.aws.push.rules.known_buckets import leave_out_unknown
from raito_pipeline.aws.push.rules.permitted import hold_to
from raito_pipeline.aws.push.rules.quotas import warn_of_quotas
from raito_pipeline.aws.push.types.roles import plan_boundary
from raito_pipeline.aws.push.types.splitting import Numbered, kept_by_refused, numbered_policies, split, tell
from raito_pipeline.aws.push.types.tag_changes import plan_tags
from raito_pipeline.config.groups import PushOptions
from raito_pipeline.model import (
    CREATOR,
    EMPTY_WHO,
    AccessControl,
    PushChange,
    PushOrphan,
    PushTarget,
    WhatItem,
    is_aws_managed,
    made_by_raito,
)

GRANT = "grant"
_NO_GRANTS = frozenset({"deny", "mask", "filter", "filtered"})
"""actions by which people have less access, and none through what was made while it was a grant"""
_ACCOUNT = "#account#"
"""stands for the account id in prefixes and suffixes"""


@dataclass(frozen=True, slots=True)
class Plan:
    """The changes, in the order in which they are made, and one target for each access control."""

    changes: tuple[PushChange, ...]
    targets: tuple[PushTarget, ...]
    orphans: tuple[PushOrphan, ...] = ()
    """what Raito made and nobody grants any more; those that are removed have a target of their own"""
    unread_tags: tuple[str, ...] = ()
    """ARNs of managed policies whose tags it needs and does not know: with them the plan may be another one"""
    unshown: Unshown = field(default_factory=dict)
    """who has what Raito did not make and was never shown, for the plans that follow"""


def plan_push(
    controls: Iterable[AccessControl],
    state: PushState,
    options: PushOptions,
    types: PushedTypes,
    bounds: Bounds | None = None,
) -> Plan:
    """Plan a push. Never raises: what cannot be done for an access control is an error of its target.

    `bounds` are what the export is held to; without them only what follows from `state` is refused.
    The order is that of the access provider types and then of the export, where no change needs what another one makes.
    """
    in_order_of_export = sorted(controls, key=lambda control: control.position)
    held_to = bounds or Bounds()
    unreported = Unreported.of(in_order_of_export, types, state, held_to)
    exported = [_as_granted(unreported.as_reported(control), state) for control in in_order_of_export]
    drafts = [_draft(options, types, control) for control in exported]
    for draft in drafts:
        reason = _why_not_made(draft.replaces or draft.control, state)
        if reason is not None:
            draft.make_nothing(reason)
    by_id = {control.id: control for control in exported}
    plans = Plans(state, options, {}, by_id)
    for draft in drafts:
        draft.unedited = is_unedited(draft, plans)
    for kind, pushed in types.pushed.items():
        _name(plans, types.prefixes[kind], pushed, [draft for draft in drafts if draft.kind == kind])
    unsynced: list[WhatItem] = []
    refuse_foreign(drafts, types.prefixes, state, held_to, own_only=options.aws_push_own_only)
    for draft in drafts:
        if not draft.refused:
            given = AlreadyGiven(draft, state, options)
            unsynced += leave_out_unknown(draft, state.account_id, held_to.buckets, given.of)
    held_to = _with_unsynced(held_to, unsynced, state)
    plans.planned.update({d.control.id: Planned(d.kind, d.name) for d in drafts if d.name and not d.refused})
    in_turn = sorted(drafts, key=lambda draft: (types.order_of(draft.kind), draft.control.position))
    numbered = numbered_policies(state)
    parts = _split(drafts, plans, types, held_to, numbered)
    for draft in drafts:
        parts[draft.control.id] += unreported.deletions(draft, parts[draft.control.id])
    for draft in in_turn:
        if not draft.refused:
            _plan(plans, types, draft)
        if draft.refused:
            plans.planned.pop(draft.control.id, None)
        for part in parts[draft.control.id]:
            if not part.refused and (draft.nothing_new or not draft.refused):
                _plan(plans, types, part)
    all_parts = [part for some in parts.values() for part in some]
    orphans = () if bounds is None else _orphans([*drafts, *all_parts], plans, types, bounds, numbered)
    for removal in removals(orphans, len(drafts)):
        _plan(plans, types, removal)
        drafts.append(removal)
        in_turn.append(removal)
    for draft in (*drafts, *all_parts):
        if options.aws_role_boundary is not None:
            plan_boundary(draft, state.roles, options.aws_role_boundary)
        _say_whose(draft, types, state, held_to)
    hold_to([*drafts, *all_parts], types, state, options, held_to)
    warn_of_quotas([*drafts, *all_parts], types, state)
    kept = unshown(plans, drafts)
    for draft in drafts:
        warn(draft, kept.get(draft.control.external_id or "", ()))
    rows = list(shown(orphans))
    for draft in reversed(in_turn):
        further = parts.get(draft.control.id, ())
        tell(draft, further)
        rows[:0] = [row for each in (draft, *further) for row in each.rows]
    targets = tuple(draft.target() for draft in drafts)
    return Plan(_ordered(rows, types, state), targets, orphans, tuple(sorted(plans.unread_tags)), kept)


def _with_unsynced(bounds: Bounds, items: Iterable[WhatItem], state: PushState) -> Bounds:
    """The bounds with the buckets on which something stays as it is given: what was not given is no change any more."""
    names = {name for item in items if (name := unsynced_bucket(item, state)) is not None}
    if bounds.buckets is None or not names:
        return bounds
    return replace(bounds, buckets={**bounds.buckets, **{name: state.points.buckets[name].region for name in names}})


def _orphans(
    drafts: Sequence[Draft], plans: Plans, types: PushedTypes, bounds: Bounds, numbered: Numbered
) -> tuple[PushOrphan, ...]:
    """What Raito made and nobody grants any more."""
    further = kept_by_refused(drafts, numbered, bounds)
    return find_orphans(drafts, types.prefixes, plans.state, bounds, plans.options.aws_push_remove_orphans, further)


def _split(
    drafts: Sequence[Draft], plans: Plans, types: PushedTypes, bounds: Bounds, numbered: Numbered
) -> dict[str, list[Draft]]:
    """The further policies of access controls whose what is too long for one, by access control."""
    names = {f"{types.prefixes.get(draft.kind, '')}{draft.name}".casefold() for draft in drafts if draft.name}
    parts_of: dict[str, list[Draft]] = {}
    for draft in drafts:
        prefix = types.prefixes.get(draft.kind, "")
        parts = split(draft, prefix, plans.state, bounds, numbered, plans.options)
        if parts:
            refuse_foreign(parts, types.prefixes, plans.state, bounds)
        for part in parts:
            if f"{types.prefixes[part.kind]}{part.name}".casefold() in names:
                part.refuse("another access control of the export has this name")
        parts_of[draft.control.id] = parts
    return parts_of


def _as_granted(control: AccessControl, state: PushState) -> AccessControl:
    """The access control as far as it grants something: one that takes access gives nobody anything.

    What another word stands for is not known, and what Raito did not make never came of a grant: nothing of it changes.
    """
    if control.action == GRANT or control.delete:
        return control
    if _came_of_a_grant(control, state):
        return replace(control, who=EMPTY_WHO, what=())
    return replace(control, who_locked=True, inheritance_locked=True, what_locked=True)


def _came_of_a_grant(control: AccessControl, state: PushState) -> bool:
    """True for one that takes access by its action now, and has an object that Raito made while it was a grant."""
    there = existing(state, control.external_id or "")
    return control.action in _NO_GRANTS and there is not None and made_by_raito(there.tags)


def _why_not_made(control: AccessControl, state: PushState) -> str | None:
    """Why nothing new can be made of what the export says; None where it can."""
    if control.unreadable:
        return f"it cannot be read: {'; '.join(control.unreadable)}"
    if control.action != GRANT and not control.delete:  # what it made while it was a grant goes with it
        gave = "what it has in AWS stays as it is"
        if _came_of_a_grant(control, state):
            gave = "what it gave while it was a grant is taken away"
        gave = "" if control.external_id is None else f": {gave}"
        return f"action {control.action!r} cannot be made in AWS, only {GRANT!r}{gave}"
    return None


def _draft(options: PushOptions, types: PushedTypes, control: AccessControl) -> Draft:
    """The access control under its type: that of what it owns, where none is given, else the account's own.

    Where it owns something of another type, it is planned as a new one, which takes the place of the old.
    """
    owned = types.owned_by(control.external_id)
    kind = control.type or owned or ("aws_role" if options.organization is None else "aws_sso_role")
    if owned is None or kind == owned or control.delete:
        return Draft(control, owned if control.delete and owned else kind)
    return Draft(replace(control, external_id=None, actual_name=None), kind, replaces=control)


def _ordered(rows: Sequence[PushChange], types: PushedTypes, state: PushState) -> tuple[PushChange, ...]:
    """The rows with their positions: changes in their order, and those that change nothing where they were."""
    changes = iter(in_order(types.changes(rows)))
    ordered = [row if row.operation in IDLE else _with_what_follows(next(changes), state) for row in rows]
    return tuple(replace(row, position=position) for position, row in enumerate(ordered))


def _with_what_follows(change: Change, state: PushState) -> PushChange:
    """The row of a change with what it brings or takes along, as the plan knows it."""
    beside = change.beside(state)
    return change.row if beside is None else replace(change.row, beside=tuple(sorted(beside)))


def _say_whose(draft: Draft, types: PushedTypes, state: PushState, bounds: Bounds) -> None:
    """Objects say by tags for whom they are: those that are made, and those that are written and do not say it yet.

    A permission set that Raito did not make gets none: only who has it is edited. A policy of AWS cannot have any.
    """
    tags = owner_tags.owner_tags(bounds.data_source, draft.control)
    written = types.changes(draft.rows)
    if not tags or not written or draft.nothing_new:
        return
    draft.rows = [
        replace(row, after=owner_tags.with_owner(row.after, tags)) if row.operation == "create" and row.after else row
        for row in draft.rows
    ]
    own_id = draft.external_id or ""
    there, tagging = existing(state, own_id), types.tagging(draft.kind)
    others = own_id.startswith(PERMISSION_SET) and there is not None and not made_by_raito(there.tags)
    if there is None or tagging is None or others or is_aws_managed(there.resource):
        return
    if owner_tags.owner_of(there.tags) != owner_tags.owner_of(tags):
        # A least policy of AWS can tell by `creator` that it is an object of Raito that gets tags.
        creator = [CREATOR] if made_by_raito(there.tags) else []
        why = "its tags do not say yet for whom it is"
        plan_tags(draft, tagging, there.resource, there.tags or (), tags, why, creator)


def _plan(plans: Plans, types: PushedTypes, draft: Draft) -> None:
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


def _name(plans: Plans, prefix: str, pushed: PushedType, drafts: Sequence[Draft]) -> None:
    """Give each access control of one type its name: those that exist keep theirs, the others get free ones."""
    names = _no_names_yet(plans, pushed)
    existing = {draft.control.id: plans.existing(draft.control, prefix) for draft in drafts}
    current = {control: None if name is None else pushed.named(name) for control, name in existing.items()}
    for name in current.values():
        # What an access control has now is nobody else's in this push, also where it is deleted or gets another name.
        if name is not None:
            names.keep(name)
    for draft in drafts:
        if not draft.control.delete and not draft.refused:
            _name_one(plans, pushed, names, draft, current[draft.control.id])
        elif current[draft.control.id] is None and prefix == POLICY:
            _ask_whose(plans, _no_names_yet(plans, pushed), draft.control)


def _no_names_yet(plans: Plans, pushed: PushedType) -> Names:
    before, after = (each.replace(_ACCOUNT, plans.state.account_id) for each in pushed.affixes(plans.options))
    return Names(before, after, rule=pushed.naming)


def _ask_whose(plans: Plans, names: Names, control: AccessControl) -> None:
    """An earlier push may have made a policy and given it to nobody yet: the tags of such ones are not stored."""
    try:
        policy = plans.state.policies.get(names.give(control.naming_hint or control.name, None))
    except NameProblem:
        return
    if policy is not None:
        plans.tags_of(policy)


def _name_one(plans: Plans, pushed: PushedType, names: Names, draft: Draft, current: str | None) -> None:
    control = draft.control
    if draft.unedited or draft.nothing_new:
        # Inline policies have no name of their own, and a policy of AWS may share its name with one of the account.
        draft.name = "" if current is None or current.startswith("arn:") else current
        return
    kept = None if current is None else pushed.kept_name(plans, control, current)
    try:
        draft.name = kept or names.give(control.naming_hint or control.name, current)
    except NameProblem as error:
        _unnamed(draft, current, str(error))
        return
    renamed = kept is None and current not in (None, draft.name)
    reason = _taken_by_others(plans, control, draft.name) if renamed else None
    if reason is not None:
        _unnamed(draft, current, reason)


def _unnamed(draft: Draft, current: str | None, reason: str) -> None:
    """No new name can be had: what is there keeps its own, and loses what was taken away. Else nothing is made."""
    if current is not None:
        draft.name = current
        draft.leave_out(f"{reason}: it keeps its name {current}")
    else:
        draft.make_nothing(reason)


def _taken_by_others(plans: Plans, control: AccessControl, name: str) -> str | None:
    """Why a policy cannot get another name: somebody else's has it, if only in another case. None where it can."""
    named = (each for each in plans.state.policies.values() if each.policy_name.casefold() == name.casefold())
    there = next((each for each in named if not each.aws_managed), None)
    tags = None if there is None else plans.tags_of(there)
    if there is None or tags is None:
        return None
    _, wanted = owner_tags.owner_of(owner_tags.owner_tags("any", control))
    _, owner = owner_tags.owner_of(tags)
    if there.policy_name == name and made_by_raito(tags) and owner in (None, wanted):
        return None
    return f"its name would be {name}, and policy {there.policy_name} exists in AWS and is not its own"
