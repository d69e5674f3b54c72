"""The region of a profile, held beside what the AWS SDK takes from the same files and variables."""

from pathlib import Path

import botocore.session
import pytest

from raito_pipeline.config.profiles import profile_region, unreadable_files

CONFIG = """
[default]
region = eu-west-1

[profile plain]
region=us-east-1
output = json

[profile "with space"]
region = eu-central-1

[profile nested]
s3 =
  region = sa-east-1
  max_concurrent_requests = 3
region = eu-north-1

[profile without]
role_arn = arn:aws:iam::111122223333:role/r

[profile]
region = eu-west-2

[plain]
region = eu-west-3

[sso-session plain]
sso_region = ap-south-1
region = ap-south-1
"""
CREDENTIALS = """
[without]
aws_access_key_id = k
region = ca-central-1

[plain]
region = ca-west-1

[only]
region = me-south-1
"""
PROFILES = ["default", "plain", "with space", "nested", "without", "only", None]
ENVIRONMENTS: list[dict[str, str]] = [
    {},
    {"AWS_DEFAULT_REGION": "ap-east-1"},
    {"AWS_PROFILE": "plain"},
    {"AWS_PROFILE": "plain", "AWS_DEFAULT_REGION": "ap-east-1"},
    {"AWS_DEFAULT_PROFILE": "only"},
    {"AWS_PROFILE": "plain", "AWS_DEFAULT_PROFILE": "only"},
]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("environ", ENVIRONMENTS, ids=str)
def test_a_profile_has_the_region_that_the_sdk_takes(
    profile: str | None, environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / ".aws"
    folder.mkdir()
    (folder / "config").write_text(CONFIG)
    (folder / "credentials").write_text(CREDENTIALS)
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("AWS_CONFIG_FILE", raising=False)
    monkeypatch.delenv("AWS_SHARED_CREDENTIALS_FILE", raising=False)

    of_the_sdk = botocore.session.Session(profile=profile).get_config_variable("region")

    # A profile that `raito.yml` names wins over the environment; the SDK has it the other way round for every profile.
    if profile and "AWS_DEFAULT_REGION" in environ:
        monkeypatch.delenv("AWS_DEFAULT_REGION")
        of_the_sdk = botocore.session.Session(profile=profile).get_config_variable("region")
    assert of_the_sdk is not None
    assert profile_region(profile, environ, tmp_path) == of_the_sdk


@pytest.mark.parametrize("content", [b"region = eu-west-1", b"[default\nregion = x", b"\xff\xfe\x00", None])
def test_a_file_that_cannot_be_read_counts_as_empty(content: bytes | None, tmp_path: Path) -> None:
    (tmp_path / ".aws").mkdir()
    if content is not None:
        (tmp_path / ".aws" / "config").write_bytes(content)
    (tmp_path / ".aws" / "credentials").write_text("[default]\nregion = eu-west-1\n")

    assert profile_region("default", {}, tmp_path) == "eu-west-1"


UNREADABLE = {
    "a setting twice": (b"[profile a]\nregion = eu-west-1\nregion = eu-west-2\n", "line 3 has a setting a second time"),
    "a section twice": (b"[profile a]\n[profile b]\n[profile a]\n", "line 3 begins a section a second time"),
    "a mark": (b"\xef\xbb\xbf[profile a]\nregion = eu-west-1\n", "it begins with a byte order mark"),
    "no section": (b"hunter22 = x\n", "line 1 stands before the first [section]"),
    "half a section": (b"[profile a]\nregion = x\n[profile hunter22\n", "line 3 is no setting"),
    "other bytes": (b"[profile a]\nregion = eu-west-1\n# \xe9\n", "it is no text in UTF-8"),
    "a good file": (b"[profile a]\nregion = eu-west-1\n", None),
    "no file": (None, None),
}


@pytest.mark.parametrize("name", UNREADABLE)
@pytest.mark.parametrize("file", ["config", "credentials"])
def test_why_a_file_counts_as_empty_is_said_without_what_it_holds(tmp_path: Path, name: str, file: str) -> None:
    content, why = UNREADABLE[name]
    (tmp_path / ".aws").mkdir()
    path = tmp_path / ".aws" / file
    if content is not None:
        path.write_bytes(content)
    assert unreadable_files({}, tmp_path) == (() if why is None else (f"{path} cannot be used: {why}",))


def test_a_path_of_the_environment_may_hold_variables(tmp_path: Path) -> None:
    (tmp_path / "aws.ini").write_text("[profile a]\nregion = eu-west-1\n")

    assert profile_region("a", {"AWS_CONFIG_FILE": "$FOLDER/aws.ini", "FOLDER": str(tmp_path)}, tmp_path) == "eu-west-1"
