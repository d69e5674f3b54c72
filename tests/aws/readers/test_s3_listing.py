"""The fast way through a listing gives what botocore gives, or leaves it to botocore."""

import io
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError

from raito_pipeline.aws.connection.errors import AwsUnreachable
from raito_pipeline.aws.readers.s3_listing import fast_listing, listed_page, parse_listing
from raito_pipeline.sandbox.aws.server import EmulatedAws

BUCKET, REGION = "listing", "eu-west-1"
KEYS = ("a b.csv", "a+b", "a/%41", "a/b", "a/x&y<z", "grün/ß", "z")
WHOLE = (
    b'<?xml version="1.0"?>\n<ListBucketResult xmlns="x"><KeyCount>2</KeyCount><IsTruncated>false</IsTruncated>'
    b"<Contents><Key>a</Key></Contents><Contents><Key>b&amp;c</Key></Contents></ListBucketResult>"
)


def test_a_whole_page_is_read() -> None:
    page = parse_listing(WHOLE)
    assert page is not None
    assert (page.keys, page.prefixes, page.token, page.etags) == (["a", "b&c"], [], None, [])


def test_an_empty_page_has_no_keys() -> None:
    page = parse_listing(WHOLE[: WHOLE.index(b"<Contents>")] + b"</ListBucketResult>")
    assert page is not None
    assert page.keys == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"</ListBucketResult>", b""),  # cut off
        (b"<IsTruncated>false</IsTruncated>", b""),
        (b"<IsTruncated>false", b"<IsTruncated>true"),  # more, and no token
        (b"<KeyCount>2</KeyCount>", b""),
        (b"<Key>a</Key>", b""),  # a key is missing
        (b"<ListBucketResult xmlns", b"<Error xmlns"),
        (b"<Contents>", b"<![CDATA[<Contents>]]>"),
        (b"<Key>a<", b"<Key>\xff<"),  # no UTF-8
    ],
)
def test_anything_else_is_left_to_botocore(old: bytes, new: bytes) -> None:
    assert old in WHOLE
    assert parse_listing(WHOLE.replace(old, new)) is None


def test_details_that_do_not_run_along_with_the_keys_are_left_to_botocore() -> None:
    assert parse_listing(WHOLE, details=True) is None


@pytest.mark.parametrize(("size", "modified"), [(b"1", b"yesterday"), (b"many", b"2026-03-19T10:00:00.000Z")])
def test_details_that_are_none_are_left_to_botocore(size: bytes, modified: bytes) -> None:
    detail = b"<ETag>e</ETag><Size>" + size + b"</Size><LastModified>" + modified + b"</LastModified></Contents>"
    assert parse_listing(WHOLE.replace(b"</Contents>", detail)) is not None
    assert parse_listing(WHOLE.replace(b"</Contents>", detail), details=True) is None


@pytest.fixture
def s3(emulated_aws: EmulatedAws) -> object:
    client = boto3.Session(profile_name="there").client("s3", region_name=REGION)
    assert emulated_aws.port
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    for key in KEYS:
        client.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
    return client


@pytest.mark.parametrize("encoding", [{}, {"EncodingType": "url"}])
def test_pages_are_those_of_botocore(s3: object, encoding: dict[str, str]) -> None:
    plain = boto3.Session(profile_name="there").client("s3", region_name=REGION)
    fast_listing(s3)  # type: ignore[arg-type]
    token: dict[str, str] = {}
    keys: list[str] = []
    while True:
        request = {"Bucket": BUCKET, "Delimiter": "/", "MaxKeys": 2, **token}
        fast = listed_page(s3, {**request, **encoding}, details=True)  # type: ignore[arg-type]
        assert fast == listed_page(plain, request, details=True)
        keys += [*fast.keys, *fast.prefixes]
        if fast.token is None:
            break
        token = {"ContinuationToken": fast.token}
    assert sorted(keys) == sorted(["a b.csv", "a+b", "a/", "grün/", "z"])


class Raw(io.BytesIO):
    """A body as botocore reads it."""

    def stream(self) -> Iterator[bytes]:
        yield self.getvalue()


def answering(client: Any, body: bytes) -> Any:
    """The client, for which S3 answers each call with this body and status 200."""
    answer = AWSResponse("https://s3", 200, {"content-type": "application/xml"}, Raw(body))
    client.meta.events.register("before-send.s3.ListObjectsV2", lambda **_: answer)
    fast_listing(client)
    return client


def test_a_page_is_read_before_the_sdk_makes_a_tree_of_it(s3: object) -> None:
    no_tree = WHOLE.replace(b"<KeyCount>", b"<Name>\x01</Name><KeyCount>")  # XML knows no such character
    assert listed_page(answering(s3, no_tree), {"Bucket": BUCKET}).keys == ["a", "b&c"]


@pytest.mark.parametrize("body", [b"<Error><Code>InternalError</Code></Error>", WHOLE[:-30]])
def test_an_error_that_comes_as_a_success_is_an_error(s3: object, body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _seconds: None)
    with pytest.raises(ClientError) as caught:
        listed_page(answering(s3, body), {"Bucket": BUCKET})
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500


TRUNCATED = WHOLE.replace(b"false", b"true")
AGAIN = TRUNCATED.replace(b"<Contents>", b"<NextContinuationToken>t</NextContinuationToken><Contents>", 1)


@pytest.mark.parametrize("body", [TRUNCATED, AGAIN], ids=["without a token", "with the token of this page"])
def test_a_page_that_leads_nowhere_or_back_is_an_error_and_not_the_end(s3: object, body: bytes) -> None:
    with pytest.raises(AwsUnreachable, match="s3:ListBucket on listing: AWS announced another page"):
        listed_page(answering(s3, body), {"Bucket": BUCKET, "ContinuationToken": "t"})


@pytest.mark.parametrize("token", [b"", b"t"], ids=["none", "that of this page"])
def test_the_last_page_is_the_end_whatever_its_token_says(s3: object, token: bytes) -> None:
    """Other services that speak S3 put one there, too; a comment leaves the answer to botocore."""
    last = WHOLE.replace(b"<KeyCount>", b"<!-- --><NextContinuationToken>%s</NextContinuationToken><KeyCount>" % token)
    last = last.replace(b"</Contents>", b"<LastModified>2026-03-01T12:00:00Z</LastModified></Contents>")
    listed = listed_page(answering(s3, last), {"Bucket": BUCKET, **({"ContinuationToken": "t"} if token else {})})
    assert (listed.keys, listed.token) == (["a", "b&c"], None)


def test_other_callers_of_the_client_see_no_difference(s3: object) -> None:
    fast_listing(s3)  # type: ignore[arg-type]
    answer = s3.list_objects_v2(Bucket=BUCKET)  # type: ignore[attr-defined]
    assert [entry["Key"] for entry in answer["Contents"]] == sorted(KEYS, key=str.encode)
