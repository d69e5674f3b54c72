"""What an import of the account says of it: what Raito Cloud shows of an object, and what of it no one sees there.

A push of an object that Raito did not make changes what Raito Cloud shows of it, and nothing else: taken away is what
the import showed and the export lacks.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from raito_pipeline.aws.access.account import Account, PrincipalKey
from raito_pipeline.aws.access.basis import what_items
from raito_pipeline.aws.access.external_ids import PERMISSION_SET, ROLE
from raito_pipeline.aws.access.own_points import on_points, scope_for
from raito_pipeline.aws.access.points import gives_through_points
from raito_pipeline.aws.data_objects.names import FILE_MARK, bucket_full_name, parse_full_name
from raito_pipeline.aws.policy import Claim, Scope, read_document
from raito_pipeline.aws.policy.allows import allowed
from raito_pipeline.aws.policy.documents import Document, Statement
from raito_pipeline.aws.policy.reasons import Reason
from raito_pipeline.aws.policy.resources import ACCOUNT, PermissionTarget
from raito_pipeline.aws.policy.services import allowed_through_services
from raito_pipeline.aws.push.documents.statements import VERSION
from raito_pipeline.model import AccessProvider, DataObjectReference, WhatItem

Claims = frozenset[Claim]
OF_ALL, EVERYBODY = "*", "*"
"""Where it is lost whom no import showed: of all objects (in the place of an external id), everybody."""


@dataclass(frozen=True)
class ImportView:
    """The access providers of an account by external id, and how the import reads documents."""

    account: Account
    providers: Mapping[str, AccessProvider]
    principal: PrincipalKey | None = None
    """who has the documents, where it is one user or role alone: conditions and variables may be about it"""

    unshown: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """those whom no import showed before others were taken out, by external id: what it shows of them now is no edit"""

    def unshown_of(self, external_id: str) -> frozenset[str]:
        """Those of one object; `EVERYBODY` among them where that is lost."""
        return frozenset(self.unshown.get(external_id, self.unshown.get(OF_ALL, ())))

    def of(self, principal: PrincipalKey) -> "ImportView":
        """How the import reads the documents that one user, group or role has alone."""
        return replace(self, principal=principal)

    def principals(self, external_id: str) -> frozenset[tuple[str, str]] | None:
        """Whom Raito Cloud showed in the who: `user`, `group` or `role`, and the name. None where it shows nothing."""
        row = self.providers.get(external_id)
        if row is None:
            return None
        roles = (each.removeprefix(ROLE).removeprefix(PERMISSION_SET) for each in row.who_access_providers or ())
        shown = (
            {("user", name) for name in row.who_users or ()}
            | {("group", name) for name in row.who_groups or ()}
            | {("role", name) for name in roles}
        )
        before = self.unshown_of(external_id)
        if EVERYBODY in before:
            return frozenset()
        return frozenset((kind, name) for kind, name in shown if f"{kind}:{name}" not in before)

    def what(self, external_id: str) -> Claims | None:
        """What Raito Cloud shows that it gives. None where it shows nothing of it."""
        row = self.providers.get(external_id)
        return None if row is None else self.claims(row.what)

    def claims(self, what: Iterable[WhatItem]) -> Claims:
        """The permissions of a what, on the places that their data objects stand for."""
        return frozenset(
            Claim(target, permission)
            for item in what
            if (target := self.target(item.data_object)) is not None
            for permission in item.permissions
        )

    def target(self, data_object: DataObjectReference) -> PermissionTarget | None:
        """What a data object of the account stands for; None for others."""
        if data_object.full_name == self.account.inputs.account_id:
            return ACCOUNT
        place = parse_full_name(data_object.full_name)
        if place is None or place.account != self.account.inputs.account_id:
            return None
        file = PermissionTarget(place.bucket, place.path or "", file=True)
        is_file = data_object.type == "file" or place.mark == FILE_MARK
        if is_file or (not data_object.type and file in self.account.paths.files):
            return file
        return replace(file, file=False)

    def items(self, claims: Claims) -> tuple[WhatItem, ...]:
        """Claims as a what that can be granted; without those on buckets that the account does not have (any more)."""
        there = (claim for claim in claims if claim.target == ACCOUNT or self._region(claim.target.bucket) is not None)
        return tuple(
            WhatItem(DataObjectReference(item.data_object.full_name, _type(item.data_object)), item.permissions)
            for item in what_items(there, self._reference)
        )

    def _reference(self, target: PermissionTarget) -> DataObjectReference:
        region = self._region(target.bucket)
        if region is None or target.bucket in self.account.regions:
            return self.account.reference(target)
        bucket = bucket_full_name(self.account.inputs.account_id, region, target.bucket)
        return DataObjectReference(f"{bucket}/{target.path}" if target.path else bucket, "file" if target.file else "")

    def _region(self, bucket: str) -> str | None:
        """The region of a bucket of the account, also of one that is not synced; None where it has none such."""
        synced = self.account.regions.get(bucket)
        return synced or next((each.region for each in self.account.inputs.buckets if each.name == bucket), None)

    @property
    def scope(self) -> Scope:
        """What resources of the documents are held against."""
        return self.account.scope_of(self.principal) if self.principal else self.account.scope

    def given(self, statement: Statement) -> tuple[Claims, list[Reason]]:
        """What a statement gives as Raito Cloud shows it, and what it does not show of it."""
        if statement.effect == "Deny":
            return frozenset(), []
        read = self.account.told_apart(Document(VERSION, (statement,), ()))
        parts = [allowed_through_services(each, self.scope) for each in read.statements]
        return frozenset().union(*(given for given, _ in parts)), [each for _, reasons in parts for each in reasons]

    def through_points(self, statement: Statement) -> Claims:
        """What a statement says by the ARNs of access points, on their buckets, whether these permit it or not.

        The import shows of it what they do.
        """
        account, document = self.account, Document(VERSION, (statement,), ())
        who = self.principal or ("", "")
        listed = (
            allowed(each.statement, scope_for(account, each.point, who))
            for each in on_points(account, [("", document)])
        )
        return frozenset(claim for given, _ in listed for claim in given if gives_through_points(claim.permission))

    def through_points_by(self, document: str) -> Claims:
        """The same of all statements of a document."""
        return frozenset().union(*(self.through_points(statement) for statement in read_document(document).statements))

    def given_by(self, document: str) -> Claims:
        """What all statements of a document give."""
        return frozenset().union(*(self.given(statement)[0] for statement in read_document(document).statements))


def covers(one: Claim, other: Claim) -> bool:
    """True where a claim gives all that another one gives."""
    if one.permission != other.permission:
        return False
    return one.target == ACCOUNT or (one.target.bucket == other.target.bucket and one.target.holds(other.target))


def _type(reference: DataObjectReference) -> str:
    if reference.type:
        return reference.type
    place = parse_full_name(reference.full_name)
    return "folder" if place is not None and place.path is not None else "bucket"
