"""The second way of reading IAM: single list and get calls, for credentials without the account details.

Every call is one of the documented policy of the account connector, and none is made twice. What is asked, and why
so: lists carry neither tags nor permissions boundaries, so each user and role is asked for once with its get call,
which carries both; members are asked by group, which there are fewer of; attachments are asked by policy or by
principal, whichever is fewer calls.
https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from raito_pipeline.aws.clients import AwsClients
from raito_pipeline.aws.errors import AwsDenied, AwsGone
from raito_pipeline.aws.iam_rows import (
    PAGE,
    AccountRows,
    Answer,
    PrincipalType,
    group_row,
    inline_attachment,
    is_aws_managed,
    managed_attachment,
    merged,
    policy_row,
    policy_text,
    role_row,
    user_row,
)
from raito_pipeline.aws.iam_settings import IamSettings
from raito_pipeline.aws.paging import MARKER, Service
from raito_pipeline.aws.reading import Progress, Workers, no_progress, workers
from raito_pipeline.model import IamAttachment

Job = Callable[[], AccountRows]


def read_lists(clients: AwsClients, settings: IamSettings, progress: Progress = no_progress) -> AccountRows:
    """All rows of an account but the tags of its policies. Raises `AwsError` where a mandatory read fails."""
    with workers(settings.concurrency) as pool:
        return _Lists(Service(clients, "iam", MARKER), settings, pool, progress).read()


@dataclass(frozen=True, slots=True)
class _Listed:
    """What the account holds, as the lists give it."""

    users: Sequence[Answer]
    groups: Sequence[Answer]
    roles: Sequence[Answer]
    policies: Sequence[Answer]

    def principals(self) -> Iterator[tuple[PrincipalType, Answer]]:
        for kind, answers in (("user", self.users), ("group", self.groups), ("role", self.roles)):
            for answer in answers:
                yield kind, answer  # type: ignore[misc]  # the literals of a tuple display count as str


class _Lists:
    """One read of an account by lists."""

    def __init__(self, iam: Service, settings: IamSettings, pool: Workers, progress: Progress) -> None:
        self.iam, self.settings, self.pool, self.progress = iam, settings, pool, progress
        self.members: dict[str, list[str]] = {}

    def read(self) -> AccountRows:
        listed = self._list()
        jobs: list[Job] = [partial(self._group, group) for group in listed.groups]
        jobs += [partial(self._user, user) for user in listed.users]
        jobs += [partial(self._role, role) for role in listed.roles]
        jobs += [partial(self._policy, policy) for policy in listed.policies]
        if self.settings.wants_policies:
            jobs += self._attachment_jobs(listed)
        rows = merged(self.pool.each(lambda job: job(), jobs, "IAM objects", self.progress))
        groups_of = defaultdict(list)
        for group, users in self.members.items():
            for user in users:
                groups_of[user].append(group)
        rows.users = [replace(user, group_names=tuple(sorted(groups_of[user.user_name]))) for user in rows.users]
        return rows

    def _list(self) -> _Listed:
        def lists(wanted: tuple[str, str, str, dict[str, Any]]) -> list[Answer]:
            operation, key, resource, request = wanted
            return self.iam.items(operation, key, resource, MaxItems=PAGE, **request)

        wanted: list[tuple[str, str, str, dict[str, Any]]] = [
            ("ListUsers", "Users", "*", {}),
            ("ListGroups", "Groups", "*", {}),
            ("ListRoles", "Roles", "*", {}),
        ]
        if self.settings.wants_policies:
            wanted.append(("ListPolicies", "Policies", "*", {"Scope": "Local"}))
        if self.settings.wants_policies and not self.settings.skip_aws_managed_policies:
            attached = {"Scope": "AWS", "OnlyAttached": True}
            wanted.append(("ListPolicies", "Policies", "*", attached))
        users, groups, roles, *policies = self.pool.each(lists, wanted, "IAM lists", self.progress)
        return _Listed(users, groups, roles, [policy for some in policies for policy in some])

    def _user(self, user: Answer) -> AccountRows:
        name = user["UserName"]
        try:
            got = self.iam.get("GetUser", user["Arn"], UserName=name)["User"]
            inline = self._inline("user", user)
        except AwsGone:
            return AccountRows()
        row = user_row(got, (), with_tags=not self.settings.excludes_user(name))
        return AccountRows(users=[row], attachments=inline)

    def _role(self, role: Answer) -> AccountRows:
        try:
            got = self.iam.get("GetRole", role["Arn"], RoleName=role["RoleName"])["Role"]
            inline = self._inline("role", role)
        except AwsGone:
            return AccountRows()
        return AccountRows(roles=[role_row(got)], attachments=inline)

    def _group(self, group: Answer) -> AccountRows:
        name = group["GroupName"]
        try:
            users = self.iam.items("GetGroup", "Users", group["Arn"], GroupName=name, MaxItems=PAGE)
            inline = self._inline("group", group)
        except AwsGone:
            return AccountRows()
        self.members[name] = [user["UserName"] for user in users]
        return AccountRows(groups=[group_row(group)], attachments=inline)

    def _inline(self, kind: PrincipalType, principal: Answer) -> list[IamAttachment]:
        named = f"{kind.capitalize()}Name"
        name, arn = principal[named], principal["Arn"]
        if not self.settings.wants_inline(kind, name):
            return []
        found = []
        listing, getting = f"List{kind.capitalize()}Policies", f"Get{kind.capitalize()}Policy"
        for policy in self.iam.items(listing, "PolicyNames", arn, **{named: name}, MaxItems=PAGE):
            try:
                got = self.iam.get(getting, arn, **{named: name, "PolicyName": policy})
            except AwsGone:
                continue
            found.append(inline_attachment(kind, name, policy, got["PolicyDocument"]))
        return found

    def _policy(self, policy: Answer) -> AccountRows:
        arn, version = policy["Arn"], policy["DefaultVersionId"]
        document = self.settings.remembered_policy_documents.get((policy["PolicyId"], version))
        if document is None:
            try:
                got = self.iam.get("GetPolicyVersion", arn, PolicyArn=arn, VersionId=version)
            except AwsGone:
                return AccountRows()
            except AwsDenied as denied:
                if not is_aws_managed(arn):
                    raise
                # The documented policy grants the account's own ARNs only, and those of AWS are not among them.
                return AccountRows(policies_denied=[denied])
            document = policy_text(got["PolicyVersion"]["Document"])
        return AccountRows(policies=[policy_row(policy, document)])

    def _attachment_jobs(self, listed: _Listed) -> list[Job]:
        attached = sorted(
            (p for p in listed.policies if p.get("AttachmentCount", 0)), key=lambda p: not is_aws_managed(p["Arn"])
        )
        principals = list(listed.principals())
        by_principal: list[Job] = [partial(self._attached_to, kind, answer) for kind, answer in principals]
        if sum(-(-policy["AttachmentCount"] // PAGE) for policy in attached) >= len(principals):
            return by_principal
        if not attached:
            return []
        # One policy is asked first, one of AWS where there is any: what is denied for it would be denied for more.
        try:
            first = self._entities(attached[0])
        except AwsDenied:
            return by_principal
        return [lambda: first, *(partial(self._entities, policy) for policy in attached[1:])]

    def _attached_to(self, kind: PrincipalType, principal: Answer) -> AccountRows:
        named = f"{kind.capitalize()}Name"
        name, operation = principal[named], f"ListAttached{kind.capitalize()}Policies"
        try:
            attached = self.iam.items(operation, "AttachedPolicies", principal["Arn"], **{named: name}, MaxItems=PAGE)
        except AwsGone:
            return AccountRows()
        return AccountRows(
            attachments=[managed_attachment(kind, name, one["PolicyName"], one["PolicyArn"]) for one in attached]
        )

    def _entities(self, policy: Answer) -> AccountRows:
        arn, name = policy["Arn"], policy["PolicyName"]
        request = {"PolicyArn": arn, "PolicyUsageFilter": "PermissionsPolicy", "MaxItems": PAGE}
        found: list[IamAttachment] = []
        try:
            for page in self.iam.pages("ListEntitiesForPolicy", arn, **request):
                found += [managed_attachment("user", one["UserName"], name, arn) for one in page["PolicyUsers"]]
                found += [managed_attachment("group", one["GroupName"], name, arn) for one in page["PolicyGroups"]]
                found += [managed_attachment("role", one["RoleName"], name, arn) for one in page["PolicyRoles"]]
        except AwsGone:
            return AccountRows()
        return AccountRows(attachments=found)
