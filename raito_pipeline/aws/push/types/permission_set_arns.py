"""How permission sets refer to managed policies: those of AWS by ARN, those of the account by path and name."""

from typing import Any


def is_of_aws(policy_arn: str) -> bool:
    """True for a policy that AWS maintains."""
    return "::aws:policy/" in policy_arn


def path_and_name(policy_arn: str) -> str:
    """The path and name under which a permission set refers to a managed policy of the account: `/readers`."""
    return policy_arn.partition(":policy")[2]


def kind_of(policy_arn: str) -> str:
    """What the operations that attach and detach it call it."""
    return "ManagedPolicy" if is_of_aws(policy_arn) else "CustomerManagedPolicyReference"


def member_of(policy_arn: str) -> dict[str, Any]:
    """The member of their requests that names it."""
    if is_of_aws(policy_arn):
        return {"ManagedPolicyArn": policy_arn}
    path, _, name = path_and_name(policy_arn).rpartition("/")
    return {"CustomerManagedPolicyReference": {"Name": name, "Path": f"{path}/"}}
