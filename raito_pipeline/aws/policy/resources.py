"""What the resource patterns of a statement mean: which bucket, folder, or the whole account.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/security_iam_service-with-iam.html
"""

from collections.abc import Iterable
from dataclasses import dataclass

from raito_pipeline.aws.policy import wildcards
from raito_pipeline.aws.policy.permissions import Permission
from raito_pipeline.aws.policy.reasons import Code, Reason
from raito_pipeline.aws.policy.wildcards import matches

_FIELDS = 6
_ONLY_STARS = frozenset("*")


@dataclass(frozen=True, slots=True)
class BucketResource:
    """A bucket, and the ARN under which policies name it: its own, or that of an access point of it."""

    bucket: str
    resource: str
    """last field of the ARN: `BUCKET`, or `accesspoint/NAME`"""
    objects: str
    """what precedes a key: `BUCKET/`, or `accesspoint/NAME/object/`"""
    region: str = ""
    account: str = ""

    @staticmethod
    def of_bucket(name: str) -> "BucketResource":
        """A bucket under its own ARN."""
        return BucketResource(name, name, f"{name}/")

    @staticmethod
    def of_access_point(arn: str, bucket: str) -> "BucketResource":
        """A bucket under the ARN of one of its access points. Raises `ValueError` where it is not an ARN."""
        _, _, _, region, account, resource = arn.split(":", _FIELDS - 1)
        return BucketResource(bucket, resource, f"{resource}/object/", region, account)


@dataclass(frozen=True, slots=True, order=True)
class PermissionTarget:
    """What a permission is given on: a folder, a bucket (no path), or the account (no bucket)."""

    bucket: str = ""
    path: str = ""


ACCOUNT = PermissionTarget()


@dataclass(frozen=True, slots=True)
class Pattern:
    """A resource pattern, taken apart. `resource` is None where it is everything (`*`)."""

    text: str
    region: str
    account: str
    resource: str | None
    variables: bool

    @property
    def everything(self) -> bool:
        """True for `*`."""
        return self.resource is None

    @property
    def plain(self) -> bool:
        """True where it may be the ARN of a bucket or of an object: neither region nor account."""
        return _empty(self.region) and _empty(self.account)

    def names(self, place: BucketResource) -> bool:
        """True where it may name the place or what is in it, judged by region and account alone."""
        return self._field(self.region, place.region) and self._field(self.account, place.account)

    def _field(self, pattern: str, value: str) -> bool:
        return wildcards.may_match(pattern, value, variables=self.variables)

    def is_place(self, place: BucketResource) -> bool:
        """True where the place itself matches for sure."""
        if self.resource is None:
            return True
        return self._sure(place) and matches(self.resource, place.resource, variables=self.variables)

    def may_be_place(self, place: BucketResource) -> bool:
        """True where the place itself may match."""
        if self.resource is None:
            return True
        return self.names(place) and wildcards.may_match(self.resource, place.resource, variables=self.variables)

    def covers_below(self, place: BucketResource, path: str) -> bool:
        """True where every key below a path (`""` = the whole bucket) matches for sure."""
        if self.resource is None:
            return True
        prefix = place.objects + (f"{path}/" if path else "")
        return self._sure(place) and wildcards.covers(self.resource, prefix, variables=self.variables)

    def may_be_below(self, place: BucketResource, path: str) -> bool:
        """True where some key below a path may match."""
        if self.resource is None:
            return True
        prefix = place.objects + (f"{path}/" if path else "")
        return self.names(place) and wildcards.may_match_below(self.resource, prefix, variables=self.variables)

    def rests(self, place: BucketResource) -> tuple[wildcards.Rest, ...]:
        """What is asked of a key of the place."""
        if self.resource is None or not self._sure(place):
            return ()
        return wildcards.after(self.resource, place.objects, variables=self.variables)

    def _sure(self, place: BucketResource) -> bool:
        return matches(self.region, place.region, variables=self.variables) and matches(
            self.account, place.account, variables=self.variables
        )


def _empty(field: str) -> bool:
    return set(field) <= _ONLY_STARS


class NoPattern(Exception):
    """A resource that says nothing about S3 here."""

    def __init__(self, code: Code, text: str) -> None:
        super().__init__(text)
        self.reason = Reason(code, text)


def read_pattern(text: str, partition: str, *, variables: bool) -> Pattern:
    """A resource pattern. Raises `NoPattern` where it is no ARN, or one of another service or partition."""
    if text and set(text) <= _ONLY_STARS:
        return Pattern(text, "", "", None, variables)
    parts = text.split(":", _FIELDS - 1)
    if len(parts) != _FIELDS or parts[0] != "arn":
        raise NoPattern(Code.NARROWER, f"resource {text} is not an ARN of six fields")
    _, its_partition, service, region, account, resource = parts
    if not wildcards.may_match(service, "s3", variables=variables):
        raise NoPattern(Code.ELSEWHERE, f"resource {text} is of a service whose access is not shown")
    if not wildcards.may_match(its_partition, partition, variables=variables):
        other = f"resource {text} is of partition {its_partition}, and the account of {partition}"
        raise NoPattern(Code.NARROWER, other)
    return Pattern(text, region, account, resource, variables)


def touches(pattern: Pattern, place: BucketResource, path: str, permission: Permission) -> bool:
    """True where the pattern may match something that a permission on this place or folder is checked on."""
    return (permission.on_bucket and not path and pattern.may_be_place(place)) or (
        permission.on_object and pattern.may_be_below(place, path)
    )


def contains(patterns: Iterable[Pattern], place: BucketResource, path: str, permission: Permission) -> bool:
    """True where one pattern matches, for sure, everything that a permission on this place or folder is checked on."""
    return any(
        (not permission.on_bucket or path != "" or pattern.is_place(place))
        and (not permission.on_object or pattern.covers_below(place, path))
        for pattern in patterns
    )
