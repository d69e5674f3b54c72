"""A configuration that lies on S3, read over the wire from the emulated S3."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import boto3
import dagster as dg
import pytest
from moto.server import ThreadedMotoServer

from raito_pipeline.config import ConfigError
from raito_pipeline.definitions import defs, options_of_this_directory
from raito_pipeline.orchestration.config_file import load_configuration, read_beside, s3_address, write_beside
from tests.config.conftest import LOGIN, account

BUCKET, KEY = "configurations", "eu/raito.yml"
ADDRESS = f"s3://{BUCKET}/{KEY}"
STORED = "pipeline: {storage: s3://tables/raito}"


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        yield "http://{}:{}".format(*server.get_host_and_port())
    finally:
        server.stop()


@pytest.fixture
def environ(s3: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    """The environment of a process that reaches the emulated S3."""
    given = {
        "AWS_ACCESS_KEY_ID": "111122223333",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_ENDPOINT_URL_S3": s3,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        "RAITO_CONFIG_FILE": ADDRESS,
        "HOME": str(tmp_path),
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return given


def stored(text: str, bucket: str = BUCKET) -> None:
    client = boto3.client("s3")
    client.create_bucket(Bucket=bucket)
    client.put_object(Bucket=bucket, Key=KEY, Body=text.encode())


def test_all_options_are_read_and_messages_name_the_address(environ: dict[str, str]) -> None:
    stored(f"{LOGIN}{STORED}\nunknown-word: 1\ntargets:\n{account()}")

    options = load_configuration()

    assert options.file == ADDRESS
    assert options.accounts[0].domain == "acme"
    assert options.pipeline.storage == "s3://tables/raito"
    assert str(options.warnings[0]).startswith(f"{ADDRESS}:5: ")
    # and so does what Dagster loads, and a path that argparse made of it
    assert options_of_this_directory() == options
    assert load_configuration(Path(ADDRESS), {**environ, "RAITO_CONFIG_FILE": "elsewhere.yml"}) == options


@pytest.mark.usefixtures("environ")
def test_definitions_are_those_of_what_lies_there_now() -> None:
    def loaded() -> dg.Definitions:
        given = defs()
        return given() if callable(given) else given

    stored(f"{LOGIN}{STORED}\ntargets:\n{account()}")
    first = loaded()
    stored(f"{LOGIN}{STORED}\ntargets:\n{account('aws-user-excludes: robot')}")
    assert loaded() is not first


def test_what_counts_from_the_folder_of_a_file_has_to_be_said(environ: dict[str, str]) -> None:
    for line, says in (("", "found nothing"), ("pipeline: {storage: data}", "a path that counts from the folder")):
        stored(f"{LOGIN}{line}\ntargets:\n{account()}")
        with pytest.raises(ConfigError, match=f'{ADDRESS}.*option "storage": .*{says}.*expected an address s3://'):
            load_configuration()
    stored(f"{LOGIN}\ntargets:\n{account()}")
    given = {**environ, "RAITO_PIPELINE_STORAGE": "/data"}
    assert load_configuration(None, given).pipeline.storage == "/data"


def test_one_that_is_not_there_is_said_with_what_is_needed(environ: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=r"s3://nowhere-at-all/x: found an object that cannot be read .*s3:GetObject"):
        load_configuration("s3://nowhere-at-all/x", environ)


ROLE = "role_arn = arn:aws:iam::111122223333:role/sync\n"


@pytest.mark.parametrize(
    ("profile", "variables", "says"),
    [
        ("credential_process = /no/such/program", {}, "no such file: /no/such/program"),
        ("credential_process = echo hello", {}, r"credential_process of profile default \(echo\).*not JSON"),
        (f"{ROLE}web_identity_token_file = /no/such/token", {}, "web_identity_token_file of profile default"),
        (f"{ROLE}source_profile = base\nmfa_serial = arn:aws:iam::1:mfa/ann", {}, "mfa_serial"),
        (f"{ROLE}source_profile = default", {}, "Infinite loop"),
        (
            "sts_regional_endpoints = sometimes\ns3 = path",
            {"AWS_ACCESS_KEY_ID": "a"},
            "s3 of its profile holds settings",
        ),
        ("", {"AWS_ACCESS_KEY_ID": "a", "AWS_ENDPOINT_URL_S3": "127.0.0.1:9"}, "has to begin with https://"),
        ("", {"AWS_PROFILE": "gone"}, "gone"),
    ],
)
def test_credentials_that_cannot_be_had_are_a_problem_that_asks_nobody(
    environ: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    profile: str,
    variables: dict[str, str],
    says: str,
) -> None:
    Path(environ["AWS_CONFIG_FILE"]).write_text(f"[default]\nregion = eu-west-1\n{profile}\n")
    Path(environ["AWS_SHARED_CREDENTIALS_FILE"]).write_text(
        "[base]\naws_access_key_id = a\naws_secret_access_key = b\n"
    )
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    if "AWS_ACCESS_KEY_ID" not in variables:
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    with pytest.raises(ConfigError, match=f"{ADDRESS}: found an object that cannot be read .*{says}") as caught:
        load_configuration(ADDRESS)
    (problem,) = caught.value.problems
    assert "\n" not in str(problem)


def test_plain_http_to_another_machine_is_refused(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://s3.example")

    with pytest.raises(ConfigError, match=r"an object that cannot be read .*http://s3\.example: plain http"):
        load_configuration(ADDRESS, environ)


@pytest.mark.parametrize(
    ("place", "address"),
    [(ADDRESS, ADDRESS), (Path(ADDRESS), ADDRESS), ("raito.yml", None), ("s3", None), (None, None), ("s3://b", None)],
)
def test_what_is_an_address_on_s3(place: str | Path | None, address: str | None) -> None:
    assert s3_address(place) == address


def test_a_file_is_read_as_ever(tmp_path: Path) -> None:
    file = tmp_path / "raito.yml"
    file.write_text(f"{LOGIN}targets:\n{account()}")

    assert load_configuration(file, {"HOME": str(tmp_path)}).pipeline.storage == str(tmp_path / "data")


@pytest.mark.usefixtures("environ")
def test_discovered_targets_lie_beside_it() -> None:
    discover = "pipeline:\n  storage: s3://tables/raito\n  discover: {role: raito, target: {aws-regions: eu-west-1}}\n"
    stored(f"{LOGIN}{discover}targets:\n{account()}")
    file = load_configuration().pipeline.discovered_file
    assert file == "s3://configurations/eu/raito.discovered.yml"
    assert read_beside(file) is None

    write_beside(
        file, "targets:\n" + account(name="found", account_id="999900001111").replace("connector-name", "x-no")
    )

    found = load_configuration().accounts[1]
    assert (found.name, found.discovered, found.role is not None) == ("found", True, True)
    assert str(read_beside(file)).startswith("targets:")
    with pytest.raises(ConfigError, match="cannot be written"):
        write_beside("s3://not-there-at-all/x.yml", "")


@pytest.mark.usefixtures("environ")
def test_what_answers_in_the_place_of_s3_has_written_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with HTTPServer(("127.0.0.1", 0), Nothing) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{proxy.server_port}")
        thread = Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            with pytest.raises(ConfigError, match=r"cannot be written .*what answered was not S3"):
                write_beside(ADDRESS, "a: 1")
        finally:
            proxy.shutdown()
            thread.join()


class Nothing(BaseHTTPRequestHandler):
    """Says yes to everything, as a proxy may, and nothing else."""

    def do_PUT(self) -> None:
        """Take what comes."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


def test_a_file_beside_a_file_is_written_in_its_folder(tmp_path: Path) -> None:
    file = str(tmp_path / "raito.discovered.yml")
    assert read_beside(file) is None
    write_beside(file, "a: 1\n")
    assert read_beside(file) == "a: 1\n"


def test_a_file_beside_a_file_that_cannot_be_read_is_not_missing(tmp_path: Path) -> None:
    file = tmp_path / "raito.discovered.yml"
    file.symlink_to(file)  # the system gives an error for it
    with pytest.raises(OSError, match="symbolic links"):
        read_beside(str(file))
