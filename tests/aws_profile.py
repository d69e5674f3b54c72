"""An AWS profile in files of its own, so that no test sees those of the machine."""

from pathlib import Path

import pytest

OTHERS = ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION")
"""variables that would lead elsewhere"""


def write_profile(
    folder: Path, url: str, name: str = "there", *, key: str = "AKIAIOSFODNN7EXAMPLE", region: str = "us-east-1"
) -> dict[str, str]:
    """Write a profile that reaches the AWS at `url`; gives the environment that it is found by."""
    config, credentials = folder / "config", folder / "credentials"
    config.write_text(f"[profile {name}]\nregion = {region}\nendpoint_url = {url}\n")
    credentials.write_text(f"[{name}]\naws_access_key_id = {key}\naws_secret_access_key = not-a-secret\n")
    return {"AWS_CONFIG_FILE": str(config), "AWS_SHARED_CREDENTIALS_FILE": str(credentials)}


def use_profile(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    """Let this test use a profile, and nothing else."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    for name in OTHERS:
        monkeypatch.delenv(name, raising=False)
