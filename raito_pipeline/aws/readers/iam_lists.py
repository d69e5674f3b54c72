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
from typing import Any, TypeVar

from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.aws.connection.errors import AwsDenied, AwsError, AwsGone, AwsUnreachable
from raito_pipeline.aws.connection.paging import MARKER, Service
from raito_pipeline.aws.readers.iam_earlier import EarlierIam
from raito_pipeline.aws.readers.iam_rows import (
    PAGE,
    AccountRows,
    Answer,
    PrincipalType,
    group_row,
    inline_attachment,
    managed_attachment,
    merged,
    policy_row,
    policy_text,
    role_row,
    user_row,
)
from raito_pipeline.aws.readers.iam_wanted import wants_policies
from raito_pipeline.aws.readers.kept_policies import kept_policy
from raito_pipeline.aws.readers.reading import Progress, UnreadElement, Workers, element_error, no_progress, workers
from raito_pipeline.config.groups import IamOptions
from raito_pipeline.model import IamAttachment, is_aws_managed

T = TypeVar("T")
Job = Callable[[], AccountRows]


def read_lists(
    clients: AwsClients, options: IamOptions, earlier: EarlierIam, progress: Progress = no_progress
) -> AccountRows:
    """All rows of an account but the tags of its policies.

    What cannot be read of one user, group, role or policy is given as in `earlier`. Raises `AwsError` where a list
    fails, or something that `earlier` does not know: without it, access would look other than it is.
    """
    with workers(options.aws_concurrency) as pool:
        return _Lists(Service(clients, "iam", MARKER), options, earlier, pool, progress).read()


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

    def __init__(
        self, iam: Service, options: IamOptions, earlier: EarlierIam, pool: Workers, progress: Progress
    ) -> None:
        self.iam, self.options, self.pool, self.progress = iam, options, pool, progress
        self.earlier = earlier
        self.members: dict[str, list[str]] = {}
        self.names: dict[str, str] = {}
        """of users and groups, by id, as they were listed"""
        self.gone: set[str] = set()
        """names of users and groups that are not there any more"""

    def read(self) -> AccountRows:
        listed = self._list()
        self.names = {_id_of(answer): _name_of(answer) for _, answer in listed.principals()}
        jobs: list[Job] = [partial(self._group, group) for group in listed.groups]
        jobs += [partial(self._user, user) for user in listed.users]
        jobs += [partial(self._role, role) for role in listed.roles]
        jobs += [partial(self._policy, policy) for policy in listed.policies]
        if wants_policies(self.options):
            jobs += self._attachment_jobs(listed)
        rows = merged(self.pool.each(lambda job: job(), jobs, "IAM objects", self.progress))
        self._require_deleted()
        groups_of = defaultdict(list)
        for group, users in self.members.items():
            for user in users:
                groups_of[user].append(group)
        rows.users = [replace(user, group_names=tuple(sorted(set(groups_of[user.user_name])))) for user in rows.users]
        return rows

    def _without(self, principal: Answer) -> AccountRows:
        """Nothing of a principal whose name may not be there any more. A role keeps its name for ever."""
        if _kind_of(principal) != "Role":
            self.gone.add(_name_of(principal))
        return AccountRows()

    def _named(self, answer: Answer) -> str:
        """The name of a principal. Raises `AwsUnreachable` where it was listed by another one: it is not a new one."""
        name = _name_of(answer)
        before = self.names.get(_id_of(answer), name)
        if before != name:
            raise _renamed(_kind_of(answer), before, name)
        return name

    def _require_deleted(self) -> None:
        """Ask whether what is gone was deleted. Raises `AwsUnreachable` where it has another name now."""
        if self.gone:
            for kind in ("User", "Group"):
                for answer in self.iam.items(f"List{kind}s", f"{kind}s", "*", MaxItems=PAGE):
                    if self.names.get(_id_of(answer)) in self.gone:
                        self._named(answer)

    def _list(self) -> _Listed:
        def lists(wanted: tuple[str, str, str, dict[str, Any]]) -> list[Answer]:
            operation, key, resource, request = wanted
            return self.iam.items(operation, key, resource, MaxItems=PAGE, **request)

        wanted: list[tuple[str, str, str, dict[str, Any]]] = [
            ("ListUsers", "Users", "*", {}),
            ("ListGroups", "Groups", "*", {}),
            ("ListRoles", "Roles", "*", {}),
        ]
        if wants_policies(self.options):
            wanted.append(("ListPolicies", "Policies", "*", {"Scope": "Local"}))
            attached = {"Scope": "AWS", "OnlyAttached": True}
            wanted.append(("ListPolicies", "Policies", "*", attached))
        users, groups, roles, *policies = self.pool.each(lists, wanted, "IAM lists", self.progress)
        return _Listed(users, groups, roles, [policy for some in policies for policy in some])

    def _user(self, user: Answer) -> AccountRows:
        name, rows = user["UserName"], AccountRows()
        try:
            got = self.iam.get("GetUser", user["Arn"], UserName=name)["User"]
            rows.users.append(user_row(got, (), with_tags=not self.options.excludes_user(name)))
        except AwsGone:
            return self._without(user)
        except AwsError as error:
            before = _known(self.earlier.user(user["UserId"]), error)
            rows.users.append(before)
            rows.users_unread.append(UnreadElement("users", user["Arn"], error, kept=True))
        return rows if self._add_inline("user", user, rows) else self._without(user)

    def _role(self, role: Answer) -> AccountRows:
        rows = AccountRows()
        try:
            rows.roles.append(role_row(self.iam.get("GetRole", role["Arn"], RoleName=role["RoleName"])["Role"]))
        except AwsGone:
            return AccountRows()
        except AwsError as error:
            rows.roles.append(_known(self.earlier.role(role["RoleId"]), error))
            rows.roles_unread.append(UnreadElement("roles", role["Arn"], error, kept=True))
        return rows if self._add_inline("role", role, rows) else AccountRows()

    def _group(self, group: Answer) -> AccountRows:
        name, rows = group["GroupName"], AccountRows(groups=[group_row(group)])
        try:
            users = self.iam.items("GetGroup", "Users", group["Arn"], GroupName=name, MaxItems=PAGE)
            members = [self._named(user) for user in users]
        except AwsGone:
            return self._without(group)
        except AwsError as error:
            members = _known(self.earlier.members(name, group["GroupId"]), error)
            rows.users_unread.append(UnreadElement("members of groups", group["Arn"], error, kept=True))
        if not self._add_inline("group", group, rows):
            return self._without(group)
        self.members[name] = members
        return rows

    def _add_inline(self, kind: PrincipalType, principal: Answer, rows: AccountRows) -> bool:
        """Add the inline policies of a principal to its rows; false where the principal is gone."""
        named = f"{kind.capitalize()}Name"
        name, arn = principal[named], principal["Arn"]
        if not wants_policies(self.options):
            return True
        before = self.earlier.inline(kind, name, principal[f"{kind.capitalize()}Id"])
        listing, getting = f"List{kind.capitalize()}Policies", f"Get{kind.capitalize()}Policy"
        try:
            listed = self.iam.items(listing, "PolicyNames", arn, **{named: name}, MaxItems=PAGE)
        except AwsGone:
            return False
        except AwsError as error:
            rows.attachments += _known(before, error)
            rows.attachments_unread.append(UnreadElement("inline policies", arn, error, kept=True))
            return True
        for policy in listed:
            try:
                got = self.iam.get(getting, arn, **{named: name, "PolicyName": policy})
                rows.attachments.append(inline_attachment(kind, name, policy, got["PolicyDocument"]))
            except AwsGone:  # the policy, or the name
                self._without(principal)
            except AwsError as error:
                same = next((one for one in before or () if one.policy_name == policy), None)
                rows.attachments.append(_known(same, error))
                rows.attachments_unread.append(UnreadElement("inline policies", arn, error, kept=True))
        return True

    def _policy(self, policy: Answer) -> AccountRows:
        arn, version = policy["Arn"], policy["DefaultVersionId"]
        known = self.earlier.version(policy["PolicyId"], version)
        if known is not None:
            return AccountRows(policies=[policy_row(policy, known.document, known.document_as_of)])
        try:
            got = self.iam.get("GetPolicyVersion", arn, PolicyArn=arn, VersionId=version)
        except AwsGone as gone:
            return self._policy_anew(policy, gone)
        except AwsError as error:
            return self._unread_policy(policy, error)
        return AccountRows(policies=[policy_row(policy, policy_text(got["PolicyVersion"]["Document"]))])

    def _policy_anew(self, policy: Answer, gone: AwsGone) -> AccountRows:
        """A policy whose version is not there any more: it was deleted, or got another version and lost this one."""
        arn = policy["Arn"]
        try:
            now = self.iam.get("GetPolicy", arn, PolicyArn=arn)["Policy"]
        except AwsGone:
            return AccountRows()
        except AwsError as error:
            return self._unread_policy(policy, error)
        same = now["DefaultVersionId"] == policy["DefaultVersionId"]
        return self._unread_policy(policy, gone) if same else self._policy(now)

    def _unread_policy(self, policy: Answer, error: AwsError) -> AccountRows:
        arn, before = policy["Arn"], self.earlier.policy(policy["PolicyId"])
        if is_aws_managed(arn) and isinstance(error, AwsDenied):
            # The documented policy grants the account's own ARNs only, and those of AWS are not among them.
            kept = kept_policy(arn)
            same = kept is not None and kept.version_id == policy["DefaultVersionId"]
            if kept is not None and (same or before is None or before.document_as_of is not None):
                other = None if same else kept.version_id
                return AccountRows(policies=[policy_row(policy, kept.document, kept.as_of.isoformat(), other)])
            if before is None:
                what = "documents of policies, which are left out,"
                return AccountRows(policies_unread=[UnreadElement(what, arn, error)])
        # With the version that its document is of: the new one is asked for again by the next sync.
        unread = UnreadElement("documents of policies", arn, error, kept=True)
        return AccountRows(policies=[_known(before, error)], policies_unread=[unread])

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
            first = self._entities(attached[0], first=True)
        except AwsDenied:
            return by_principal
        return [lambda: first, *(partial(self._entities, policy) for policy in attached[1:])]

    def _attached_to(self, kind: PrincipalType, principal: Answer) -> AccountRows:
        named = f"{kind.capitalize()}Name"
        name, arn, operation = principal[named], principal["Arn"], f"ListAttached{kind.capitalize()}Policies"
        try:
            attached = self.iam.items(operation, "AttachedPolicies", arn, **{named: name}, MaxItems=PAGE)
        except AwsGone:
            return self._without(principal)
        except AwsError as error:
            before = self.earlier.managed(kind, name, principal[f"{kind.capitalize()}Id"])
            return _earlier_attachments(before, arn, error)
        return AccountRows(
            attachments=[managed_attachment(kind, name, one["PolicyName"], one["PolicyArn"]) for one in attached]
        )

    def _entities(self, policy: Answer, *, first: bool = False) -> AccountRows:
        """Who a policy is attached to. Raises `AwsDenied` for the `first`, as there is another way to ask."""
        arn, name = policy["Arn"], policy["PolicyName"]
        request = {"PolicyArn": arn, "PolicyUsageFilter": "PermissionsPolicy", "MaxItems": PAGE}
        held: list[IamAttachment] = []
        try:
            for page in self.iam.pages("ListEntitiesForPolicy", arn, **request):
                held += [managed_attachment("user", self._named(one), name, arn) for one in page["PolicyUsers"]]
                held += [managed_attachment("group", self._named(one), name, arn) for one in page["PolicyGroups"]]
                held += [managed_attachment("role", self._named(one), name, arn) for one in page["PolicyRoles"]]
        except AwsGone:
            return AccountRows()
        except AwsError as error:
            if first and isinstance(error, AwsDenied):
                raise
            return _earlier_attachments(self.earlier.attached(arn, policy["PolicyId"]), arn, error)
        return AccountRows(attachments=held)


def _kind_of(answer: Answer) -> str:
    return next(kind for kind in ("User", "Group", "Role") if f"{kind}Name" in answer)


def _name_of(answer: Answer) -> str:
    """The name of a user, group or role, however much of it is answered."""
    return str(answer[f"{_kind_of(answer)}Name"])


def _id_of(answer: Answer) -> str:
    return str(answer.get(f"{_kind_of(answer)}Id") or "")


def _renamed(kind: str, before: str, now: str) -> AwsUnreachable:
    """The error of a principal that is another one's now: what is known by its name is not known of it."""
    action = f"iam:List{kind}s"
    text = f"{action} on {before}: it was renamed to {now} while IAM was read. Run this again."
    return AwsUnreachable(text, action=action, resource=before)


def _known(before: T | None, error: AwsError) -> T:
    """What the previous sync stored of an element that met `error`.

    Raises the error where that sync stored nothing of it, or where the error is not about this element alone.
    """
    element_error(error)
    if before is None:
        raise error
    return before


def _earlier_attachments(before: list[IamAttachment] | None, arn: str, error: AwsError) -> AccountRows:
    unread = UnreadElement("attached policies", arn, error, kept=True)
    return AccountRows(attachments=list(_known(before, error)), attachments_unread=[unread])
