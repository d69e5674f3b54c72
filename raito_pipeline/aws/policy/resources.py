"""What the resource patterns of a statement mean: which bucket, folder, or the whole account.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/security_iam_service-with-iam.html
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from raito_pipeline.aws.policy import wildcards
from raito_pipeline.aws.policy.permissions import Permission
from raito_pipeline.aws.policy.reasons import Code
from raito_pipeline.aws.policy.remarks import Remark
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
    """What a permission is given on: a folder or file, a bucket (no path), or the account (no bucket)."""

    bucket: str = ""
    path: str = ""
    file: bool = False
    """whether the path is the key of one file: a folder may have the same path"""

    def holds(self, other: "PermissionTarget") -> bool:
        """True where another target of the same bucket is this one, or lies in it."""
        return not self.path or other == self or (not self.file and other.path.startswith(f"{self.path}/"))

    @property
    def around(self) -> Iterator["PermissionTarget"]:
        """The target, and all that it lies in: the account, its bucket, and the folders from the top."""
        yield self
        yield ACCOUNT
        yield PermissionTarget(self.bucket)
        for folder in accumulate(self.path.split("/")[:-1], "{}/{}".format):
            yield PermissionTarget(self.bucket, folder)

    def meets(self, other: "PermissionTarget") -> bool:
        """True where one of two targets is the other, or lies in it."""
        if not self.bucket or not other.bucket:
            return True
        return self.bucket == other.bucket and (self.holds(other) or other.holds(self))


ACCOUNT = PermissionTarget()
LIST_BUCKETS = "s3:ListAllMyBuckets"
"""checked on `arn:aws:s3:::*`"""


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
        if not path:  # no key is empty
            return any(rest.any_but_nothing for rest in self.rests(place))
        return self._sure(place) and wildcards.covers(
            self.resource, f"{place.objects}{path}/", variables=self.variables
        )

    def may_be_below(self, place: BucketResource, path: str) -> bool:
        """True where some key below a path may match."""
        if self.resource is None:
            return True
        prefix = place.objects + (f"{path}/" if path else "")
        return self.names(place) and wildcards.may_match_below(self.resource, prefix, variables=self.variables)

    def is_key(self, place: BucketResource, key: str) -> bool:
        """True where one key matches for sure."""
        if self.resource is None:
            return True
        return self._sure(place) and matches(self.resource, place.objects + key, variables=self.variables)

    def may_be_key(self, place: BucketResource, key: str) -> bool:
        """True where one key may match."""
        if self.resource is None:
            return True
        return self.names(place) and wildcards.may_match(self.resource, place.objects + key, variables=self.variables)

    @property
    def bucket(self) -> str | None:
        """What its resource begins with up to a slash, where that is a plain text: the one bucket it may be about."""
        first = "*" if self.resource is None else self.resource.partition("/")[0]
        return None if any(mark in first for mark in ("*", "?", "$")) else first

    @property
    def has_variable(self) -> bool:
        """True where a policy variable is left in it, whose value nobody knows beforehand."""
        return self.variables and any(
            wildcards.literal(field, variables=True) is None
            for field in (self.region, self.account, self.resource or "")
        )

    @property
    def all_of_s3(self) -> bool:
        """True for `arn:aws:s3:*` and the like: whatever S3 has, wherever it is."""
        return not self.everything and all(map(_only_stars, (self.region, self.account, self.resource or "")))

    @property
    def all_buckets(self) -> bool:
        """True where every bucket and every object of it matches."""
        return self.everything or (self.plain and _only_stars(self.resource or ""))

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


def _only_stars(field: str) -> bool:
    return set(field) == _ONLY_STARS


class NoPattern(Exception):
    """A resource that says nothing about S3 here."""

    def __init__(self, remark: Remark, *, readable: bool) -> None:
        super().__init__(remark.text)
        self.remark = remark
        self.readable = readable
        """true where it is sure that it names nothing of the account's S3"""


@lru_cache(maxsize=65_536)
def read_pattern(text: str, partition: str, *, variables: bool) -> Pattern:
    """A resource pattern. Raises `NoPattern` where it is no ARN, or one of another service or partition.

    As AWS does, fields that an ARN lacks are taken as `*`: `arn:aws:s3:*` is all of S3.
    """
    if text and set(text) <= _ONLY_STARS:
        return Pattern(text, "", "", None, variables)
    parts = text.split(":", _FIELDS - 1)
    if parts[0] != "arn" or len(parts) == 1:
        no_arn = Remark(Code.NARROWER, text, "resource {} is no ARN", "resources {} are no ARNs")
        raise NoPattern(no_arn, readable=False)
    _, its_partition, service, region, account, resource = parts + ["*"] * (_FIELDS - len(parts))
    if not wildcards.may_match(service, "s3", variables=variables):
        raise NoPattern(_other_service(text), readable=True)
    if not wildcards.may_match(its_partition, partition, variables=variables):
        raise NoPattern(_other_partition(text, its_partition, partition), readable=True)
    return Pattern(text, region, account, resource, variables)


def _other_service(text: str) -> Remark:
    return Remark(
        Code.ELSEWHERE,
        text,
        "resource {} is of a service whose access is not shown",
        "resources {} are of services whose access is not shown",
    )


def _other_partition(text: str, its_partition: str, partition: str) -> Remark:
    other = f"of partition {its_partition}, and the account of {partition}"
    return Remark(Code.ELSEWHERE, text, f"resource {{}} is {other}", f"resources {{}} are {other}")


def touches(pattern: Pattern, place: BucketResource, path: str, permission: Permission) -> bool:
    """True where the pattern may match something that a permission on this place or folder is checked on."""
    if permission.on_bucket and not path and pattern.may_be_place(place):
        return True
    return permission.on_object and (pattern.may_be_below(place, path) or pattern.may_be_key(place, path))


@dataclass(frozen=True, slots=True)
class Share:
    """How patterns and something meet: surely all of it, or at least maybe some of it."""

    sure: bool
    may: bool


def account_level_share(patterns: Iterable[Pattern], permission: Permission) -> Share:
    """How patterns meet what a permission of the account itself is checked on, which is no bucket and no object."""
    listed = list(patterns)
    sure = any(
        each.everything
        or (permission.on_other and each.all_of_s3)
        or (permission.name == LIST_BUCKETS and each.all_buckets)
        for each in listed
    )
    # What is neither a bucket nor an object has a region or an account in its ARN.
    may = sure or (permission.name != LIST_BUCKETS and any(each.region or each.account for each in listed))
    return Share(sure, may)
