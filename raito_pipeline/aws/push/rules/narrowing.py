"""The rules of a push as AWS enforces them: its rights in IAM narrowed to what it may touch.

With `aws-push-own-only` they are limited by name (path, prefixes and suffixes of what is made), by the tag
`creator=RAITO`, and for attachments by the policy; with `aws-role-boundary` roles are only made with that permissions
boundary, and get no other one; with `aws-iam-path` roles and policies are only made in that path. Which conditions an
action takes:
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from raito_pipeline.config.groups import PushOptions
from raito_pipeline.model import CREATOR

Statement = Mapping[str, Any]
_ATTACHING = tuple(f"iam:{verb}{kind}Policy" for verb in ("Attach", "Detach") for kind in ("User", "Group", "Role"))
_TAGGING = ("iam:TagRole", "iam:TagPolicy")
_READING = ("iam:Get", "iam:List")
_BY_PROFILE = "iam:RemoveRoleFromInstanceProfile"
"""it acts on an instance profile as well, which carries no tag of Raito"""
_MAKING = ("New", "Placed")
_REQUESTED, _CARRIED = (
    {f"aws:RequestTag/{CREATOR.key}": CREATOR.value},
    {f"aws:ResourceTag/{CREATOR.key}": CREATOR.value},
)


def narrowed(statements: Iterable[Statement], options: PushOptions) -> list[Statement]:
    """The statements of a push's policy, each with the conditions that the options of the target ask for."""
    split = (_parts(statement, options) for statement in statements)
    return [part for parts in split for part in parts]


def _parts(statement: Statement, options: PushOptions) -> Iterator[Statement]:
    """One statement as several, by the condition that its actions take; actions of other services stay as they are."""
    groups: dict[str, list[str]] = {}
    for action in statement["Action"]:
        groups.setdefault(_group(action, options), []).append(action)
    for group, actions in groups.items():
        sid = f"{statement['Sid']}{group}"
        part = {**statement, "Sid": sid, "Action": actions}
        conditions = _conditions(group, statement["Resource"], options)
        if group and group != "Attach" and options.aws_push_own_only:
            part["Resource"] = [_named(arn, options) for arn in statement["Resource"]]
        elif group in _MAKING:
            part["Resource"] = [_placed(arn, options) for arn in statement["Resource"]]
        yield {**part, "Condition": conditions} if conditions else part
        detach = "iam:DetachRolePolicy"
        if group == "Attach" and detach in actions:
            # A role that is deleted loses what others attached to it.
            own = [_named(arn, options) for arn in statement["Resource"]]
            yield {**part, "Sid": f"{sid}Own", "Action": [detach], "Resource": own, "Condition": _own()}


def _group(action: str, options: PushOptions) -> str:
    """What the conditions of an action are about; empty where it has none."""
    if not action.startswith("iam:") or action.startswith(_READING) or action == _BY_PROFILE:
        return ""
    in_a_path = options.aws_iam_path != "/"
    if action == "iam:CreateRole":
        return "New" if options.aws_push_own_only or options.aws_role_boundary or in_a_path else ""
    if action == "iam:CreatePolicy" and in_a_path and not options.aws_push_own_only:
        return "Placed"
    if action == "iam:PutRolePermissionsBoundary":
        return "Bound"
    if not options.aws_push_own_only:
        return ""
    if action in _ATTACHING:
        return "Attach"
    return "Tagged" if action in (*_TAGGING, "iam:CreatePolicy") else "Own"


def _conditions(group: str, resources: Sequence[str], options: PushOptions) -> Mapping[str, Any]:
    if group == "Attach":
        account = resources[0].rpartition(":")[0]
        return {"ArnLike": {"iam:PolicyARN": _named(f"{account}:policy/*", options)}}
    if group == "Own":
        return _own()
    if group == "Bound":
        carried = _CARRIED if options.aws_push_own_only else {}
        return {"StringEquals": {**carried, "iam:PermissionsBoundary": options.aws_role_boundary}}
    equal = dict(_REQUESTED) if group and options.aws_push_own_only else {}
    if group == "New" and options.aws_role_boundary:
        equal["iam:PermissionsBoundary"] = options.aws_role_boundary
    return {"StringEquals": equal} if equal else {}


def _own() -> Mapping[str, Any]:
    return {"StringEquals": dict(_CARRIED)}


def _named(arn: str, options: PushOptions) -> str:
    """The ARN of all roles or policies as that of those that a push names."""
    placed = _placed(arn, options)
    if arn.endswith(":role/*"):
        return f"{placed[:-1]}{options.aws_role_prefix}*{options.aws_role_suffix}"
    if arn.endswith(":policy/*"):
        return f"{placed[:-1]}{options.aws_policy_prefix}*{options.aws_policy_suffix}"
    return arn


def _placed(arn: str, options: PushOptions) -> str:
    """The ARN of all roles or policies as that of those in the path in which a push makes them."""
    return f"{arn[:-2]}{options.aws_iam_path}*" if arn.endswith((":role/*", ":policy/*")) else arn
