"""The session of a profile: made and signed in once, with an error of one line for everything that can fail before AWS.

What the AWS SDK runs to get credentials (programs, files, caches, roles) fails with whatever these fail with. Here each
of it is told with the profile, what was used, and what to do.
https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-files.html
"""

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

import boto3
import botocore.session
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConfigParseError,
    NoCredentialsError,
    ParamValidationError,
    ProfileNotFound,
)
from botocore.utils import parse_timestamp

from raito_pipeline.aws.connection.answers import UndeclaredOperation, check_answers
from raito_pipeline.aws.connection.errors import AwsCredentialsInvalid, AwsDenied, AwsError, explain
from raito_pipeline.aws.connection.roles import assume
from raito_pipeline.config.discovery import AssumedRole
from raito_pipeline.config.profiles import doubts
from raito_pipeline.redaction import one_line, redact
from raito_pipeline.sdk_models import (
    NO_CREDENTIALS,
    SIGN_IN_ENDED,
    SIGNS_IN_WITHIN,
    Chain,
    asks_for_code,
    chain_of_session,
    session_with_shared_models,
    sign_in,
)

_SETTINGS = "the AWS configuration files (~/.aws/config, ~/.aws/credentials)"
_OF_THE_FILES = (NoCredentialsError, ProfileNotFound, ConfigParseError)
"""what may come of something in the AWS files that the SDK passes over, or cannot read and does not say why"""
_DIGEST = re.compile("'[0-9a-f]{40}'")
"""what the SDK calls a sign-in that it stored"""
_log = logging.getLogger(__name__)


def open_session(
    profile: str | None, region: str | None, most_seconds: float = SIGNS_IN_WITHIN, role: AssumedRole | None = None
) -> boto3.Session:
    """A session whose calls are checked (`answers`) and whose credentials are there. It asks nobody anything.

    `profile` and `region` are those of `raito.yml` (None = the SDK's default); `role` is assumed with the credentials
    of the profile. Raises `AwsError`: the profile is not there, wants a code typed in (`mfa_serial`), or gives no
    credentials within `most_seconds`; or the role may not be assumed.
    """
    label = label_of(profile) if role is None else role.arn
    action = "the AWS sign-in" if role is None else "sts:AssumeRole"
    chain: Chain = []
    with _in_one_line(action, label, profile, chain):
        core = botocore.session.Session(profile=profile)
        chain += chain_of_session(core)
        session = session_with_shared_models(core, region)
        core.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=moment_of)
        check_answers(session.events)
        _refuse_code(core, label, action)
        _refuse_flat(core, label, action)
        if role is not None:
            assume(core, role, session.region_name)
        try:
            _sign_in(core, label, action, most_seconds)
        except ClientError as error:
            raise _explained(error, action, label, role, profile) from error
    return session


def refuse_code(profile: str | None) -> None:
    """Raise `AwsCredentialsInvalid` where a session that somebody else makes of the profile would ask for a code."""
    core = botocore.session.Session(profile=profile)
    _refuse_code(core, label_of(profile), "the AWS sign-in")


def user_agent(session: boto3.Session) -> str:
    """What clients of the session call themselves: what the SDK says of itself and of this machine, and this product.

    Given to a client it is sent as it is, with the extra of the session behind it; the SDK would put it together anew
    twice a call (a tenth of the CPU of a call).
    """
    core = session._session
    return f"{core.user_agent().removesuffix(core.user_agent_extra).strip()} raito-pipeline"


def _explained(error: ClientError, action: str, label: str, role: AssumedRole | None, profile: str | None) -> AwsError:
    """What AWS answered to the sign-in; a role that is refused may be missing, or trust nobody who comes like this."""
    cause = explain(error, action=action, resource=label)
    if role is None or not isinstance(cause, AwsDenied):
        return cause
    external = "no external id" if role.external_id is None else f"the external id {role.external_id}"
    text = f"{cause} The role has to be there, and to trust {label_of(profile)} with {external}."
    return AwsDenied(text, action=cause.action, resource=cause.resource, code=cause.code)


def moment_of(value: str | float) -> datetime:
    """The moment that AWS writes as ISO 8601, which Python reads at once; anything else is read by the SDK.

    The SDK guesses each time how a moment is written: a third of a millisecond for each of the thousands in the IAM of
    an account. Raises `ValueError`.
    """
    if isinstance(value, str):
        with suppress(ValueError):
            moment = datetime.fromisoformat(value)
            if moment.tzinfo is not None:
                return moment
    read: datetime = parse_timestamp(value)  # type: ignore[arg-type]  # it takes numbers, too
    return read


def label_of(profile: str | None) -> str:
    """A profile as messages name it."""
    return f"profile {profile or 'default chain'}"


def explain_escaped(error: Exception, action: str, resource: str, chain: Chain | None = None) -> AwsError:
    """What left the SDK although it is none of its errors, in one line that says what to do."""
    _log.debug("%s on %s", action, resource, exc_info=error)
    cause = f"{type(error).__name__}: {one_line(str(error))}".rstrip(".: ")
    for setting, owner, value in _ways(chain or [], error):
        text = f"{action} on {resource}: {setting} of {owner} ({value}) gave no credentials ({_why(error, cause)})."
        advice = _ADVICE[setting].format(profile=owner)
        return AwsCredentialsInvalid(f"{text} {advice}", action=action, resource=resource)
    if "Invalid endpoint" in str(error):
        text = (
            f"{cause}. endpoint_url of the profile, or AWS_ENDPOINT_URL, has to begin with https:// or http:// and to "
            "hold one address."
        )
    else:
        where = " and ".join(_holding(error, chain or [])) or f"the profile in {_SETTINGS} and the variables AWS_*"
        text = f"the AWS SDK failed ({cause}). Check {where}."
    return AwsCredentialsInvalid(f"{action} on {resource}: {text}", action=action, resource=resource)


def _ways(chain: Chain, error: Exception) -> Iterator[tuple[str, str, str]]:
    """The settings that stand for a way to credentials: each with whose it is, and its value as it may be shown.

    Variables are named where the error is of them: they may be there for somebody else.
    """
    for setting in _ADVICE:
        # The last one of the chain is where the credentials come from.
        for profile, settings in reversed(chain):
            if setting in settings:
                yield setting, f"profile {profile}", _shown(setting, settings[setting])
    for variable in _ADVICE:
        value = os.environ.get(variable)
        if value and (value in str(error) or (variable == _AGENT and "Unsupported host" in str(error))):
            yield variable, "the environment", redact(value)


def _holding(error: Exception, chain: Chain) -> Iterator[str]:
    """What holds a value that an error quotes: the SDK says which value it cannot read, and not where it stands."""
    if not isinstance(error, ValueError):
        return
    for profile, settings in chain:
        yield from (f"{name} of profile {profile}" for name, value in settings.items() if repr(value) in str(error))
    yield from (name for name, value in os.environ.items() if name.startswith("AWS_") and repr(value) in str(error))


_AGENT = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
_ADVICE = {
    "credential_process": 'Run it by hand: it has to print {{"Version": 1, "AccessKeyId": ...}} and nothing else.',
    "web_identity_token_file": "Check that the file is there and can be read.",
    "sso_session": "Sign in again: aws sso login --{profile}.",
    "sso_start_url": "Sign in again: aws sso login --{profile}.",
    "role_arn": "Check source_profile or credential_source of the profile.",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "Check that the file is there and can be read.",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "Check that the file is there and can be read.",
    _AGENT: "It has to be an https:// address, or that of the container's own agent.",
}
"""What to do where a profile's way to credentials fails, by the setting that stands for it."""


def _shown(setting: str, value: str) -> str:
    # The arguments of a program may be secrets.
    return redact(value.split()[0] if setting == "credential_process" and value.split() else value)


def _why(error: Exception, cause: str) -> str:
    if isinstance(error, ValueError):
        return f"it is not JSON: {cause.partition(': ')[2]}" if "JSON" in type(error).__name__ else cause
    if isinstance(error, RuntimeError):
        return cause.partition(": ")[2] or cause
    if isinstance(error, FileNotFoundError):
        return redact(f"there is no such file: {error.filename}")
    if isinstance(error, KeyError):
        key = cause.partition(": ")[2]
        return "nothing that could be read is stored" if _DIGEST.fullmatch(key) else f"what is stored lacks {key}"
    return cause


@contextmanager
def _in_one_line(action: str, resource: str, profile: str | None, chain: Chain) -> Iterator[None]:
    try:
        yield
    except (AwsError, UndeclaredOperation):
        raise
    except (ClientError, BotoCoreError) as error:
        raise _with_way(explain(error, action=action, resource=resource), error, profile, chain) from error
    except Exception as error:  # the SDK runs programs and reads files of others here
        raise explain_escaped(error, action, resource, chain) from error


def _with_way(error: AwsError, cause: Exception, profile: str | None, chain: Chain) -> AwsError:
    """The error with the setting that stands for the way to credentials, and what the AWS files are silent of."""
    if not isinstance(cause, (*NO_CREDENTIALS, *SIGN_IN_ENDED, ParamValidationError)):
        return error
    way = next(
        (
            f"It is {setting} of {owner} ({value})."
            for setting, owner, value in _ways(chain, cause)
            if setting != "role_arn" or isinstance(cause, ParamValidationError)
        ),
        "",
    )
    more = [way] if way else []
    if isinstance(cause, _OF_THE_FILES):
        more = [f"What may be wrong: {'; '.join(why)}." for why in [doubts(profile, os.environ, Path.home())] if why]
    text = " ".join((str(error), *more))
    return AwsCredentialsInvalid(text, action=error.action, resource=error.resource, code=error.code)


def _refuse_code(core: botocore.session.Session, label: str, action: str) -> None:
    asked = asks_for_code(core)
    if asked is not None:
        raise AwsCredentialsInvalid(
            f"{action} on {label}: profile {asked[0]} wants a code of {asked[1]} (mfa_serial), and nobody can type it "
            "in here. Use a role without it for this, or a profile whose credentials come from a sign-in made before "
            "(aws sso login, credential_process).",
            action=action,
            resource=label,
        )


def _refuse_flat(core: botocore.session.Session, label: str, action: str) -> None:
    """Refuse a value where settings of their own belong, which the SDK fails on wherever it happens to need them.

    https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
    """
    settings = core.get_scoped_config()
    services = core.full_config.get("services", {}).get(settings.get("services"), {})
    owners = [
        ("profile", {name: settings.get(name) for name in ("s3", "api_versions")}),
        ("services section", services),
    ]
    for owner, nested in owners:
        for name, value in nested.items():
            if isinstance(value, str):
                text = f"{name} of its {owner} holds settings, each indented on a line of its own, and has a value here"
                raise AwsCredentialsInvalid(f"{action} on {label}: {text}.", action=action, resource=label)


def _sign_in(session: botocore.session.Session, label: str, action: str, most_seconds: float) -> None:
    """Get credentials now, so that what fails says so before any call."""
    if not sign_in(session, most_seconds):
        raise AwsCredentialsInvalid(
            f"{action} on {label}: no credentials after {most_seconds:g} seconds. Run the profile's program, or "
            f"`aws sts get-caller-identity --profile ...`, by hand and see what it waits for.",
            action=action,
            resource=label,
        )
    if vars(session)["_credentials"] is None:  # to ask for them would look for them once more
        raise NoCredentialsError
