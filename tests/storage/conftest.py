"""Where the tests of the storage store: a local folder, and a bucket of the emulated AWS."""

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from raito_pipeline.sandbox.aws.accounts import install_access_key
from raito_pipeline.sandbox.aws.server import EmulatedAws
from tests.aws_profile import use_profile, write_profile

BUCKET = "tables-of-the-pipeline"


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatedAws]:
    """The emulated AWS with a bucket for tables, reached by the default profile alone."""
    key = "AKIASTORESTORESTORE1"
    with EmulatedAws() as emulated:
        install_access_key("111122223333", key, "not-a-secret")
        environment = write_profile(tmp_path, emulated.endpoint_url, "default", key=key, region="eu-west-1")
        config = Path(environment["AWS_CONFIG_FILE"])
        config.write_text(config.read_text().replace("[profile default]", "[default]"))
        use_profile(monkeypatch, environment)
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        boto3.Session().client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        emulated.calls.reset()
        yield emulated


@pytest.fixture
def s3_location(aws: EmulatedAws) -> str:
    """The address of a store in that bucket."""
    assert aws.port
    return f"s3://{BUCKET}/data"


@pytest.fixture(params=["local", "s3"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A place for a store, on each kind of storage."""
    return str(tmp_path / "data") if request.param == "local" else str(request.getfixturevalue("s3_location"))
