"""What managed policies have to do with permission sets: referenced, brought into the account, and given up again.

The link belongs to the permission set: an access control that is a policy adds and removes only what its own who and
deleted who name; what people referenced by hand stays.
"""

from collections.abc import Iterable

from raito_pipeline.aws.access.external_ids import PERMISSION_SET, permission_set_name
from raito_pipeline.aws.access.permission_sets import TYPE as SET_TYPE
from raito_pipeline.aws.push.account.center_state import serves
from raito_pipeline.aws.push.documents.statements import same
from raito_pipeline.aws.push.draft import OF_THIS_EXPORT, Draft, Plans, Refused
from raito_pipeline.aws.push.types.permission_set_arns import is_of_aws, path_and_name
from raito_pipeline.aws.push.types.permission_set_changes import (
    INLINE_OF_ROLE,
    AttachReference,
    DetachReference,
    ProvisionPermissionSet,
)
from raito_pipeline.model import PushPermissionSet, made_by_raito


def is_reference(plans: Plans, entry: str) -> bool:
    """True for an entry of `inheritFrom` that is a permission set, also where its own access control is refused."""
    return _own_name(plans, entry) is not None


def named_in(plans: Plans, entries: Iterable[str]) -> set[str]:
    """The names of the permission sets among entries of `inheritFrom`."""
    names = (_own_name(plans, entry) for entry in entries)
    return {permission_set_name(name) for name in names if name is not None}


def plan_references(plans: Plans, draft: Draft, policy_arn: str, replaced: str | None = None) -> None:
    """Plan which permission sets get and lose a policy, and bring them into the account as they are then.

    `replaced` is the ARN of the policy whose place it takes: every permission set that has that one, and did not lose
    it, gets the new one.
    """
    control, center = draft.control, plans.state.center
    entries = _not_there_already(plans, control.who.inherit_from, policy_arn)
    lost = [e for e in (control.deleted_who.inherit_from if control.deleted_who else ()) if is_reference(plans, e)]
    if control.inheritance_locked:
        entries, lost = [], []
    if replaced is not None:
        _require_no_others(plans, replaced)
    if center.problem:
        if entries or lost:
            draft.leave_out(f"{', '.join((*entries, *lost))} in its who: {center.problem}")
        return
    wanted = _names(plans, draft, entries)
    lost_names = named_in(plans, lost) - wanted
    having = {one.name for one in center.by_raito if replaced is not None and has(one, replaced)}
    replacing = having - lost_names
    for name in sorted(wanted | replacing):
        known = center.sets.get(name)
        if known is None or not has(known, policy_arn):
            why = "it is in the who" if name in wanted else "it has the policy under its name until now"
            draft.change(AttachReference, name, why, after=policy_arn)
    losing = {one.name for one in center.by_raito if one.name in lost_names and has(one, policy_arn)}
    for arn, names in ((policy_arn, losing), (replaced, having & lost_names)):
        for name in sorted(names):
            draft.change(DetachReference, name, "it lost access in Raito Cloud", before=arn)
    for name in sorted(replacing):
        why = "it has the policy under its new name now"
        draft.change(DetachReference, name, why, before=replaced, after=policy_arn)
    _provision(plans, draft, wanted - replacing, policy_arn, None)
    _provision(plans, draft, losing - having, policy_arn, policy_arn)
    _provision(plans, draft, having, replaced or policy_arn, replaced)


def plan_no_references(plans: Plans, draft: Draft, policy_arn: str, instead: str | None = None) -> None:
    """Plan that no permission set has a policy any more, which is to be deleted. Raises `Refused`.

    `instead` names what gives what is still granted: they have it until that is there, less those that lost it.
    """
    _require_no_others(plans, policy_arn)
    having = [one.name for one in plans.state.center.by_raito if has(one, policy_arn)]
    lost = named_in(plans, draft.control.deleted_who.inherit_from) if draft.control.deleted_who else set()
    for name in having:
        after = None if name in lost else instead
        draft.change(DetachReference, name, "the policy goes", before=policy_arn, after=after)
    _provision(plans, draft, having, policy_arn, policy_arn)


def has(permission_set: PushPermissionSet, policy_arn: str) -> bool:
    """True where a permission set has a managed policy."""
    if is_of_aws(policy_arn):
        return policy_arn in permission_set.policy_arns
    return path_and_name(policy_arn) in permission_set.references


def is_in_account(plans: Plans, known: PushPermissionSet) -> bool:
    """False where the role of a permission set differs from it: a provisioning failed, or somebody changed it.

    True also where that cannot be told, as IAM was read without its policies, or before there was a role.
    """
    state, center = plans.state, plans.state.center
    roles = state.reserved_roles(known.name)
    if len(roles) != 1:
        return True
    (name,) = (role.role_name for role in roles)
    inline = state.inline.get(("role", name), {}).get(INLINE_OF_ROLE, "")
    if inline != known.inline_policy and not same(inline or "{}", known.inline_policy or "{}"):
        return False
    here = state.reserved.get(name, frozenset())
    gone = set(references_to_nothing(plans, known))  # nothing brings those into the account
    own = {_own_arn(plans, each) for each in known.references if each not in gone}
    own_here, aws_here = {arn for arn in here if not is_of_aws(arn)}, {arn for arn in here if is_of_aws(arn)}
    return (not center.knows_own_policies or own == own_here) and (
        not center.knows_aws_policies or set(known.policy_arns) == aws_here
    )


def references_to_nothing(plans: Plans, known: PushPermissionSet) -> list[str]:
    """The policies, as a permission set references them, that the account lacks: somebody deleted them."""
    if not plans.state.center.knows_own_policies or not known.references:
        return []
    there = {policy.arn for policy in plans.state.policies.values()}
    return [each for each in known.references if _own_arn(plans, each) not in there]


def _own_arn(plans: Plans, reference: str) -> str:
    return f"arn:{plans.options.aws_partition}:iam::{plans.state.account_id}:policy{reference}"


def _not_there_already(plans: Plans, entries: Iterable[str], policy_arn: str) -> list[str]:
    """The entries that are permission sets, less imported ones that have the policy: they keep it as they are."""
    by_raito = {one.name for one in plans.state.center.by_raito}
    kept = {permission_set_name(role) for role in plans.state.reserved_with(policy_arn)} - by_raito
    references = (entry for entry in entries if is_reference(plans, entry))
    return [entry for entry in references if named_in(plans, [entry]).isdisjoint(kept)]


def _require_no_others(plans: Plans, policy_arn: str) -> None:
    """Raise `Refused` where AWS would not let the policy go: a permission set has it that the push cannot change."""
    center = plans.state.center
    having = {permission_set_name(role) for role in plans.state.reserved_with(policy_arn)}
    others = sorted(having - {one.name for one in center.by_raito})
    if others:
        why = center.problem or "was not made by Raito: take the policy from it first"
        raise Refused(f"permission set {', '.join(others)} has it, and {why}")


def _names(plans: Plans, draft: Draft, entries: Iterable[str]) -> set[str]:
    """The permission sets of Raito that entries stand for; one that is none is an error of its own."""
    names = set()
    for entry in entries:
        name = permission_set_name(_own_name(plans, entry) or "")
        known = plans.state.center.sets.get(name)
        served = serves(known) if known is not None else None
        if known is not None and not made_by_raito(known.tags):
            draft.leave_out(f"{entry} in its who: permission set {name} was not made by Raito, and stays as it is")
        elif served not in (None, plans.state.account_id):
            draft.leave_out(f"{entry} in its who: permission set {name} is that of account {served}")
        elif plans.removes(entry) or plans.removes(f"{PERMISSION_SET}{name}"):
            draft.leave_out(f"{entry} in its who is removed by this push, and was left out")
        elif known is None and name not in plans.names(SET_TYPE):
            draft.leave_out(f"{entry} in its who: there is no permission set {name}")
        else:
            names.add(name)
    return names


def _own_name(plans: Plans, entry: str) -> str | None:
    """What an entry says of the name of a permission set; None for one that is none."""
    if entry.startswith(OF_THIS_EXPORT):
        return plans.named(entry.removeprefix(OF_THIS_EXPORT), SET_TYPE, PERMISSION_SET)
    return entry.removeprefix(PERMISSION_SET) if entry.startswith(PERMISSION_SET) else None


def _provision(plans: Plans, draft: Draft, names: Iterable[str], policy_arn: str, before: str | None) -> None:
    """Bring permission sets into the account where their references change, or did and are not there yet.

    The first assignment in an account brings a permission set there by itself.
    """
    changed = {row.resource for row in draft.rows if row.kind == AttachReference.KIND}
    for name in sorted(names):
        known = plans.state.center.sets.get(name)
        if known is not None and known.assigned and (name in changed or not is_in_account(plans, known)):
            why = "so that it has the policy in the account" if before is None else "so that nobody has the policy"
            draft.change(ProvisionPermissionSet, name, why, before=before, after=policy_arn)
