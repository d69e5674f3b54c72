"""Identity Center: what the emulator lacks, its refusals, and what assignments do in the accounts.

As with AWS, assigning and provisioning are answered with IN_PROGRESS first and take a while; asking for the status
tells the outcome (`sso_operations`).
https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_Operations.html
https://docs.aws.amazon.com/singlesignon/latest/userguide/limits.html
"""

import json
import re
from typing import Any

from botocore.model import OperationModel
from moto.core.utils import unix_time
from moto.moto_api._internal import mock_random
from moto.ssoadmin.exceptions import ConflictException, ResourceNotFoundException, ServiceQuotaExceededException
from moto.ssoadmin.models import (
    AccountAssignment,
    Instance,
    ManagedPolicy,
    PermissionSet,
    SSOAdminBackend,
    ssoadmin_backends,
)
from moto.ssoadmin.responses import SSOAdminResponse

from raito_pipeline.sandbox.aws.patches.aws_managed import is_aws_managed
from raito_pipeline.sandbox.aws.patches.json_errors import ValidationException
from raito_pipeline.sandbox.aws.patches.paging import page_of
from raito_pipeline.sandbox.aws.patches.replacing import Method, replace
from raito_pipeline.sandbox.aws.patches.service_models import before_each_call, broken_constraint, refuses_with
from raito_pipeline.sandbox.aws.patches.sso_operations import begin, is_under_way, outcome
from raito_pipeline.sandbox.aws.patches.sso_principals import principal_exists
from raito_pipeline.sandbox.aws.patches.sso_roles import (
    ProvisioningFailed,
    find_role,
    provision_role,
    remove_role,
    role_known_from,
)

_USUAL_PAGE = 100
_USUAL_DURATION = "PT1H"
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")


def patch_sso() -> None:
    """Mend and complete Identity Center."""
    _patch_provisioning()
    _patch_permission_sets()
    _patch_changes_of_permission_sets()
    _patch_assignments()
    _patch_provisioning_calls()
    _patch_tags()
    _patch_boundaries()

    @replace(SSOAdminBackend, "list_instances")
    def list_instances(_before: Method, self: SSOAdminBackend) -> list[Instance]:
        homes = [backend for account in ssoadmin_backends.values() for backend in account.values() if _is_home(backend)]
        return self.instances if not homes or self in homes else []

    @replace(SSOAdminResponse, "describe_instance")
    def describe_instance(_before: Method, self: SSOAdminResponse) -> str:
        wanted = self._get_param("InstanceArn")
        for instance in self.ssoadmin_backend.instances:
            if instance.instance_arn == wanted:
                return json.dumps(instance.to_json())
        raise ResourceNotFoundException(f"Instance {wanted} not found")

    @replace(SSOAdminBackend, "_find_managed_policy")
    def find_managed_policy(_before: Method, _self: SSOAdminBackend, managed_policy_arn: str) -> ManagedPolicy:
        if not is_aws_managed(managed_policy_arn):
            raise ResourceNotFoundException(f"Policy does not exist with ARN: {managed_policy_arn}")
        return ManagedPolicy(managed_policy_arn, managed_policy_arn.rpartition("/")[2])


def patch_sso_refusals() -> None:
    """Refuse what no call may do; comes after the other patches, so that it looks at a call before they do."""
    before_each_call(SSOAdminResponse, "sso-admin", _refuse)


_OF_ONE_ACCOUNT = frozenset({"CreateAccountAssignment", "DeleteAccountAssignment", "ProvisionPermissionSet"})
_REFERENCES = frozenset({"AttachManagedPolicyToPermissionSet", "AttachCustomerManagedPolicyReferenceToPermissionSet"})
_MOST_POLICIES = 20


def _refuse(self: SSOAdminResponse, operation: OperationModel) -> None:
    parameters = json.loads(self.body or "{}")
    broken = broken_constraint(operation, parameters)
    if broken:
        raise ValidationException(broken)
    arn = parameters.get("PermissionSetArn")
    if arn is None or not refuses_with(operation, "ConflictException"):
        return
    # A change of the permission set itself would reach every account that something is under way for.
    account_id = parameters.get("TargetId") if operation.name in _OF_ONE_ACCOUNT else None
    if is_under_way(arn, account_id):
        raise ConflictException(f"Another operation is under way for the permission set {arn}. Try again later.")
    if operation.name in _REFERENCES:
        known = _permission_set(self)
        if len(known.managed_policies) + len(known.customer_managed_policies) >= _MOST_POLICIES:
            raise ServiceQuotaExceededException(
                f"You have exceeded AWS SSO limits. Cannot create ManagedPolicy more than {_MOST_POLICIES} for id "
                f"{arn.rpartition('/')[2]}."
            )


def _is_home(sso: SSOAdminBackend) -> bool:
    return bool(vars(sso).get("is_home"))


def _accounts_with(sso: SSOAdminBackend, permission_set_arn: str) -> list[str]:
    return sorted({a.target_id for a in sso.account_assignments if a.permission_set_arn == permission_set_arn})


def _patch_provisioning() -> None:
    @replace(SSOAdminBackend, "create_account_assignment")
    def create_account_assignment(before: Method, self: SSOAdminBackend, *args: Any, **kwargs: Any) -> dict[str, Any]:
        summary: dict[str, Any] = before(self, *args, **kwargs)
        made = self.account_assignments.pop()
        permission_set = self._find_permission_set(made.instance_arn, made.permission_set_arn)
        if find_role(permission_set, made.target_id) is None:
            provision_role(self, permission_set, made.target_id)
        if not any(_same(made, kept) for kept in self.account_assignments):
            self.account_assignments.append(made)
        return summary

    @replace(SSOAdminBackend, "delete_account_assignment")
    def delete_account_assignment(before: Method, self: SSOAdminBackend, *args: Any, **kwargs: Any) -> dict[str, Any]:
        summary: dict[str, Any] = before(self, *args, **kwargs)
        arn, account_id = summary["PermissionSetArn"], summary["TargetId"]
        if account_id not in _accounts_with(self, arn):
            gone = self.deleted_account_assignments[-1]
            remove_role(self._find_permission_set(gone.instance_arn, arn), account_id)
        return summary


def _same(one: AccountAssignment, other: AccountAssignment) -> bool:
    fields = ("instance_arn", "target_id", "permission_set_arn", "principal_type", "principal_id")
    return all(getattr(one, field) == getattr(other, field) for field in fields)


def _patch_permission_sets() -> None:
    # arn:aws:sso:::permissionSet/INSTANCE/ID, where the emulator has arn:aws:sso:::instance/INSTANCE/ID.
    before = PermissionSet.generate_id
    setattr(  # noqa: B010
        PermissionSet,
        "generate_id",
        staticmethod(lambda instance_arn: before(instance_arn).replace(":::instance/", ":::permissionSet/", 1)),
    )

    @replace(SSOAdminResponse, "create_permission_set")
    def create_permission_set(_before: Method, self: SSOAdminResponse) -> str:
        sso, name, instance_arn = self.ssoadmin_backend, self._get_param("Name"), self._get_param("InstanceArn")
        if not any(instance.instance_arn == instance_arn for instance in sso.instances):
            raise ResourceNotFoundException(f"Instance {instance_arn} not found")
        if any(known.name == name for known in sso.permission_sets):
            raise ConflictException(f"PermissionSet with name {name} already exists.")
        made = sso.create_permission_set(
            name=name,
            description=self._get_param("Description"),
            instance_arn=instance_arn,
            session_duration=_checked_duration(self._get_param("SessionDuration") or _USUAL_DURATION),
            relay_state=self._get_param("RelayState"),
            tags=self._get_param("Tags") or [],
        )
        return json.dumps({"PermissionSet": made})


def _patch_changes_of_permission_sets() -> None:
    @replace(PermissionSet, "to_json")
    def to_json(before: Method, self: PermissionSet, *args: Any, **kwargs: Any) -> dict[str, Any]:
        # Seeded in-process without a duration, it would be a number, which SDKs other than boto3 refuse.
        duration: Any = self.session_duration
        if not isinstance(duration, str):
            self.session_duration = _USUAL_DURATION
        return {name: value for name, value in before(self, *args, **kwargs).items() if value is not None}

    @replace(SSOAdminResponse, "update_permission_set")
    def update_permission_set(_before: Method, self: SSOAdminResponse) -> str:
        # What is left out is cleared: https://github.com/hashicorp/terraform-provider-aws/issues/17411
        permission_set = _permission_set(self)
        duration = _checked_duration(self._get_param("SessionDuration") or _USUAL_DURATION)
        permission_set.description = self._get_param("Description")
        permission_set.relay_state, permission_set.session_duration = self._get_param("RelayState"), duration
        return "{}"

    @replace(SSOAdminResponse, "delete_permission_set")
    def delete_permission_set(before: Method, self: SSOAdminResponse) -> Any:
        arn = _permission_set(self).permission_set_arn
        if _accounts_with(self.ssoadmin_backend, arn):
            raise ConflictException("PermissionSet has ApplicationProfile associated with it")
        return before(self)

    @replace(SSOAdminResponse, "put_inline_policy_to_permission_set")
    def put_inline_policy(before: Method, self: SSOAdminResponse) -> Any:
        _check_policy(self._get_param("InlinePolicy"))
        return before(self)


def _permission_set(self: SSOAdminResponse) -> PermissionSet:
    return self.ssoadmin_backend._find_permission_set(
        self._get_param("InstanceArn"), self._get_param("PermissionSetArn")
    )


def _checked_duration(text: str) -> str:
    match = _DURATION.fullmatch(text)
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups()) if match else (0, 0, 0, 0)
    if not 3_600 <= days * 86_400 + hours * 3_600 + minutes * 60 + seconds <= 43_200:
        raise ValidationException(f"SessionDuration {text!r} is not an ISO 8601 duration between PT1H and PT12H.")
    return text


def _check_policy(text: str) -> None:
    # 32,768 characters, and 10,240 without white space once it is a role's inline policy.
    if len(re.sub(r"\s", "", text)) > 10_240:
        raise ValidationException("The inline policy is longer than 10240 characters.")
    try:
        statements = json.loads(text)["Statement"]
    except (ValueError, KeyError, TypeError):
        raise ValidationException("The inline policy is no policy document.") from None
    if not statements:
        raise ValidationException("The inline policy has no statement.")


def _patch_assignments() -> None:
    @replace(SSOAdminResponse, "create_account_assignment")
    def create_account_assignment(_before: Method, self: SSOAdminResponse) -> str:
        return json.dumps({"AccountAssignmentCreationStatus": _begin_assigning(self)})

    @replace(SSOAdminResponse, "describe_account_assignment_creation_status")
    def describe_creation(_before: Method, self: SSOAdminResponse) -> str:
        status = outcome(self.ssoadmin_backend, self._get_param("AccountAssignmentCreationRequestId"))
        return json.dumps({"AccountAssignmentCreationStatus": status})

    @replace(SSOAdminResponse, "delete_account_assignment")
    def delete_account_assignment(_before: Method, self: SSOAdminResponse) -> str:
        return json.dumps({"AccountAssignmentDeletionStatus": _begin_unassigning(self)})

    @replace(SSOAdminResponse, "describe_account_assignment_deletion_status")
    def describe_deletion(_before: Method, self: SSOAdminResponse) -> str:
        status = outcome(self.ssoadmin_backend, self._get_param("AccountAssignmentDeletionRequestId"))
        return json.dumps({"AccountAssignmentDeletionStatus": status})


def _assignment(self: SSOAdminResponse) -> dict[str, str]:
    return {
        "instance_arn": self._get_param("InstanceArn"),
        "target_id": self._get_param("TargetId"),
        "target_type": self._get_param("TargetType"),
        "permission_set_arn": self._get_param("PermissionSetArn"),
        "principal_type": self._get_param("PrincipalType"),
        "principal_id": self._get_param("PrincipalId"),
    }


def _begin_assigning(self: SSOAdminResponse) -> dict[str, Any]:
    sso, wanted, permission_set = self.ssoadmin_backend, _assignment(self), _permission_set(self)
    account_id = wanted["target_id"]

    def assign(done_at: float) -> None:
        store = sso.instances[0].identity_store_id
        if not principal_exists(store, wanted["principal_type"], wanted["principal_id"]):
            raise ProvisioningFailed(f"Received a 404 status error: {wanted['principal_type']} not found.")
        is_new = find_role(permission_set, account_id) is None
        sso.create_account_assignment(**wanted)
        if is_new:
            role_known_from(permission_set, account_id, done_at)

    return begin(sso, _assignment_status(wanted), frozenset((account_id,)), assign)


def _begin_unassigning(self: SSOAdminResponse) -> dict[str, Any]:
    sso, wanted = self.ssoadmin_backend, _assignment(self)
    _permission_set(self)
    if not any(_same(AccountAssignment(**wanted), known) for known in sso.account_assignments):
        raise ResourceNotFoundException("The account assignment does not exist.")

    def unassign(_done_at: float) -> None:
        sso.delete_account_assignment(**wanted)

    return begin(sso, _assignment_status(wanted), frozenset((wanted["target_id"],)), unassign)


def _assignment_status(wanted: dict[str, str]) -> dict[str, Any]:
    return dict(AccountAssignment(**wanted).to_json(include_creation_date=True, include_request_id=True))


def _patch_provisioning_calls() -> None:
    @replace(SSOAdminResponse, "provision_permission_set")
    def provision_permission_set(_before: Method, self: SSOAdminResponse) -> str:
        return json.dumps({"PermissionSetProvisioningStatus": _begin_provisioning(self)})

    @replace(SSOAdminResponse, "describe_permission_set_provisioning_status")
    def describe_provisioning(_before: Method, self: SSOAdminResponse) -> str:
        status = outcome(self.ssoadmin_backend, self._get_param("ProvisionPermissionSetRequestId"))
        return json.dumps({"PermissionSetProvisioningStatus": status})

    @replace(SSOAdminResponse, "list_permission_sets_provisioned_to_account")
    def list_permission_sets_provisioned(_before: Method, self: SSOAdminResponse) -> str:
        account_id = self._get_param("AccountId")
        arns = {a.permission_set_arn for a in self.ssoadmin_backend.account_assignments if a.target_id == account_id}
        return _page(self, "PermissionSets", sorted(arns))

    @replace(SSOAdminResponse, "list_accounts_for_provisioned_permission_set")
    def list_accounts(_before: Method, self: SSOAdminResponse) -> str:
        return _page(
            self, "AccountIds", _accounts_with(self.ssoadmin_backend, _permission_set(self).permission_set_arn)
        )


def _begin_provisioning(self: SSOAdminResponse) -> dict[str, Any]:
    sso, permission_set, target = self.ssoadmin_backend, _permission_set(self), self._get_param("TargetId")
    accounts = _accounts_with(sso, permission_set.permission_set_arn)
    if self._get_param("TargetType") != "ALL_PROVISIONED_ACCOUNTS":
        if target not in accounts:
            raise ResourceNotFoundException(f"The permission set is not provisioned in account {target}.")
        accounts = [target]
    status = {
        "RequestId": str(mock_random.uuid4()),
        "PermissionSetArn": permission_set.permission_set_arn,
        "CreatedDate": unix_time(),
    }
    if target:
        status["AccountId"] = target

    def provision(_done_at: float) -> None:
        for account_id in accounts:
            provision_role(sso, permission_set, account_id)

    return begin(sso, status, frozenset(accounts), provision)


def _page(self: SSOAdminResponse, key: str, items: list[Any]) -> str:
    page, token = page_of(items, self._get_param("NextToken"), self._get_param("MaxResults"), _USUAL_PAGE)
    return json.dumps({key: page} | ({"NextToken": token} if token else {}))


def _patch_tags() -> None:
    def tagged(self: SSOAdminResponse) -> PermissionSet:
        return self.ssoadmin_backend._find_permission_set(
            self._get_param("InstanceArn") or self.ssoadmin_backend.instances[0].instance_arn,
            self._get_param("ResourceArn"),
        )

    @replace(SSOAdminResponse, "tag_resource")
    def tag_resource(_before: Method, self: SSOAdminResponse) -> str:
        new = self._get_param("Tags")
        names = {tag["Key"] for tag in new}
        resource = tagged(self)
        resource.tags = [tag for tag in resource.tags or [] if tag["Key"] not in names] + new
        return "{}"

    @replace(SSOAdminResponse, "untag_resource")
    def untag_resource(_before: Method, self: SSOAdminResponse) -> str:
        resource, names = tagged(self), self._get_param("TagKeys")
        resource.tags = [tag for tag in resource.tags or [] if tag["Key"] not in names]
        return "{}"

    @replace(SSOAdminResponse, "list_tags_for_resource")
    def list_tags_for_resource(_before: Method, self: SSOAdminResponse) -> str:
        return _page(self, "Tags", tagged(self).tags or [])


def _patch_boundaries() -> None:
    @replace(SSOAdminResponse, "put_permissions_boundary_to_permission_set")
    def put_boundary(_before: Method, self: SSOAdminResponse) -> str:
        vars(_permission_set(self))["boundary"] = self._get_param("PermissionsBoundary")
        return "{}"

    @replace(SSOAdminResponse, "get_permissions_boundary_for_permission_set")
    def get_boundary(_before: Method, self: SSOAdminResponse) -> str:
        boundary = vars(_permission_set(self)).get("boundary")
        if boundary is None:
            raise ResourceNotFoundException("Permissions boundary not found")
        return json.dumps({"PermissionsBoundary": boundary})

    @replace(SSOAdminResponse, "delete_permissions_boundary_from_permission_set")
    def delete_boundary(_before: Method, self: SSOAdminResponse) -> str:
        vars(_permission_set(self)).pop("boundary", None)
        return "{}"
