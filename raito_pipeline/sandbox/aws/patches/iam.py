"""IAM: paging where the emulator gives everything at once, and the refusals that AWS gives.

Refusals stand in the answers to calls only; what is seeded in-process may break AWS's limits.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from botocore.model import OperationModel
from moto.core.responses import ActionResult, EmptyResult
from moto.core.serialize import url_encode
from moto.iam.exceptions import DeleteConflictException, ValidationError
from moto.iam.models import AWSManagedPolicy, IAMBackend, ManagedPolicy
from moto.iam.responses import IamResponse

from raito_pipeline.sandbox.aws.pace import current_pace
from raito_pipeline.sandbox.aws.patches.aws_managed import load_aws_managed
from raito_pipeline.sandbox.aws.patches.iam_names import refuse_taken_name
from raito_pipeline.sandbox.aws.patches.paging import page_of
from raito_pipeline.sandbox.aws.patches.principals import known_from
from raito_pipeline.sandbox.aws.patches.protected_roles import refuse_protected_role
from raito_pipeline.sandbox.aws.patches.replacing import Method, replace
from raito_pipeline.sandbox.aws.patches.service_models import before_each_call, broken_constraint

_USUAL_PAGE = 100
_ENCODED = (
    "RoleDetail.AssumeRolePolicyDocument",
    "Roles.Role.AssumeRolePolicyDocument",
    "GetPolicyVersionResponse.PolicyVersion.Document",
)


def patch_iam() -> None:
    """Mend IAM's lists, attachments and deletions."""
    _patch_attachments()
    _patch_deletions()
    _patch_lists()
    _patch_details()
    for path in _ENCODED:
        IamResponse.RESPONSE_KEY_PATH_TO_TRANSFORMER[path] = url_encode

    @replace(IamResponse, "update_role")
    def update_role(_before: Method, self: IamResponse) -> ActionResult:
        role = self.backend.get_role(self._get_param("RoleName"))
        description = self._get_param("Description")
        duration = self._get_param("MaxSessionDuration")
        role.description = role.description if description is None else description
        role.max_session_duration = duration or role.max_session_duration
        return EmptyResult()


def patch_iam_refusals() -> None:
    """Refuse what no call may do; comes after the other patches of IAM, so that it looks at a call before they do."""
    before_each_call(IamResponse, "iam", _refuse)

    @replace(IamResponse, "create_role")
    def create_role(before: Method, self: IamResponse) -> Any:
        answer = before(self)
        known_from(
            self.backend.get_role(self._get_param("RoleName")), time.monotonic() + current_pace().new_role_seconds
        )
        return answer


def _refuse(self: IamResponse, operation: OperationModel) -> None:
    broken = broken_constraint(operation, self.params)
    if broken:
        raise ValidationError(broken)
    refuse_protected_role(self, operation)
    refuse_taken_name(self, operation)


def _patch_attachments() -> None:
    @replace(ManagedPolicy, "attach_to")
    def attach_to(before: Method, self: ManagedPolicy, entity: Any) -> None:
        if self.arn not in entity.managed_policies:
            before(self, entity)

    def loading(name: str) -> None:
        @replace(IAMBackend, name)
        def load_first(before: Method, self: IAMBackend, policy_arn: str, *args: Any, **kwargs: Any) -> Any:
            load_aws_managed(self, policy_arn)
            return before(self, policy_arn, *args, **kwargs)

    for name in ("get_policy", "attach_role_policy", "attach_user_policy", "attach_group_policy"):
        loading(name)


def _patch_deletions() -> None:
    @replace(IamResponse, "delete_policy")
    def delete_policy(before: Method, self: IamResponse) -> Any:
        policy = self.backend.get_policy(self._get_param("PolicyArn"))
        if policy.attachment_count > 0:
            raise DeleteConflictException("Cannot delete a policy attached to entities.")
        if len(policy.versions) > 1:
            raise DeleteConflictException(
                "This policy has more than one version. Before you delete a policy, you must delete the policy's "
                "versions. The default version is deleted with the policy."
            )
        return before(self)

    @replace(IamResponse, "delete_user")
    def delete_user(before: Method, self: IamResponse) -> Any:
        user = self.backend.get_user(self._get_param("UserName"))
        if user.access_keys:
            raise DeleteConflictException("Cannot delete entity, must delete access keys first.")
        if user.password:
            raise DeleteConflictException("Cannot delete entity, must delete login profile first.")
        if self.backend.get_groups_for_user(user.name):
            raise DeleteConflictException("Cannot delete entity, must remove users from group first.")
        return before(self)

    @replace(IamResponse, "delete_group")
    def delete_group(before: Method, self: IamResponse) -> Any:
        group = self.backend.get_group(self._get_param("GroupName"))
        if group.users:
            raise DeleteConflictException("Cannot delete entity, must remove users from group first.")
        if group.managed_policies:
            raise DeleteConflictException("Cannot delete entity, must detach all policies first.")
        if group.policies:
            raise DeleteConflictException("Cannot delete entity, must delete policies first.")
        return before(self)


def _paged(self: IamResponse, key: str, items: Iterable[Any], **more: Any) -> ActionResult:
    page, marker = page_of(list(items), self._get_param("Marker"), self._get_param("MaxItems"), _USUAL_PAGE)
    return ActionResult({**more, key: page, "IsTruncated": marker is not None, "Marker": marker})


def _under_path(self: IamResponse, items: Iterable[Any]) -> list[Any]:
    prefix = self._get_param("PathPrefix") or "/"
    return sorted((item for item in items if item.path.startswith(prefix)), key=lambda item: str(item.name))


def _patch_lists() -> None:
    @replace(IamResponse, "list_users")
    def list_users(_before: Method, self: IamResponse) -> ActionResult:
        return _paged(self, "Users", _under_path(self, self.backend.users.values()))

    @replace(IamResponse, "list_groups")
    def list_groups(_before: Method, self: IamResponse) -> ActionResult:
        return _paged(self, "Groups", _under_path(self, self.backend.groups.values()))

    @replace(IamResponse, "get_group")
    def get_group(_before: Method, self: IamResponse) -> ActionResult:
        group = self.backend.get_group(self._get_param("GroupName"))
        return _paged(self, "Users", group.users, Group=group)

    @replace(IamResponse, "list_groups_for_user")
    def list_groups_for_user(_before: Method, self: IamResponse) -> ActionResult:
        return _paged(self, "Groups", self.backend.get_groups_for_user(self._get_param("UserName")))

    @replace(IamResponse, "list_policy_versions")
    def list_policy_versions(_before: Method, self: IamResponse) -> ActionResult:
        return _paged(self, "Versions", self.backend.list_policy_versions(self._get_param("PolicyArn")))

    @replace(IamResponse, "list_instance_profiles_for_role")
    def list_instance_profiles_for_role(_before: Method, self: IamResponse) -> ActionResult:
        profiles = self.backend.get_instance_profiles_for_role(role_name=self._get_param("RoleName"))
        return _paged(self, "InstanceProfiles", profiles)

    for kind in ("Role", "User", "Group"):
        _patch_inline_list(kind)

    @replace(IamResponse, "list_entities_for_policy")
    def list_entities_for_policy(_before: Method, self: IamResponse) -> ActionResult:
        return _entities_for_policy(self)


def _patch_inline_list(kind: str) -> None:
    @replace(IamResponse, f"list_{kind.lower()}_policies")
    def list_policies(_before: Method, self: IamResponse) -> ActionResult:
        names = getattr(self.backend, f"list_{kind.lower()}_policies")(self._get_param(f"{kind}Name"))
        return _paged(self, "PolicyNames", list(names))


def _entities_for_policy(self: IamResponse) -> ActionResult:
    policy = self.backend.get_policy(self._get_param("PolicyArn"))
    wanted = self._get_param("EntityFilter")
    kinds: dict[str, Mapping[str, Any]] = {
        "Group": self.backend.groups,
        "User": self.backend.users,
        "Role": self.backend.roles,
    }
    attached = [
        (kind, entity)
        for kind, entities in kinds.items()
        if wanted in (None, kind)
        for entity in _under_path(self, entities.values())
        if policy.arn in entity.managed_policies
    ]
    page, marker = page_of(attached, self._get_param("Marker"), self._get_param("MaxItems"), _USUAL_PAGE)
    lists = {f"Policy{kind}s": [entity for of, entity in page if of == kind] for kind in kinds}
    return ActionResult({**lists, "IsTruncated": marker is not None, "Marker": marker})


_DETAIL_LISTS = {
    "User": "UserDetailList",
    "Group": "GroupDetailList",
    "Role": "RoleDetailList",
    "LocalManagedPolicy": "Policies",
    "AWSManagedPolicy": "Policies",
}


def _patch_details() -> None:
    # The emulator finds what to answer by attribute name, and these two have other names for this one call.
    setattr(ManagedPolicy, "policy_name", property(lambda self: self.name))  # noqa: B010
    setattr(ManagedPolicy, "policy_id", property(lambda self: self.id))  # noqa: B010

    @replace(IamResponse, "get_account_authorization_details")
    def get_account_authorization_details(_before: Method, self: IamResponse) -> ActionResult:
        wanted = self._get_param("Filter") or list(_DETAIL_LISTS)
        details = [(kind, entity) for kind, entity in _details(self.backend) if kind in wanted]
        page, marker = page_of(details, self._get_param("Marker"), self._get_param("MaxItems"), _USUAL_PAGE)
        lists: dict[str, list[Any]] = {name: [] for name in _DETAIL_LISTS.values()}
        for kind, entity in page:
            lists[_DETAIL_LISTS[kind]].append(entity)
        return ActionResult({**lists, "IsTruncated": marker is not None, "Marker": marker})


def _details(iam: IAMBackend) -> Iterable[tuple[str, Any]]:
    yield from (("User", user) for user in iam.users.values())
    yield from (("Group", group) for group in iam.groups.values())
    yield from (("Role", role) for role in iam.roles.values())
    for policy in iam.managed_policies.values():
        if not isinstance(policy, AWSManagedPolicy):
            yield "LocalManagedPolicy", policy
        elif policy.attachment_count > 0:
            yield "AWSManagedPolicy", policy
