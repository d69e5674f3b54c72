"""The region that an AWS profile names, read from the AWS configuration files; nothing is called over the network.

Files and variables: https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html. They are INI files, in which a
section `[profile NAME]` of `config` and a section `[NAME]` of `credentials` are one profile. The AWS SDK is not used
for it: what shapes access reads options, and must not load an SDK.
"""

from __future__ import annotations

import configparser
import shlex
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from string import Template

from raito_pipeline.config.problems import shown
from raito_pipeline.config.spelling import closest

_NAMING = ("AWS_DEFAULT_PROFILE", "AWS_PROFILE")
_VARIABLES = ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE")


def profile_region(profile: str | None, environ: Mapping[str, str], home: Path) -> str | None:
    """The region of `profile`, or None where nothing names one.

    A named profile's own region comes first, then the environment's; without a profile it is the other way round, as
    in the AWS SDKs. Files that cannot be read count as empty: the AWS clients report them with more context.
    """
    from_environment = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or None
    if profile is None and from_environment:
        return from_environment
    return _configured_region(_used(profile, environ), environ, home) or from_environment


def _used(profile: str | None, environ: Mapping[str, str]) -> str:
    return profile or next((given for name in _NAMING if (given := environ.get(name))), "default")


def configuration_files(environ: Mapping[str, str], home: Path) -> tuple[Path, Path]:
    """The AWS files of profiles, `config` and `credentials`, whether or not they are there."""
    config, credentials = _VARIABLES
    return _path(config, "config", environ, home), _path(credentials, "credentials", environ, home)


def unreadable_files(environ: Mapping[str, str], home: Path) -> tuple[str, ...]:
    """Which of the AWS files are there and count as empty, each with its reason, which quotes nothing of them."""
    whys = ((path, _why_unusable(path, state_of(path))) for path in configuration_files(environ, home))
    return tuple(f"{path} cannot be used: {why}" for path, why in whys if why is not None)


def doubts(profile: str | None, environ: Mapping[str, str], home: Path) -> tuple[str, ...]:
    """Why the AWS files say nothing of a profile that seems to stand in them, for whoever finds it lacking.

    Names of files, sections and profiles are quoted, and nothing else.
    """
    files = configuration_files(environ, home)
    empty = tuple(
        f"{name} is set and empty: unset it" for name in _NAMING if profile is None and environ.get(name) == ""
    )
    absent = tuple(
        f"{variable} names {path}, which is not there"
        for variable, path in zip(_VARIABLES, files, strict=True)
        if environ.get(variable) and not path.exists()
    )
    misnamed = _misnamed(_used(profile, environ), *map(_parsed, files))
    return (*empty, *absent, *unreadable_files(environ, home), *misnamed)


def _misnamed(
    name: str, config: configparser.RawConfigParser, credentials: configparser.RawConfigParser
) -> Iterator[str]:
    """What of a profile the SDKs pass over without a word.

    https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
    """
    right = "[default]" if name == "default" else f'[profile "{name}"]' if " " in name else f"[profile {name}]"
    for section in (name, f"profile {name}") if name != "default" else ():
        if config.has_section(section) and _profile(section) is None:
            yield f"the section [{section}] of the config file is no profile's: it has to be {right}"
    if credentials.has_section(f"profile {name}"):
        yield f"the section [profile {name}] of the credentials file is no profile's: it has to be [{name}]"
    if name == "default" and (config.defaults() or credentials.defaults()):
        yield "the section [DEFAULT] is no profile's: it has to be [default]"
    profiles = {profile: config.options(each) for each in config.sections() if (profile := _profile(each))}
    for each in credentials.sections():
        profiles[each] = [*profiles.get(each, ()), *credentials.options(each)]
    if name in profiles:
        for source in sorted({"source_profile", "credential_source"} & {*profiles[name]}):
            if "role_arn" not in profiles[name]:
                yield f"{source} of profile {shown(name)} counts only beside a role_arn, which it has not"
        return
    meant = {each.lower(): each for each in profiles}
    near = closest(name.lower().removeprefix("profile "), meant, 2)
    if near is not None:
        yield f"there is a profile {shown(meant[near])}"


def _parsed(path: Path) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser()
    try:
        parser.read(path)
    except (configparser.Error, UnicodeDecodeError, OSError):
        return configparser.RawConfigParser()
    return parser


@lru_cache(maxsize=2)
def _why_unusable(path: Path, state: tuple[int, int] | None) -> str | None:
    if state is None:
        return None
    try:
        with path.open() as file:
            configparser.RawConfigParser().read_file(file)
    except configparser.MissingSectionHeaderError as error:
        marked = error.line.startswith("\ufeff")
        return (
            "it begins with a byte order mark" if marked else f"line {error.lineno} stands before the first [section]"
        )
    except configparser.DuplicateOptionError as error:
        return f"line {error.lineno} has a setting a second time"
    except configparser.DuplicateSectionError as error:
        return f"line {error.lineno} begins a section a second time"
    except configparser.ParsingError as error:
        return f"line {error.errors[0][0]} is no setting"
    except UnicodeDecodeError as error:
        return f"it is no text in {error.encoding.upper()}"
    except OSError as error:
        return error.strerror
    return None


def _configured_region(profile: str, environ: Mapping[str, str], home: Path) -> str | None:
    config, credentials = configuration_files(environ, home)
    # The order of the SDKs.
    return _regions(credentials, state_of(credentials)).get(profile) or _named(config, state_of(config)).get(profile)


def _path(variable: str, name: str, environ: Mapping[str, str], home: Path) -> Path:
    given = Template(environ.get(variable, "")).safe_substitute(environ)
    if not given:
        return home / ".aws" / name
    return home / given[2:] if given.startswith("~/") else Path(given)


def state_of(path: Path) -> tuple[int, int] | None:
    """What changes when a file does, to read it once for all who ask; None where it is not there."""
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size


@lru_cache(maxsize=2)
def _named(path: Path, state: tuple[int, int] | None) -> dict[str | None, str]:
    """The region of each profile that a `config` file names."""
    return {_profile(section): region for section, region in _regions(path, state).items()}


@lru_cache(maxsize=4)
def _regions(path: Path, state: tuple[int, int] | None) -> dict[str, str]:
    """The `region` of each section of a file in that state; none where it cannot be read."""
    if state is None:
        return {}
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
