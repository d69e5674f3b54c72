"""One account, indexed: documents by principal, buckets as a scope, and what a claim is called in Raito Cloud."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

from raito_pipeline.aws.access.basis import TracedWhat, traced
from raito_pipeline.aws.access.external_ids import PERMISSION_SET, RESERVED_ROLE, ROLE
from raito_pipeline.aws.access.inputs import AccessInputs
from raito_pipeline.aws.data_objects.names import beside_folder, bucket_full_name
from raito_pipeline.aws.policy import Document, Scope, read_document
from raito_pipeline.aws.policy.actions import permissions_of
from raito_pipeline.aws.policy.allows import needs_objects, paths_named
from raito_pipeline.aws.policy.bucket_tags import by_bucket_tags
from raito_pipeline.aws.policy.claims import KnownPaths, WantedPaths, patterns, points_named
from raito_pipeline.aws.policy.documents import Statement
from raito_pipeline.aws.policy.facts import BucketTags, Facts, PrincipalFacts
from raito_pipeline.aws.policy.principals import Directory
from raito_pipeline.aws.policy.reasons import Code, Reason
from raito_pipeline.aws.policy.regions import by_region
from raito_pipeline.aws.policy.resources import ACCOUNT, BucketResource, PermissionTarget
from raito_pipeline.aws.policy.what import Claims, Labelled
from raito_pipeline.config.groups import AccessOptions
from raito_pipeline.config.patterns import matches_any
from raito_pipeline.model import DataObjectReference, IamPolicy, IamRole, Tag

T = TypeVar("T")
PrincipalKey = tuple[str, str]
"""`user`, `group` or `role`, and the name"""


@dataclass(frozen=True)
class InlinePolicy:
    """An inline policy, read."""

    name: str
    text: str
    document: Document


@dataclass(frozen=True)
class Account:
    """The inputs of one account, looked up many times."""

    inputs: AccessInputs
    options: AccessOptions

    @cached_property
    def directory(self) -> Directory:
        """Users and roles by ARN."""
        return Directory(
            self.inputs.account_id,
            {user.arn: user.user_name for user in self.inputs.users},
            {role.arn: role.role_name for role in self.inputs.roles},
            self.facts,
            {principal.arn: principal for principal in self.principals.values()},
            self.inputs.linked,
            frozenset(self.arns[principal] for principal in self.boundaries),
        )

    @cached_property
    def facts(self) -> Facts:
        """What is known of every call of its users and roles on its buckets."""
        place = self.inputs.organization
        if place is None:
            return Facts(self.inputs.account_id, partition=self.options.aws_partition)
        path = f"{'/'.join((place.organization_id, *place.path))}/" if place.path else None
        partition = self.options.aws_partition
        return Facts(self.inputs.account_id, place.organization_id, organization_path=path, partition=partition)

    @cached_property
    def principals(self) -> dict[PrincipalKey, PrincipalFacts]:
        """What is known of each user and role. Sessions of a role may carry tags of their own."""
        users = {
            ("user", user.user_name): PrincipalFacts(
                "user",
                user.user_name,
                user.arn,
                user.user_id,
                None
                if self.options.excludes_user(user.user_name)
                else {tag.key.lower(): tag.value for tag in user.tags},
            )
            for user in self.inputs.users
        }
        roles = {
            ("role", role.role_name): PrincipalFacts("role", role.role_name, role.arn, role.role_id)
            for role in self.inputs.roles
        }
        return {**users, **roles}

    def scope_of(self, principal: PrincipalKey) -> Scope:
        """The scope where one user or role calls; for a group, which is no caller, that of any user."""
        known = self.principals.get(principal)
        if known is None and principal[0] == "group":
            known = PrincipalFacts.any_user(self.inputs.account_id, self.options.aws_partition)
        return self.scope if known is None else self.scope.called_by(known)

    @cached_property
    def roles(self) -> dict[str, IamRole]:
        """Roles by name."""
        return {role.role_name: role for role in self.inputs.roles}

    @cached_property
    def regions(self) -> dict[str, str]:
        """Buckets that are data objects, with their region."""
        return {
            bucket.name: bucket.region
            for bucket in sorted(self.inputs.buckets, key=lambda bucket: bucket.name)
            if bucket.region is not None and bucket.is_data_object(self.options.regions)
        }

    @property
    def folder_depth(self) -> int | None:
        """How deep the data objects of buckets go, as in `policy.Scope`: Glue tables may lie at any depth."""
        options = self.options
        if options.aws_glue_enabled:
            return None
        return options.aws_s3_max_folder_depth if options.aws_s3_emulate_folder_structure else 0

    @cached_property
    def scope(self) -> Scope:
        """What the resources of identity policies are held against."""
        return replace(self.scope_without_paths, paths=self.paths)

    @cached_property
    def paths(self) -> KnownPaths:
        """The data objects among the paths that policies name."""
        return self.inputs.look_up(wanted_paths(self))

    @cached_property
    def scope_without_paths(self) -> Scope:
        """The scope before it is known which paths are data objects."""
        left_out = sorted(bucket.name for bucket in self.inputs.buckets if bucket.name not in self.regions)
        return Scope(
            self.options.aws_partition,
            tuple(BucketResource.of_bucket(name) for name in self.regions),
            tuple(BucketResource.of_bucket(name) for name in left_out),
            folder_depth=self.folder_depth,
            facts=self.facts,
            points=tuple(
                BucketResource.of_access_point(point.arn, point.bucket)
                for point in sorted(self.inputs.access_points, key=lambda point: point.arn)
                if point.bucket in self.regions
            ),
        )

    def read(self, text: str) -> Document:
        """A policy document; what it says of regions and tags is told apart by the buckets of the account."""
        return self.told_apart(read_document(text))

    def told_apart(self, document: Document) -> Document:
        """The same document, each statement about the buckets in whose regions, and with whose tags, it holds."""
        partition = self.options.aws_partition
        return by_bucket_tags(by_region(document, self._regions_of_all, partition), self._tags_of_all, partition)

    @cached_property
    def _regions_of_all(self) -> dict[str, str | None]:
        """All buckets of the account, with their region."""
        return {bucket.name: bucket.region for bucket in self.inputs.buckets}

    @cached_property
    def _tags_of_all(self) -> dict[str, BucketTags | None]:
        """All buckets of the account, with their tags; none where these are not known, or not all that may count."""
        with_points = {point.bucket for point in self.inputs.access_points}
        return {
            bucket.name: None if bucket.tags is None or bucket.name in with_points else _by_key(bucket.tags)
            for bucket in self.inputs.buckets
        }

    @cached_property
    def inline(self) -> dict[PrincipalKey, list[InlinePolicy]]:
        """Inline policies by principal, by name."""
        policies: dict[PrincipalKey, list[InlinePolicy]] = defaultdict(list)
        for row in sorted(self.inputs.attachments, key=lambda row: row.policy_name):
            if row.kind == "inline" and row.document is not None:
                read = InlinePolicy(row.policy_name, row.document, self.read(row.document))
                policies[row.principal_type, row.principal_name].append(read)
        return policies

    @cached_property
    def managed(self) -> dict[PrincipalKey, list[str]]:
        """ARNs of attached managed policies by principal."""
        arns_of: dict[PrincipalKey, list[str]] = defaultdict(list)
        for row in self.inputs.attachments:
            if row.kind == "managed" and row.policy_arn is not None:
                arns_of[row.principal_type, row.principal_name].append(row.policy_arn)
        return {key: sorted(arns) for key, arns in arns_of.items()}

    @cached_property
    def attached_to(self) -> dict[str, list[PrincipalKey]]:
        """Principals by ARN of a managed policy that they have."""
        holders: dict[str, list[PrincipalKey]] = defaultdict(list)
        for key, arns in self.managed.items():
            for arn in arns:
                holders[arn].append(key)
        return {arn: sorted(keys) for arn, keys in holders.items()}

    @cached_property
    def documents(self) -> dict[str, Labelled]:
        """Managed policies by ARN: label and document."""
        return {row.arn: (f"policy {row.policy_name}", self.read(row.document)) for row in self.inputs.policies}

    @cached_property
    def outdated(self) -> dict[str, tuple[Reason, ...]]:
        """Managed policies whose document is of another version than the one in force, and what follows, by ARN."""
        return {row.arn: _outdated(row) for row in self.inputs.policies if row.document_version_id is not None}

    @cached_property
    def denying(self) -> dict[PrincipalKey, list[Labelled]]:
        """Documents with a Deny, by the principal that has them itself."""
        return {key: [one for one in listed if has_deny(one[1])] for key, listed in self.policies_of.items()}

    @cached_property
    def policies_of(self) -> dict[PrincipalKey, list[Labelled]]:
        """The documents that a principal has itself: inline, then managed ones."""
        labelled_policies: dict[PrincipalKey, list[Labelled]] = defaultdict(list)
        for key, policies in self.inline.items():
            labelled_policies[key] += labelled(policies)
        for key, arns in self.managed.items():
            labelled_policies[key] += [one for arn in arns if (one := self.documents.get(arn))]
        return labelled_policies

    @cached_property
    def unread(self) -> dict[PrincipalKey, list[str]]:
        """What could not be read of the policies that a principal has itself, a sentence each."""
        problems: dict[PrincipalKey, list[str]] = defaultdict(list)
        for key, arns in self.managed.items():
            problems[key] += [f"policy {arn} was not read" for arn in arns if arn not in self.documents]
        for key, listed in self.policies_of.items():
            problems[key] += [f"{label}: {problem}" for label, document in listed for problem in document.problems]
        return problems

    @cached_property
    def may_deny(self) -> dict[PrincipalKey, list[Reason]]:
        """What of the policies that a principal has itself is not known: each may hold a Deny."""
        reasons: dict[PrincipalKey, list[Reason]] = defaultdict(list)
        for key, texts in self.unread.items():
            reasons[key] += [Reason(Code.WIDER, f"{text}: it may deny something") for text in texts]
        for key, arns in self.managed.items():
            for arn in arns:
                if arn in self.outdated and has_deny(self.documents[arn][1]):
                    reasons[key] += [doubt for doubt in self.outdated[arn] if doubt.code is Code.WIDER]
        return reasons

    def identities(self, principal: PrincipalKey) -> list[PrincipalKey]:
        """Whose policies a user, group or role has: its own, and for a user those of its groups."""
        kind, name = principal
        groups = self.groups_of.get(name, ()) if kind == "user" else ()
        return [principal, *(("group", group) for group in groups)]

    @cached_property
    def arns(self) -> dict[PrincipalKey, str]:
        """ARNs of users and roles."""
        return {principal: known.arn for principal, known in self.principals.items()}

    @cached_property
    def boundaries(self) -> dict[PrincipalKey, str]:
        """ARNs of the permissions boundaries, by the user or role that has one."""
        users = ((("user", user.user_name), user.permissions_boundary_arn) for user in self.inputs.users)
        roles = ((("role", role.role_name), role.permissions_boundary_arn) for role in self.inputs.roles)
        return {principal: arn for principal, arn in (*users, *roles) if arn is not None}

    @cached_property
    def groups_of(self) -> dict[str, tuple[str, ...]]:
        """Groups by user."""
        return {user.user_name: user.group_names for user in self.inputs.users}

    @cached_property
    def members(self) -> dict[str, list[str]]:
        """Users by group."""
        members: dict[str, list[str]] = defaultdict(list)
        for user in sorted(self.inputs.users, key=lambda user: user.user_name):
            for group in user.group_names:
                members[group].append(user.user_name)
        return members

    @cached_property
    def _worked_out(self) -> dict[tuple[object, ...], Any]:
        return {}

    def once(self, work: Callable[..., T], *arguments: Any) -> T:
        """What a function of the account and hashable arguments gives, worked out the first time."""
        key = (work, *arguments)
        if key not in self._worked_out:
            self._worked_out[key] = work(self, *arguments)
        result: T = self._worked_out[key]
        return result

    def excludes_role(self, name: str) -> bool:
        """True where `aws-access-role-excludes` leaves a role out."""
        return matches_any(self.options.aws_access_role_excludes, name)

    def permission_set_of(self, role_name: str) -> str | None:
        """The name of the permission set that a role is reserved for; None for other roles, or with no organization."""
        match = RESERVED_ROLE.fullmatch(role_name)
        return match["permission_set"] if match and self.options.organization is not None else None

    def external_id_of_role(self, role_name: str) -> str:
        """`role:NAME`, or `ssorole:NAME` for the role of a permission set."""
        return f"{ROLE if self.permission_set_of(role_name) is None else PERMISSION_SET}{role_name}"

    def items(self, claims: Claims) -> TracedWhat:
        """Claims under the full names of their data objects, sorted, with what they rest on."""
        return traced(claims, self.reference)

    def reference(self, target: PermissionTarget) -> DataObjectReference:
        """What Raito Cloud calls what a permission is given on."""
        if target == ACCOUNT:
            return DataObjectReference(self.inputs.account_id, "datasource")
        bucket = bucket_full_name(self.inputs.account_id, self.regions[target.bucket], target.bucket)
        if not target.file:
            return DataObjectReference(f"{bucket}/{target.path}" if target.path else bucket, "")
        beside = target in self.paths.beside_folders
        return DataObjectReference(beside_folder(bucket, target.path) if beside else f"{bucket}/{target.path}", "file")


def _by_key(tags: Iterable[Tag]) -> BucketTags:
    values: dict[str, tuple[str, ...]] = defaultdict(tuple)
    for tag in tags:
        values[tag.key.lower()] += (tag.value,)
    return dict(values)


def wanted_paths(account: Account) -> WantedPaths:
    """What the policies of an account, its buckets and access points name of keys.

    Policy variables have the values of those users and roles who have the policies.
    """
    wanted = WantedPaths()
    scope = account.scope_without_paths
    documents = [document for _, document in account.documents.values()]
    documents += [policy.document for policies in account.inline.values() for policy in policies]
    documents += [read_document(row.policy) for row in account.inputs.bucket_policies if row.policy]
    named = [_names_paths(document) for document in documents]
    on_points = tuple(Scope(scope.partition, (point,), account_wide=False) for point in scope.points)
    for statement in (each for statements in named for each in statements):
        _add_paths(statement, scope, wanted)
        _add_paths_of_points(statement, on_points, wanted)
    for principal, facts in account.principals.items():
        called = None
        for _, document in (one for key in account.identities(principal) for one in account.policies_of.get(key, ())):
            for statement in document.statements:
                if (
                    statement.effect == "Allow"
                    and statement.variables
                    and any("${" in text for text in _resources(statement))
                ):
                    called = called or scope.called_by(facts)
                    _add_paths(statement, called, wanted)
                    _add_paths_of_points(statement, [each.called_by(facts) for each in on_points], wanted)
    for point in account.inputs.access_points:
        if point.policy is not None and point.bucket in account.regions:
            place = BucketResource.of_access_point(point.arn, point.bucket)
            for statement in _names_paths(read_document(point.policy)):
                _add_paths(statement, Scope(scope.partition, (place,), account_wide=False), wanted)
    return wanted


def _names_paths(document: Document) -> list[Statement]:
    """The statements whose resources become claims: of a Deny, what `NotResource` leaves."""
    return [
        each for each in document.statements if (each.effect == "Allow" or each.not_resources) and permissions_of(each)
    ]


def _resources(statement: Statement) -> tuple[str, ...]:
    return (*(statement.resources or ()), *(statement.not_resources or ()))


def _add_paths(statement: Statement, scope: Scope, wanted: WantedPaths) -> None:
    of_objects = needs_objects(statement)
    for pattern in patterns(_resources(statement), statement, scope):
        paths_named(pattern, scope, wanted, of_objects=of_objects)


def _add_paths_of_points(statement: Statement, on_points: Iterable[Scope], wanted: WantedPaths) -> None:
    """The same of what an identity policy names by the ARNs of access points."""
    texts = tuple(points_named(statement))
    for scope in on_points if texts else ():
        _add_paths(replace(statement, resources=texts), scope, wanted)


def _outdated(policy: IamPolicy) -> tuple[Reason, ...]:
    """What the version in force, which was not to be read, may give otherwise than the one that is kept."""
    older = f"policy {policy.policy_name}: its document is of {policy.document_version_id}, as of "
    in_force = f"{policy.default_version_id} is in force, which" if policy.default_version_id else "the one in force"
    older += f"{policy.document_as_of}, and {in_force} may"
    return (Reason(Code.WIDER, f"{older} give less"), Reason(Code.NARROWER, f"{older} give more"))


def has_deny(document: Document) -> bool:
    """True where a document denies something, of whichever service."""
    return any(statement.effect == "Deny" for statement in document.statements)


def labelled(policies: Iterable[InlinePolicy]) -> list[Labelled]:
    """Inline policies with the label that reasons name them by."""
    return [(f"inline policy {policy.name}", policy.document) for policy in policies]
