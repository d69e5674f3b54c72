"""AWS profiles for the accounts of the estate, as the AWS SDKs and tools read them."""

from dataclasses import dataclass
from pathlib import Path

from raito_pipeline.sandbox.aws.estate import Estate, EstateAccount


@dataclass(frozen=True, slots=True)
class Profiles:
    """The two files, to be named by `AWS_CONFIG_FILE` and `AWS_SHARED_CREDENTIALS_FILE`."""

    config: Path
    credentials: Path


def write_aws_profiles(directory: Path, estate: Estate, endpoint_url: str) -> Profiles:
    """Write a profile for each account, with the address of the emulated AWS as its `endpoint_url`."""
    directory.mkdir(parents=True, exist_ok=True)
    files = Profiles(directory / "config", directory / "credentials")
    accounts = (estate.master, *estate.members)
    files.config.write_text("\n".join(_config(account, endpoint_url) for account in accounts), encoding="utf-8")
    files.credentials.touch(mode=0o600)
    files.credentials.write_text("\n".join(_credentials(account) for account in accounts), encoding="utf-8")
    return files


def _config(account: EstateAccount, endpoint_url: str) -> str:
    return f"[profile {account.profile}]\nregion = {account.regions[0]}\nendpoint_url = {endpoint_url}\n"


def _credentials(account: EstateAccount) -> str:
    return (
        f"[{account.profile}]\naws_access_key_id = {account.access_key_id}\n"
        f"aws_secret_access_key = {account.secret_access_key}\n"
    )
