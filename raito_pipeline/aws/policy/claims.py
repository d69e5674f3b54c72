"""What the engine answers with, and what it asks: claims with their basis, and the buckets that patterns are about."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from raito_pipeline.aws.policy.documents import Document, Statement
from raito_pipeline.aws.policy.facts import UNKNOWN, Facts, PrincipalFacts
from raito_pipeline.aws.policy.reasons import Reason
from raito_pipeline.aws.policy.resources import (
    BucketResource,
    NoPattern,
    Pattern,
    PermissionTarget,
    read_pattern,
)

Labelled = tuple[str, Document]
"""a document under the label that people know it by"""
Basis = frozenset[tuple[str, str]]
"""what a claim rests on: the labels of documents, each with the label of a statement of it"""


@dataclass(frozen=True)
class OtherBucket:
    """A bucket of another account of the same `raito.yml`."""

    owner: str
    """the account as reasons call it: its id, and the name of its target"""
    lets_in: bool | None
    """whether the bucket lets in somebody of this account; None where that is not known"""


@dataclass(frozen=True)
class KnownPaths:
    """Which of the paths that policies name are data objects, and of which kind."""

    files: frozenset[PermissionTarget] = frozenset()
    folders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """paths by bucket, sorted: those that begin as a policy says"""
    beside_folders: frozenset[PermissionTarget] = frozenset()
    """those of the files that have a folder of the same path beside them, which has the name of the path"""
    others: Mapping[str, OtherBucket] = field(default_factory=dict)
    """by name, those buckets of other accounts that policies name"""
    matching: Mapping[Pattern, Mapping[str, frozenset[PermissionTarget]]] = field(default_factory=dict)
    """what lies, by bucket, where a pattern of keys says so: the folders in which everything matches, and the files
    beside these; nothing of a pattern that was not looked up, or that too much matches"""
    listed: frozenset[str] = frozenset()
    """buckets whose keys are all data objects: where nothing is found, nothing is"""

    def takes_the_name_of(self, folder: PermissionTarget) -> bool:
        """True where a file is what Raito Cloud knows by the name that a folder of this path would have."""
        file = PermissionTarget(folder.bucket, folder.path, file=True)
        return file in self.files and file not in self.beside_folders


NO_PATHS = KnownPaths()


@dataclass
class WantedPaths:
    """What policies name of the keys of buckets, to be looked up among the data objects."""

    keys: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """by bucket: files, and folders whose name a file may have"""
    beginnings: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """by bucket: how the paths of folders begin"""
    others: set[str] = field(default_factory=set)
    """buckets that are none of the account"""
    patterns: set[Pattern] = field(default_factory=set)
    """patterns of keys, of statements that are about objects that there are"""

    def __bool__(self) -> bool:
        return bool(self.keys or self.beginnings or self.patterns)


@dataclass(frozen=True)
class Scope:
    """What resource patterns are held against."""

    partition: str
    places: tuple[BucketResource, ...]
    """buckets that are data objects, by name, or the one bucket of an access point"""
    left_out: tuple[BucketResource, ...] = ()
    """buckets of the account that are no data objects"""
    written_by_aws: bool = False
    """whether the documents are AWS's own, the same for all customers: buckets that they name are AWS's"""
    account_wide: bool = True
    """whether `*` is the account; else the one place is all there is"""
    folder_depth: int | None = None
    """parts of a path that are folders: None = any number, 0 = there are no folders"""
    facts: Facts = UNKNOWN
    """what is known of the calls that conditions and policy variables are about"""
    paths: KnownPaths = NO_PATHS
    """files and folders that single keys and beginnings of keys are looked up in; what is not in it gives nothing"""
    points: tuple[BucketResource, ...] = ()
    """the access points of the places, where what is matched may be about these by their own ARNs"""
    settled: frozenset[str] = frozenset()
    """resources that name access points, of which it is known otherwise what they give"""
    shown: "Collection[Claim]" = ()
    """what is claimed anyway: a part of it that has no name lacks nothing"""
    prepared: dict[object, Any] = field(default_factory=dict, compare=False, repr=False)
    """statements that were taken apart, for scopes that are made of this one as well"""

    def called_by(self, principal: PrincipalFacts | None) -> "Scope":
        """The same where one user or role calls."""
        return self._with(replace(self.facts, principal=principal))

    def called_through(self, service: str) -> "Scope":
        """The same where a service of AWS makes the calls for whoever has the right to them."""
        return self._with(replace(self.facts, service=service))

    def beside(self, claims: "Collection[Claim]") -> "Scope":
        """The same for what is given beside these claims."""
        return self._with(self.facts, shown=claims)

    def shows(self, target: PermissionTarget, name: str) -> bool:
        """True where a permission is claimed anyway on a target, or on what it lies in."""
        return Claim(target, name).is_among(self.shown)

    def of_bucket(self, bucket: str) -> "Scope":
        """The same for claims on one bucket alone, which others and access points have no bearing on."""
        place = self.by_bucket.get(bucket)
        return replace(self, places=() if place is None else (place,), points=())

    def _with(self, facts: Facts, **more: Any) -> "Scope":
        called = replace(self, facts=facts, **more)
        # They are the same buckets.
        called.__dict__.update(by_bucket=self.by_bucket, by_name=self.by_name, all_by_name=self.all_by_name)
        return called

    @cached_property
    def by_bucket(self) -> dict[str, BucketResource]:
        """The places by the name of their bucket."""
        return {place.bucket: place for place in self.places}

    @cached_property
    def by_name(self) -> dict[str, list[BucketResource]]:
        """The places by what patterns that are about one alone begin with (`Pattern.bucket`)."""
        return by_name(self.places)

    @cached_property
    def all_by_name(self) -> dict[str, list[BucketResource]]:
        """The same with the buckets that are no data objects."""
        return by_name((*self.places, *self.left_out))

    def named_by(self, pattern: Pattern) -> Sequence[BucketResource]:
        """The places that a pattern may be about, by the beginning of its resource."""
        return self.places if pattern.bucket is None else self.by_name.get(pattern.bucket, ())

    def pattern(self, text: str, statement: Statement) -> Pattern:
        """A resource of a statement, with the policy variables that are known. Raises `NoPattern`."""
        known = self.facts.substituted(text) if statement.variables else text
        return read_pattern(known, self.partition, variables=statement.variables)


def by_name(places: Iterable[BucketResource]) -> dict[str, list[BucketResource]]:
    """Places by what their ARN says up to a slash: the bucket, or `accesspoint`."""
    named: dict[str, list[BucketResource]] = defaultdict(list)
    for place in places:
        named[place.resource.partition("/")[0]].append(place)
    return named


@dataclass(frozen=True, slots=True, order=True)
class Claim:
    """One permission on one target."""

    target: PermissionTarget
    permission: str

    def is_among(self, claims: "Collection[Claim]") -> bool:
        """True where the same permission is claimed on what the target is, or lies in."""
        return any(Claim(each, self.permission) in claims for each in self.target.around)


Claims = Mapping[Claim, Basis]
"""claims, each with its basis"""


def add_claim(claims: dict[Claim, Basis], claim: Claim, basis: Basis) -> None:
    """Add a claim, which rests on what it rested on before as well."""
    known = claims.get(claim)
    claims[claim] = basis if known is None else known | basis


@dataclass(frozen=True)
class What:
    """What is claimed, on what basis, and everything that could not be."""

    claims: Claims
    reasons: tuple[Reason, ...]


def by_target(claims: Iterable[Claim]) -> list[tuple[PermissionTarget, tuple[str, ...]]]:
    """Targets with their permissions, both sorted."""
    permissions: dict[PermissionTarget, list[str]] = defaultdict(list)
    for claim in sorted(claims):
        permissions[claim.target].append(claim.permission)
    return [(target, tuple(names)) for target, names in permissions.items()]


def patterns(texts: Iterable[str], statement: Statement, scope: Scope) -> Iterator[Pattern]:
    """Those of the resources of a statement that are patterns of S3."""
    for text in texts:
        try:
            yield scope.pattern(text, statement)
        except NoPattern:
            continue


def points_named(statement: Statement) -> Iterator[str]:
    """The resources of an Allow that are written as ARNs of access points."""
    if statement.effect == "Allow":
        yield from (text for text in statement.resources or () if ":accesspoint/" in text)
