"""The plan for access controls that are roles: trust policy from the who, inline policy from the what."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from raito_pipeline.aws.access.external_ids import ROLE
from raito_pipeline.aws.policy import read_document
from raito_pipeline.aws.policy.principals import Directory, who_of_trust
from raito_pipeline.aws.push.account.imported import Claims
from raito_pipeline.aws.push.account.taken_away import claims_taken_out, users_taken_out
from raito_pipeline.aws.push.documents.document_edits import Edit, beyond, narrowed
from raito_pipeline.aws.push.documents.revocations import only_taking
from raito_pipeline.aws.push.documents.statements import ROLE_INLINE_LIMIT, TRUST_LIMIT, compact, same, trust_policy
from raito_pipeline.aws.push.documents.trusts import Trust, edited, lets_somebody_in
from raito_pipeline.aws.push.draft import IDLE, Draft, Plans, Refused
from raito_pipeline.aws.push.types.grants import gives, granted, made_in_iam
from raito_pipeline.aws.push.types.role_changes import (
    CreateInlinePolicy,
    CreateRole,
    DeleteInlinePolicy,
    DeleteRole,
    SetBoundary,
    UpdateInlinePolicy,
    UpdateTrust,
    inline_name,
)
from raito_pipeline.model import AccessControl, IamRole, PushChange, made_by_raito


def plan_role(plans: Plans, draft: Draft) -> None:
    """Plan one role. Raises `Refused` where nothing can be done for it."""
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
    elif draft.replacing and not made_by_raito(role.tags):
        draft.leave_out(f"role {role.role_name} stays, because Raito did not make it: its type cannot change")
    else:
        why = f"it was removed in Raito Cloud{_with_it(plans, role.role_name)}"
        draft.change(DeleteRole, role.role_name, why, before=role.trust_policy)


def plan_boundary(draft: Draft, roles: Mapping[str, IamRole], boundary: str) -> None:
    """Plan that the role of an access control has a permissions boundary: a new one, and one that Raito made before."""
    draft.rows = [with_boundary(row, boundary) for row in draft.rows]
    kind, _, name = (draft.external_id or "").partition(":")
    role = roles.get(name) if f"{kind}:" == ROLE and not draft.refused and not draft.control.delete else None
    if role is None or not made_by_raito(role.tags) or role.permissions_boundary_arn == boundary:
        return
    draft.rows = [row for row in draft.rows if row.operation not in IDLE]
    why = "aws-role-boundary asks for this permissions boundary"
    draft.change(SetBoundary, name, why, before=role.permissions_boundary_arn, after=boundary)


def with_boundary(row: PushChange, boundary: str) -> PushChange:
    """The row with a permissions boundary, where it creates a role."""
    if (row.kind, row.operation) != (CreateRole.KIND, CreateRole.OPERATION):
        return row
    return replace(row, after=compact({**json.loads(row.after or "{}"), "PermissionsBoundary": boundary}))


def _with_it(plans: Plans, name: str) -> str:
    """What a deleted role takes along, for people."""
    inline = [f"inline policy {policy}" for policy in sorted(plans.state.inline.get(("role", name), {}))]
    held = sorted(arn.rpartition("/")[2] for arn, who in plans.state.attached.items() if ("role", name) in who)
    along = [*inline, *(f"the attachment of policy {policy}" for policy in held)]
    return f"; with it go {', '.join(along)}" if along else ""


def _create(plans: Plans, draft: Draft) -> None:
    users = _users(plans, draft)
    _warn_of_nobody(draft, users)
    trust = trust_policy(plans.state.users[name].arn for name in users)
    what = granted(plans, draft)
    if len(trust) > TRUST_LIMIT:
        raise Refused(_trust_too_long(trust))
    if draft.control.external_id:
        draft.warnings.append(f"role {draft.name} was gone from AWS, and is made anew")
    request = {"AssumeRolePolicyDocument": json.loads(trust), **made_in_iam(plans, draft)}
    draft.change(CreateRole, draft.name, "it was granted in Raito Cloud", after=compact(request))
    if len(what.text) > ROLE_INLINE_LIMIT:
        draft.leave_out(_what_too_long(what.text))
    elif gives(what):
        resource = f"{draft.name}/{inline_name(draft.name)}"
        draft.change(CreateInlinePolicy, resource, "what it gives access to", after=what.text)


def _update(plans: Plans, draft: Draft, role: IamRole) -> None:
    control = draft.control
    if not control.what_locked:
        _update_inline(plans, draft, role)
    if not control.who_locked:
        _update_trust(plans, draft, role)
    if not draft.rows:
        draft.nothing("role", role.role_name, "AWS has it as it was granted")


# -- who -------------------------------------------------------------------------------------------------------------


def _update_trust(plans: Plans, draft: Draft, role: IamRole) -> None:
    """First without those who lost it, then with those who got it: AWS may refuse the second."""
    trust = _trust(plans, draft, role)
    for problem in trust.problems:
        draft.leave_out(problem)
    draft.warnings += trust.warnings
    before = role.trust_policy
    if not same(before, trust.narrowed) and not same(trust.narrowed, trust.whole):
        why = "some may not assume it any more"
        draft.change(UpdateTrust, role.role_name, why, before=before, after=trust.narrowed)
        before = trust.narrowed
    whole = trust.whole
    if len(whole) > TRUST_LIMIT and len(whole) > len(role.trust_policy):
        draft.leave_out(f"{_trust_too_long(whole)}: nobody is added")
        whole = trust.narrowed
    if not same(before, whole):
        why = "the users who may assume it have changed"
        draft.change(UpdateTrust, role.role_name, why, before=before, after=whole)


def _trust(plans: Plans, draft: Draft, role: IamRole) -> Trust:
    state = plans.state
    arns = {name: user.arn for name, user in state.users.items()}
    wanted = _users(plans, draft)
    named = _named(plans, role)
    if made_by_raito(role.tags):
        present = {arns[name] for name in named}
        _warn_of_nobody(draft, wanted)
        whole = [arns[name] for name in wanted]
        if not present - set(whole):
            return Trust(role.trust_policy, trust_policy(whole))
        return Trust(trust_policy(present & set(whole)), trust_policy(whole))
    shown = state.view.principals(draft.control.external_id or draft.external_id or "")
    users = named if shown is None else frozenset(name for kind, name in shown if kind == "user")
    trust = edited(role.trust_policy, arns, users | users_taken_out(plans, draft), wanted)
    if not lets_somebody_in(trust.whole):
        _warn_of_nobody(draft, wanted)
    return trust


def _warn_of_nobody(draft: Draft, users: Sequence[str]) -> None:
    if not users:
        draft.warnings.append("it has nobody in its who: nobody can assume the role")


def _named(plans: Plans, role: IamRole) -> frozenset[str]:
    """The users whom the trust policy lets in."""
    users = {user.arn: user.user_name for user in plans.state.users.values()}
    directory = Directory(plans.state.account_id, users, {})
    return frozenset(who_of_trust(read_document(role.trust_policy), directory).users)


def _users(plans: Plans, draft: Draft) -> list[str]:
    """The users of the account in the who, by name and through groups. All else in it is an error of its own."""
    who, state = draft.control.who, plans.state
    if not draft.control.inheritance_locked:
        for entry in who.inherit_from:
            draft.leave_out(f"{entry} in its who was left out: a role cannot hold access providers")
    names, groups, strangers = state.users_of(who)
    for entry in (*(f"group {name}" for name in groups), *(f"user {name}" for name in strangers)):
        draft.leave_out(f"{entry} is not in IAM of the account, and was left out")
    if who.recipients:
        draft.warnings.append("recipients by e-mail address cannot be given access in AWS, and were left out")
    return sorted(names)


# -- what ------------------------------------------------------------------------------------------------------------


def _update_inline(plans: Plans, draft: Draft, role: IamRole) -> None:
    """What Raito writes is in a policy of its own; others give only what is still wanted, or what nobody sees."""
    own = inline_name(role.role_name)
    policies = plans.state.inline.get(("role", role.role_name), {})
    others = {name: document for name, document in policies.items() if name != own}
    left = _narrow_others(draft, role, others, _edit(plans, draft, role, policies))
    what = draft.control.what
    if not made_by_raito(role.tags):
        what = beyond(what, left, plans.state.view)
    wanted = granted(plans, draft, what)
    after = wanted.text if gives(wanted) else None
    before = policies.get(own)
    if after is not None and len(after) > ROLE_INLINE_LIMIT:
        draft.leave_out(f"{_what_too_long(after)}: what was taken away goes, and nothing is added")
        after = None if before is None else only_taking(before, after) or before
    _write_own(draft, f"{role.role_name}/{own}", before, after)


def _edit(plans: Plans, draft: Draft, role: IamRole, policies: Mapping[str, str]) -> Edit:
    view = plans.state.view.of(("role", role.role_name))
    shown = None
    if not made_by_raito(role.tags):
        shown = view.what(draft.control.external_id or draft.external_id or "")
        shown = None if shown is None else shown | claims_taken_out(plans, draft)
    if shown is None:
        shown = frozenset().union(*(view.given_by(document) for document in policies.values()))
    return Edit(view, shown, view.claims(draft.control.what))


def _write_own(draft: Draft, resource: str, before: str | None, after: str | None) -> None:
    if after is None:
        if before is not None:
            draft.change(DeleteInlinePolicy, resource, "it gives access to nothing any more", before=before)
    elif before is None:
        draft.change(CreateInlinePolicy, resource, "what it gives access to", after=after)
    elif not same(before, after):
        why = "what it gives access to has changed"
        draft.change(UpdateInlinePolicy, resource, why, before=before, after=after)


def _narrow_others(draft: Draft, role: IamRole, others: Mapping[str, str], edit: Edit) -> Claims:
    """Plan what becomes of the inline policies that Raito did not write; what they still give."""
    still: set[Claims] = set()
    for name, document in sorted(others.items()):
        resource = f"{role.role_name}/{name}"
        left = narrowed(document, edit, named=f"inline policy {resource}")
        for problem in (*left.problems, *left.still):
            draft.leave_out(problem)
        why = "it gives what was taken away in Raito Cloud"
        if left.text is None:
            draft.change(DeleteInlinePolicy, resource, why, before=document)
        elif not same(document, left.text):
            draft.change(UpdateInlinePolicy, resource, why, before=document, after=left.text)
        still.add(left.gives)
    return frozenset().union(*still)


def _trust_too_long(trust: str) -> str:
    return f"its trust policy would have {len(trust)} characters, and AWS takes {TRUST_LIMIT}: use groups"


def _what_too_long(text: str) -> str:
    return f"its what needs {len(text)} characters, and a role has room for {ROLE_INLINE_LIMIT}"


def kept_role_name(plans: Plans, control: AccessControl, current: str) -> str | None:
    """The name that a role keeps: its own, since roles cannot be renamed."""
    del plans, control
    return current
