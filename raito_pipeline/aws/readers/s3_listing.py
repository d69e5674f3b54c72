"""Reading the answer of `ListObjectsV2` without botocore's general XML parser, which costs most of a listing.

The answer goes through all of botocore (signing, retries, errors) up to the moment when its body is parsed. A complete
listing is then cut up with a few regular expressions; anything else that S3 may say (an error hidden in a 200, say) is
left to botocore. The hook acts only within `listed_page`, so that other callers of the client see no difference.
"""

import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from html import unescape
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from raito_pipeline.aws.connection.answers import LISTED
from raito_pipeline.aws.connection.paging import no_way_on

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_ROOT = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*\?>\s*)?<ListBucketResult[ >]")
_END = b"</ListBucketResult>"
_KEY = re.compile(rb"<Key>([^<]*)</Key>")
_PREFIX = re.compile(rb"<CommonPrefixes>\s*<Prefix>([^<]*)</Prefix>")
_ETAG = re.compile(rb"<ETag>([^<]*)</ETag>")
_SIZE = re.compile(rb"<Size>([^<]*)</Size>")
_CLASS = re.compile(rb"<StorageClass>([^<]*)</StorageClass>")
_MODIFIED = re.compile(rb"<LastModified>([^<]*)</LastModified>")
_TRUNCATED = re.compile(rb"<IsTruncated>\s*(true|false)\s*</IsTruncated>")
_COUNT = re.compile(rb"<KeyCount>\s*\d+\s*</KeyCount>")
_TOKEN = re.compile(rb"<NextContinuationToken>([^<]*)</NextContinuationToken>")
_ENCODING = re.compile(rb"<EncodingType>\s*url\s*</EncodingType>")
_EVENT = "before-parse.*.ListObjectsV2"
"""Of every service, as such a hook is called before the SDK's own of S3. That one makes a tree of the whole answer to
see whether it is an error: most of what a page costs. A listing that was read is none; a short one stands in for it."""
_asked = threading.local()


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of keys. What follows the token runs along with `keys`, and is empty where not asked for."""

    keys: list[str]
    prefixes: list[str]
    token: str | None
    etags: list[str]
    sizes: list[int]
    modified: list[datetime]
    classes: list[str] = field(default_factory=list)
    """storage classes; empty where the answer does not give one for each key"""


def fast_listing(client: "S3Client") -> None:
    """Let `listed_page` use the fast way on this client. May be called again for the same client."""
    client.meta.events.register_first(_EVENT, _before_parse, unique_id="raito-fast-listing")


def listed_page(client: "S3Client", request: dict[str, Any], *, details: bool = False) -> Listed:
    """Make one call of `ListObjectsV2`. `details` also reads ETag, size, date and storage class of each key.

    Raises what botocore raises, and `AwsUnreachable` where there is another page and no way to it.
    """
    _asked.details = details
    _asked.active = True
    try:
        answer: dict[str, Any] = dict(client.list_objects_v2(**request))
    finally:
        _asked.active = False
    listed: Listed | None = answer.get(LISTED)
    token = answer.get("NextContinuationToken") if listed is None else listed.token
    more = answer.get("IsTruncated") if listed is None else token is not None
    if more and (not token or token == request.get("ContinuationToken")):
        raise no_way_on("s3:ListBucket", str(request["Bucket"]))
    return listed or _from_botocore(answer)


def _before_parse(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any) -> None:
    if not getattr(_asked, "active", False) or response_dict["status_code"] != 200:
        return
    listed = parse_listing(response_dict["body"], details=_asked.details)
    if listed is not None:
        customized_response_dict[LISTED] = listed
        response_dict["body"] = b"<ListBucketResult/>"


def parse_listing(body: bytes, *, details: bool = False) -> Listed | None:
    """Read a whole answer of `ListObjectsV2`; None where it is anything but a plain, complete one."""
    try:
        return _plain_listing(body, details)
    except ValueError:  # what is no UTF-8, no number or no time
        return None


def _plain_listing(body: bytes, details: bool) -> Listed | None:
    truncated = _TRUNCATED.search(body)
    if truncated is None or _COUNT.search(body) is None or b"<!" in body:
        return None
    if not _ROOT.match(body) or not body.rstrip().endswith(_END):
        return None
    url = _ENCODING.search(body) is not None
    keys = _texts(_KEY.findall(body), url)
    if len(keys) != body.count(b"<Contents>"):
        return None
    prefixes = _texts(_PREFIX.findall(body), url)
    if len(prefixes) != body.count(b"<CommonPrefixes>"):
        return None
    token = _TOKEN.search(body)
    if truncated[1] == b"true" and token is None:
        return None
    etags: list[str] = []
    sizes: list[int] = []
    modified: list[datetime] = []
    classes: list[str] = []
    if details:
        etags = [unescape(each.decode()).strip('"') for each in _ETAG.findall(body)]
        sizes = [int(each) for each in _SIZE.findall(body)]
        modified = [datetime.fromisoformat(each.decode()) for each in _MODIFIED.findall(body)]
        classes = [each.decode() for each in _CLASS.findall(body)]
        if not len(keys) == len(etags) == len(sizes) == len(modified):
            return None
    following = unescape(token[1].decode()) if token is not None and truncated[1] == b"true" else None
    return Listed(keys, prefixes, following, etags, sizes, modified, classes if len(classes) == len(keys) else [])


def _texts(raw: list[bytes], url: bool) -> list[str]:
    """Decode keys: all at once where nothing in them is encoded, which is the usual page."""
    joined = b"\n".join(raw)
    if b"&" not in joined and (not url or (b"%" not in joined and b"+" not in joined)) and b"\n" not in b"".join(raw):
        return joined.decode().split("\n") if raw else []
    decoded: Iterable[str] = (unescape(each.decode()) for each in raw)
    return [unquote_plus(each) for each in decoded] if url else list(decoded)


def _from_botocore(answer: dict[str, Any]) -> Listed:
    contents = answer.get("Contents", [])
    return Listed(
        keys=[each["Key"] for each in contents],
        prefixes=[each["Prefix"] for each in answer.get("CommonPrefixes", [])],
        token=answer.get("NextContinuationToken") if answer.get("IsTruncated") else None,
        etags=[each.get("ETag", "").strip('"') for each in contents],
        sizes=[each.get("Size", 0) for each in contents],
        modified=[each["LastModified"] for each in contents],
        classes=[each.get("StorageClass", "") for each in contents],
    )
