"""From exported access controls and the stored IAM to a plan: every change in AWS, in order, with its reason. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from raito_pipeline.aws.access.external_ids import PERMISSION_SET, POLICY
from raito_pipeline.aws.push.account.state import PushState
from raito_pipeline.aws.push.changes import Change
from raito_pipeline.aws.push.draft import IDLE, Draft, Planned, Plans
from raito_pipeline.aws.push.drafting import as_granted, drafted, why_not_made
from raito_pipeline.aws.push.locked import warn_of_locks
from raito_pipeline.aws.push.naming import name_all
from raito_pipeline.aws.push.one_control import plan_one
from raito_pipeline.aws.push.order import in_order
from raito_pipeline.aws.push.owners import owner_tags
from raito_pipeline.aws.push.owners.already_given import AlreadyGiven, unsynced_bucket
from raito_pipeline.aws.push.owners.orphans import find_orphans, removals, shown
from raito_pipeline.aws.push.owners.own_objects import existing, object_key, refuse_foreign
from raito_pipeline.aws.push.owners.unedited import hold_locked_what, is_unedited
from raito_pipeline.aws.push.owners.unreported import Unreported
from raito_pipeline.aws.push.owners.unshown import Unshown, unshown, warn
from raito_pipeline.aws.push.pushed_types import PushedTypes
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
    AccessControl,
    PushChange,
    PushOrphan,
    PushTarget,
    WhatItem,
    is_aws_managed,
    made_by_raito,
)


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
    planning = _Planning.of(controls, state, options, types, bounds or Bounds())
    planning.settle_whose()
    planning.plan_each()
    if bounds is not None:
        planning.find_orphans()
    planning.hold_to_rules()
    return planning.told()


@dataclass
class _Planning:
    """A push while it is planned: the drafts of its access controls, and what is settled of them so far.

    Its methods are the steps, in the order in which `plan_push` takes them: each goes by what those before it settled.
    """

    plans: Plans
    types: PushedTypes
    bounds: Bounds
    unreported: Unreported
    drafts: list[Draft]
    """one an access control, in the order of the export; then the removals of orphans"""
    numbered: Numbered
    in_turn: list[Draft] = field(default_factory=list)
    """the drafts in the order in which they are planned and told"""
    parts: dict[str, list[Draft]] = field(default_factory=dict)
    """what an access control has beside its own object, by its id: further policies, and what goes with a deletion"""
    orphans: tuple[PushOrphan, ...] = ()

    @classmethod
    def of(
        cls,
        controls: Iterable[AccessControl],
        state: PushState,
        options: PushOptions,
        types: PushedTypes,
        bounds: Bounds,
    ) -> "_Planning":
        in_order_of_export = sorted(controls, key=lambda control: control.position)
        unreported = Unreported.of(in_order_of_export, types, state, bounds)
        exported = [as_granted(unreported.as_reported(control), state) for control in in_order_of_export]
        drafts = [drafted(options, types, control) for control in exported]
        plans = Plans(state, options, {}, {control.id: control for control in exported})
        return cls(plans, types, bounds, unreported, drafts, numbered_policies(state))

    @property
    def all_drafts(self) -> tuple[Draft, ...]:
        """The drafts, and after them all that access controls have beside their own object."""
        return (*self.drafts, *(part for some in self.parts.values() for part in some))

    def settle_whose(self) -> None:
        """What each access control is about: its name, its object, its data objects, and what it has beside."""
        state, options = self.plans.state, self.plans.options
        for draft in self.drafts:
            reason = why_not_made(draft.replaces or draft.control, state)
            if reason is not None:
                draft.make_nothing(reason)
        for draft in self.drafts:
            hold_locked_what(draft, state)
            draft.unedited = is_unedited(draft, self.plans)
        for kind, pushed in self.types.pushed.items():
            of_the_type = [draft for draft in self.drafts if draft.kind == kind]
            name_all(self.plans, self.types.prefixes[kind], self.types.label(kind), pushed, of_the_type)
        self._ask_whose_others_claim()
        refuse_foreign(self.drafts, self.types.prefixes, state, self.bounds, own_only=options.aws_push_own_only)
        self._leave_out_unknown()
        named = [draft for draft in self.drafts if draft.name and not draft.refused]
        self.plans.planned.update({draft.control.id: Planned(draft.kind, draft.name) for draft in named})
        self._split()
        for draft in self.drafts:
            parts = self.parts[draft.control.id]
            parts += self.unreported.deletions(draft, parts)

    def _ask_whose_others_claim(self) -> None:
        """Where another target of the account names a policy, too, its tags say whose it is: they are asked for, as
        those that are stored are of the time when the policy got its version.
        """
        claimed = self.bounds.claimed_elsewhere
        owned = (draft.owned_id or "" for draft in self.drafts) if claimed else ()
        for own_id in (each for each in owned if each.startswith(POLICY) and object_key(each) in claimed):
            policy = self.plans.state.policy(own_id.removeprefix(POLICY))
            if policy is not None and not policy.aws_managed:
                self.plans.unread_tags.add(policy.arn)

    def _leave_out_unknown(self) -> None:
        """Leave out what is on no known bucket, but for what an object gives there already: that is no change."""
        state, unsynced = self.plans.state, list[WhatItem]()
        for draft in self.drafts:
            if not draft.refused:
                given = AlreadyGiven(draft, state, self.plans.options)
                unsynced += leave_out_unknown(draft, state.account_id, self.bounds.buckets, given.of)
        self.bounds = _with_unsynced(self.bounds, unsynced, state)

    def _split(self) -> None:
        """The further policies of access controls whose what is too long for one."""
        plans, prefixes = self.plans, self.types.prefixes
        names = {f"{prefixes.get(draft.kind, '')}{draft.name}".casefold() for draft in self.drafts if draft.name}
        for draft in self.drafts:
            prefix = prefixes.get(draft.kind, "")
            parts = split(draft, prefix, plans.state, self.bounds, self.numbered, plans.options)
            if parts:
                refuse_foreign(parts, prefixes, plans.state, self.bounds)
            for part in parts:
                if f"{prefixes[part.kind]}{part.name}".casefold() in names:
                    part.refuse("another access control of the export has this name")
            self.parts[draft.control.id] = parts

    def plan_each(self) -> None:
        """Plan each access control, and what it has beside its own object."""
        self.in_turn = sorted(self.drafts, key=lambda draft: (self.types.order_of(draft.kind), draft.control.position))
        for draft in self.in_turn:
            if not draft.refused:
                plan_one(self.plans, self.types, draft)
                warn_of_locks(self.plans, self.types, draft)
            if draft.refused:
                self.plans.planned.pop(draft.control.id, None)
            for part in self.parts[draft.control.id]:
                if not part.refused and (draft.nothing_new or not draft.refused):
                    plan_one(self.plans, self.types, part)

    def find_orphans(self) -> None:
        """What Raito made and nobody grants any more, with a removal of each that is to go."""
        drafts, options = self.all_drafts, self.plans.options
        further = kept_by_refused(drafts, self.numbered, self.bounds)
        self.orphans = find_orphans(
            drafts, self.types.prefixes, self.plans.state, self.bounds, options.aws_push_remove_orphans, further
        )
        for removal in removals(self.orphans, len(self.drafts)):
            plan_one(self.plans, self.types, removal)
            self.drafts.append(removal)
            self.in_turn.append(removal)

    def hold_to_rules(self) -> None:
        """Put limits and owner tags to what is planned, and refuse what a push may not do."""
        state, options = self.plans.state, self.plans.options
        for draft in self.all_drafts:
            if options.aws_role_boundary is not None:
                plan_boundary(draft, state.roles, options.aws_role_boundary)
            _say_whose(draft, self.types, state, self.bounds)
        hold_to(self.all_drafts, self.types, state, options, self.bounds)
        warn_of_quotas(self.all_drafts, self.types, state)

    def told(self) -> Plan:
        """The plan: rows in the order in which they are told, changes among them in that in which they are made."""
        kept = unshown(self.plans, self.drafts)
        for draft in self.drafts:
            warn(draft, kept.get(draft.control.external_id or "", ()))
        rows = list(shown(self.orphans))
        for draft in reversed(self.in_turn):
            further = self.parts.get(draft.control.id, ())
            tell(draft, further)
            rows[:0] = [row for each in (draft, *further) for row in each.rows]
        targets = tuple(draft.target() for draft in self.drafts)
        ordered, unread = _ordered(rows, self.types, self.plans.state), tuple(sorted(self.plans.unread_tags))
        return Plan(ordered, targets, self.orphans, unread, kept)


def _with_unsynced(bounds: Bounds, items: Iterable[WhatItem], state: PushState) -> Bounds:
    """The bounds with the buckets on which something stays as it is given: what was not given is no change any more."""
    names = {name for item in items if (name := unsynced_bucket(item, state)) is not None}
    if bounds.buckets is None or not names:
        return bounds
    return replace(bounds, buckets={**bounds.buckets, **{name: state.points.buckets[name].region for name in names}})


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
