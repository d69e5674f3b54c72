"""The SDK's descriptions of services as they are read here: the same, less the texts, and once a process."""

import gzip
import json
import logging
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import botocore.session
import pytest
from botocore.loaders import Loader
from botocore.regions import EndpointResolver

from raito_pipeline.aws.connection.clients import AwsClients, ServiceName
from raito_pipeline.config import ConfigError
from raito_pipeline.orchestration.config_file import load_configuration
from raito_pipeline.sdk_models import ENDPOINTS_OF, session_with_shared_models
from raito_pipeline.storage import StorageError, Store

SERVICES = [*get_args(ServiceName), "cognito-idp", "sso", "sso-oidc"]
REGION = "eu-west-1"


def lean() -> botocore.session.Session:
    core = botocore.session.Session()
    session_with_shared_models(core, REGION)
    return core


def without_texts(described: Any) -> Any:
    if isinstance(described, dict):
        return {
            key: "" if key == "documentation" and isinstance(value, str) else without_texts(value)
            for key, value in described.items()
        }
    return [without_texts(each) for each in described] if isinstance(described, list) else described


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_described_as_the_sdk_does_less_the_texts(
    service: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Read anew: the SDK changes the description of S3 in place once there is a client.
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    theirs = Loader().load_service_model(service, "service-2")
    ours = lean().get_component("data_loader").load_service_model(service, "service-2")

    assert ours == without_texts(theirs)
    assert json.dumps(ours) == json.dumps(without_texts(theirs)), "in another order"
    assert len(json.dumps(ours)) < 0.7 * len(json.dumps(theirs))


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_in_use_has_its_endpoints_in_every_region(service: str) -> None:
    prefix = Loader().load_service_model(service, "service-2")["metadata"]["endpointPrefix"]
    loaders = lean().get_component("data_loader"), Loader()
    ours, theirs = (EndpointResolver(loader.load_data("endpoints")) for loader in loaders)
    regions = {
        region
        for partition in theirs.get_available_partitions()
        for region in theirs.get_available_endpoints("ec2", partition)
    }

    assert len(regions) > 30
    for region in (*regions, "aws-global"):
        assert ours.construct_endpoint(prefix, region) == theirs.construct_endpoint(prefix, region), region


def test_endpoints_are_kept_of_no_other_service() -> None:
    kept = lean().get_component("data_loader").load_data("endpoints")

    assert {name for partition in kept["partitions"] for name in partition["services"]} <= ENDPOINTS_OF


def test_sessions_share_what_is_read() -> None:
    first, second = (session_with_shared_models(botocore.session.Session()) for _ in range(2))

    models = [session.client("sts", REGION).meta.service_model.metadata for session in (first, second)]

    assert models[0] is models[1]


@pytest.mark.parametrize("end", [".json", ".json.gz"])
def test_files_of_the_data_path_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str) -> None:
    """Also where a member is called `documentation`."""
    described = {"metadata": {}, "shapes": {"A": {"documentation": "x", "members": {"documentation": {"shape": "B"}}}}}
    folder = tmp_path / "iam" / "2099-01-01"
    folder.mkdir(parents=True)
    text = json.dumps(described).encode()
    (folder / f"service-2{end}").write_bytes(gzip.compress(text) if end.endswith("gz") else text)
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))

    read = lean().get_component("data_loader").load_service_model("iam", "service-2")

    assert read["shapes"] == {"A": {"documentation": "", "members": {"documentation": {"shape": "B"}}}}


SECRET, TOKEN = "secret-Corr3ct/horse", "token-Corr3ct/horse"


def _configuration() -> None:
    with pytest.raises(ConfigError):
        load_configuration("s3://bucket/raito.yml")


def _table() -> None:
    with pytest.raises(StorageError):
        Store.open("s3://bucket/tables").info("iam_users", "111122223333")


USES: dict[str, Callable[[], object]] = {
    "configuration": _configuration,
    "tables": _table,
    "clients": lambda: AwsClients(None).client("s3"),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_whoever_makes_the_first_session_of_a_process_no_secret_gets_into_its_log(
    use: Callable[[], object], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    given = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": TOKEN}
    files = {"AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials")}
    for name, value in {**given, **files, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    before = logging.getLogRecordFactory()
    logging.setLogRecordFactory(logging.LogRecord)
    try:
        with caplog.at_level(logging.DEBUG):
            use()
            logging.getLogger("x").debug("x-amz-security-token: %s", TOKEN)
    finally:
        logging.setLogRecordFactory(before)

    assert SECRET not in caplog.text
    assert TOKEN not in caplog.text


def test_no_session_of_the_sdk_is_made_elsewhere() -> None:
    root = Path(__file__).parents[1]
    made = re.compile(r"boto3\.(?:session\.)?(?:Session|client|resource)\(|\bget_session\(")
    places = [
        str(path.relative_to(root))
        for folder in ("raito_pipeline", "assets")
        for path in (root / folder).rglob("*.py")
        if "sandbox" not in path.parts and made.search(path.read_text())
    ]

    assert places == ["raito_pipeline/sdk_models.py"]
