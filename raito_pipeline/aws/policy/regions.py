"""Conditions on the region of a call, told apart by bucket: S3 answers for a bucket in the region that it is in.

`aws:RequestedRegion` is the region of the endpoint that is called. A call about a bucket that comes to another region
is sent on to the bucket's own, so that the region of the bucket decides whether such a condition holds. What is about
no bucket (`s3:ListAllMyBuckets`) can be asked in any region: it is allowed where one of them allows it.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-requestedregion
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from raito_pipeline.aws.policy.actions import permissions_of
from raito_pipeline.aws.policy.conditions import Bearing, judge
from raito_pipeline.aws.policy.documents import Condition, Document, Statement
from raito_pipeline.aws.policy.facts import Facts
from raito_pipeline.aws.policy.one_request import names_action
from raito_pipeline.aws.policy.permissions import permissions
from raito_pipeline.aws.policy.principals import ASSUME_ROLE
from raito_pipeline.aws.policy.wildcards import has_wildcard

REQUESTED_REGION = "aws:requestedregion"


def by_region(document: Document, buckets: Mapping[str, str | None], partition: str) -> Document:
    """The same document, its statements with a condition on the region being about the buckets where that holds.

    `buckets` are those of the account with their region (None = not known, so that the condition stays). A statement
    whose resources cannot be told apart by bucket stays as it is.
    """
    if not any(_region_conditions(statement) for statement in document.statements):
        return document
    places = _Buckets(buckets, partition)
    statements = (each for statement in document.statements for each in places.told_apart(statement))
    return replace(document, statements=tuple(statements))


@dataclass(frozen=True)
class _Buckets:
    """The buckets of an account, as resources."""

    regions: Mapping[str, str | None]
    partition: str

    def told_apart(self, statement: Statement) -> Iterator[Statement]:
        """The statement without its conditions on the region, for the buckets where they hold; with them for others
        whose region is not known."""
        conditions = _region_conditions(statement)
        if not conditions or statement.resources is None or not permissions_of(statement):
            yield statement
            return
        there = {bucket: _holds(statement, conditions, region) for bucket, region in self.regions.items()}
        holding = self._resources(statement.resources, [each for each in there if there[each] is True])
        unknown = self._resources(statement.resources, [each for each in there if there[each] is None])
        if holding is None or unknown is None:
            yield statement
            return
        others = tuple(each for each in statement.conditions if each not in conditions)
        of_buckets = _about_buckets(statement)
        if holding:
            yield replace(of_buckets, resources=tuple(holding), conditions=others)
        unknown += self._of_others(statement)
        if unknown:
            yield replace(of_buckets, resources=tuple(unknown))
        yield from self._of_the_account(statement, set(there.values()), others)
        if names_action(statement, ASSUME_ROLE):
            # It can be called in any region, too; whether that is done is not known.
            yield replace(statement, actions=(ASSUME_ROLE,), not_actions=None)

    def _of_others(self, statement: Statement) -> Iterator[str]:
        """The resources of an Allow that name buckets of other accounts, whose regions are not known."""
        prefix = f"arn:{self.partition}:s3:::"
        for pattern in statement.resources or () if statement.effect == "Allow" else ():
            bucket = pattern.removeprefix(prefix).partition("/")[0]
            if pattern.startswith(prefix) and not has_wildcard(bucket) and bucket not in self.regions:
                yield pattern

    def _of_the_account(
        self, statement: Statement, holds: set[bool | None], others: tuple[Condition, ...]
    ) -> Iterator[Statement]:
        """What the statement says of permissions that are about no bucket: what one region allows is allowed."""
        names = tuple(sorted(permissions_of(statement) & _account_wide()))
        if not names:
            return
        rest = replace(statement, actions=names, not_actions=None)
        if statement.effect == "Allow" and True in holds:
            yield replace(rest, conditions=others)
        elif statement.effect == "Allow" or False not in holds:
            yield rest

    def _resources(self, patterns: Sequence[str], buckets: Collection[str]) -> list[str] | None:
        """What patterns are about of some buckets; None where they cannot be told apart by bucket."""
        prefix = f"arn:{self.partition}:s3:::"
        resources: list[str] = []
        for pattern in patterns:
            name, slash, below = pattern.removeprefix(prefix).partition("/")
            if pattern == "*" or (pattern == f"{prefix}*"):
                resources += [f"{prefix}{bucket}{each}" for bucket in buckets for each in ("", "/*")]
            elif not pattern.startswith(prefix) or has_wildcard(name):
                return None
            elif name in buckets:
                resources.append(f"{prefix}{name}{slash}{below}")
        return resources


def _region_conditions(statement: Statement) -> tuple[Condition, ...]:
    return tuple(each for each in statement.conditions if each.key.lower() == REQUESTED_REGION)


def _holds(statement: Statement, conditions: tuple[Condition, ...], region: str | None) -> bool | None:
    """Whether the conditions hold in a region; None where that is not known."""
    if region is None:
        return None
    bearing = judge(replace(statement, conditions=conditions), Facts(requested_region=region)).bearing
    return {Bearing.ALWAYS: True, Bearing.NEVER: False}.get(bearing)


def _about_buckets(statement: Statement) -> Statement:
    """A Deny without the permissions that are about no bucket, which it says for itself."""
    if statement.effect == "Allow":
        return statement
    return replace(statement, actions=tuple(sorted(permissions_of(statement) - _account_wide())), not_actions=None)


@cache
def _account_wide() -> frozenset[str]:
    return frozenset(each.name for each in permissions() if not each.on_bucket and not each.on_object)
