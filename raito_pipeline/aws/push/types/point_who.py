"""Who an access point is granted to: users and roles of the account by their ARNs, as IAM has them.

What the same push makes has no ARN yet, or one that AWS does not know yet: it stands in the plan as `role:NAME` or
`ssorole:NAME`, and gets its ARN when the change is made.
"""

from dataclasses import dataclass, field

from raito_pipeline.aws.access.external_ids import PERMISSION_SET, RESERVED_ROLE, ROLE, permission_set_name
from raito_pipeline.aws.access.permission_sets import TYPE as SET_TYPE
from raito_pipeline.aws.access.roles import TYPE as ROLE_TYPE
from raito_pipeline.aws.push.draft import OF_THIS_EXPORT, Draft, Plans


@dataclass
class PointWho:
    """Principals of an access point: those that are users or members of groups, and those that are roles."""

    users: set[str] = field(default_factory=set)
    roles: set[str] = field(default_factory=set)
    """ARNs, or `role:NAME` and `ssorole:NAME` of what the same push makes"""


def point_who(plans: Plans, draft: Draft, *, there: bool = False) -> PointWho:
    """Everybody in the who of an access point; each entry that names nobody is an error of its own.

    Of one that is `there`, locked parts are left out.
    """
    who, state = draft.open_who(there=there), plans.state
    names, groups, strangers = state.users_of(who)
    for unknown in (*(f"group {name}" for name in groups), *(f"user {name}" for name in strangers)):
        draft.leave_out(f"{unknown} in its who is not in IAM of the account")
    if who.recipients:
        draft.warnings.append("recipients by e-mail address cannot be given access in AWS, and were left out")
    named = PointWho({state.users[name].arn for name in names})
    for entry in who.inherit_from:
        principal = _inherited(plans, entry)
        if principal is None:
            draft.leave_out(_why_not(entry))
        else:
            named.roles.add(principal)
    return named


def _inherited(plans: Plans, entry: str) -> str | None:
    """The role that an entry stands for; None where it stands for none that is there, or will be."""
    if entry.startswith(OF_THIS_EXPORT):
        entry = _of_this_export(plans, entry.removeprefix(OF_THIS_EXPORT)) or ""
    if plans.removes(entry):
        return None
    if entry.startswith(ROLE):
        return _role(plans, entry.removeprefix(ROLE))
    return _set_role(plans, entry.removeprefix(PERMISSION_SET)) if entry.startswith(PERMISSION_SET) else None


def _of_this_export(plans: Plans, control_id: str) -> str | None:
    """The external id that another access control has, or will have. One that is refused stays what it is in AWS."""
    planned, control = plans.planned.get(control_id), plans.exported.get(control_id)
    if planned is not None and planned.kind in (ROLE_TYPE, SET_TYPE):
        return f"{ROLE if planned.kind == ROLE_TYPE else PERMISSION_SET}{planned.name}"
    return control.external_id if planned is None and control is not None and not control.delete else None


def _role(plans: Plans, name: str) -> str | None:
    role = plans.state.roles.get(name)
    if role is not None:
        return role.arn
    return f"{ROLE}{name}" if name in plans.names(ROLE_TYPE) else None


def _set_role(plans: Plans, name: str) -> str | None:
    if RESERVED_ROLE.fullmatch(name) and name in plans.state.roles:
        return plans.state.roles[name].arn
    wanted = permission_set_name(name)
    roles = plans.state.reserved_roles(wanted)
    if len(roles) == 1:
        return roles[0].arn
    known = plans.state.center.sets.get(wanted)
    somebodys = wanted in plans.assigned or (known is not None and bool(known.assigned))
    will_be = not roles and wanted in plans.names(SET_TYPE) and somebodys
    return f"{PERMISSION_SET}{wanted}" if will_be else None


def _why_not(entry: str) -> str:
    if entry.startswith(OF_THIS_EXPORT):
        return f"{entry} in its who is no role and no permission set of this export"
    if entry.startswith(PERMISSION_SET):
        return (
            f"{entry} in its who: the permission set has no role in the account. Identity Center makes it with the "
            f"first assignment"
        )
    return f"{entry} in its who is no role of the account"
