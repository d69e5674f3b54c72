"""From exported access controls and the stored IAM to a plan: every change in AWS, in order, with its reason. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from raito_pipeline.aws.push import plan_policies, plan_roles
from raito_pipeline.aws.push.draft import Draft, Plans, Refused
from raito_pipeline.aws.push.names import NameProblem, Names
from raito_pipeline.aws.push.settings import affixes, type_of
from raito_pipeline.aws.push.state import PushState
from raito_pipeline.config.groups import PushOptions
from raito_pipeline.model import AccessControl, PushChange, PushTarget

ROLE, POLICY = "aws_role", "aws_policy"
_LABELS = {"aws_sso_role": "permission sets", "aws_access_point": "S3 access points"}


@dataclass(frozen=True, slots=True)
class Plan:
    """The changes, in the order in which they are made, and one target for each access control."""

    changes: tuple[PushChange, ...]
    targets: tuple[PushTarget, ...]


_Planner = Callable[[Plans, Draft], None]
_GRANT: Mapping[str, _Planner] = {ROLE: plan_roles.plan_role, POLICY: plan_policies.plan_policy}
_DELETE: Mapping[str, _Planner] = {ROLE: plan_roles.delete_role, POLICY: plan_policies.delete_policy}
_PREFIXES = {ROLE: plan_roles.PREFIX, POLICY: plan_policies.PREFIX}


def plan_push(controls: Iterable[AccessControl], state: PushState, options: PushOptions) -> Plan:
    """Plan a push. Never raises: what cannot be done for an access control is an error of its target.

    Roles come before policies, since policies may be attached to roles of the same push; else the order is that of the
    export.
    """
    drafts = [
        Draft(control, type_of(options, control.type))
        for control in sorted(controls, key=lambda control: control.position)
    ]
    plans = Plans(state, options, {})
    for kind in (ROLE, POLICY):
        _name(plans, [draft for draft in drafts if draft.kind == kind])
    plans.role_names.update({d.control.id: d.name for d in drafts if d.kind == ROLE and d.name and not d.errors})
    for draft in sorted(drafts, key=_order):
        if not draft.errors:
            _plan(plans, draft)
        if draft.kind == ROLE and draft.errors:
            plans.role_names.pop(draft.control.id, None)
    ordered = [change for draft in sorted(drafts, key=_order) for change in draft.changes]
    changes = tuple(replace(change, position=position) for position, change in enumerate(ordered))
    return Plan(changes, tuple(draft.target() for draft in drafts))


def _order(draft: Draft) -> tuple[int, int]:
    return (0 if draft.kind == ROLE else 1, draft.control.position)


def _plan(plans: Plans, draft: Draft) -> None:
    control = draft.control
    planner = (_DELETE if control.delete else _GRANT).get(draft.kind)
    if planner is None:
        draft.refuse(f"{_LABELS.get(draft.kind, draft.kind)} cannot be pushed yet; nothing was changed")
    elif control.delete and control.delete_locked:
        draft.refuse("it is to be removed, but its deletion is locked")
    elif control.action != "grant":
        draft.refuse(f"action {control.action!r} cannot be made in AWS, only 'grant'")
    else:
        try:
            planner(plans, draft)
        except Refused as error:
            draft.refuse(str(error))


def _name(plans: Plans, drafts: Sequence[Draft]) -> None:
    """Give each access control of one type its name: those that exist keep theirs, the others get free ones."""
    if not drafts:
        return
    kind = drafts[0].kind
    names = Names(*affixes(plans.options, kind))
    for draft in drafts:
        # What an access control has now is nobody else's in this push, also where it is deleted or gets another name.
        current = plans.existing(draft.control, _PREFIXES[kind])
        if current is not None:
            names.keep(current)
    for draft in drafts:
        if not draft.control.delete:
            _name_one(plans, names, draft)


def _name_one(plans: Plans, names: Names, draft: Draft) -> None:
    control = draft.control
    kept = _kept_name(plans, draft)
    try:
        draft.name = kept or names.give(
            control.naming_hint or control.name, plans.existing(control, _PREFIXES[draft.kind])
        )
    except NameProblem as error:
        draft.refuse(str(error))


def _kept_name(plans: Plans, draft: Draft) -> str | None:
    """The name that an access control keeps: a role its own, a policy where it would be called so or was imported."""
    control = draft.control
    current = plans.existing(control, _PREFIXES[draft.kind])
    if current is None:
        return None
    if draft.kind == ROLE:
        return current
    if current.startswith("arn:"):
        return current.rsplit("/", 1)[-1]
    policy = plans.state.policies.get(current)
    imported = control.actual_name is not None and control.actual_name == control.naming_hint
    return current if imported or (policy is not None and policy.aws_managed) else None
