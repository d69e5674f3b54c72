"""Values of `raito.yml` that are read when they are used, from emulated AWS services over the wire."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from raito_pipeline.component import build_definitions
from raito_pipeline.config import ConfigError, Options, load
from raito_pipeline.config.options import AccountTarget
from raito_pipeline.orchestration.deferred_values import DeferredValues
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.raito.errors import LoginNotReadable
from raito_pipeline.sandbox.aws.accounts import install_access_key
from raito_pipeline.sandbox.aws.faults import Fault
from raito_pipeline.sandbox.aws.server import EmulatedAws

ACCOUNT, REGION, KEY = "111122220000", "eu-west-1", "AKIADEFERREDVALUES00"
PASSWORD = "hunter2-in-a-secret"
Loads = Callable[..., Options]


@pytest.fixture(scope="module")
def running() -> Iterator[EmulatedAws]:
    with EmulatedAws() as aws:
        install_access_key(ACCOUNT, KEY, "not-a-secret")
        session = boto3.Session(KEY, "not-a-secret", region_name=REGION)
        secrets: Any = session.client("secretsmanager", endpoint_url=aws.endpoint_url)
        for name, value in {
            "raito/plain": f"{PASSWORD}\n",
            "raito/login": json.dumps({"user": "robot@example.com", "password": PASSWORD, "port": 1}),
            "raito/empty": "\n",
        }.items():
            secrets.create_secret(Name=name, SecretString=value)
        parameters: Any = session.client("ssm", endpoint_url=aws.endpoint_url)
        parameters.put_parameter(Name="/raito/password", Value=PASSWORD, Type="SecureString")
        yield aws


@pytest.fixture
def aws(running: EmulatedAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmulatedAws]:
    """The services, reached by the profile `vault` and by no other."""
    config, credentials = tmp_path / "config", tmp_path / "credentials"
    config.write_text(f"[profile vault]\nregion = {REGION}\nendpoint_url = {running.endpoint_url}\n")
    credentials.write_text(f"[vault]\naws_access_key_id = {KEY}\naws_secret_access_key = not-a-secret\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    running.calls.reset()
    yield running
    running.faults.clear()


@pytest.fixture
def loads(tmp_path: Path) -> Loads:
    """Loads a file of two targets whose login is given, with `environ` as its whole environment."""

    def loads(user: str, secret: str, profile: str = "vault", **environ: str) -> Options:
        targets = "".join(
            f"- {{name: t{n}, connector-name: raito-io/cli-plugin-aws-account, data-source-id: d{n}, "
            f'identity-store-id: i{n}, aws-account-id: "11112222000{n}", aws-regions: {REGION}}}\n'
            for n in range(2)
        )
        pipeline = f"pipeline: {{storage: {tmp_path}, secrets-profile: {profile}, aws-attempts: 1}}\n"
        head = f'api-user: "{user}"\napi-secret: "{secret}"\ndomain: acme\n'
        (tmp_path / "raito.yml").write_text(f"{head}{pipeline}targets:\n{targets}")
        return load(tmp_path / "raito.yml", environ)

    return loads


def login(options: Options) -> tuple[str | None, str]:
    """User and password of the first target, as a client of Raito Cloud gets them."""
    connection = Services(options).raito(options.accounts[0]).connection
    return connection.login.api_user, connection.api_secret


@pytest.mark.parametrize(
    ("user", "secret", "expected"),
    [
        ("robot", "{{secretsmanager:raito/plain}}", "robot"),
        ("robot", "{{ secretsmanager:raito/login:password }}", "robot"),
        ("{{secretsmanager:raito/login:user}}", "{{secretsmanager:raito/login:password}}", "robot@example.com"),
        ("robot", "{{ssm:/raito/password}}", "robot"),
    ],
)
@pytest.mark.usefixtures("aws")
def test_what_is_read_is_the_login(loads: Loads, user: str, secret: str, expected: str) -> None:
    options = loads(user, secret)
    assert login(options) == (expected, PASSWORD)


def test_an_arn_says_its_region_itself(aws: EmulatedAws, loads: Loads) -> None:
    client: Any = boto3.Session(KEY, "not-a-secret").client("ssm", REGION, endpoint_url=aws.endpoint_url)
    arn = client.get_parameter(Name="/raito/password")["Parameter"]["ARN"]
    options = loads("robot", f"{{{{ssm:{arn}}}}}")
    assert login(options) == ("robot", PASSWORD)


def test_loading_reads_nothing_and_all_targets_read_it_once(aws: EmulatedAws, loads: Loads) -> None:
    options = loads("{{secretsmanager:raito/login:user}}", "{{secretsmanager:raito/login:password}}")
    services = Services(options)
    build_definitions(options, services)
    assert len(aws.calls) == 0
    for target in options.accounts:
        services.raito(target)
    assert aws.calls.count("secretsmanager", "GetSecretValue") == 1
    assert PASSWORD in services.secrets()
    assert PASSWORD not in f"{options!r}{services!r}{vars(services)!r}"


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        ("{{secretsmanager:raito/gone}}", "ResourceNotFound|does not exist|can't find"),
        ("{{secretsmanager:raito/login:pasword}}", "no JSON object that has this member"),
        ("{{secretsmanager:raito/login:port}}", "no JSON object that has this member"),
        ("{{secretsmanager:raito/plain:password}}", "no JSON object that has this member"),
        ("{{secretsmanager:raito/empty}}", "it is empty"),
        ("{{ssm:/raito/gone}}", "ParameterNotFound|does not exist|not found"),
    ],
)
@pytest.mark.usefixtures("aws")
def test_what_cannot_be_read_is_said_with_option_and_name(loads: Loads, secret: str, said: str) -> None:
    with pytest.raises(LoginNotReadable, match=said) as caught:
        login(loads("robot", secret))
    text = str(caught.value)
    assert 'raito.yml:2: option "api-secret"' in text
    assert secret.strip("{}").split(":")[1] in text
    assert PASSWORD not in text
    assert caught.value.__cause__ is None


def test_a_denied_secret_is_asked_for_once_and_says_the_permission(aws: EmulatedAws, loads: Loads) -> None:
    aws.faults.add(Fault(kind="deny", service="secretsmanager"))
    options = loads("robot", "{{secretsmanager:raito/plain}}")
    services = Services(options)
    for target in options.accounts:
        with pytest.raises(LoginNotReadable, match="secretsmanager:GetSecretValue"):
            services.raito(target)
    assert aws.calls.count("secretsmanager", "GetSecretValue") == 1


@pytest.mark.usefixtures("aws")
@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("secret", ["secretsmanager:raito/plain", "ssm:/raito/password"])
def test_nobody_is_asked_for_a_code(loads: Loads, tmp_path: Path, secret: str) -> None:
    with (tmp_path / "config").open("a") as config:
        config.write(
            f"[profile coded]\nregion = {REGION}\nrole_arn = arn:aws:iam::{ACCOUNT}:role/r\nsource_profile = vault\n"
            "mfa_serial = arn:aws:iam::1:mfa/ann\n"
        )
    with pytest.raises(LoginNotReadable, match="profile coded wants a code of arn:aws:iam::1:mfa/ann"):
        login(loads("robot", f"{{{{{secret}}}}}", profile="coded"))


def test_a_profile_that_is_not_there_is_said(loads: Loads) -> None:
    with pytest.raises(LoginNotReadable, match="nowhere"):
        login(loads("robot", "{{secretsmanager:raito/plain}}", profile="nowhere"))


def test_a_variable_may_be_missing_until_it_is_used(loads: Loads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAITO_PASSWORD", raising=False)
    options = loads("robot", "{{RAITO_PASSWORD}}")
    build_definitions(options)
    with pytest.raises(
        LoginNotReadable, match=r'option "api-secret": the environment variable RAITO_PASSWORD .*not set'
    ):
        login(options)
    with pytest.raises(ConfigError, match="RAITO_PASSWORD to be set") as caught:
        options.check_usable({})
    assert len(caught.value.problems) == 1
    options.check_usable({"RAITO_PASSWORD": PASSWORD})
    read = DeferredValues(options.pipeline, {"RAITO_PASSWORD": f"{PASSWORD}\r\n"}).login(options.accounts[0])
    assert isinstance(read, AccountTarget)
    assert read.api_secret is not None
    assert read.api_secret.get_secret_value() == PASSWORD
    assert login(loads("robot", "{{RAITO_PASSWORD}}", RAITO_PASSWORD=PASSWORD)) == ("robot", PASSWORD)


@pytest.mark.parametrize("inside", ["secretsmanager:", "secretsmanager:a b", "secretsmanager:a:b:c", "ssm:"])
def test_a_reference_to_nothing_is_an_error_of_the_file(loads: Loads, inside: str) -> None:
    with pytest.raises(ConfigError, match="a reference without a name"):
        loads("robot", f"{{{{{inside}}}}}")


def test_what_the_file_itself_needs_cannot_be_deferred(tmp_path: Path) -> None:
    file = tmp_path / "raito.yml"
    target = (
        'connector-name: raito-io/cli-plugin-aws-account, aws-account-id: "{{ssm:/account}}", aws-regions: eu-west-1'
    )
    file.write_text(f"api-user: a\napi-secret: b\ndomain: acme\ntargets:\n- {{{target}}}\n")
    with pytest.raises(ConfigError, match="only `api-user` and `api-secret` are read when they are used"):
        load(file, {})
