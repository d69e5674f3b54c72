"""The policies of the buckets of an account: what they deny to whom, and which of them were not read.

A bucket policy is about its own bucket, whatever its resources say. As one of many documents that limit a principal,
its Denies are written for that bucket alone.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from raito_pipeline.aws.access.account import Account, PrincipalKey
from raito_pipeline.aws.policy import Document, Statement, read_document
from raito_pipeline.aws.policy.actions import permissions_of
from raito_pipeline.aws.policy.deny_reach import DenyReach, reach
from raito_pipeline.aws.policy.documents import Condition
from raito_pipeline.aws.policy.permissions import permissions
from raito_pipeline.aws.policy.reasons import Code, Reason
from raito_pipeline.aws.policy.resources import BucketResource, NoPattern, Pattern, read_pattern
from raito_pipeline.aws.policy.what import Labelled
from raito_pipeline.first_few import first_few
from raito_pipeline.model import S3BucketPolicy

_MOST_NAMES = 5
_OF = "bucket policy of "
_SOME = Condition("Principal", "some of its sessions", ())
"""stands for what cannot be said by name, so that a Deny is a reason and takes nothing away"""
_PART = Condition("Resource", "some of the bucket", ())
"""the same of what it is about in the bucket"""


@dataclass(frozen=True, eq=False)
class BucketDocument:
    """A bucket policy, read. Compared by identity: an account reads each once."""

    row: S3BucketPolicy
    text: str
    document: Document
    denies: tuple[Statement, ...]
    """Deny statements about S3, with resources of this bucket alone"""

    @property
    def label(self) -> str:
        """How reasons name it."""
        return f"{_OF}{self.row.bucket}"


@dataclass(frozen=True)
class OnBuckets:
    """A reason of whoever has something on one of these buckets."""

    buckets: frozenset[str]
    reason: Reason


def bucket_documents(account: Account) -> tuple[BucketDocument, ...]:
    """The policies of the buckets that are data objects, in the order of their names."""
    return account.once(_read)


def _read(account: Account) -> tuple[BucketDocument, ...]:
    documents = []
    for row in sorted(account.inputs.bucket_policies, key=lambda row: row.bucket):
        if row.policy is not None and row.bucket in account.regions:
            document = read_document(row.policy)
            denies = tuple(_confined(account, document, row.bucket))
            documents.append(BucketDocument(row, row.policy, document, denies))
    return tuple(documents)


def document_of(account: Account, bucket: str) -> BucketDocument | None:
    """The policy of one bucket; None where it has none, or it was not read."""
    return account.once(_by_bucket).get(bucket)


def _by_bucket(account: Account) -> Mapping[str, BucketDocument]:
    return {each.row.bucket: each for each in bucket_documents(account)}


def unread_buckets(account: Account) -> frozenset[str]:
    """The buckets whose policies were never read."""
    return account.once(_unread)


def _unread(account: Account) -> frozenset[str]:
    rows = account.inputs.bucket_policies
    return frozenset(row.bucket for row in rows if not row.policy_read and row.bucket in account.regions)


def doubts(account: Account) -> tuple[OnBuckets, ...]:
    """What is not known of the policies of buckets, each of which may deny something."""
    return account.once(_doubts)


def _doubts(account: Account) -> tuple[OnBuckets, ...]:
    doubted = []
    unread = unread_buckets(account)
    if unread:
        names = first_few(sorted(unread), _MOST_NAMES)
        text = f"bucket policies were not read ({names}), and may deny something"
        doubted.append(OnBuckets(unread, Reason(Code.WIDER, text)))
    for each in bucket_documents(account):
        for problem in each.document.problems:
            reason = Reason(Code.WIDER, f"{each.label}: {problem}: it may deny something")
            doubted.append(OnBuckets(frozenset({each.row.bucket}), reason))
    return tuple(doubted)


def denies_reaching(account: Account, principal: PrincipalKey) -> tuple[Labelled, ...]:
    """The Denies of bucket policies that reach a user, a role, or every member of a group; a document a bucket."""
    return tuple(
        account.once(_document, each, numbers)
        for each in bucket_documents(account)
        if (numbers := account.once(_reaching, each, principal))
    )


_Numbers = tuple[tuple[int, Condition | None], ...]
"""positions in `BucketDocument.denies`, and what it stands for that one reaches not all of the calls (None: it does)"""


def _reaching(account: Account, bucket: BucketDocument, principal: PrincipalKey) -> _Numbers:
    reached = {at: hit for at, each in enumerate(bucket.denies) if (hit := reach_of(account, each, principal))}
    if principal[0] != "group":
        return tuple((at, None if hit is DenyReach.SURE else _SOME) for at, hit in reached.items())
    members = [("user", name) for name in account.members.get(principal[1], ())]
    of_members = [set(account.once(_reaching, bucket, member)) for member in members]
    of_all = set.intersection(*of_members) if of_members else {(at, None) for at in reached}
    # Whoever joins the group is nobody whom a policy names yet.
    newcomers = Condition("Principal", f"whoever else joins group {principal[1]}", ())
    of_some = {(at, newcomers) for at in reached if (at, None) not in of_all}
    return tuple(sorted(of_all | of_some, key=lambda each: each[0]))


def about_bucket(documents: Iterable[Labelled], bucket: str) -> tuple[Labelled, ...]:
    """Documents of a principal less the policies of other buckets, which are about these alone."""
    own = f"{_OF}{bucket}"
    return tuple(each for each in documents if not each[0].startswith(_OF) or each[0] == own)


def reaching_as(account: Account, statement: Statement, principal: PrincipalKey) -> Statement | None:
    """A Deny of the policy of a resource as it counts for a user or role; None where it is not about it."""
    hit = reach_of(account, statement, principal)
    return _doubted(statement, None if hit is DenyReach.SURE else _SOME) if hit else None


def reach_of(account: Account, statement: Statement, principal: PrincipalKey) -> DenyReach:
    """Whether a Deny of the policy of a resource is about a user or role, its conditions aside."""
    arn = account.principals[principal].arn if principal in account.principals else ""
    return reach(statement, arn, account.inputs.account_id, has_boundary=principal in account.boundaries)


def _document(account: Account, bucket: BucketDocument, numbers: _Numbers) -> Labelled:  # noqa: ARG001 - see `once`
    listed = tuple(_doubted(bucket.denies[at], doubt) for at, doubt in numbers)
    return bucket.label, Document(bucket.document.version, listed, ())


def _doubted(statement: Statement, doubt: Condition | None) -> Statement:
    return statement if doubt is None else replace(statement, conditions=(*statement.conditions, doubt))


def _confined(account: Account, document: Document, bucket: str) -> Iterator[Statement]:
    """The Denies of the policy of a bucket, written for that bucket alone."""
    for statement in document.statements:
        if statement.effect == "Deny" and permissions_of(statement):
            if statement.not_resources is None:
                resources = _of_bucket(statement, bucket, account.options.aws_partition)
            else:
                resources = _all_but(statement, bucket, account.options.aws_partition)
                yield from _all_but_a_part(account, statement, bucket)
            if resources.sure:
                yield replace(statement, resources=tuple(dict.fromkeys(resources.sure)), not_resources=None)
            if resources.maybe:
                maybe = tuple(dict.fromkeys(resources.maybe))
                yield _doubted(replace(statement, resources=maybe, not_resources=None), _PART)


@dataclass
class _Resources:
    """What a Deny is about in its bucket."""

    sure: list[str] = field(default_factory=list)
    maybe: list[str] = field(default_factory=list)


def _of_bucket(statement: Statement, bucket: str, partition: str) -> _Resources:
    """The resources of a statement in its bucket; of a pattern about others as well, what it says of this one."""
    arn, place = f"arn:{partition}:s3:::{bucket}", BucketResource.of_bucket(bucket)
    resources = _Resources()
    for text in ("*",) if statement.resources is None else statement.resources:
        if text == arn or text.startswith(f"{arn}/"):
            resources.sure.append(text)
            continue
        try:
            pattern = read_pattern(text, partition, variables=statement.variables)
        except NoPattern:
            continue
        if pattern.may_be_place(place):
            (resources.sure if pattern.is_place(place) else resources.maybe).append(arn)
        if pattern.everything:
            resources.sure.append(f"{arn}/*")
        elif pattern.may_be_below(place, ""):
            below = [each.pattern(variables=statement.variables) for each in pattern.rests(place)]
            resources.sure += [f"{arn}/{each}" for each in below if each]
            resources.maybe += [f"{arn}/*"] if None in below or not below else []
    return resources


def _all_but(statement: Statement, bucket: str, partition: str) -> _Resources:
    """The same of a statement with `NotResource`, as far as it is about the bucket or all of its objects."""
    arn, place = f"arn:{partition}:s3:::{bucket}", BucketResource.of_bucket(bucket)
    patterns = list(_patterns(statement, partition))
    resources = _Resources()
    if not any(pattern.is_place(place) for pattern in patterns):
        maybe = any(pattern.may_be_place(place) for pattern in patterns)
        (resources.maybe if maybe else resources.sure).append(arn)
    if not any(pattern.may_be_below(place, "") for pattern in patterns):
        resources.sure.append(f"{arn}/*")
    return resources


def _all_but_a_part(account: Account, statement: Statement, bucket: str) -> Iterator[Statement]:
    """What a statement with `NotResource` says of objects where it spares some of them, made to spare other buckets."""
    partition, place = account.options.aws_partition, BucketResource.of_bucket(bucket)
    patterns = list(_patterns(statement, partition))
    some = any(pattern.may_be_below(place, "") for pattern in patterns)
    names = tuple(each.name for each in permissions() if each.on_object and each.name in permissions_of(statement))
    if not some or not names or any(pattern.covers_below(place, "") for pattern in patterns):
        return
    others = (f"arn:{partition}:s3:::{each.name}/*" for each in account.inputs.buckets if each.name != bucket)
    points = (f"{point.arn}/object/*" for point in account.inputs.access_points)
    spared = (*(statement.not_resources or ()), *others, *points)
    yield replace(statement, actions=names, not_actions=None, not_resources=spared)


def _patterns(statement: Statement, partition: str) -> Iterator[Pattern]:
    for text in statement.not_resources or ():
        try:
            yield read_pattern(text, partition, variables=statement.variables)
        except NoPattern:
            continue
