"""Roles that only AWS changes: those of Identity Center (`AWSReservedSSO_*`) and of services.

https://docs.aws.amazon.com/singlesignon/latest/userguide/permissionsetsconcept.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html
Which operations refuse with UnmodifiableEntity says the model of IAM.
"""

from typing import Any

from botocore.model import OperationModel
from moto.iam.exceptions import IAMException, ValidationError
from moto.iam.responses import IamResponse

from raito_pipeline.sandbox.aws.patches.service_models import refuses_with

SERVICE_LINKED, RESERVED = "/aws-service-role/", "/aws-reserved/"
_PROTECTED = (SERVICE_LINKED, RESERVED)
# The description of a service-linked role may be edited.
_DESCRIPTION = frozenset({"UpdateRole", "UpdateRoleDescription"})


class UnmodifiableEntity(IAMException):
    """The role belongs to AWS."""

    code = "UnmodifiableEntity"


def refuse_protected_role(self: IamResponse, operation: OperationModel) -> None:
    """Refuse a change of a protected role (UnmodifiableEntity), and new ones at their paths (ValidationError)."""
    if operation.name in ("CreateRole", "CreatePolicy", "CreateUser", "CreateGroup"):
        path = str(self._get_param("Path") or "/")
        if path.startswith(_PROTECTED):
            raise ValidationError(f"The path {path} is reserved for AWS.")
        return
    if not refuses_with(operation, "UnmodifiableEntityException"):
        return
    role = _role(self)
    if role is None or not role.path.startswith(_PROTECTED):
        return
    if operation.name in _DESCRIPTION and role.path.startswith(SERVICE_LINKED):
        return
    raise UnmodifiableEntity(
        f"Cannot perform the operation on the protected role '{role.name}' - this role is only modifiable by AWS"
    )


def _role(self: IamResponse) -> Any:
    name = self._get_param("RoleName")
    return next((role for role in self.backend.roles.values() if role.name == name), None)
