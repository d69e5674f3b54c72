"""Names of IAM: unique in the account and their kind, without regard to case and (policies) to the path.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html ("Names ... must be unique within the
account, regardless of case")
"""

from collections.abc import Callable, Iterable
from typing import Any

from botocore.model import OperationModel
from moto.iam.exceptions import EntityAlreadyExists
from moto.iam.models import AWSManagedPolicy, IAMBackend
from moto.iam.responses import IamResponse

_CREATIONS = {
    "CreateRole": ("RoleName", "Role"),
    "CreateUser": ("UserName", "User"),
    "CreateGroup": ("GroupName", "Group"),
    "CreatePolicy": ("PolicyName", "Policy"),
    "CreateInstanceProfile": ("InstanceProfileName", "Instance Profile"),
    "UpdateUser": ("NewUserName", "User"),
    "UpdateGroup": ("NewGroupName", "Group"),
}
_NAMES: dict[str, Callable[[IAMBackend], Iterable[str]]] = {
    "Role": lambda iam: (role.name for role in iam.roles.values()),
    "User": lambda iam: iam.users,
    "Group": lambda iam: iam.groups,
    "Policy": lambda iam: (
        policy.name for policy in iam.managed_policies.values() if not isinstance(policy, AWSManagedPolicy)
    ),
    "Instance Profile": lambda iam: (profile.name for profile in iam.instance_profiles.values()),
}


def refuse_taken_name(self: IamResponse, operation: OperationModel) -> None:
    """Refuse (EntityAlreadyExists) to make or rename something as another one of its kind is called."""
    if operation.name not in _CREATIONS:
        return
    parameter, kind = _CREATIONS[operation.name]
    name: Any = self._get_param(parameter)
    own = self._get_param(parameter.removeprefix("New")) if operation.name.startswith("Update") else None
    taken = {known.casefold() for known in _NAMES[kind](self.backend) if known != own}
    if name is None or name.casefold() not in taken:
        return
    if kind == "Policy":
        raise EntityAlreadyExists(f"A policy called {name} already exists. Duplicate names are not allowed.")
    raise EntityAlreadyExists(f"{kind} with name {name} already exists.")
