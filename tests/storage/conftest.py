"""Where the tests of the storage store: a local folder, and a bucket of the emulated AWS."""

import contextlib
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

from raito_pipeline.sandbox.aws.accounts import install_access_key
from raito_pipeline.sandbox.aws.server import EmulatedAws
from tests.aws_profile import use_profile, write_profile

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

BUCKET = "tables-of-the-pipeline"
KEY = "AKIASTORESTORESTORE1"
_prefixes = itertools.count(1)


@pytest.fixture(scope="module")
def running_aws() -> Iterator[EmulatedAws]:
    """One emulated AWS for the tests of a module: its start takes longer than most of them."""
    with EmulatedAws() as emulated:
        install_access_key("111122223333", KEY, "not-a-secret")
        yield emulated


@pytest.fixture
def aws(running_aws: EmulatedAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatedAws]:
    """The emulated AWS with a bucket for tables, reached by the default profile alone."""
    environment = write_profile(tmp_path, running_aws.endpoint_url, "default", key=KEY, region="eu-west-1")
    config = Path(environment["AWS_CONFIG_FILE"])
    config.write_text(config.read_text().replace("[profile default]", "[default]"))
    use_profile(monkeypatch, environment)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    yield running_aws
    running_aws.faults.clear()


@pytest.fixture
def s3(aws: EmulatedAws) -> "S3Client":
    """A client of the emulated S3, in which the bucket is."""
    assert aws.port
    client = boto3.Session().client("s3")
    with contextlib.suppress(client.exceptions.BucketAlreadyOwnedByYou):
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return client


@pytest.fixture
def s3_location(s3: "S3Client") -> str:
    """The address of an empty store in that bucket."""
    assert s3
    return f"s3://{BUCKET}/data-{next(_prefixes)}"


@pytest.fixture(params=["local", "s3"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A place for a store, on each kind of storage."""
    return str(tmp_path / "data") if request.param == "local" else str(request.getfixturevalue("s3_location"))
