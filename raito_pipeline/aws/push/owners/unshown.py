"""Who has what Raito did not make, although no import showed them: they keep it, and later pushes are told of them.

Because of a Deny or a condition, or where a policy gives people different things, the import shows a part of those who
have an object. A push leaves the others alone. Once it took the shown ones out, the next import may show the others:
nobody asked to take them out by that, so each plan remembers whom it found so.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from raito_pipeline.aws.access.external_ids import ACCESS_POINT, POLICY, ROLE
from raito_pipeline.aws.push.account.imported import EVERYBODY
from raito_pipeline.aws.push.account.taken_away import principals_taken_out, role_of, users_taken_out
from raito_pipeline.aws.push.documents.trusts import let_in_by_name
from raito_pipeline.aws.push.draft import Draft, Plans
from raito_pipeline.aws.push.owners.own_objects import existing
from raito_pipeline.aws.push.types.access_point_statements import principals_of, read_current
from raito_pipeline.aws.push.types.point_who import point_who
from raito_pipeline.model import AccessControl, AccessPoint, WhoEntry, made_by_raito

Unshown = Mapping[str, tuple[str, ...]]
"""those who have an object and were not shown, by its external id: `user:NAME` and the like, ARNs for access points"""


def unshown(plans: Plans, drafts: Iterable[Draft]) -> dict[str, tuple[str, ...]]:
    """Whom no import showed of the objects of some access controls; empty where that is nobody.

    What is refused, or of an object that Raito made, is left out: nothing new is known of it.
    """
    by_object = {}
    for draft in drafts:
        own_id = draft.control.external_id or ""
        there = existing(plans.state, own_id)
        if draft.refused or draft.control.delete or there is None or made_by_raito(there.tags):
            continue
        if plans.state.view.principals(own_id) is not None:
            by_object[own_id] = tuple(sorted(_unshown_of(plans, draft, own_id)))
    return by_object


def warn(draft: Draft, names: Iterable[str]) -> None:
    """Say who keeps it unseen; a policy says so itself."""
    kept = ", ".join(_in_words(name) for name in names)
    if kept and not draft.unedited and not (draft.control.external_id or "").startswith(POLICY):
        draft.warnings.append(f"whom the import does not show in its who keep it: {kept}")


def _in_words(name: str) -> str:
    return name.rpartition(":")[2] if name.startswith("arn:") else name.replace(":", " ", 1)


def _unshown_of(plans: Plans, draft: Draft, own_id: str) -> set[str]:
    if own_id.startswith(POLICY):
        return _of_policy(plans, draft, own_id)
    if own_id.startswith(ROLE):
        return _of_role(plans, draft, own_id)
    point = plans.state.points.points.get(own_id.removeprefix(ACCESS_POINT))
    return set() if point is None else _of_point(plans, draft, point, own_id)


def _of_policy(plans: Plans, draft: Draft, own_id: str) -> set[str]:
    policy, who = plans.state.policy(own_id.removeprefix(POLICY)), draft.control.who
    if policy is None:
        return set()
    roles = (role_of(plans, entry) for entry in who.inherit_from)
    wanted = {
        *(("user", name) for name in who.users),
        *(("group", name) for name in who.groups),
        *(("role", name) for name in roles if name is not None),
    }
    having = plans.state.attached.get(policy.arn, frozenset())
    shown = plans.state.view.principals(own_id) or frozenset()
    return {f"{kind}:{name}" for kind, name in having - wanted - shown - principals_taken_out(plans, draft)}


def _of_role(plans: Plans, draft: Draft, own_id: str) -> set[str]:
    state = plans.state
    arns = let_in_by_name(state.roles[own_id.removeprefix(ROLE)].trust_policy)
    having = {state.user_names[arn] for arn in arns & state.user_names.keys()}
    shown = {name for kind, name in state.view.principals(own_id) or () if kind == "user"}
    wanted, _, _ = state.users_of(draft.control.who)
    return {f"user:{name}" for name in having - wanted - shown - users_taken_out(plans, draft)}


def _of_point(plans: Plans, draft: Draft, point: AccessPoint, own_id: str) -> set[str]:
    state, control = plans.state, draft.control
    current = read_current(point.policy, state.identities, state.account_id)
    allows = (each for each in (*current.plain, *current.others) if each.get("Effect") == "Allow")
    having = {arn for each in allows for arn in principals_of(each)} & state.identities
    row = state.view.providers[own_id]
    shown = WhoEntry(row.who_users or (), row.who_groups or (), row.who_access_providers or (), ())
    whos = (control.who, *([control.deleted_who] if control.deleted_who else ()), shown)
    named = [_arns(plans, control, who) for who in whos]
    before = state.view.unshown_of(own_id)
    return having - set().union(*named[:-1]) - (set() if EVERYBODY in before else named[-1] - before)


def _arns(plans: Plans, control: AccessControl, who: WhoEntry) -> set[str]:
    """The ARNs of a who; what is wrong with it is said where it is planned."""
    named = point_who(plans, Draft(replace(control, who=who), control.type or ""))
    return named.users | named.roles
