"""What a copy reads: one object is written, another is read, and CloudTrail may list both of them alike.

The header: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html (`x-amz-copy-source`).
"""

import re
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import unquote_plus

Place = tuple[str, str | None]
"""bucket and key"""

_BY_ARN = re.compile(r"arn:[^:]+:s3[^:]*:[^:]*:[^:]*:(?:accesspoint|outpost)[/:].+?/object/(.*)", re.DOTALL)
_BUCKET_ARN = re.compile(r"arn:[^:]+:s3:::")
_VERSION = "?versionId="


class Source(NamedTuple):
    """What a copy header names. `bucket` is null where it names an access point: which bucket is its own secret."""

    bucket: str | None
    key: str
    version: bool


class Copy(NamedTuple):
    """The objects of a copy: those that are written, those that are read, and whether a version of these was named."""

    targets: list[Place]
    sources: list[Place]
    version: bool


def copy_source(header: object) -> Source | None:
    """Take a copy header apart: `[/]BUCKET/KEY[?versionId=ID]`, URL-encoded, or the ARN of an access point or bucket.

    >>> copy_source("/data/in/a%2Bb.csv?versionId=7")
    Source(bucket='data', key='in/a+b.csv', version=True)
    """
    if isinstance(header, list):
        header = header[0] if len(header) == 1 else None
    if not isinstance(header, str):
        return None
    # The version is cut off first: an encoded question mark belongs to the key.
    path, named, version = header.rpartition(_VERSION)
    if not named:
        path, version = header, ""
    path = unquote_plus(path).removeprefix("/")
    by_arn = _BY_ARN.fullmatch(path)
    if by_arn:
        return Source(None, by_arn[1], _is_version(version)) if by_arn[1] else None
    bucket, _, key = _BUCKET_ARN.sub("", path, count=1).partition("/")
    return Source(bucket, key, _is_version(version)) if bucket and key else None


def _is_version(version: str) -> bool:
    return bool(version) and version != "null"


def copy_of(bucket: str | None, key: str | None, header: object, listed: Sequence[Place]) -> Copy:
    """Tell the objects of a copy apart.

    `bucket` and `key` are what the call asked to be written, `header` what it asked to be read, `listed` what
    CloudTrail lists as resources (or, where it lists nothing, what the call asked to be written). The listed objects
    win over the request, which may name an access point where they name its bucket.
    """
    source = copy_source(header)
    places = list(dict.fromkeys(listed))
    asked: Place = (bucket or "", key)
    read: Place | None = (source.bucket, source.key) if source is not None and source.bucket else None
    target = _written(places, asked, read, source)
    sources = [place for place in places if place != target]
    if not sources and read is not None:
        sources = [read]
    return Copy([target] if target else [], sources, source is not None and source.version)


def _written(places: Sequence[Place], asked: Place, read: Place | None, source: Source | None) -> Place | None:
    """Which of the listed objects is the written one: the one that was asked for, else the first that is not read."""
    if asked in places:
        return asked
    not_read = [place for place in places if place != read]
    if not not_read:
        # Only what is read is listed; or both are one object, and the call named its bucket by an access point.
        return asked if asked[0] and asked[1] != (source.key if source else None) else next(iter(places), None)
    alike = [place for place in not_read if place[1] == asked[1]]
    other = [place for place in not_read if source is None or place[1] != source.key]
    return (alike or other or not_read)[0]
