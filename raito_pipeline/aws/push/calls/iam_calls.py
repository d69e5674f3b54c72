"""The changes of IAM that a push makes, each as one function: what is gone already counts as removed.

Everything here may be done again after it was broken off: a push that stopped in the middle is finished by the next.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from raito_pipeline.aws.access.external_ids import is_reserved
from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.aws.connection.errors import AwsError, AwsGone
from raito_pipeline.aws.connection.paging import MARKER, Answer, Service
from raito_pipeline.aws.readers.reading import tags_of
from raito_pipeline.model import Tag

T = TypeVar("T")

MOST_VERSIONS = 5
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
_EXISTS = "EntityAlreadyExists"
_CONCURRENT = "ConcurrentModification"
_PAUSES = (0.5, 1.0, 2.0, 4.0)


class Iam:
    """The IAM calls of a push in one account, thread-safe. Every method raises `AwsError` where AWS refuses.

    `pauses` are the seconds between attempts where IAM has not caught up with a change that was made before.
    """

    def __init__(self, clients: AwsClients, account_id: str, pauses: Sequence[float] = _PAUSES) -> None:
        self._service = Service(clients, "iam", MARKER)
        self._account_id = account_id
        self._pauses = tuple(pauses)

    def arn(self, kind: str, name: str, path: str = "/") -> str:
        """The ARN of a principal (`user`, `group`, `role`) or a policy by its name, as messages show it."""
        return f"arn:{self._service.client.meta.partition}:iam::{self._account_id}:{kind}{path}{name}"

    # -- roles ------------------------------------------------------------------------------------------

    def role_tags(self, name: str) -> tuple[Tag, ...] | None:
        """The tags that the role carries now, or None where there is no such role."""
        return self._tags("GetRole", "Role", self.arn("role", name), RoleName=name)

    def role_arn(self, name: str) -> str | None:
        """The ARN of a role, with the path that it has, or None where there is no such role."""
        try:
            return str(self._service.get("GetRole", self.arn("role", name), RoleName=name)["Role"]["Arn"])
        except AwsGone:
            return None

    def role_trust(self, name: str) -> str | None:
        """The trust policy of a role, or None where there is no such role."""
        try:
            role = self._service.get("GetRole", self.arn("role", name), RoleName=name)["Role"]
        except AwsGone:
            return None
        return _text(role["AssumeRolePolicyDocument"])

    def role_boundary(self, name: str) -> str | None:
        """The ARN of the permissions boundary of a role, or None where it has none, or there is no such role."""
        try:
            role = self._service.get("GetRole", self.arn("role", name), RoleName=name)["Role"]
        except AwsGone:
            return None
        return (role.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn")

    def set_role_boundary(self, name: str, policy_arn: str) -> None:
        """Set the permissions boundary of a role, in the place of the one that it has."""
        arn = self.arn("role", name)
        self._call("PutRolePermissionsBoundary", arn, RoleName=name, PermissionsBoundary=policy_arn)

    def inline_document(self, role: str, policy: str) -> str | None:
        """An inline policy of a role, or None where there is no such policy (or role)."""
        return self.inline_document_of("role", role, policy)

    def inline_document_of(self, kind: str, name: str, policy: str) -> str | None:
        """An inline policy of a `user`, `group` or `role`, or None where there is none (or not its owner)."""
        title = kind.title()
        request = {f"{title}Name": name, "PolicyName": policy}
        try:
            return _text(self._service.get(f"Get{title}Policy", self.arn(kind, name), **request)["PolicyDocument"])
        except AwsGone:
            return None

    def create_role(self, name: str, request: Mapping[str, Any]) -> bool:
        """Create a role; `request` holds the other members of `CreateRole`. False where there is one of this name."""
        return self._create("CreateRole", self.arn("role", name, request.get("Path", "/")), RoleName=name, **request)

    def set_trust(self, name: str, document: str, *, fresh: bool = False) -> None:
        """Replace the trust policy of a role."""
        arn = self.arn("role", name)
        self._call("UpdateAssumeRolePolicy", arn, fresh, RoleName=name, PolicyDocument=document)

    def put_inline(self, role: str, policy: str, document: str, *, fresh: bool = False) -> None:
        """Write an inline policy of a role, whether it was there or not."""
        arn = self.arn("role", role)
        self._call("PutRolePolicy", arn, fresh, RoleName=role, PolicyName=policy, PolicyDocument=document)

    def delete_inline(self, role: str, policy: str) -> None:
        """Remove an inline policy of a role."""
        self._remove("DeleteRolePolicy", self.arn("role", role), RoleName=role, PolicyName=policy)

    def put_inline_of(self, kind: str, name: str, policy: str, document: str) -> None:
        """Write an inline policy of a `user` or a `group`."""
        request: dict[str, Any] = {f"{kind.title()}Name": name, "PolicyName": policy, "PolicyDocument": document}
        self._call(f"Put{kind.title()}Policy", self.arn(kind, name), **request)

    def delete_inline_of(self, kind: str, name: str, policy: str) -> None:
        """Remove an inline policy of a `user` or a `group`."""
        request = {f"{kind.title()}Name": name, "PolicyName": policy}
        self._remove(f"Delete{kind.title()}Policy", self.arn(kind, name), **request)

    def attached_to_role(self, name: str) -> tuple[str, ...]:
        """The ARNs of the managed policies of a role; none where there is no such role."""
        return tuple(
            str(one["PolicyArn"]) for one in self._of_role("ListAttachedRolePolicies", "AttachedPolicies", name)
        )

    def inline_names(self, role: str) -> tuple[str, ...]:
        """The names of the inline policies of a role; none where there is no such role."""
        return tuple(map(str, self._of_role("ListRolePolicies", "PolicyNames", role)))

    def _of_role(self, operation: str, key: str, name: str) -> list[Any]:
        try:
            return list(self._service.items(operation, key, self.arn("role", name), RoleName=name))
        except AwsGone:
            return []

    def delete_role(self, name: str) -> None:
        """Delete a role, after what keeps AWS from deleting it: policies and instance profiles."""
        arn, role = self.arn("role", name), {"RoleName": name}
        try:
            for attached in self._service.items("ListAttachedRolePolicies", "AttachedPolicies", arn, **role):
                self.detach("role", name, attached["PolicyArn"])
            for policy in self._service.items("ListRolePolicies", "PolicyNames", arn, **role):
                self.delete_inline(name, policy)
            for profile in self._service.items("ListInstanceProfilesForRole", "InstanceProfiles", arn, **role):
                profile_name = profile["InstanceProfileName"]
                self._remove("RemoveRoleFromInstanceProfile", profile["Arn"], InstanceProfileName=profile_name, **role)
        except AwsGone:
            return
        self._remove("DeleteRole", arn, **role)

    # -- managed policies ------------------------------------------------------------------------------------------

    def policy_tags(self, arn: str) -> tuple[Tag, ...] | None:
        """The tags that the managed policy carries now, or None where there is no such policy."""
        return self._tags("GetPolicy", "Policy", arn, PolicyArn=arn)

    def create_policy(self, name: str, request: Mapping[str, Any]) -> bool:
        """Create a managed policy; `request` holds the other members. False where there is one of this name."""
        return self._create(
            "CreatePolicy", self.arn("policy", name, request.get("Path", "/")), PolicyName=name, **request
        )

    def policy_document(self, arn: str) -> Any:
        """The document that is in force, as the object that its JSON stands for; None without such a policy."""
        try:
            version = self._service.get("GetPolicy", arn, PolicyArn=arn)["Policy"]["DefaultVersionId"]
            answer = self._service.get("GetPolicyVersion", arn, PolicyArn=arn, VersionId=version)
        except AwsGone:
            return None
        document = answer["PolicyVersion"]["Document"]
        return json.loads(document) if isinstance(document, str) else document

    def policy_version(self, arn: str) -> str | None:
        """The version that is in force, `v1`; None without such a policy."""
        try:
            return str(self._service.get("GetPolicy", arn, PolicyArn=arn)["Policy"]["DefaultVersionId"])
        except AwsGone:
            return None

    def new_version(self, arn: str, document: str, *, fresh: bool = False) -> None:
        """Make a document the default version of a policy; the oldest other version makes room where there are five."""
        versions = self._versions(arn)
        others = sorted((v for v in versions if not v["IsDefaultVersion"]), key=_age)
        for old in others[: max(0, len(versions) - MOST_VERSIONS + 1)]:
            self._delete_version(arn, old)
        self._call("CreatePolicyVersion", arn, fresh, PolicyArn=arn, PolicyDocument=document, SetAsDefault=True)

    def delete_policy(self, arn: str) -> None:
        """Delete a managed policy, after it was detached from everybody and its other versions were deleted."""
        try:
            for kind, name in self._holders(arn):
                self.detach(kind, name, arn)
            for version in self._versions(arn):
                if not version["IsDefaultVersion"]:
                    self._delete_version(arn, version)
        except AwsGone:
            return
        self._remove("DeletePolicy", arn, PolicyArn=arn)

    def holders(self, policy_arn: str, *, reserved: bool = False) -> tuple[tuple[str, str], ...]:
        """Who has a managed policy: kind and name. None where there is no such policy.

        `reserved`: also the roles of permission sets, which Identity Center alone changes.
        """
        try:
            return tuple(self._holders(policy_arn, reserved=reserved))
        except AwsGone:
            return ()

    def _holders(self, arn: str, *, reserved: bool = False) -> list[tuple[str, str]]:
        request = {"PolicyArn": arn, "PolicyUsageFilter": "PermissionsPolicy"}
        pages = self._service.pages("ListEntitiesForPolicy", arn, **request)
        return [holder for page in pages for holder in _entities(page, reserved=reserved)]

    # -- attachments ------------------------------------------------------------------------------------------

    def has_attached(self, kind: str, name: str, policy_arn: str) -> bool:
        """Whether a `user`, `group` or `role` has a managed policy; false where there is no such principal."""
        title, arn = kind.title(), self.arn(kind, name)
        try:
            attached = self._service.items(
                f"ListAttached{title}Policies", "AttachedPolicies", arn, **{f"{title}Name": name}
            )
        except AwsGone:
            return False
        return any(policy["PolicyArn"] == policy_arn for policy in attached)

    def attach(self, kind: str, name: str, policy_arn: str, *, fresh: bool = False) -> None:
        """Attach a managed policy to a `user`, `group` or `role`; AWS takes what is attached already as done."""
        title = kind.title()
        request = {f"{title}Name": name, "PolicyArn": policy_arn}
        self._call(f"Attach{title}Policy", self.arn(kind, name), fresh, **request)

    def detach(self, kind: str, name: str, policy_arn: str) -> None:
        """Detach a managed policy from a `user`, `group` or `role`."""
        title = kind.title()
        request = {f"{title}Name": name, "PolicyArn": policy_arn}
        self._remove(f"Detach{title}Policy", self.arn(kind, name), **request)

    def tag(self, kind: str, name: str, tags: Sequence[Mapping[str, str]]) -> None:
        """Add tags to a `role`, by its name, or a `policy`, by its ARN; others stay."""
        if kind == "role":
            self._call("TagRole", self.arn(kind, name), RoleName=name, Tags=list(tags))
        else:
            self._call("TagPolicy", name, PolicyArn=name, Tags=list(tags))

    # -- how calls are made ------------------------------------------------------------------------------------------

    def _call(self, operation: str, resource: str, fresh: bool = False, **request: Any) -> None:
        self._patiently(lambda: self._service.get(operation, resource, **request), fresh)

    def _create(self, operation: str, resource: str, **request: Any) -> bool:
        try:
            self._call(operation, resource, **request)
        except AwsError as error:
            if error.code == _EXISTS:
                return False
            raise
        return True

    def _remove(self, operation: str, resource: str, **request: Any) -> None:
        try:
            self._call(operation, resource, **request)
        except AwsGone:
            return

    def _tags(self, operation: str, key: str, arn: str, **request: Any) -> tuple[Tag, ...] | None:
        try:
            answer = self._service.get(operation, arn, **request)[key]
        except AwsGone:
            return None
        return tags_of(answer.get("Tags"))

    def _versions(self, arn: str) -> list[Answer]:
        return self._service.items("ListPolicyVersions", "Versions", arn, PolicyArn=arn)

    def _delete_version(self, arn: str, version: Answer) -> None:
        self._remove("DeletePolicyVersion", arn, PolicyArn=arn, VersionId=version["VersionId"])

    def _patiently(self, call: Callable[[], T], fresh: bool) -> T:
        """Call again where IAM says that somebody else changes the same thing, or (`fresh`) does not yet know what this
        push has just made: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html (eventual consistency).
        """
        for pause in self._pauses:
            try:
                return call()
            except AwsError as error:
                if error.code != _CONCURRENT and not (fresh and isinstance(error, AwsGone)):
                    raise
            time.sleep(pause)
        return call()


def _text(document: Any) -> str:
    """A document as text: the SDK gives the object that its JSON stands for."""
    return document if isinstance(document, str) else json.dumps(document, ensure_ascii=False)


def _age(version: Answer) -> tuple[Any, int]:
    """Versions in the order in which they were made; the number decides where the times are equal."""
    return version["CreateDate"], int(str(version["VersionId"]).removeprefix("v") or 0)


def _entities(page: Answer, *, reserved: bool) -> list[tuple[str, str]]:
    return [
        (kind, entity[f"{kind.title()}Name"])
        for kind in ("user", "group", "role")
        for entity in page.get(f"Policy{kind.title()}s") or ()
        # AWS answers UnmodifiableEntity: Identity Center alone changes the roles of permission sets.
        if reserved or kind != "role" or not is_reserved(entity["RoleName"])
    ]
