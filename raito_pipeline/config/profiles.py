"""The region that an AWS profile names, read from the AWS configuration files; nothing is called over the network.

Files and variables: https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html. They are INI files, in which a
section `[profile NAME]` of `config` and a section `[NAME]` of `credentials` are one profile. The AWS SDK is not used
for it: what shapes access reads options, and must not load an SDK.
"""

from __future__ import annotations

import configparser
import shlex
from collections.abc import Mapping
from pathlib import Path
from string import Template


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
    config = _regions(_path("AWS_CONFIG_FILE", "config", environ, home))
    credentials = _regions(_path("AWS_SHARED_CREDENTIALS_FILE", "credentials", environ, home))
    named = {_profile(section): region for section, region in config.items()}
    return credentials.get(profile) or named.get(profile)  # the order of the SDKs


def _path(variable: str, name: str, environ: Mapping[str, str], home: Path) -> Path:
    given = Template(environ.get(variable, "")).safe_substitute(environ)
    if not given:
        return home / ".aws" / name
    return home / given[2:] if given.startswith("~/") else Path(given)


def _regions(path: Path) -> dict[str, str]:
    """The `region` of each section of a file; none where it cannot be read."""
    parser = configparser.RawConfigParser()
    try:
        parser.read(path)
        return {name: parser.get(name, "region", fallback="") for name in parser.sections()}
    except (configparser.Error, UnicodeDecodeError, OSError):
        return {}


def _profile(section: str) -> str | None:
    """The profile that a section of the config file is of; None where it is of none (`sso-session`, `services`)."""
    if section == "default":
        return section
    try:
        words = shlex.split(section)
    except ValueError:
        return None
    return words[1] if len(words) == 2 and words[0] == "profile" else None
