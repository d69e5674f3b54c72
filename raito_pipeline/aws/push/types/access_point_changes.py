"""The changes of access points: the point, its policy, and the consent of the bucket behind it."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from raito_pipeline.aws.access.external_ids import (
    ACCESS_POINT,
    PERMISSION_SET,
    ROLE,
    is_reserved,
    permission_set_name,
)
from raito_pipeline.aws.push.changes import NOTHING, Aws, Change, Present, Things, out_of_points
from raito_pipeline.aws.push.documents.bucket_consent import ConsentProblem, delegates_to_all, with_delegation
from raito_pipeline.aws.push.documents.effects import Effect
from raito_pipeline.aws.push.documents.statements import alike, as_list
from raito_pipeline.aws.push.owners.ownership import ChangeRefused
from raito_pipeline.aws.push.types.access_point_statements import (
    Statement,
    point_document,
    principals_of,
    with_principals,
)
from raito_pipeline.aws.push.types.tag_changes import TagObject
from raito_pipeline.model import Tag

_POINT_ARN = re.compile(r"arn:[^:]+:s3:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):accesspoint/[a-z0-9-]+")
_BUCKET_ARN = re.compile(r"arn:(?P<partition>[^:]+):s3:::(?P<bucket>[^/:*?]+)")
NO_POLICY = "{}"
"""what a deletion takes along where an access point has no policy"""
NOT_READ = ""
"""the same where the access points of its region could not be read"""
_OF_A_PUSH = (ROLE, PERMISSION_SET)
"""how principals begin that the same push makes"""


def point(arn: str) -> str:
    """An access point as changes name it."""
    return f"{ACCESS_POINT}{arn}"


def bucket_policy(bucket: str) -> str:
    """The policy of a bucket as changes name it."""
    return f"bucket-policy:{bucket}"


class CreateAccessPoint(Change):
    """A new access point of a bucket, without a policy: nobody has it yet."""

    KIND, OPERATION, EFFECT = "access-point", "create", Effect.NEITHER
    NEW_OBJECT = True
    needs = removes = NOTHING

    @property
    def makes(self) -> Things:
        return frozenset({point(self.row.resource)})

    @property
    def intended(self) -> str | None:
        return str(self.request().get("Bucket"))

    def current(self, aws: Aws) -> Present:
        return Present(aws.points.bucket(self.row.resource))

    def apply(self, aws: Aws) -> None:
        arn = _arn(self, aws)
        if aws.points.create(arn, self.request()):
            aws.objects.note_created(point(arn))
        else:
            self.take_over(aws)

    def take_over(self, aws: Aws) -> None:
        arn = _arn(self, aws)
        bucket = aws.points.bucket(arn)
        if bucket != self.request().get("Bucket"):
            reason = f"it exists and opens bucket {bucket}, which cannot be changed. Nothing was changed."
            raise ChangeRefused(self.row, reason)
        aws.objects.take_over(self.row, point(arn), lambda: aws.points.may_take_over(arn))


class DeleteAccessPoint(Change):
    """An access point goes, with its policy."""

    KIND, OPERATION, EFFECT = "access-point", "delete", Effect.REMOVES
    needs = NOTHING

    @property
    def makes(self) -> Things:
        return _losing(self.row.before, None)

    @property
    def removes(self) -> Things:
        return frozenset({point(self.row.resource)})

    @property
    def holds(self) -> tuple[tuple[str, ...], ...]:
        return ((_PointPolicy.KIND, self.row.resource),)

    def current(self, aws: Aws) -> Present:
        arn = _arn(self, aws)
        if aws.points.bucket(arn) is None:
            return Present(None)
        return Present(NOT_READ if self.row.before == NOT_READ else aws.points.policy(arn) or NO_POLICY)

    def apply(self, aws: Aws) -> None:
        if _is_ours(self, aws):
            aws.points.delete(self.row.resource)

    def close(self, aws: Aws) -> None:
        if self.row.before not in (NO_POLICY, NOT_READ):
            row = replace(self.row, kind=DeletePointPolicy.KIND, operation=DeletePointPolicy.OPERATION)
            DeletePointPolicy(row).carry_out(aws)


class TagAccessPoint(TagObject):
    """An access point says for whom it is."""

    KIND = "access-point"

    def thing(self) -> str:
        return point(self.row.resource)

    def tags_now(self, aws: Aws) -> tuple[Tag, ...] | None:
        return aws.points.tags(_arn(self, aws))

    def is_ours(self, aws: Aws) -> bool:
        return _is_ours(self, aws)

    def add(self, aws: Aws, tags: Sequence[Mapping[str, str]]) -> None:
        aws.points.tag(self.row.resource, tags)


class _PointPolicy(Change):
    """The policy of an access point; its resource is the ARN of the access point."""

    KIND, OPERATION = "access-point-policy", ""
    EFFECT: ClassVar[Effect | None] = Effect.NEITHER
    removes = NOTHING

    @property
    def makes(self) -> Things:
        return _losing(self.row.before, self.row.after)

    @property
    def needs(self) -> Things:
        return frozenset({point(self.row.resource)})

    @property
    def within(self) -> str:
        return point(self.row.resource)

    @property
    def awaits(self) -> Things:
        return frozenset(one for one in _principals(_statements(self.row.after)) if one.startswith(_OF_A_PUSH))

    @property
    def intended(self) -> str | None:
        return self.row.after if _statements(self.row.after) else None

    def current(self, aws: Aws) -> Present:
        document = aws.points.policy(_arn(self, aws))
        names = {arn: name for name in self.awaits if (arn := _arn_of(name, aws)) is not None}
        if document is None or not names:
            return Present(document)
        # In the words of the plan, which knew no ARNs yet.
        planned = [with_principals(each, [names.get(one, one) for one in principals_of(each)])
                   for each in _statements(document)]  # fmt: skip
        return Present(point_document([each for each in planned if each is not None]))

    def object_is_there(self, aws: Aws) -> bool:
        return aws.points.bucket(_arn(self, aws)) is not None

    def apply(self, aws: Aws) -> None:
        arn = _arn(self, aws)
        _is_ours(self, aws)
        statements, absent = _resolved(_statements(self.document()), aws)
        document = point_document(statements)
        missing: tuple[str, ...] = ()
        there = aws.points.policy(arn)
        if document is None and there is not None:
            aws.points.delete_policy(arn)
        elif document is not None and not alike(there, document):
            missing = aws.points.put_policy(arn, document, fresh=self._names_what_was_made(aws))
        if absent or missing:
            raise ChangeRefused(self.row, f"it was made without {'; '.join([*absent, *map(_unknown, missing)])}.")

    def _names_what_was_made(self, aws: Aws) -> bool:
        """True where a principal was made by this push: S3 knows it some seconds later."""
        return any(map(aws.objects.was_made, self.awaits))


class CreatePointPolicy(_PointPolicy):
    """People get access through an access point that nobody had access through."""

    OPERATION, EFFECT = "create", Effect.GIVES


class UpdatePointPolicy(_PointPolicy):
    """An access point gives other access, or gives it to others."""

    OPERATION, EFFECT = "update", None


class DeletePointPolicy(_PointPolicy):
    """Nobody has access through an access point any more; it keeps its name."""

    OPERATION, EFFECT = "delete", Effect.TAKES

    def apply(self, aws: Aws) -> None:
        arn = _arn(self, aws)
        if _is_ours(self, aws):
            aws.points.delete_policy(arn)


class DelegateToAccessPoints(Change):
    """A bucket leaves it to the access points of the account who has access: one statement more in its policy."""

    KIND, OPERATION, EFFECT = "bucket-policy", "update", Effect.GIVES
    needs = removes = NOTHING

    @property
    def makes(self) -> Things:
        return frozenset({bucket_policy(self.row.resource.rpartition(":")[2])})

    def current(self, aws: Aws) -> Present:
        partition, bucket = self._place()
        there = aws.points.bucket_policy(bucket)
        done = delegates_to_all(there, bucket, aws.objects.account_id, partition)
        return Present(self.row.after if done else there)

    def _place(self) -> tuple[str, str]:
        """The partition and the bucket. Raises `ChangeRefused`."""
        match = _BUCKET_ARN.fullmatch(self.row.resource)
        if match is None:
            raise ChangeRefused(self.row, "it is no bucket. Nothing was changed.")
        return match["partition"], match["bucket"]

    def apply(self, aws: Aws) -> None:
        (partition, bucket), account = self._place(), aws.objects.account_id

        def with_statement(there: str | None) -> str | None:
            if delegates_to_all(there, bucket, account, partition):
                return None
            return with_delegation(there, bucket, account, partition)

        try:
            # Somebody else's document: it is the one of now, not of the plan, that gets the statement.
            aws.points.edit_bucket_policy(bucket, with_statement)
        except ConsentProblem as problem:
            raise ChangeRefused(self.row, f"{problem}. Nothing was changed.") from None


def _statements(document: str | None) -> list[Statement]:
    try:
        return [each for each in as_list(json.loads(document or "{}").get("Statement")) if isinstance(each, dict)]
    except (ValueError, AttributeError):
        return []


def _principals(statements: Iterable[Statement]) -> set[str]:
    return {one for statement in statements for one in principals_of(statement)}


def _losing(before: str | None, after: str | None) -> Things:
    """The roles that a policy names no more."""
    gone = _principals(_statements(before)) - _principals(_statements(after))
    names = [arn.rpartition("/")[2] for arn in gone if ":role/" in arn]
    return frozenset(
        out_of_points(f"{PERMISSION_SET}{permission_set_name(name)}" if is_reserved(name) else f"{ROLE}{name}")
        for name in names
    )


def _resolved(statements: list[Statement], aws: Aws) -> tuple[list[Statement], list[str]]:
    """The statements with the ARNs of what this push made, less what it could not make; and that in words."""
    names = sorted(one for one in _principals(statements) if one.startswith(_OF_A_PUSH))
    arns = {name: _arn_of(name, aws) for name in names}
    resolved = [_with_arns(each, arns) for each in statements]
    return [each for each in resolved if each is not None], [_not_there(name) for name in names if arns[name] is None]


def _with_arns(statement: Statement, arns: Mapping[str, str | None]) -> Statement | None:
    who = principals_of(statement)
    return with_principals(statement, [arns.get(one, one) for one in who]) if arns.keys() & set(who) else statement


def _arn_of(name: str, aws: Aws) -> str | None:
    if name.startswith(PERMISSION_SET):
        return aws.points.reserved_role(name.removeprefix(PERMISSION_SET))
    return aws.iam.role_arn(name.removeprefix(ROLE)) if aws.objects.was_made(name) else None


def _not_there(name: str) -> str:
    if name.startswith(PERMISSION_SET):
        return f"permission set {name.removeprefix(PERMISSION_SET)}, which has no role in the account"
    return f"role {name.removeprefix(ROLE)}, which this push could not make"


def _unknown(arn: str) -> str:
    return f"{arn}, which does not exist"


def _arn(change: Change, aws: Aws) -> str:
    """The ARN that a change is about. Raises `ChangeRefused` where it is no access point of the account."""
    arn, account = change.row.resource, aws.objects.account_id
    match = _POINT_ARN.fullmatch(arn)
    if match is None or match["account"] != account:
        raise ChangeRefused(change.row, f"it is no access point of account {account}. Nothing was changed.")
    return arn


def _is_ours(change: Change, aws: Aws) -> bool:
    arn = _arn(change, aws)
    return aws.objects.is_ours(change.row, point(arn), lambda: aws.points.tags(arn))
