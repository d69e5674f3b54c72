"""Files on S3: whole or not at all, at the place that the address says."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from raito_pipeline.sandbox.aws.faults import Fault, Kind
from raito_pipeline.sandbox.aws.server import EmulatedAws
from raito_pipeline.storage import StorageError
from raito_pipeline.storage.errors import storage_errors
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


def test_a_file_appears_when_it_is_whole(s3_location: str, s3: "S3Client") -> None:
    files = S3Files(s3_location)
    path = f"{files.root}/t/data"
    sink = files.sink(path)
    sink.stream.write(b"half")
    assert keys(s3, files.key(files.root)) == []

    sink.commit()

    assert files.read(path) == b"half"
    assert files.read(f"{files.root}/t/other") is None
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


def test_a_large_file_is_read_in_blocks_of_the_version_whose_end_was_read(
    s3_location: str, s3: "S3Client", aws: EmulatedAws
) -> None:
    files = S3Files(s3_location)
    content = bytes(range(256)) * (9 * 2**12)
    files.put(f"{files.root}/large", content)
    mark = aws.calls.mark
    found = files.cell(f"{files.root}/large")
    assert found is not None
    assert found.size == len(content)
    with found.open() as source:
        assert source.read(10) == content[:10]
        source.seek(8 * 2**20 - 3)
        assert source.read(1_000) == content[8 * 2**20 - 3 :][:1_000]
        source.seek(len(content) - 5)
        assert source.read(100) == content[-5:]
        source.seek(100)
        assert source.read() == content[100:]
    assert [call.operation for call in aws.calls.since(mark)] == ["GetObject"] * 3
    assert files.read(f"{files.root}/large") == content

    with files.cell(f"{files.root}/large").open() as source:  # type: ignore[union-attr]  # it is there
        s3.put_object(Bucket=BUCKET, Key=files.key(f"{files.root}/large"), Body=content[::-1])
        with pytest.raises(ClientError, match="PreconditionFailed"):
            source.read(10)


def _commit(files: S3Files) -> None:
    sink = files.sink(f"{files.root}/large")
    sink.stream.write(b"x" * (9 * 2**20))
    sink.commit()


USES: dict[str, tuple[Callable[[S3Files], object], ...]] = {
    "GetObject": (lambda files: files.read(f"{files.root}/t/data"), lambda files: files.cell(f"{files.root}/t/data")),
    "ListObjectsV2": (
        lambda files: files.listing(f"{files.root}/t"),
        lambda files: files.below(files.root),
        lambda files: files.folders(files.root),
    ),
    "PutObject": (lambda files: files.put(f"{files.root}/t/other", b"other"),),
    "DeleteObject": (lambda files: files.delete(f"{files.root}/t/data"),),
    "CreateMultipartUpload": (_commit,),
    "UploadPart": (_commit,),
    "CompleteMultipartUpload": (_commit,),
}
NOT_OF_S3: tuple[Kind, ...] = ("page", "empty", "stub")


@pytest.mark.parametrize("operation", USES)
def test_what_is_no_answer_of_s3_is_neither_a_file_nor_the_lack_of_one(
    s3_location: str, aws: EmulatedAws, operation: str
) -> None:
    S3Files(s3_location).put(f"{S3Files(s3_location).root}/t/data", b"here")
    for kind in NOT_OF_S3:
        aws.faults.add(Fault(kind=kind, service="s3", operation=operation))
        for use in USES[operation]:
            # The SDK takes some of these for a failure of S3.
            said = pytest.raises(StorageError, match=r"what answered \w+ was not S3|answered 500")
            with said, storage_errors("a", "used", "b"):
                use(S3Files(s3_location))
        aws.faults.clear()
    with storage_errors("a", "used", "b"):
        assert S3Files(s3_location).read(f"{S3Files(s3_location).root}/t/data") == b"here"
        assert S3Files(s3_location).folders(S3Files(s3_location).root) == ("t",)


@pytest.mark.parametrize("kind", [*NOT_OF_S3, "half"])
def test_less_than_was_asked_for_is_no_end_of_an_object(s3_location: str, aws: EmulatedAws, kind: Kind) -> None:
    files = S3Files(s3_location)
    # Some have checksums, by which the SDK sees it.
    plain = boto3.Session().client("s3", config=Config(request_checksum_calculation="when_required"))
    for name in ("large", "other"):
        plain.put_object(Bucket=BUCKET, Key=files.key(f"{files.root}/{name}"), Body=b"x" * 2**20)
    found = files.cell(f"{files.root}/large")
    assert found is not None
    aws.faults.add(Fault(kind=kind, service="s3", operation="GetObject"))
    with found.open() as source, pytest.raises(BotoCoreError, match="what answered GetObject was not S3"):
        source.read(10)
    with pytest.raises(BotoCoreError, match="what answered GetObject was not S3"):
        files.cell(f"{files.root}/other")
