"""How a store on S3 is reached: by which profile and address, and what is said where that cannot be."""

from pathlib import Path

import boto3
import pytest

from raito_pipeline.sandbox.aws.accounts import iam_of
from raito_pipeline.sandbox.aws.estate.documents import trust
from raito_pipeline.sandbox.aws.server import EmulatedAws
from raito_pipeline.storage import StorageError, Store, s3_client
from raito_pipeline.storage.errors import StorageCredentials, storage_errors
from raito_pipeline.storage.lease import Leases
from raito_pipeline.storage.s3 import S3Files
from tests.aws_profile import OTHERS


def test_the_address_in_the_query_is_where_it_is_reached() -> None:
    files = S3Files("s3://data?endpoint_override=127.0.0.1:9&scheme=http&region=eu-west-1")
    assert files.client.meta.endpoint_url == "http://127.0.0.1:9"
    assert files.client.meta.region_name == "eu-west-1"


def test_a_client_is_made_once_and_anew_where_its_credentials_change(
    s3_location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = S3Files(s3_location).client
    assert S3Files(s3_location).client is first
    assert S3Files(f"{s3_location}?region=us-east-2").client.meta.region_name == "us-east-2"
    monkeypatch.setenv("AWS_REGION", "us-west-2")
    assert S3Files(s3_location).client is not first
    with pytest.raises(StorageCredentials, match="nobodys"):
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
        ("credential_process = sleep 60", "none came within 0.5 seconds"),
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
    monkeypatch.setattr(s3_client, "SIGNS_IN_WITHIN", 0.5)

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
