"""Sessions of the AWS SDK, as all of this project has them: their models of services, their credentials, their logs.

They share the SDK's descriptions of services, without what nobody asks for here. Each session reads these anew
otherwise, as ordered dictionaries with all texts for people: 1 to 6 MB a service, and
7 MB for the endpoints of three hundred services.
"""

import gzip
import json
import threading
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

import boto3
import botocore.session
from botocore import exceptions
from botocore.loaders import JSONFileLoader, Loader, create_loader

from raito_pipeline.redaction import guard_logs

ENDPOINTS_OF = frozenset(
    {"cognito-idp", "glue", "iam", "identitystore", "organizations", "s3", "s3-control", "sso", "sts"}
    | {"oidc", "portal.sso", "signin"}
)
"""The services of this project, and those that the SDK signs in by, as the list of endpoints calls them."""


class UnusableCredentials(exceptions.CredentialRetrievalError):
    """What a profile gave is there, and cannot be credentials."""

    fmt = "{provider} gave {error_msg}"


NO_CREDENTIALS = (
    exceptions.NoCredentialsError,
    exceptions.PartialCredentialsError,
    exceptions.ProfileNotFound,
    exceptions.CredentialRetrievalError,
    exceptions.MetadataRetrievalError,
    exceptions.ConfigNotFound,
    exceptions.ConfigParseError,
    exceptions.InvalidConfigError,
    exceptions.InfiniteLoopConfigError,
    exceptions.UnknownCredentialError,
    exceptions.MissingDependencyException,
    exceptions.RefreshWithMFAUnsupportedError,
)
"""what the SDK raises where a profile gives no credentials"""
SIGN_IN_ENDED = (
    exceptions.SSOError,
    exceptions.TokenRetrievalError,
    exceptions.UnauthorizedSSOTokenError,
    exceptions.SSOTokenLoadError,
)
"""what it raises where somebody has to sign in again"""
SIGNS_IN_WITHIN = 120.0
"""seconds that a profile may take to give credentials: a program may ask a person in a browser"""

Chain = list[tuple[str, Mapping[str, str]]]
"""A profile and those that it takes its credentials from, each with its settings."""
_ENDPOINTS, _TEXT = "endpoints", "documentation"
_OPENED_BY: dict[str, Callable[[str, Literal["rb"]], Any]] = {".json": open, ".json.gz": gzip.open}


def session_with_shared_models(core: botocore.session.Session, region: str | None = None) -> boto3.Session:
    """The session of boto3 for one of botocore, with the descriptions of services that this process shares.

    Every session of this project is made here: from then on no secret gets into a log, whoever needed AWS first.
    """
    guard_logs()
    session = boto3.Session(botocore_session=core, region_name=region)
    # Only now: boto3 appends its own folder (descriptions of resources, not of services) to the loader that it finds.
    core.register_component("data_loader", _models(core.get_config_variable("data_path")))
    return session


def chain_of(profile: str, profiles: Mapping[str, Mapping[str, str]]) -> Chain:
    """The profile and its `source_profile`, and that one's, as far as they are there."""
    chain: Chain = []
    while profile in profiles and profile not in [name for name, _ in chain]:
        settings = profiles[profile]
        chain.append((profile, settings))
        profile = settings.get("source_profile", "")
    return chain


def chain_of_session(core: botocore.session.Session) -> Chain:
    """The profile that a session uses, and those that it takes its credentials from."""
    # Whatever the SDK's default is: the environment's profile, where none is given.
    return chain_of(core.get_config_variable("profile") or "default", core.full_config.get("profiles", {}))


def asks_for_code(core: botocore.session.Session) -> tuple[str, str] | None:
    """The profile for which a person would be asked for a code, and its `mfa_serial`; None where nobody is asked.

    Credentials in the environment win over a profile that nobody named.
    """
    if core.instance_variables().get("profile") is None and _has_credentials_of_environment(core):
        return None
    wanting = ((name, each) for name, each in chain_of_session(core) if "role_arn" in each and "mfa_serial" in each)
    return next(((name, settings["mfa_serial"]) for name, settings in wanting), None)


def sign_in(core: botocore.session.Session, most_seconds: float) -> bool:
    """Get the credentials of a session now, so that what fails says so before any call; false where they take longer.

    That there are none at all is no failure here. Raises whatever the way to the credentials fails with, and
    `UnusableCredentials` where it gave what cannot be any.
    """
    ended: list[BaseException | None] = []

    def get() -> None:
        try:
            credentials: Any = core.get_credentials()
            if credentials is not None:
                _require_usable(credentials.get_frozen_credentials(), credentials.method)
            ended.append(None)
        except BaseException as error:
            ended.append(error)

    # Nothing ends a program that hangs: its thread is left behind.
    thread = threading.Thread(target=get, name="aws-sign-in", daemon=True)
    thread.start()
    thread.join(most_seconds)
    if ended and ended[0] is not None:
        raise ended[0]
    return bool(ended)


def _require_usable(frozen: Any, way: str) -> None:
    """Refuse what the SDK would sign with, although it cannot be sent, or AWS cannot know it."""
    for what, value in (("access key", frozen.access_key), ("secret key", frozen.secret_key)):
        if not isinstance(value, str) or not value.strip():
            raise UnusableCredentials(provider=way, error_msg=f"no {what}, or an empty one")
    for what, value in (("access key", frozen.access_key), ("secret key", frozen.secret_key), ("token", frozen.token)):
        if isinstance(value, str) and not all("!" <= sign <= "~" for sign in value):
            advice = "take it out of AWS_SESSION_TOKEN, of the key, or of the profile"
            text = f"a line break, a blank or a strange character in the {what}: {advice}"
            raise UnusableCredentials(provider=way, error_msg=text)


def _has_credentials_of_environment(core: botocore.session.Session) -> bool:
    return core.get_component("credential_provider").get_provider("env").load() is not None


@cache
def _models(data_path: str | None) -> Loader:
    """Reads the descriptions of services once a process. `data_path` is the SDK's setting: folders that come first."""
    loader = create_loader(data_path)
    loader.file_loader = _WithoutTexts()
    return loader


class _WithoutTexts(JSONFileLoader):
    """Reads the files that the SDK's own loader would, as plain dictionaries.

    A service that is not among `ENDPOINTS_OF` has the endpoints that its partition gives to any service.
    """

    def load_file(self, file_path: str) -> Any:
        """What the file of this name holds; `file_path` lacks the end. None where there is none."""
        for end, opened in _OPENED_BY.items():
            if Path(file_path + end).is_file():
                with opened(file_path + end, "rb") as file:
                    described: Any = json.loads(file.read(), object_pairs_hook=_without_text)
                return _of_few(described) if Path(file_path).name == _ENDPOINTS else described
        return None


def _without_text(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    described = dict(pairs)
    if isinstance(described.get(_TEXT), str):  # else it is a member of that name
        described[_TEXT] = ""  # the SDK adds to some of them
    return described


def _of_few(endpoints: dict[str, Any]) -> dict[str, Any]:
    for partition in endpoints["partitions"]:
        services = partition["services"]
        partition["services"] = {name: services[name] for name in services.keys() & ENDPOINTS_OF}
    return endpoints
