"""What buckets say of who may use them: their policies, the public access block, and whether ACLs count.

Nothing tells that a bucket policy changed (the list of buckets has creation dates alone), so each is asked for by each
sync, with one call. The rest is asked for where the policy allows something: elsewhere nothing depends on it.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicy.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from raito_pipeline.aws.connection.clients import AwsClients, aws_call, bucket_call
from raito_pipeline.aws.connection.errors import AwsError, AwsGone
from raito_pipeline.aws.policy import read_document
from raito_pipeline.aws.readers.reading import (
    Progress,
    Read,
    UnreadElement,
    bucket_error,
    no_progress,
    now,
    workers,
)
from raito_pipeline.config.groups import AccessOptions
from raito_pipeline.model import S3Bucket, S3BucketPolicy

R = TypeVar("R")
_NO_BUCKET = "NoSuchBucket"
_NO_RULES = "OwnershipControlsNotFoundError"
_POLICIES, _BLOCKS, _OWNERSHIP = (
    "policies of buckets",
    "public access blocks of buckets",
    "ownership controls of buckets (whether ACLs are off)",
)
_BLOCKS_OF_ACCOUNTS = "public access blocks of accounts"
_Known = Mapping[tuple[str, datetime | None], S3BucketPolicy]
"""by name and creation date: a bucket that was made anew has nothing of the one before"""


@dataclass(frozen=True, slots=True)
class _FoundPolicy:
    row: S3BucketPolicy | None
    unread: tuple[UnreadElement, ...] = ()


def read_bucket_policies(
    clients: AwsClients,
    account_id: str,
    options: AccessOptions,
    buckets: Iterable[S3Bucket],
    *,
    earlier: Iterable[S3BucketPolicy] = (),
    progress: Progress = no_progress,
) -> Read[S3BucketPolicy]:
    """A row for each bucket that is a data object, sorted by name.

    `buckets` are those of the account; `earlier` is what the previous sync stored of their policies, which stands in
    for what cannot be read now. Of a bucket whose policy was never read the row says so (`policy_read`). The read is
    partial then. A bucket that is gone since it was listed is left out. Raises `AwsError` where the credentials have
    ended.
    """
    began = now()
    known = {(row.bucket, row.create_date): row for row in earlier}
    wanted = [(bucket, bucket.region) for bucket in buckets if bucket.region and bucket.is_data_object(options.regions)]
    with workers(options.aws_concurrency) as pool:
        answers = pool.each(lambda each: _bucket(clients, known, *each), wanted, "bucket policies", progress)
    rows = sorted((each.row for each in answers if each.row is not None), key=lambda row: row.bucket)
    rows, of_account = _with_block_of_account(clients, account_id, options, rows, known)
    unread = [one for each in answers for one in each.unread]
    return Read.complete(rows, began).without([*unread, *of_account])


def _bucket(clients: AwsClients, known: _Known, bucket: S3Bucket, region: str) -> _FoundPolicy:
    """The row of a bucket; none where the bucket is gone."""
    name = bucket.name
    new = S3BucketPolicy(name, bucket.create_date, None, False, None, None, None)
    before = known.get((name, bucket.create_date), new)
    unread: list[UnreadElement] = []
    try:
        policy = policy_of_bucket(clients, name, region)
    except AwsGone:
        return _FoundPolicy(None)
    except AwsError as error:
        return _FoundPolicy(before, (UnreadElement(_POLICIES, name, bucket_error(error), kept=before.policy_read),))
    row = replace(new, policy=policy, policy_read=True)
    if policy is None or not _allows(policy):
        return _FoundPolicy(row)
    try:
        block = _or_before(unread, _BLOCKS, name, before.public_access_block, lambda: _block(clients, name, region))
        acls_off = _or_before(unread, _OWNERSHIP, name, before.acls_off, lambda: _acls_off(clients, name, region))
    except AwsGone:
        return _FoundPolicy(None)
    return _FoundPolicy(replace(row, public_access_block=block, acls_off=acls_off), tuple(unread))


def _allows(policy: str) -> bool:
    document = read_document(policy)
    return bool(document.problems) or any(statement.effect == "Allow" for statement in document.statements)


def _or_before(
    unread: list[UnreadElement], what: str, element: str, before: R | None, read: Callable[[], R]
) -> R | None:
    """What `read` gives; where it fails, what was there before, and a line in `unread`. Raises `AwsGone`."""
    try:
        return read()
    except AwsGone:
        raise
    except AwsError as error:
        unread.append(UnreadElement(what, element, bucket_error(error), kept=before is not None))
        return before


def policy_of_bucket(clients: AwsClients, bucket: str, region: str | None) -> str | None:
    """The policy of a bucket, null where it has none. Raises `AwsError`, `AwsGone` where there is no such bucket."""
    try:
        with bucket_call(clients, "s3:GetBucketPolicy", bucket, region) as s3:
            return s3.get_bucket_policy(Bucket=bucket)["Policy"]
    except AwsGone as gone:
        if gone.code == _NO_BUCKET:
            raise
        return None


def _block(clients: AwsClients, bucket: str, region: str) -> tuple[str, ...]:
    try:
        with bucket_call(clients, "s3:GetBucketPublicAccessBlock", bucket, region) as s3:
            answer = s3.get_public_access_block(Bucket=bucket)
    except AwsGone as gone:
        if gone.code == _NO_BUCKET:
            raise
        return ()
    return _on(answer["PublicAccessBlockConfiguration"])


def _on(settings: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(sorted(name for name, on in settings.items() if on is True))


def _acls_off(clients: AwsClients, bucket: str, region: str) -> bool:
    """Whether ACLs count for nothing. A bucket without rules is an old one, in which they count."""
    try:
        with bucket_call(clients, "s3:GetBucketOwnershipControls", bucket, region) as s3:
            answer = s3.get_bucket_ownership_controls(Bucket=bucket)
    except AwsError as error:
        if error.code == _NO_RULES:
            return False
        raise
    return any(rule["ObjectOwnership"] == "BucketOwnerEnforced" for rule in answer["OwnershipControls"]["Rules"])


def _with_block_of_account(
    clients: AwsClients,
    account_id: str,
    options: AccessOptions,
    rows: Sequence[S3BucketPolicy],
    known: _Known,
) -> tuple[list[S3BucketPolicy], list[UnreadElement]]:
    """The rows with the public access block of the account, asked for where a policy allows something."""
    allowing = {row.bucket for row in rows if row.policy is not None and _allows(row.policy)}
    if not allowing:
        return list(rows), []
    stored = (row.account_public_access_block for row in known.values())
    before = next((block for block in stored if block is not None), None)
    region = options.regions[0] if options.regions else None
    unread: list[UnreadElement] = []
    block = _or_before(
        unread, _BLOCKS_OF_ACCOUNTS, account_id, before, lambda: _block_of_account(clients, account_id, region)
    )
    return [replace(row, account_public_access_block=block) if row.bucket in allowing else row for row in rows], unread


def _block_of_account(clients: AwsClients, account_id: str, region: str | None) -> tuple[str, ...]:
    try:
        with aws_call("s3:GetAccountPublicAccessBlock", f"account {account_id}"):
            answer = clients.client("s3control", region).get_public_access_block(AccountId=account_id)
    except AwsGone:
        return ()
    return _on(answer["PublicAccessBlockConfiguration"])
