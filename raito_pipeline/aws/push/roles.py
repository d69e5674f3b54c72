"""The plan for access controls that are roles: trust policy from the who, inline policy from the what."""

import json
from typing import Any

from raito_pipeline.aws.access.external_ids import ROLE
from raito_pipeline.aws.policy import read_document
from raito_pipeline.aws.policy.principals import Directory, named_by
from raito_pipeline.aws.push.draft import Draft, Plans, Refused
from raito_pipeline.aws.push.grants import described_and_tagged, granted
from raito_pipeline.aws.push.role_changes import (
    CreateInlinePolicy,
    CreateRole,
    DeleteInlinePolicy,
    DeleteRole,
    UpdateInlinePolicy,
    UpdateTrust,
    inline_name,
)
from raito_pipeline.aws.push.statements import (
    NOTHING,
    ROLE_INLINE_LIMIT,
    TRUST_LIMIT,
    Granted,
    compact,
    same,
    trust_policy,
    unseen,
)
from raito_pipeline.model import AccessControl, IamRole, made_by_raito


def plan_role(plans: Plans, draft: Draft) -> None:
    """Plan one role. Raises `Refused`."""
    role = plans.state.roles.get(draft.name)
    own = plans.existing(draft.control, ROLE) is not None
    if role is not None and not own and not made_by_raito(role.tags):
        raise Refused(f"role {draft.name} exists in AWS and was not made by Raito (no tag creator=RAITO)")
    draft.external_id = f"{ROLE}{draft.name}"
    if role is None:
        _create(plans, draft)
    else:
        _update(plans, draft, role)


def delete_role(plans: Plans, draft: Draft) -> None:
    """Plan to remove one role. What is gone already needs no change."""
    name = plans.existing(draft.control, ROLE)
    role = None if name is None else plans.state.roles.get(name)
    if role is None:
        draft.nothing("role", name or draft.control.name, "it is to be removed, and is gone already")
        return
    draft.change(DeleteRole, role.role_name, "it was removed in Raito Cloud", before=role.trust_policy)


def _create(plans: Plans, draft: Draft) -> None:
    control = draft.control
    trust = _limited(trust_policy(_user_arns(plans, draft)))
    granted = _granted(plans, draft)
    if control.external_id:
        draft.warnings.append(f"role {draft.name} was gone from AWS, and is made anew")
    request = {
        "AssumeRolePolicyDocument": json.loads(trust),
        **described_and_tagged(draft),
    }
    draft.change(CreateRole, draft.name, "it was granted in Raito Cloud", after=compact(request))
    if _gives(granted):
        resource = f"{draft.name}/{inline_name(draft.name)}"
        draft.change(CreateInlinePolicy, resource, "what it gives access to", after=granted.text)


def _update(plans: Plans, draft: Draft, role: IamRole) -> None:
    control = draft.control
    if not control.who_locked:
        _update_trust(plans, draft, role)
    if not control.what_locked:
        _update_inline(plans, draft, role)
    if not draft.rows:
        draft.nothing("role", role.role_name, "AWS has it as it was granted")


def _update_trust(plans: Plans, draft: Draft, role: IamRole) -> None:
    others = [] if made_by_raito(role.tags) else _others(plans, role)
    wanted = _limited(trust_policy(_user_arns(plans, draft), others))
    if others:
        draft.warnings.append(
            f"role {role.role_name} was not made by Raito: {len(others)} statement(s) of its trust policy that are not "
            f"about users of the account stay as they are"
        )
    if not same(role.trust_policy, wanted):
        why = "the users who may assume it have changed"
        draft.change(UpdateTrust, role.role_name, why, before=role.trust_policy, after=wanted)


def _others(plans: Plans, role: IamRole) -> list[Any]:
    """The statements of a trust policy that are not of users whom Raito Cloud sees, as they stand."""
    document = read_document(role.trust_policy)
    if document.problems:
        raise Refused(f"the trust policy of role {role.role_name} cannot be read: {document.problems[0]}")
    raw = json.loads(role.trust_policy)["Statement"]
    listed = [raw] if isinstance(raw, dict) else raw
    directory = Directory(plans.state.account_id, {user.arn: user.user_name for user in plans.state.users.values()}, {})
    kept = []
    for statement in document.statements:
        who = named_by(statement, directory, "")
        if statement.effect == "Deny" or not who.users:
            kept.append(listed[statement.number - 1])
        elif who.reasons:
            raise Refused(
                f"{statement.label} of the trust policy of role {role.role_name} names users together with others that "
                f"Raito Cloud does not see; split it in AWS first"
            )
    return kept


def _update_inline(plans: Plans, draft: Draft, role: IamRole) -> None:
    granted = _granted(plans, draft)
    own = inline_name(role.role_name)
    policies = plans.state.inline.get(role.role_name, {})
    before = policies.get(own)
    resource = f"{role.role_name}/{own}"
    if _gives(granted):
        if before is None:
            draft.change(CreateInlinePolicy, resource, "what it gives access to", after=granted.text)
        elif not same(before, granted.text):
            why = "what it gives access to has changed"
            draft.change(UpdateInlinePolicy, resource, why, before=before, after=granted.text)
    elif before is not None:
        draft.change(DeleteInlinePolicy, resource, "it gives access to nothing any more", before=before)
    for name, document in sorted(policies.items()):
        if name != own:
            _replace_other(draft, f"{role.role_name}/{name}", document)


def _replace_other(draft: Draft, resource: str, document: str) -> None:
    """An inline policy that the role had before Raito Cloud took it over: what it gave is in the what now."""
    lost = unseen(document)
    if lost:
        draft.warnings.append(f"inline policy {resource} stays, and may give more than was granted: {lost[0]}")
    else:
        why = f"what it gives is in {inline_name(resource.partition('/')[0])} now"
        draft.change(DeleteInlinePolicy, resource, why, before=document)


def _user_arns(plans: Plans, draft: Draft) -> list[str]:
    who, state = draft.control.who, plans.state
    if who.inherit_from:
        raise Refused(f"a role cannot hold access providers in its who: {', '.join(who.inherit_from)}")
    names = set(who.users)
    for group in who.groups:
        if group not in state.members:
            draft.warnings.append(f"group {group} is not in IAM of the account, and was left out")
        names |= set(state.members.get(group, ()))
    for name in sorted(names - state.users.keys()):
        draft.warnings.append(f"user {name} is not in IAM of the account, and was left out")
    if who.recipients:
        draft.warnings.append("recipients by e-mail address cannot be given access in AWS, and were left out")
    found = [state.users[name].arn for name in sorted(names & state.users.keys())]
    if not found:
        raise Refused("a role needs at least one user of the account in its who")
    return found


def _limited(trust: str) -> str:
    if len(trust) > TRUST_LIMIT:
        raise Refused(f"its trust policy would have {len(trust)} characters, and AWS takes {TRUST_LIMIT}: use groups")
    return trust


def _granted(plans: Plans, draft: Draft) -> Granted:
    found = granted(plans, draft, ROLE_INLINE_LIMIT, f"a role has room for {ROLE_INLINE_LIMIT}")
    draft.warnings += found.warnings
    return found


def _gives(granted: Granted) -> bool:
    return bool(granted.document["Statement"] != [NOTHING])


def kept_role_name(plans: Plans, control: AccessControl, current: str) -> str | None:
    """The name that a role keeps: its own, since roles cannot be renamed."""
    del plans, control
    return current
