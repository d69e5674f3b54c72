"""What IAM of an account holds, as the plan looks it up: from the stored tables, never from AWS."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from raito_pipeline.aws.access.account import Account
from raito_pipeline.aws.access.external_ids import POLICY, RESERVED_ROLE, ROLE, USER, is_reserved
from raito_pipeline.aws.access.inputs import AccessInputs
from raito_pipeline.aws.push.account.center_state import NO_CENTER, CenterState
from raito_pipeline.aws.push.account.imported import ImportView
from raito_pipeline.aws.push.account.point_state import NO_POINTS, PointState
from raito_pipeline.config.groups import AccessOptions, IamOptions
from raito_pipeline.model import (
    AccessProvider,
    IamAttachment,
    IamGroup,
    IamPolicy,
    IamRole,
    IamUser,
    Tag,
    WhoEntry,
    is_aws_managed,
)

Principal = tuple[str, str]
"""`user`, `group` or `role`, and the name"""
AWS_PATHS = ("/aws-reserved/", "/aws-service-role/")
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html"""
RESERVED_PATH = "/aws-reserved/sso.amazonaws.com/"
"""where the roles are that Identity Center makes of permission sets"""
PARTS = {
    "managed policies": "aws_access_skip_managed_policies",
    "policies of AWS": "aws_access_skip_aws_managed_policies",
    "inline policies of a user": "aws_access_skip_user_inline_policies",
    "inline policies of a group": "aws_access_skip_group_inline_policies",
}
"""What an option can leave out of IAM as it is read."""


@dataclass(frozen=True)
class PushState:
    """IAM of one account, by name."""

    account_id: str
    users: Mapping[str, IamUser]
    members: Mapping[str, tuple[str, ...]]
    """users by group, groups without members included"""
    roles: Mapping[str, IamRole]
    policies: Mapping[str, IamPolicy]
    """by name; one of AWS by its ARN, where the account has one with its name"""
    inline: Mapping[Principal, Mapping[str, str]]
    """documents of inline policies by who has them, and by their name"""
    attached: Mapping[str, frozenset[Principal]]
    """who has a managed policy, by ARN; no roles of permission sets, as they are Identity Center's to change"""
    reserved: Mapping[str, frozenset[str]]
    """ARNs of managed policies by role of a permission set (`AWSReservedSSO_...`)"""
    center: CenterState = NO_CENTER
    points: PointState = NO_POINTS
    not_read: Mapping[str, str] = field(default_factory=dict)
    """what options leave out of IAM, as `PARTS` names it, and the option that does so"""

    imported: ImportView | None = None
    """what the import says of the account"""

    @cached_property
    def view(self) -> ImportView:
        """What the import says of the account; of one whose import is not known, what `*` gives."""
        if self.imported is not None:
            return self.imported
        users, roles = tuple(self.users.values()), tuple(self.roles.values())
        inputs = AccessInputs(self.account_id, users, (), roles, (), (), (), ())
        return ImportView(Account(inputs, AccessOptions()), {})

    @cached_property
    def user_names(self) -> Mapping[str, str]:
        """The names of the users by ARN."""
        return {user.arn: name for name, user in self.users.items()}

    @cached_property
    def identities(self) -> frozenset[str]:
        """The ARNs of the users and roles."""
        return frozenset(self.user_names) | {role.arn for role in self.roles.values()}

    @cached_property
    def bounded(self) -> Mapping[str, tuple[str, ...]]:
        """Whom a managed policy of the account (`policy:NAME`) limits as permissions boundary: `user:`, `role:NAME`."""
        limited: dict[str, list[str]] = defaultdict(list)
        users = ((f"{USER}{name}", row.permissions_boundary_arn) for name, row in sorted(self.users.items()))
        roles = ((f"{ROLE}{name}", row.permissions_boundary_arn) for name, row in sorted(self.roles.items()))
        for whose, arn in (*users, *roles):
            if arn is not None and not is_aws_managed(arn):
                limited[f"{POLICY}{arn.rpartition('/')[2]}"].append(whose)
        return {policy: tuple(whose) for policy, whose in limited.items()}

    def policy(self, name_or_arn: str) -> IamPolicy | None:
        """A managed policy as external ids name it; None where there is none."""
        policy = self.policies.get(name_or_arn) or self.policies.get(name_or_arn.rpartition("/")[2])
        return policy if policy is not None and name_or_arn in (policy.policy_name, policy.arn) else None

    def users_of(self, who: WhoEntry) -> tuple[set[str], list[str], list[str]]:
        """The users that a who names, by name and through groups; then groups and users that IAM does not have."""
        names = set(who.users).union(*(self.members.get(group, ()) for group in who.groups))
        groups = [group for group in who.groups if group not in self.members]
        return names & self.users.keys(), groups, sorted(names - self.users.keys())

    def reserved_roles(self, permission_set: str) -> list[IamRole]:
        """The roles that Identity Center made of a permission set here: one, as long as it is assigned here."""
        return [
            role
            for name, role in sorted(self.roles.items())
            if is_reserved_for(name, permission_set) and role.path.startswith(RESERVED_PATH)
        ]

    def of_aws(self, role: str) -> bool:
        """True for a role of AWS that IAM changes for nobody: that of a permission set, or a service's own."""
        known = self.roles.get(role)
        return is_reserved(role) or (known is not None and known.path.startswith(AWS_PATHS))

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
        options: IamOptions | None = None,
        imported: ImportView | None = None,
    ) -> "PushState":
        """Index the stored tables of an account.

        `options` say what was not read of it, `imported` what Raito Cloud is told of it.
        """
        wanted = options or IamOptions()
        members: dict[str, list[str]] = {group.group_name: [] for group in groups}
        listed = {user.user_name: user for user in users}
        for user in listed.values():
            for group in user.group_names:
                members.setdefault(group, []).append(user.user_name)
        inline: dict[Principal, dict[str, str]] = defaultdict(dict)
        attached: dict[str, set[Principal]] = defaultdict(set)
        reserved: dict[str, set[str]] = defaultdict(set)
        for row in (each for each in attachments if _is_imported(each, wanted)):
            if row.kind == "inline" and row.document is not None:
                inline[row.principal_type, row.principal_name][row.policy_name] = row.document
            elif row.policy_arn is not None and row.principal_type == "role" and is_reserved(row.principal_name):
                reserved[row.principal_name].add(row.policy_arn)
            elif row.policy_arn is not None:
                attached[row.policy_arn].add((row.principal_type, row.principal_name))
        return PushState(
            account_id,
            listed,
            {group: tuple(sorted(names)) for group, names in members.items()},
            {role.role_name: role for role in roles},
            _by_name(row for row in policies if _imports(wanted, row.aws_managed)),
            dict(inline),
            {arn: frozenset(principals) for arn, principals in attached.items()},
            {role: frozenset(arns) for role, arns in reserved.items()},
            center,
            points,
            not_read=_not_read(wanted),
            imported=imported,
        )

    def reserved_with(self, policy_arn: str) -> list[str]:
        """The roles of permission sets that have a managed policy."""
        return sorted(role for role, arns in self.reserved.items() if policy_arn in arns)

    @staticmethod
    def of_account(
        inputs: AccessInputs,
        options: AccessOptions,
        imported: Mapping[str, AccessProvider],
        center: CenterState = NO_CENTER,
        points: PointState = NO_POINTS,
        unshown: Mapping[str, Sequence[str]] | None = None,
    ) -> "PushState":
        """Index the stored tables of an account. `imported` is what its last import said of it, by external id.

        `unshown` are those whom imports before did not show, as the last plan noted them.
        """
        return PushState.of(
            inputs.account_id,
            inputs.users,
            inputs.groups,
            inputs.roles,
            inputs.policies,
            inputs.attachments,
            center,
            points,
            options,
            ImportView(Account(inputs, options), imported, unshown=unshown or {}),
        )

    def with_policy_tags(self, tags: Mapping[str, tuple[Tag, ...]]) -> "PushState":
        """The same with the tags of policies that were asked for."""
        policies = {name: replace(row, tags=tags.get(row.arn, row.tags)) for name, row in self.policies.items()}
        return replace(self, policies=policies)


def _by_name(policies: Iterable[IamPolicy]) -> dict[str, IamPolicy]:
    own, of_aws = {}, []
    for row in policies:
        if row.aws_managed:
            of_aws.append(row)
        else:
            own[row.policy_name] = row
    return own | {row.arn if row.policy_name in own else row.policy_name: row for row in of_aws}


def _is_imported(row: IamAttachment, options: IamOptions) -> bool:
    """False for what the tables hold for the sake of its Denies alone: a push leaves it as it is."""
    if row.policy_arn is None:
        return options.imports_inline_policies(row.principal_type, row.principal_name)
    return _imports(options, is_aws_managed(row.policy_arn))


def _imports(options: IamOptions, aws_managed: bool) -> bool:
    return options.imports_aws_managed_policies if aws_managed else options.imports_managed_policies


def is_reserved_for(role_name: str, permission_set: str) -> bool:
    """True for the name of a role that Identity Center made of a permission set."""
    match = RESERVED_ROLE.fullmatch(role_name)
    return match is not None and match["permission_set"] == permission_set


def _not_read(options: IamOptions) -> dict[str, str]:
    unread = {}
    for part, name in PARTS.items():
        if getattr(options, name):
            unread[part] = name.replace("_", "-")
    return unread
