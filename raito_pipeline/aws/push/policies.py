"""The plan for access controls that are managed policies: document from the what, attachments from the who."""

import json

from raito_pipeline.aws.access.external_ids import POLICY, ROLE
from raito_pipeline.aws.push.draft import Draft, Plans, Refused
from raito_pipeline.aws.push.grants import described_and_tagged, granted
from raito_pipeline.aws.push.policy_changes import (
    AttachPolicy,
    CreatePolicy,
    DeletePolicy,
    DetachPolicy,
    NewPolicyVersion,
)
from raito_pipeline.aws.push.references import is_reference, plan_no_references, plan_references
from raito_pipeline.aws.push.state import Principal
from raito_pipeline.aws.push.statements import (
    NOTHING,
    POLICY_LIMIT,
    Granted,
    compact,
    same,
    unseen,
)
from raito_pipeline.config.patterns import matches_any
from raito_pipeline.model import AccessControl, IamPolicy, made_by_raito

_ID = "ID:"
_ROLE_TYPE = "aws_role"


def plan_policy(plans: Plans, draft: Draft) -> None:
    """Plan one managed policy. Raises `Refused`."""
    old = _existing(plans, draft)
    policy = plans.state.policies.get(draft.name)
    if policy is not None and policy is not old and not made_by_raito(policy.tags):
        raise Refused(f"policy {draft.name} exists in AWS and was not made by Raito (no tag creator=RAITO)")
    draft.external_id = f"{POLICY}{draft.name}"
    principals = _principals(plans, draft, policy or old)
    if policy is None:
        arn = _create(plans, draft)
        attached: frozenset[Principal] = frozenset()
    else:
        arn = policy.arn
        attached = plans.state.attached.get(arn, frozenset())
        if not draft.control.what_locked and not policy.aws_managed:
            _update_document(plans, draft, policy)
    if not draft.control.who_locked or policy is None:
        _attach(draft, arn, principals - attached)
        _detach(draft, arn, attached - principals, "it is not in the who any more")
    replaced = old if old is not policy else None
    plan_references(plans, draft, arn, replaced.arn if replaced else None)
    if replaced is not None:
        _delete(plans, draft, replaced, f"its name is {draft.name} now")
    if not draft.rows:
        draft.nothing("policy", arn, "AWS has it as it was granted")


def delete_policy(plans: Plans, draft: Draft) -> None:
    """Plan to remove one managed policy. What is gone already needs no change. Raises `Refused`."""
    policy = _existing(plans, draft)
    if policy is None:
        resource = draft.control.actual_name or draft.control.name
        draft.nothing("policy", resource, "it is to be removed, and is gone already")
    elif policy.aws_managed:
        raise Refused(f"policy {policy.policy_name} is managed by AWS and cannot be deleted")
    else:
        plan_no_references(plans, draft, policy.arn)
        _delete(plans, draft, policy, "it was removed in Raito Cloud")


def _existing(plans: Plans, draft: Draft) -> IamPolicy | None:
    name = plans.existing(draft.control, POLICY)
    if name is None:
        return None
    if name.startswith("arn:"):
        return next((row for row in plans.state.policies.values() if row.arn == name), None)
    return plans.state.policies.get(name)


def _create(plans: Plans, draft: Draft) -> str:
    request = {
        "PolicyDocument": json.loads(_granted(plans, draft).text),
        **described_and_tagged(draft),
    }
    draft.change(CreatePolicy, draft.name, "it was granted in Raito Cloud", after=compact(request))
    return f"arn:{plans.options.aws_partition}:iam::{plans.state.account_id}:policy/{draft.name}"


def _update_document(plans: Plans, draft: Draft, policy: IamPolicy) -> None:
    wanted = _granted(plans, draft).text
    if same(policy.document, wanted):
        return
    lost = [] if made_by_raito(policy.tags) else unseen(policy.document)
    if lost:
        raise Refused(
            f"policy {policy.policy_name} was not made by Raito and holds what Raito Cloud does not see ({lost[0]}); "
            f"writing it anew would lose that"
        )
    why = "what it gives access to has changed"
    draft.change(NewPolicyVersion, policy.arn, why, before=policy.document, after=wanted)


def _granted(plans: Plans, draft: Draft) -> Granted:
    found = granted(plans, draft, POLICY_LIMIT, f"AWS takes {POLICY_LIMIT} for a policy")
    if found.document["Statement"] == [NOTHING]:
        draft.warnings.append("it gives access to nothing; AWS wants a statement, so it has one that allows nothing")
    draft.warnings += found.warnings
    return found


def _principals(plans: Plans, draft: Draft, policy: IamPolicy | None) -> frozenset[Principal]:
    who, state = draft.control.who, plans.state
    found: set[Principal] = set()
    for kind, names, known in (("user", who.users, state.users), ("group", who.groups, state.members)):
        found |= {(kind, name) for name in names if name in known}
        missing = sorted(name for name in names if name not in known)
        draft.warnings += [f"{kind} {name} is not in IAM of the account, and was left out" for name in missing]
    roles = [entry for entry in who.inherit_from if not is_reference(plans, entry)]
    found |= {("role", _role(plans, entry)) for entry in roles}
    if who.recipients:
        draft.warnings.append("recipients by e-mail address cannot be given access in AWS, and were left out")
    if policy is not None:
        found |= _excluded_roles(plans, draft, policy)
    return frozenset(found)


def _role(plans: Plans, entry: str) -> str:
    """The name of the role that an entry of the who stands for. Raises `Refused`."""
    if entry.startswith(_ID):
        planned = plans.planned.get(entry.removeprefix(_ID))
        if planned is None or planned.kind != _ROLE_TYPE:
            raise Refused(f"{entry} in its who is no role of this export")
        return planned.name
    name = entry.removeprefix(ROLE)
    if not entry.startswith(ROLE) or (name not in plans.state.roles and name not in plans.names(_ROLE_TYPE)):
        raise Refused(f"{entry} in its who is no role of the account")
    return name


def _excluded_roles(plans: Plans, draft: Draft, policy: IamPolicy) -> set[Principal]:
    """Roles that have the policy and that Raito Cloud does not see: they keep it."""
    kept = {
        (kind, name)
        for kind, name in plans.state.attached.get(policy.arn, ())
        if kind == "role" and matches_any(plans.options.aws_access_role_excludes, name)
    }
    draft.warnings += [
        f"role {name} keeps the policy: aws-access-role-excludes leaves it out" for _, name in sorted(kept)
    ]
    return kept


def _attach(draft: Draft, arn: str, principals: frozenset[Principal]) -> None:
    for kind, name in sorted(principals):
        draft.change(AttachPolicy, f"{kind}:{name}", "it is in the who", after=arn)


def _detach(draft: Draft, arn: str, principals: frozenset[Principal], why: str) -> None:
    for kind, name in sorted(principals):
        draft.change(DetachPolicy, f"{kind}:{name}", why, before=arn)


def _delete(plans: Plans, draft: Draft, policy: IamPolicy, why: str) -> None:
    _detach(draft, policy.arn, plans.state.attached.get(policy.arn, frozenset()), why)
    draft.change(DeletePolicy, policy.arn, why, before=policy.document)


def kept_policy_name(plans: Plans, control: AccessControl, current: str) -> str | None:
    """The name that a policy keeps: where it was imported under it, or is managed by AWS. Else its hint decides."""
    if current.startswith("arn:"):
        return current.rsplit("/", 1)[-1]
    policy = plans.state.policies.get(current)
    imported = control.actual_name is not None and control.actual_name == control.naming_hint
    return current if imported or (policy is not None and policy.aws_managed) else None
