"""What IAM of an account holds, as the plan looks it up: from the stored tables, never from AWS."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from raito_pipeline.aws.access.external_ids import is_reserved
from raito_pipeline.aws.push.center_state import NO_CENTER, CenterState
from raito_pipeline.aws.push.point_state import NO_POINTS, PointState
from raito_pipeline.model import IamAttachment, IamGroup, IamPolicy, IamRole, IamUser

Principal = tuple[str, str]
"""`user`, `group` or `role`, and the name"""


@dataclass(frozen=True)
class PushState:
    """IAM of one account, by name."""

    account_id: str
    users: Mapping[str, IamUser]
    members: Mapping[str, tuple[str, ...]]
    """users by group, groups without members included"""
    roles: Mapping[str, IamRole]
    policies: Mapping[str, IamPolicy]
    """a policy of the account hides one of AWS with the same name"""
    inline: Mapping[str, Mapping[str, str]]
    """documents of inline policies by role and policy"""
    attached: Mapping[str, frozenset[Principal]]
    """who has a managed policy, by ARN; no roles of permission sets, as they are Identity Center's to change"""
    reserved: Mapping[str, frozenset[str]]
    """ARNs of managed policies by role of a permission set (`AWSReservedSSO_...`)"""
    center: CenterState = NO_CENTER
    points: PointState = NO_POINTS

    @staticmethod
    def of(
        account_id: str,
        users: Iterable[IamUser],
        groups: Iterable[IamGroup],
        roles: Iterable[IamRole],
        policies: Iterable[IamPolicy],
        attachments: Iterable[IamAttachment],
        center: CenterState = NO_CENTER,
        points: PointState = NO_POINTS,
    ) -> "PushState":
        """Index the stored tables of an account."""
        members: dict[str, list[str]] = {group.group_name: [] for group in groups}
        listed = {user.user_name: user for user in users}
        for user in listed.values():
            for group in user.group_names:
                members.setdefault(group, []).append(user.user_name)
        inline: dict[str, dict[str, str]] = defaultdict(dict)
        attached: dict[str, set[Principal]] = defaultdict(set)
        reserved: dict[str, set[str]] = defaultdict(set)
        for row in attachments:
            if row.kind == "inline" and row.principal_type == "role" and row.document is not None:
                inline[row.principal_name][row.policy_name] = row.document
            elif row.policy_arn is not None and row.principal_type == "role" and is_reserved(row.principal_name):
                reserved[row.principal_name].add(row.policy_arn)
            elif row.policy_arn is not None:
                attached[row.policy_arn].add((row.principal_type, row.principal_name))
        return PushState(
            account_id,
            listed,
            {group: tuple(sorted(names)) for group, names in members.items()},
            {role.role_name: role for role in roles},
            {row.policy_name: row for row in sorted(policies, key=lambda row: not row.aws_managed)},
            dict(inline),
            {arn: frozenset(principals) for arn, principals in attached.items()},
            {role: frozenset(arns) for role, arns in reserved.items()},
            center,
            points,
        )

    def reserved_with(self, policy_arn: str) -> list[str]:
        """The roles of permission sets that have a managed policy."""
        return sorted(role for role, arns in self.reserved.items() if policy_arn in arns)
