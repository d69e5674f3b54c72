"""Profiles whose way to credentials fails, in real configuration files: one line each, and nobody is asked anything."""

import hashlib
import json
import stat
import time
from pathlib import Path

import pytest
from botocore.utils import parse_timestamp

from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.aws.connection.errors import AwsCredentialsInvalid, AwsError
from raito_pipeline.aws.connection.sessions import moment_of, open_session
from tests.aws_profile import OTHERS

CREDENTIALS = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMIsNotASecretAtAll"
GOOD = {"Version": 1, "AccessKeyId": CREDENTIALS, "SecretAccessKey": SECRET}
PROCESSES = {
    "words before the JSON": (f"echo 'It ends soon'; echo '{json.dumps(GOOD)}'", "not JSON"),
    "nothing": ("exit 0", "not JSON"),
    "bytes that are no text": (r"printf '\377\376'", "UnicodeDecodeError"),
    "a list": ("echo '[]'", "AttributeError"),
    "status 1": ("echo 'login needed' >&2; exit 1", "login needed"),
    "no version": ("echo '{}'", "Version"),
    "no key": ("""echo '{"Version": 1}'""", "AccessKeyId"),
    "credentials that have ended": (
        f"echo '{json.dumps({**GOOD, 'Expiration': '2020-01-01T00:00:00Z'})}'",
        "still expired",
    ),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in (*OTHERS, "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "credentials").write_text(
        f"[base]\naws_access_key_id = {CREDENTIALS}\naws_secret_access_key = {SECRET}\n"
    )
    return tmp_path


def program(folder: Path, text: str) -> Path:
    path = folder / "give-credentials"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IEXEC)
    return path


def profile(folder: Path, **settings: object) -> None:
    lines = [f"{name} = {value}" for name, value in {"region": "eu-west-1", **settings}.items()]
    (folder / "config").write_text("\n".join(["[profile acct]", *lines]) + "\n")


def refusal(profile: str | None = "acct") -> str:
    with pytest.raises(AwsError) as caught:
        AwsClients(profile, attempts=1).caller_account()
    said = str(caught.value)
    assert "\n" not in said
    assert SECRET not in said
    return said


@pytest.mark.parametrize("name", PROCESSES)
@pytest.mark.parametrize("way", ["of the profile", "of its source profile"])
def test_a_credential_process_that_fails_names_profile_and_program(folder: Path, name: str, way: str) -> None:
    text, cause = PROCESSES[name]
    given = f"{program(folder, text)} --token not-to-be-shown"
    if way == "of the profile":
        profile(folder, credential_process=given)
        owner = "acct"
    else:
        profile(folder, role_arn="arn:aws:iam::111122223333:role/sync", source_profile="giving")
        with (folder / "config").open("a") as file:
            file.write(f"[profile giving]\ncredential_process = {given}\n")
        owner = "giving"
    said = refusal()
    assert f"credential_process of profile {owner}" in said
    assert str(folder / "give-credentials") in said
    assert cause in said
    assert "not-to-be-shown" not in said


@pytest.mark.parametrize(
    "given",
    [
        f"sh -c 'echo password={SECRET} >&2; exit 3'",
        f"sh -c 'echo SecretAccessKey: {SECRET} >&2; exit 3'",
        f"PASSWORD={SECRET} give-credentials",
    ],
)
def test_what_a_program_says_of_its_secrets_is_not_said_on(folder: Path, given: str) -> None:
    profile(folder, credential_process=given)
    assert "credential_process of profile acct" in refusal()


@pytest.mark.parametrize("variable", ["AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID"])
def test_credentials_with_a_line_break_are_not_shown(
    folder: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    (folder / "config").write_text("[default]\nregion = eu-west-1\nendpoint_url = http://127.0.0.1:9\n")
    given = {"AWS_ACCESS_KEY_ID": CREDENTIALS, "AWS_SECRET_ACCESS_KEY": SECRET, variable: f"{SECRET}\n"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(AwsCredentialsInvalid, match=r"line break.*AWS_SESSION_TOKEN"):
        AwsClients(None, attempts=1).caller_account()
    refusal(None)


def test_a_variable_that_names_no_profile_is_to_be_unset(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "config").write_text("[default]\nregion = eu-west-1\n")
    monkeypatch.setenv("AWS_PROFILE", "")
    assert "AWS_PROFILE is set and empty: unset it" in refusal(None)


@pytest.mark.parametrize("address", ["https://127.0.0.1:9", "http://raito.example"])
def test_a_password_in_an_address_of_a_profile_is_not_shown(folder: Path, address: str) -> None:
    scheme, _, host = address.partition("://")
    profile(
        folder,
        endpoint_url=f"{scheme}://ann:{SECRET}@{host}",
        aws_access_key_id=CREDENTIALS,
        aws_secret_access_key=SECRET,
    )
    assert host in refusal()


def test_a_program_that_is_not_there_or_may_not_be_started(folder: Path) -> None:
    profile(folder, credential_process="/no/such/program --x")
    assert "no such file: /no/such/program" in refusal()
    path = program(folder, "exit 0")
    path.chmod(0o600)
    profile(folder, credential_process=path)
    assert "PermissionError" in refusal()


def test_a_program_that_hangs_is_waited_for_only_so_long(folder: Path) -> None:
    profile(folder, credential_process=program(folder, "exec sleep 120"))
    began = time.monotonic()
    with pytest.raises(AwsError, match=r"profile acct: no credentials after 0\.5 seconds"):
        open_session("acct", None, most_seconds=0.5)
    assert time.monotonic() - began < 60


@pytest.mark.parametrize("through", [False, True])
def test_nobody_is_asked_for_a_code(folder: Path, through: bool) -> None:
    serial = "arn:aws:iam::111122223333:mfa/ada"
    role = {"role_arn": "arn:aws:iam::111122223333:role/sync", "source_profile": "base", "mfa_serial": serial}
    if through:
        profile(folder, role_arn="arn:aws:iam::111122223333:role/next", source_profile="first")
        lines = "\n".join(f"{name} = {value}" for name, value in role.items())
        with (folder / "config").open("a") as file:
            file.write(f"[profile first]\n{lines}\n")
    else:
        profile(folder, **role)
    said = refusal()
    assert f"profile {'first' if through else 'acct'}" in said
    assert serial in said
    assert "mfa_serial" in said


def test_a_code_is_no_matter_where_the_environment_has_credentials(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile(folder)
    (folder / "config").write_text(
        "[default]\nrole_arn = arn:aws:iam::111122223333:role/sync\nsource_profile = base\n"
        "mfa_serial = arn:aws:iam::1:mfa/a\n"
    )
    assert "mfa_serial" in refusal(None)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", CREDENTIALS)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    assert open_session(None, None).get_credentials().access_key == CREDENTIALS


def sso(folder: Path, cache: str) -> None:
    (folder / "config").write_text(
        "[profile acct]\nregion = eu-west-1\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = r\n"
        "[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://example.com/start\n"
    )
    if cache:
        place = folder / ".aws" / "sso" / "cache"
        place.mkdir(parents=True)
        (place / f"{hashlib.sha1(b'corp').hexdigest()}.json").write_text(cache)


@pytest.mark.parametrize(
    "cache", ["", "{", "[]", "{}", '{"accessToken": "a"}', '{"accessToken": "a", "expiresAt": "soon"}']
)
def test_a_stored_sign_in_that_cannot_be_used(folder: Path, cache: str) -> None:
    sso(folder, cache)
    said = refusal()
    assert "acct" in said
    assert "aws sso login" in said


def test_a_variable_is_named_where_the_failure_is_of_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/no/such/token")
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::111122223333:role/sync")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    assert "AWS_WEB_IDENTITY_TOKEN_FILE of the environment (/no/such/token)" in refusal(None)
    profile(folder, credential_process="/no/such/program")
    assert "AWS_WEB_IDENTITY_TOKEN_FILE" not in refusal()


def test_a_web_identity_without_its_file(folder: Path) -> None:
    profile(folder, role_arn="arn:aws:iam::111122223333:role/sync", web_identity_token_file=folder / "token")
    said = refusal()
    assert "web_identity_token_file of profile acct" in said
    assert str(folder / "token") in said


KEYS = f"aws_access_key_id = {CREDENTIALS}\naws_secret_access_key = {SECRET}\n"
CONFIGURATIONS = {
    "an address without scheme": (
        f"[profile acct]\nregion = eu-west-1\nendpoint_url = 127.0.0.1:5000\naws_access_key_id = {CREDENTIALS}\n"
        f"aws_secret_access_key = {SECRET}\n",
        "has to begin with https://",
    ),
    "another profile": ("[profile other]\nregion = eu-west-1\n", "acct"),
    "no configuration at all": ("region = eu-west-1\n", "config"),
    "half a configuration": ("[profile acct\nregion", "config"),
    "a source profile that is not there": (
        "[profile acct]\nrole_arn = arn:aws:iam::111122223333:role/sync\nsource_profile = nowhere\n",
        "nowhere",
    ),
    "a profile that is its own source": (
        "[profile acct]\nrole_arn = arn:aws:iam::1:role/a\nsource_profile = b\n"
        "[profile b]\nrole_arn = arn:aws:iam::1:role/b\nsource_profile = acct\n",
        "acct",
    ),
    "a role without source": ("[profile acct]\nrole_arn = arn:aws:iam::111122223333:role/sync\n", "acct"),
    "half a key": (f"[profile acct]\naws_access_key_id = {CREDENTIALS}\n", "aws_secret_access_key"),
    "a region with spaces": (
        f"[profile acct]\nregion = eu west 1\naws_access_key_id = {CREDENTIALS}\naws_secret_access_key = {SECRET}\n",
        "eu west 1",
    ),
    "attempts that are no number": (
        f"[profile acct]\nregion = eu-west-1\nmax_attempts = many\naws_access_key_id = {CREDENTIALS}\n"
        f"aws_secret_access_key = {SECRET}\nendpoint_url = http://127.0.0.1:9\n",
        "acct",
    ),
    "nothing for the profile": ("[profile acct]\nregion = eu-west-1\n", "acct"),
    "a byte order mark": ("\ufeff[profile acct]\n", "begins with a byte order mark"),
    "a section twice": ("[profile acct]\n[profile acct]\n", "line 2 begins a section a second time"),
    "a section without its first word": ("[acct]\nregion = eu-west-1\n", "it has to be [profile acct]"),
    "a name nearly": ("[profile Acct]\nregion = eu-west-1\n", 'there is a profile "Acct"'),
    "a source without a role": (
        "[profile acct]\nsource_profile = base\n",
        'source_profile of profile "acct" counts only',
    ),
    "a value instead of settings": (f"[profile acct]\n{KEYS}s3 = x\n", "s3 of its profile holds settings"),
    "services written flat": (
        f"[profile acct]\n{KEYS}services = x\n[services x]\nsts = http://x\n",
        "services section",
    ),
    "a key with what cannot be seen": (
        f"[profile acct]\n{KEYS.replace(CREDENTIALS, CREDENTIALS + chr(0x200B))}",
        "strange character in the access key",
    ),
    "an empty key": ("[profile acct]\naws_access_key_id =\naws_secret_access_key = x\n", "gave no access key"),
    "a number that is none": (f"[profile acct]\n{KEYS}metadata_service_timeout = 1s\n", "metadata_service_timeout of"),
    "an empty role": ("[profile acct]\nrole_arn =\nsource_profile = base\n", "role_arn of profile acct"),
}


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_configuration_that_cannot_work_is_one_line(folder: Path, name: str) -> None:
    text, part = CONFIGURATIONS[name]
    (folder / "config").write_text(text)
    assert part in refusal()


@pytest.mark.parametrize(
    ("variable", "value"),
    [("AWS_CA_BUNDLE", "/no/such/bundle"), ("HTTPS_PROXY", "no proxy"), ("HTTPS_PROXY", "http://127.0.0.1:9")],
)
def test_variables_that_lead_nowhere(folder: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    profile(folder, aws_access_key_id=CREDENTIALS, aws_secret_access_key=SECRET, endpoint_url="https://127.0.0.1:9")
    monkeypatch.setenv(variable, value)
    assert "profile acct" in refusal()


def test_sessions_share_the_descriptions_of_services_and_search_each_folder_once(folder: Path) -> None:
    profile(folder, aws_access_key_id=CREDENTIALS, aws_secret_access_key=SECRET)
    loaders = [open_session("acct", None)._session.get_component("data_loader") for _ in range(3)]
    assert len({id(loader) for loader in loaders}) == 1
    assert len(set(loaders[0].search_paths)) == len(loaders[0].search_paths)


@pytest.mark.parametrize(
    "written",
    [
        "2026-01-02T03:04:05Z",
        "2026-01-02T03:04:05.678Z",
        "2026-01-02T03:04:05+02:00",
        "Fri, 02 Jan 2026 03:04:05 GMT",
        "1767323045",
        "1767323045.678",
        1767323045,
        1767323045.678,
        "20260102T030405Z",
        "2026-01-02",
    ],
)
def test_a_moment_is_read_as_the_sdk_reads_it(written: str | float) -> None:
    by_sdk, moment = parse_timestamp(written), moment_of(written)
    assert (moment, moment.utcoffset()) == (by_sdk, by_sdk.utcoffset())


def test_what_is_no_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="Invalid timestamp"):
        moment_of("yesterday, at noon or so")


def test_sessions_read_moments_without_guessing(folder: Path) -> None:
    profile(folder, aws_access_key_id=CREDENTIALS, aws_secret_access_key=SECRET)
    core = open_session("acct", None)._session
    parser = core.get_component("response_parser_factory").create_parser("query")
    assert parser._timestamp_parser is moment_of
