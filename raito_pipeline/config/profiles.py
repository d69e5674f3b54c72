"""The region that an AWS profile names, read from the AWS configuration files; nothing is called over the network.

Files and variables: https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from botocore.configloader import load_config, raw_config_parse
from botocore.exceptions import BotoCoreError


def profile_region(profile: str | None, environ: Mapping[str, str], home: Path) -> str | None:
    """The region of `profile`, or None where nothing names one.

    A named profile's own region comes first, then the environment's; without a profile it is the other way round, as
    in the AWS SDKs. Files that cannot be read count as empty: the AWS clients report them with more context.
    """
    from_environment = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or None
    if profile is None and from_environment:
        return from_environment
    name = profile or environ.get("AWS_PROFILE") or environ.get("AWS_DEFAULT_PROFILE") or "default"
    return _configured_region(name, environ, home) or from_environment


def _configured_region(profile: str, environ: Mapping[str, str], home: Path) -> str | None:
    config = _path(environ.get("AWS_CONFIG_FILE"), home, "config")
    credentials = _path(environ.get("AWS_SHARED_CREDENTIALS_FILE"), home, "credentials")
    for region in (_config_file_region(config, profile), _credentials_file_region(credentials, profile)):
        if region:
            return region
    return None


def _path(given: str | None, home: Path, name: str) -> Path:
    if not given:
        return home / ".aws" / name
    return home / given[2:] if given.startswith("~/") else Path(given)


def _config_file_region(path: Path, profile: str) -> str | None:
    try:
        return _text(load_config(str(path))["profiles"].get(profile, {}).get("region"))
    except (BotoCoreError, OSError):
        return None


def _credentials_file_region(path: Path, profile: str) -> str | None:
    try:
        return _text(raw_config_parse(str(path)).get(profile, {}).get("region"))
    except (BotoCoreError, OSError):
        return None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
