"""S3: fast listings in pages of 1,000, regions in ListBuckets, and inventory deletion that deletes no bucket."""

from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from moto.core.responses import ActionResult
from moto.s3.exceptions import InvalidContinuationToken, MethodNotAllowed
from moto.s3.models import FakeKey, FakeTableStorageBucket
from moto.s3.responses import S3Response

from raito_pipeline.sandbox.aws.patches.paging import longest_page, page_of
from raito_pipeline.sandbox.aws.patches.replacing import Method, replace
from raito_pipeline.sandbox.aws.patches.s3_listing import (
    LONGEST_PAGE,
    ListedPage,
    list_page,
    patch_key_store,
    read_token,
    token_of,
)

_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_OWNER = "75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a"
_MOST_BUCKETS = 10_000


def patch_s3() -> None:
    """Mend S3's lists and the deletion of inventory configurations."""
    patch_key_store()

    @replace(S3Response, "list_objects_v2")
    def list_objects_v2(_before: Method, self: S3Response) -> Any:
        return 200, {"content-type": "application/xml"}, _list_v2(self)

    @replace(S3Response, "list_objects")
    def list_objects(_before: Method, self: S3Response) -> Any:
        return 200, {"content-type": "application/xml"}, _list_v1(self)

    @replace(S3Response, "_bucket_response_delete")
    def bucket_response_delete(before: Method, self: S3Response, bucket_name: str, query: dict[str, Any]) -> Any:
        if "inventory" not in query:
            return before(self, bucket_name, query)
        self.backend.get_bucket(bucket_name).inventory_configs.pop(query["id"][0], None)
        return 204, {}, ""

    @replace(S3Response, "all_buckets")
    def all_buckets(_before: Method, self: S3Response) -> Any:
        return _list_buckets(self)


def _parameter(self: S3Response, name: str) -> str:
    values = self._get_querystring(self.request, self.uri).get(name) or [""]
    value = values[0]
    return value.decode() if isinstance(value, bytes) else str(value)


def _page(self: S3Response, after: str, after_prefix: bool) -> ListedPage:
    bucket = self.backend.get_bucket(self.bucket_name)
    if isinstance(bucket, FakeTableStorageBucket):
        raise MethodNotAllowed
    prefix, delimiter = _parameter(self, "prefix"), _parameter(self, "delimiter")
    return list_page(bucket, prefix, delimiter, after, after_prefix, _size(self))


def _size(self: S3Response) -> int:
    return min(int(_parameter(self, "max-keys") or LONGEST_PAGE), LONGEST_PAGE, longest_page())


def _list_v2(self: S3Response) -> bytes:
    token, start_after = _parameter(self, "continuation-token"), _parameter(self, "start-after")
    if not token and "continuation-token" in self.querystring:
        raise InvalidContinuationToken
    after, after_prefix = read_token(token) if token else (start_after, False)
    page = _page(self, after, after_prefix)
    return _document(
        self,
        page,
        {
            "KeyCount": str(len(page.keys) + len(page.prefixes)),
            "ContinuationToken": token or None,
            "NextContinuationToken": token_of(page),
            "StartAfter": _encoded(self, start_after) if start_after else None,
        },
        owner=_parameter(self, "fetch-owner") == "true",
    )


def _list_v1(self: S3Response) -> bytes:
    marker, delimiter = _parameter(self, "marker"), _parameter(self, "delimiter")
    page = _page(self, marker, bool(delimiter) and marker.endswith(delimiter))
    # AWS names the next marker only together with a delimiter; without one it is the last key.
    following = _encoded(self, page.last) if page.is_truncated and delimiter else None
    return _document(self, page, {"Marker": _encoded(self, marker), "NextMarker": following}, owner=True)


def _document(self: S3Response, page: ListedPage, more: dict[str, str | None], owner: bool) -> bytes:
    delimiter, encoding = _parameter(self, "delimiter"), _parameter(self, "encoding-type")
    fields = {
        "Name": self.bucket_name,
        "Prefix": _encoded(self, _parameter(self, "prefix")),
        "Delimiter": _encoded(self, delimiter) if delimiter else None,
        "MaxKeys": str(_size(self)),
        "EncodingType": encoding or None,
        "IsTruncated": "true" if page.is_truncated else "false",
        **more,
    }
    parts = [f"<{name}>{escape(value)}</{name}>" for name, value in fields.items() if value is not None]
    owned = f"<Owner><ID>{_OWNER}</ID><DisplayName>webfile</DisplayName></Owner>" if owner else ""
    parts += [_contents(key, _encoded(self, key.name), owned) for key in page.keys]
    parts += [
        f"<CommonPrefixes><Prefix>{escape(_encoded(self, prefix))}</Prefix></CommonPrefixes>"
        for prefix in page.prefixes
    ]
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="{_NAMESPACE}">{"".join(parts)}'
    return f"{text}</ListBucketResult>".encode()


def _encoded(self: S3Response, text: str) -> str:
    return quote(text) if _parameter(self, "encoding-type") == "url" else text


def _contents(key: FakeKey, name: str, owner: str) -> str:
    algorithm = f"<ChecksumAlgorithm>{key.checksum_algorithm}</ChecksumAlgorithm>" if key.checksum_algorithm else ""
    return (
        f"<Contents><Key>{escape(name)}</Key><LastModified>{key.last_modified_ISO8601}</LastModified>"
        f"<ETag>{escape(key.etag)}</ETag>{algorithm}<Size>{key.size}</Size>{owner}"
        f"<StorageClass>{key.storage_class}</StorageClass></Contents>"
    )


def _list_buckets(self: S3Response) -> Any:
    self.data["Action"] = "ListAllMyBuckets"
    self._authenticate_and_authorize_s3_action()
    names = ("prefix", "bucket-region", "max-buckets", "continuation-token")
    prefix, region, size, token = (_parameter(self, name) for name in names)
    listed = [
        bucket
        for name, bucket in sorted(self.backend.buckets.items())
        if name.startswith(prefix) and region in ("", bucket.region_name)
    ]
    page, following = page_of(listed, token, size, _MOST_BUCKETS, _MOST_BUCKETS)
    # AWS tells the regions only if the request has a parameter.
    tell_region = any((prefix, region, size, token))
    buckets = [
        {"Name": bucket.name, "CreationDate": bucket.creation_date_ISO8601}
        | ({"BucketRegion": bucket.region_name} if tell_region else {})
        for bucket in page
    ]
    self.data["Action"] = "ListBuckets"
    result: dict[str, Any] = {"Owner": {"ID": _OWNER, "DisplayName": "webfile"}, "Buckets": buckets}
    if following:
        result["ContinuationToken"] = following
    return self.serialized(ActionResult(result))
