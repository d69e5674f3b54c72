"""Files on S3: whole or not at all, at the place that the address says."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ProfileNotFound

from raito_pipeline.sandbox.aws.accounts import iam_of
from raito_pipeline.sandbox.aws.estate.documents import trust
from raito_pipeline.sandbox.aws.faults import Fault, Kind
from raito_pipeline.sandbox.aws.server import EmulatedAws
from raito_pipeline.storage import StorageError, Store
from raito_pipeline.storage.errors import storage_errors
from raito_pipeline.storage.lease import Leases
from raito_pipeline.storage.s3 import S3Files, date_of
from tests.aws_profile import OTHERS

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


def test_a_client_is_made_once_and_anew_where_its_credentials_change(
    s3_location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = S3Files(s3_location).client
    assert S3Files(s3_location).client is first
    assert S3Files(f"{s3_location}?region=us-east-2").client.meta.region_name == "us-east-2"
    monkeypatch.setenv("AWS_REGION", "us-west-2")
    assert S3Files(s3_location).client is not first
    with pytest.raises(ProfileNotFound, match="nobodys"):
        assert S3Files(f"{s3_location}?profile=nobodys").client


EXPOSED = "http://minio.example:9000"


@pytest.mark.parametrize(
    "query", ["", "endpoint_override=minio.example:9000&scheme=http"], ids=["environment", "address"]
)
def test_plain_http_to_another_machine_is_refused_whatever_names_it(
    monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    if not query:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", EXPOSED)
    address, said = (
        f"s3://data?{query}",
        r"http://minio\.example:9000 is plain http on another machine.*allow-plain-http",
    )

    for use in (
        lambda: Store.open(address).info("iam_users", "111122223333"),
        lambda: Store.open(address).accounts("iam_users"),
        lambda: Store.open(address).remove("iam_users", "111122223333"),
        lambda: Leases(address).last_sync("111122223333"),
    ):
        with pytest.raises(StorageError, match=said):
            use()
    assert S3Files(f"{address}&plain-http=allowed").client.meta.endpoint_url == EXPOSED


def test_a_profile_whose_role_is_assumed_through_another_role_stores_there(
    aws: EmulatedAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`storage-profile` may be a chain: keys of one account, a role in a second, and by that one in the third."""
    first, second, third = "111122223333", "222233334444", "333344445555"
    for account, trusted in ((second, first), (third, second)):
        document = trust({"AWS": f"arn:aws:iam::{trusted}:root"})
        iam_of(account).create_role("tables", document, "/", None, "", [], "3600")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", aws.endpoint_url)
    with (tmp_path / "config").open("a") as config:
        for name, account, source in (("between", second, "default"), ("tables", third, "between")):
            config.write(
                f"\n[profile {name}]\nregion = eu-west-1\nendpoint_url = {aws.endpoint_url}\n"
                f"role_arn = arn:aws:iam::{account}:role/tables\nsource_profile = {source}\n"
            )
    boto3.Session(profile_name="tables").client("s3").create_bucket(
        Bucket="tables-by-roles", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    mark = aws.calls.mark

    for _ in range(2):
        files = S3Files("s3://tables-by-roles/data?profile=tables")
        files.put(f"{files.root}/one", b"content")
        assert files.read(f"{files.root}/one") == b"content"

    assert [(call.account, call.operation) for call in aws.calls.since(mark)] == [
        (first, "AssumeRole"),
        (second, "AssumeRole"),
        *[(third, "PutObject"), (third, "GetObject")] * 2,
    ]


ROLE = "role_arn = arn:aws:iam::111122223333:role/sync\n"
KEYS = "aws_access_key_id = a\naws_secret_access_key = b\n"


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ("credential_process = /no/such/program", "/no/such/program"),
        ("credential_process = echo hello", "JSONDecodeError"),
        ("credential_process = sh -c 'echo password=hunter22 >&2; exit 1'", "custom-process"),
        (f"{ROLE}web_identity_token_file = /no/such/token", "/no/such/token"),
        (f"{ROLE}source_profile = base\nmfa_serial = arn:aws:iam::1:mfa/ann", "mfa_serial"),
        (f"{ROLE}source_profile = tables", "Infinite loop"),
        (f"{KEYS}endpoint_url = 127.0.0.1:9", "Invalid endpoint"),
        (f"{KEYS}s3 = path", "AttributeError"),
        ("", "Unable to locate credentials"),
    ],
)
def test_a_profile_that_gives_no_credentials_is_named_and_nobody_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: str, says: str
) -> None:
    (tmp_path / "config").write_text(f"[profile tables]\nregion = eu-west-1\n{settings}\n[profile base]\n{KEYS}")
    for name in (*OTHERS, "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    address = "s3://tables/data?profile=tables"
    with pytest.raises(StorageError) as caught, storage_errors("x", "read", address):
        S3Files(address).look("tables/data/x")

    assert "profile=tables" in str(caught.value)
    assert says in caught.value.reason
    assert "hunter22" not in str(caught.value)
    assert "storage-profile" in caught.value.remedy


def test_a_code_is_no_matter_where_the_environment_has_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serial = "mfa_serial = arn:aws:iam::1:mfa/ann"
    (tmp_path / "config").write_text(f"[default]\n{ROLE}source_profile = base\n{serial}\n[profile base]\n{KEYS}")
    for name in OTHERS:
        monkeypatch.delenv(name, raising=False)
    given = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    for name, value in {**given, "AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_MAX_ATTEMPTS": "1"}.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(StorageError) as caught, storage_errors("x", "read", "s3://tables/data"):
        S3Files("s3://tables/data").look("tables/data/x")

    assert "mfa_serial" not in caught.value.reason
    assert "127.0.0.1:9" in caught.value.reason
