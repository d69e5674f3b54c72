"""Quotas of IAM that a plan comes near to: said in the plan, with what to do, before AWS refuses the change.

AWS counts characters without white space, and raises some quotas on request, so what lies between the default and the
most that it allows is a warning. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from raito_pipeline.aws.push.account.state import PushState
from raito_pipeline.aws.push.changes import Change
from raito_pipeline.aws.push.documents.statements import ROLE_INLINE_LIMIT
from raito_pipeline.aws.push.draft import Draft
from raito_pipeline.aws.push.pushed_types import PushedTypes
from raito_pipeline.aws.push.types.permission_set_changes import AttachReference, DetachReference, listed_as
from raito_pipeline.aws.push.types.policy_changes import AttachPolicy, DetachPolicy
from raito_pipeline.aws.push.types.role_changes import CreateRole, UpdateTrust

TRUST_QUOTA = 2_048
ATTACHED = {"user": (10, 20), "group": (10, 10), "role": (10, 25)}
"""managed policies of one principal: what AWS allows at first, and the most that it raises that to"""
PERMISSION_SET_POLICIES = 20
"""managed policies of a permission set: https://docs.aws.amazon.com/singlesignon/latest/userguide/limits.html"""


def characters(document: str) -> int:
    """The length of a document as AWS counts it: without white space."""
    return sum(not character.isspace() for character in document)


def warn_of_quotas(drafts: Sequence[Draft], types: PushedTypes, state: PushState) -> None:
    """Add a warning to each access control whose changes come to lie beyond a quota that AWS starts with."""
    attached, referenced = _attached(drafts, types, state), _referenced(drafts, types, state)
    for draft in drafts:
        for change in types.changes(draft.rows):
            draft.warnings += _of_trust(change)
            draft.warnings += _of_attachment(change, attached)
            draft.warnings += _of_reference(change, referenced)
            draft.warnings += _of_inline(change, state)


def _of_trust(change: Change) -> Iterator[str]:
    if not isinstance(change, (CreateRole, UpdateTrust)):
        return
    text = change.row.after or ""
    if isinstance(change, CreateRole):
        document: Any = json.loads(text or "{}").get("AssumeRolePolicyDocument")
        text = document if isinstance(document, str) else json.dumps(document, separators=(",", ":"))
    size = characters(text)
    if size > TRUST_QUOTA:
        yield (
            f"the trust policy of role {change.row.resource} has {size} characters, and AWS takes {TRUST_QUOTA} unless "
            f"the quota was raised (to 4096 at most): ask for that, or grant a policy, which can be attached to groups"
        )


def _of_attachment(change: Change, attached: dict[str, int]) -> Iterator[str]:
    if not isinstance(change, AttachPolicy):
        return
    principal = change.row.resource
    first, most = ATTACHED.get(principal.partition(":")[0], (0, 0))
    count = attached.get(principal, 0)
    if count > first > 0:
        more = f"ask for more ({most} at most)" if most > first else "AWS does not raise that"
        yield (
            f"{principal} comes to have {count} managed policies, and AWS attaches {first} unless the quota was "
            f"raised: {more}, or put several grants into one access control"
        )


def _of_reference(change: Change, referenced: dict[str, int]) -> Iterator[str]:
    if not isinstance(change, AttachReference):
        return
    count, (first, most) = referenced.get(change.name, 0), ATTACHED["role"]
    has = f"permission set {change.name} comes to have {count} managed policies, and"
    if count > PERMISSION_SET_POLICIES:
        yield f"{has} AWS takes {PERMISSION_SET_POLICIES}: put several grants into one access control"
    elif count > first:
        yield (
            f"{has} its role in an account takes {first} unless the quota was raised there: ask for more ({most} at "
            f"most), or put several grants into one access control"
        )


def _of_inline(change: Change, state: PushState) -> Iterator[str]:
    if change.KIND != "role-inline-policy" or change.row.after is None:
        return
    role, _, name = change.row.resource.partition("/")
    others = {key: text for key, text in state.inline.get(("role", role), {}).items() if key != name}
    size = characters(change.row.after) + sum(map(characters, others.values()))
    if others and size > ROLE_INLINE_LIMIT:
        yield (
            f"the inline policies of role {role} come to have {size} characters, and AWS takes {ROLE_INLINE_LIMIT} in "
            f"all: make managed policies of {', '.join(sorted(others))}"
        )


def _referenced(drafts: Sequence[Draft], types: PushedTypes, state: PushState) -> dict[str, int]:
    """How many managed policies each permission set has after the push."""
    held = {name: {*one.policy_arns, *one.references} for name, one in state.center.sets.items()}
    for change in (change for draft in drafts for change in types.changes(draft.rows)):
        if isinstance(change, AttachReference):
            held.setdefault(change.name, set()).add(listed_as(change.arn))
        elif isinstance(change, DetachReference):
            held.get(change.name, set()).discard(listed_as(change.arn))
    return {name: len(policies) for name, policies in held.items()}


def _attached(drafts: Sequence[Draft], types: PushedTypes, state: PushState) -> dict[str, int]:
    """How many managed policies each principal has after the push."""
    held: dict[str, set[str]] = {}
    for arn, principals in state.attached.items():
        for kind, name in principals:
            held.setdefault(f"{kind}:{name}", set()).add(arn)
    for change in (change for draft in drafts for change in types.changes(draft.rows)):
        if isinstance(change, AttachPolicy):
            held.setdefault(change.row.resource, set()).add(change.arn or "")
        elif isinstance(change, DetachPolicy):
            held.get(change.row.resource, set()).discard(change.arn or "")
    return {principal: len(arns) for principal, arns in held.items()}
