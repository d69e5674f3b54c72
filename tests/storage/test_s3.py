"""Files on S3: whole or not at all, at the place that the address says."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from raito_pipeline.sandbox.aws.server import EmulatedAws
from raito_pipeline.storage.s3 import S3Files, date_of

from .conftest import BUCKET

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


def keys(s3: "S3Client", prefix: str) -> list[str]:
    return [each["Key"] for each in s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])]


@pytest.mark.parametrize(
    ("address", "root", "key"),
    [
        ("s3://data/tables/", "data/tables", "tables/x"),
        ("s3://data", "data", "x"),
        ("s3://data/a/b?region=eu-west-1&endpoint_override=localhost:1", "data/a/b", "a/b/x"),
    ],
)
def test_where_an_address_points(address: str, root: str, key: str) -> None:
    files = S3Files(address)
    assert (files.bucket, files.root, files.key(f"{files.root}/x")) == ("data", root, key)


def test_the_address_in_the_query_is_where_it_is_reached() -> None:
    files = S3Files("s3://data?endpoint_override=127.0.0.1:9&scheme=http&region=eu-west-1")
    assert files.client.meta.endpoint_url == "http://127.0.0.1:9"
    assert files.client.meta.region_name == "eu-west-1"


def test_a_file_appears_when_it_is_whole(s3_location: str, s3: "S3Client") -> None:
    files = S3Files(s3_location)
    path = f"{files.root}/t/data"
    sink = files.sink(path)
    sink.stream.write(b"half")
    assert keys(s3, files.key(files.root)) == []

    sink.commit()

    assert files.filesystem.open_input_file(path).read() == b"half"
    assert list(files.listing(f"{files.root}/t")) == ["data"]
    assert files.listing(f"{files.root}/nowhere") == {}
    files.delete(path)
    assert keys(s3, files.key(files.root)) == []


def test_a_large_file_is_sent_in_parts_and_one_that_is_given_up_leaves_nothing(
    s3_location: str, s3: "S3Client"
) -> None:
    files = S3Files(s3_location)
    whole, dropped = files.sink(f"{files.root}/whole"), files.sink(f"{files.root}/dropped")
    for sink in (whole, dropped):
        sink.stream.write(b"x" * (9 * 2**20))
    assert len(s3.list_multipart_uploads(Bucket=BUCKET, Prefix=files.key(files.root)).get("Uploads", [])) == 2

    whole.commit()
    dropped.discard()

    assert keys(s3, files.key(files.root)) == [files.key(f"{files.root}/whole")]
    assert files.listing(files.root)["whole"].size == 9 * 2**20
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=BUCKET, Prefix=files.key(files.root))


def test_the_clock_is_that_of_s3(aws: EmulatedAws, s3: "S3Client") -> None:
    assert aws.port
    answer = s3.list_buckets()
    assert abs(date_of(answer) - datetime.now(UTC)).total_seconds() < 60
    said = {"ResponseMetadata": {"HTTPHeaders": {"date": "Thu, 01 Jan 2026 00:00:00 GMT"}}}
    assert date_of(said) == datetime(2026, 1, 1, tzinfo=UTC)
    assert abs(date_of({"ResponseMetadata": {"HTTPHeaders": {}}}) - datetime.now(UTC)).total_seconds() < 60
