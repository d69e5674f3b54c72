"""The IAM of an account as the previous sync stored it: what stands in for an element that cannot be read now."""

from collections import defaultdict
from collections.abc import Iterable

from raito_pipeline.aws.readers.iam_rows import PrincipalType
from raito_pipeline.model import IamAttachment, IamGroup, IamPolicy, IamRole, IamUser, Tag

_Principal = tuple[str, str]


class EarlierIam:
    """The rows of the five IAM tables by what names an element. A name that was given anew is another element.

    Every method gives None where the previous sync did not know the element: nothing can stand in for it then.
    """

    def __init__(
        self,
        users: Iterable[IamUser] = (),
        groups: Iterable[IamGroup] = (),
        roles: Iterable[IamRole] = (),
        policies: Iterable[IamPolicy] = (),
        attachments: Iterable[IamAttachment] = (),
    ) -> None:
        self._users = {row.user_id: row for row in users}
        self._roles = {row.role_id: row for row in roles}
        self._policies = {row.policy_id: row for row in policies}
        self._ids: dict[_Principal, str] = {("group", row.group_name): row.group_id for row in groups}
        self._ids |= {("user", row.user_name): row.user_id for row in self._users.values()}
        self._ids |= {("role", row.role_name): row.role_id for row in self._roles.values()}
        self._inline: dict[_Principal, list[IamAttachment]] = defaultdict(list)
        self._managed: dict[_Principal, list[IamAttachment]] = defaultdict(list)
        self._by_policy: dict[str, list[IamAttachment]] = defaultdict(list)
        for one in attachments:
            principal = (one.principal_type, one.principal_name)
            (self._inline if one.policy_arn is None else self._managed)[principal].append(one)
            if one.policy_arn is not None:
                self._by_policy[one.policy_arn].append(one)
        self._members: dict[str, list[str]] = defaultdict(list)
        for row in self._users.values():
            for group in row.group_names:
                self._members[group].append(row.user_name)

    def user(self, user_id: str) -> IamUser | None:
        """A user by its unique id."""
        return self._users.get(user_id)

    def role(self, role_id: str) -> IamRole | None:
        """A role by its unique id."""
        return self._roles.get(role_id)

    def policy(self, policy_id: str) -> IamPolicy | None:
        """A managed policy by its unique id, whichever version was the default one."""
        return self._policies.get(policy_id)

    def policy_of(self, arn: str) -> IamPolicy | None:
        """A managed policy by its ARN: for those of AWS, whose names are never given anew."""
        return next((row for row in self._policies.values() if row.arn == arn), None)

    def version(self, policy_id: str, version: str) -> IamPolicy | None:
        """A managed policy with the document of this version, which never changes."""
        row = self._policies.get(policy_id)
        is_its = row is not None and row.default_version_id == version and row.document_version_id is None
        return row if is_its else None

    def tags(self, policy_id: str, version: str) -> tuple[Tag, ...] | None:
        """The tags of a managed policy, if they were read when this version was the default one."""
        row = self._policies.get(policy_id)
        return row.tags if row is not None and row.default_version_id == version else None

    def members(self, group: str, group_id: str) -> list[str] | None:
        """The names of the users in a group."""
        return self._members[group] if self._knows("group", group, group_id) else None

    def inline(self, kind: PrincipalType, name: str, unique_id: str) -> list[IamAttachment] | None:
        """The inline policies of a user, group or role."""
        return self._inline[kind, name] if self._knows(kind, name, unique_id) else None

    def managed(self, kind: PrincipalType, name: str, unique_id: str) -> list[IamAttachment] | None:
        """The managed policies attached to a user, group or role."""
        return self._managed[kind, name] if self._knows(kind, name, unique_id) else None

    def attached(self, arn: str, policy_id: str) -> list[IamAttachment] | None:
        """Who a managed policy is attached to."""
        return self._by_policy[arn] if policy_id in self._policies else None

    def _knows(self, kind: PrincipalType, name: str, unique_id: str) -> bool:
        return self._ids.get((kind, name)) == unique_id
