"""S3: the buckets of an account, where they are, their tags, and the pages of their keys."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from raito_pipeline.aws.connection.clients import AwsClients, aws_call, bucket_call
from raito_pipeline.aws.connection.errors import AwsError, AwsGone
from raito_pipeline.aws.connection.paging import Paging
from raito_pipeline.aws.readers.reading import (
    Progress,
    Read,
    UnreadElement,
    bucket_error,
    no_progress,
    now,
    once_each,
    tags_of,
    workers,
)
from raito_pipeline.aws.readers.s3_listing import Listed, fast_listing, listed_page
from raito_pipeline.config.groups import S3Options
from raito_pipeline.config.patterns import matches_any
from raito_pipeline.model import S3Bucket, Tag
from raito_pipeline.storage.cells import ReadStatus

_BUCKETS_A_PAGE = 1000
_KEYS_A_PAGE = 1000
_NO_BUCKET = "NoSuchBucket"
_PAGING, _LIST = Paging("ContinuationToken"), ("s3:ListAllMyBuckets", "the account")
_Known = Mapping[tuple[str, datetime | None], S3Bucket]
"""by name and creation date: a bucket that was made anew may be elsewhere"""


def wants_bucket(options: S3Options, bucket: str) -> bool:
    """Whether `aws-s3-include-buckets` and `aws-s3-exclude-buckets` keep a bucket; excludes win."""
    if matches_any(options.aws_s3_exclude_buckets, bucket):
        return False
    return not options.aws_s3_include_buckets or matches_any(options.aws_s3_include_buckets, bucket)


def read_buckets(
    clients: AwsClients,
    options: S3Options,
    *,
    earlier: Iterable[S3Bucket] = (),
    progress: Progress = no_progress,
) -> Read[S3Bucket]:
    """Every bucket of the account, sorted by name.

    `earlier` is what the previous sync stored: the region of a bucket never changes, so it saves the look-up of those
    that still have the same creation date, and it gives the tags of those whose tags cannot be read now. Where AWS
    names the region in the list, nothing is looked up at all. A bucket that is gone although it is still listed, as
    happens for hours after a deletion, is left out. Tags or a location that cannot be read make the read partial.
    Raises `AwsError` where the list fails.
    """
    began = now()
    answered = once_each(_list_buckets(clients), key=lambda bucket: bucket["Name"])
    known = {(b.name, b.create_date): b for b in earlier}
    with workers(options.aws_concurrency) as pool:
        answers = pool.each(lambda bucket: _bucket(clients, options, known, bucket), answered, "buckets", progress)
    rows = sorted((each.row for each in answers if each.row is not None), key=lambda row: row.name)
    return Read.complete(rows, began).without(each.unread for each in answers if each.unread)


@dataclass(frozen=True, slots=True)
class _Found:
    row: S3Bucket | None
    unread: UnreadElement | None = None


def _list_buckets(clients: AwsClients) -> Iterator[Mapping[str, Any]]:
    # Only a request with a page size is answered with the region of each bucket.
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html
    request: dict[str, Any] = {"MaxBuckets": _BUCKETS_A_PAGE}
    seen: set[str] = set()
    while True:
        with aws_call(*_LIST):
            page = clients.client("s3").list_buckets(**request)
        yield from page.get("Buckets", ())
        token = _PAGING.next(page, *_LIST, seen)
        if token is None:
            return
        seen.add(token)
        request["ContinuationToken"] = token


def _bucket(clients: AwsClients, options: S3Options, known: _Known, bucket: Mapping[str, Any]) -> _Found:
    name, included = bucket["Name"], wants_bucket(options, bucket["Name"])
    created: datetime | None = bucket.get("CreationDate")
    before = known.get((name, created))
    try:
        listed = bucket.get("BucketRegion")
        region = _region_of(listed) if listed else (before and before.region) or bucket_region(clients, name)
    except AwsGone:
        return _Found(None)
    except AwsError as error:
        unread = UnreadElement("regions of buckets", name, bucket_error(error))
        return _Found(S3Bucket(name, None, created, included, None), unread)
    if not included:
        return _Found(S3Bucket(name, region, created, included, None))
    try:
        return _Found(S3Bucket(name, region, created, included, _tags(clients, name, region)))
    except AwsGone:
        return _Found(None)
    except AwsError as error:
        tags = before.tags if before else None
        unread = UnreadElement("tags of buckets", name, bucket_error(error), kept=tags is not None)
        return _Found(S3Bucket(name, region, created, included, tags), unread)


def bucket_region(clients: AwsClients, bucket: str) -> str:
    """The region of a bucket. Raises `AwsError`.

    AWS says nothing for us-east-1 and `EU` for the oldest buckets of eu-west-1.
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html
    """
    with aws_call("s3:GetBucketLocation", clients.s3_arn(bucket)):
        location = clients.client("s3").get_bucket_location(Bucket=bucket).get("LocationConstraint")
    return _region_of(location)


def _region_of(location: str | None) -> str:
    if not location:
        return "us-east-1"
    return "eu-west-1" if location == "EU" else location


def _tags(clients: AwsClients, bucket: str, region: str) -> tuple[Tag, ...]:
    try:
        with bucket_call(clients, "s3:GetBucketTagging", bucket, region) as s3:
            return tags_of(s3.get_bucket_tagging(Bucket=bucket)["TagSet"])
    except AwsGone as gone:
        if gone.code == _NO_BUCKET:
            raise
        return ()


@dataclass(frozen=True, slots=True)
class KeyPage:
    """One page of a listing, or (`problem`) why there is none."""

    keys: tuple[str, ...] | list[str] = ()
    """keys in the order of S3: by their UTF-8 bytes"""
    prefixes: tuple[str, ...] | list[str] = ()
    """common prefixes, ending in the delimiter; only where one was asked for"""
    token: str | None = None
    """what to ask the next page with; null at the end"""
    problem: str | None = None
    status: ReadStatus = ReadStatus.COMPLETE


class S3Keys:
    """Lists the keys of buckets of one region, page by page. Thread-safe."""

    def __init__(self, clients: AwsClients, region: str) -> None:
        self._clients, self._region = clients, region
        fast_listing(clients.client("s3", region))

    def page(
        self,
        bucket: str,
        *,
        prefix: str = "",
        start_after: str = "",
        token: str = "",
        delimiter: str = "",
        limit: int = 0,
    ) -> KeyPage:
        """One page of `ListObjectsV2`: at most 1,000 keys and common prefixes (`limit`, where given).

        A call that fails, through all retries, is a page with a problem. A bucket that was deleted is an empty page.
        """
        try:
            listed = list_page(
                self._clients,
                self._region,
                bucket,
                prefix=prefix,
                start_after=start_after,
                token=token,
                delimiter=delimiter,
                limit=limit,
            )
        except AwsError as error:
            if isinstance(error, AwsGone) and error.code == _NO_BUCKET:
                return KeyPage()
            return KeyPage(problem=str(error), status=error.status)
        return KeyPage(listed.keys, listed.prefixes, listed.token)


def list_page(
    clients: AwsClients,
    region: str,
    bucket: str,
    *,
    prefix: str = "",
    start_after: str = "",
    token: str = "",
    delimiter: str = "",
    limit: int = 0,
    details: bool = False,
) -> Listed:
    """One page of `ListObjectsV2` with what the fast parser keeps of it (see `listed_page`). Raises `AwsError`."""
    request: dict[str, Any] = {"Bucket": bucket, "MaxKeys": limit or _KEYS_A_PAGE}
    if prefix:
        request["Prefix"] = prefix
    if token:
        request["ContinuationToken"] = token
    elif start_after:
        request["StartAfter"] = start_after
    if delimiter:
        request["Delimiter"] = delimiter
    with bucket_call(clients, "s3:ListBucket", bucket, region) as s3:
        return listed_page(s3, request, details=details)
