"""Conditions on the tags of buckets, told apart by bucket: of an Allow, the buckets go in which they never hold.

A bucket has its tags as condition keys where attribute-based access control is on in it, and none where that is off,
which is how buckets are made. Which of both it is, is not read: a condition never holds where it does not either way.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/buckets-tagging.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from raito_pipeline.aws.policy.actions import permissions_of
from raito_pipeline.aws.policy.conditions import Bearing, judge
from raito_pipeline.aws.policy.documents import Document, Statement
from raito_pipeline.aws.policy.facts import BUCKET_TAGS, BucketTags, Facts
from raito_pipeline.aws.policy.permissions import permission
from raito_pipeline.aws.policy.resources import BucketResource, read_pattern


def by_bucket_tags(document: Document, buckets: Mapping[str, BucketTags | None], partition: str) -> Document:
    """The same document, its Allows with a condition on the tags of a bucket being about those where that may hold.

    `buckets` are those of the account with their tags (None = not known, or calls may come through an access point,
    which has tags of its own). A statement that cannot be told apart by bucket stays as it is.
    """
    if not any(map(_asks_for_tags, document.statements)):
        return document
    places = _TaggedBuckets(buckets, partition)
    return replace(document, statements=tuple(map(places.where_it_may_hold, document.statements)))


@dataclass(frozen=True)
class _TaggedBuckets:
    """The buckets of an account, as resources."""

    tags: Mapping[str, BucketTags | None]
    partition: str

    def where_it_may_hold(self, statement: Statement) -> Statement:
        """The statement without the buckets where its conditions on tags never hold."""
        if statement.effect != "Allow" or not _asks_for_tags(statement) or not _is_on_buckets(statement):
            return statement
        left = [bucket for bucket, tags in self.tags.items() if not _never_holds(statement, tags)]
        resources = self._resources(statement.resources or (), left)
        return statement if resources is None else replace(statement, resources=tuple(resources))

    def _resources(self, texts: Sequence[str], left: Sequence[str]) -> list[str] | None:
        """What resources are about of some buckets, and of none of the account; None where that cannot be told."""
        resources: list[str] = []
        for text in texts:
            if not text.startswith(f"arn:{self.partition}:s3:::") or "${" in text:
                return None
            if not any(self._of_bucket(text, bucket) for bucket in self.tags):
                resources.append(text)
            for bucket in left:
                resources += self._of_bucket(text, bucket)
        return list(dict.fromkeys(resources))

    def _of_bucket(self, text: str, bucket: str) -> tuple[str, ...]:
        """The resource, or what is left of it, in one bucket."""
        arn, place = f"arn:{self.partition}:s3:::{bucket}", BucketResource.of_bucket(bucket)
        pattern = read_pattern(text, self.partition, variables=False)
        itself = (arn,) if pattern.is_place(place) else ()
        below = {rest.pattern(variables=False) or "" for rest in pattern.rests(place)} - {""}
        # What begins with any text is about what it ends with, too.
        return (*itself, *(f"{arn}/{each}" for each in sorted(below) if f"*{each}" not in below))


def _asks_for_tags(statement: Statement) -> bool:
    return any(each.key.lower().startswith(BUCKET_TAGS) for each in statement.conditions)


def _is_on_buckets(statement: Statement) -> bool:
    """True where all that it is about are buckets by their names, and what lies in them."""
    rights = (permission(name) for name in permissions_of(statement))
    return statement.resources is not None and all(each and (each.on_bucket or each.on_object) for each in rights)


def _never_holds(statement: Statement, tags: BucketTags | None) -> bool:
    asked = tuple(each for each in statement.conditions if each.key.lower().startswith(BUCKET_TAGS))
    if tags is None:
        return False
    return judge(replace(statement, conditions=asked), Facts(bucket_tags=tags)).bearing is Bearing.NEVER
