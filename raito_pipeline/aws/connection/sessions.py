"""The session of a profile: made and signed in once, with an error of one line for everything that can fail before AWS.

What the AWS SDK runs to get credentials (programs, files, caches, roles) fails with whatever these fail with. Here each
of it is told with the profile, what was used, and what to do.
https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-files.html
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime

import boto3
import botocore.session
from botocore.exceptions import BotoCoreError, ClientError
from botocore.utils import parse_timestamp

from raito_pipeline.aws.connection.answers import UndeclaredOperation, check_answers
from raito_pipeline.aws.connection.errors import AwsCredentialsInvalid, AwsDenied, AwsError, explain
from raito_pipeline.aws.connection.roles import assume
from raito_pipeline.config.discovery import AssumedRole
from raito_pipeline.redaction import one_line, redact
from raito_pipeline.sdk_models import (
    SIGNS_IN_WITHIN,
    Chain,
    asks_for_code,
    chain_of_session,
    session_with_shared_models,
    sign_in,
)

_SETTINGS = "the AWS configuration files (~/.aws/config, ~/.aws/credentials)"
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
    with _in_one_line(action, label, chain):
        core = botocore.session.Session(profile=profile)
        chain += chain_of_session(core)
        session = session_with_shared_models(core, region)
        core.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=moment_of)
        check_answers(session.events)
        _refuse_code(core, label, action)
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
    for setting, advice in _ADVICE.items():
        # The last one of the chain is where the credentials come from.
        for profile, settings in reversed(chain or []):
            if setting in settings:
                what = f"{setting} of profile {profile} ({_shown(setting, settings[setting])})"
                text = f"{action} on {resource}: {what} gave no credentials ({_why(error, cause)}). {advice}"
                return AwsCredentialsInvalid(text.format(profile=profile), action=action, resource=resource)
    if "Invalid endpoint" in str(error):
        text = f"{cause}. endpoint_url of the profile, or AWS_ENDPOINT_URL, has to begin with https:// or http://."
    else:
        text = f"the AWS SDK failed ({cause}). Check the profile in {_SETTINGS} and the variables AWS_*."
    return AwsCredentialsInvalid(f"{action} on {resource}: {text}", action=action, resource=resource)


_ADVICE = {
    "credential_process": 'Run it by hand: it has to print {{"Version": 1, "AccessKeyId": ...}} and nothing else.',
    "web_identity_token_file": "Check that the file is there and can be read.",
    "sso_session": "Sign in again: aws sso login --profile {profile}.",
    "sso_start_url": "Sign in again: aws sso login --profile {profile}.",
    "role_arn": "Check source_profile or credential_source of the profile.",
}
"""What to do where a profile's way to credentials fails, by the setting that stands for it."""


def _shown(setting: str, value: str) -> str:
    # The arguments of a program may be secrets.
    return redact(value.split()[0] if setting == "credential_process" and value.split() else value)


def _why(error: Exception, cause: str) -> str:
    if isinstance(error, ValueError):
        return f"it is not JSON, {cause}" if "JSON" in type(error).__name__ else cause
    if isinstance(error, FileNotFoundError):
        return redact(f"there is no such file: {error.filename}")
    if isinstance(error, KeyError):
        return f"what is stored lacks {cause.partition(': ')[2]}"
    return cause


@contextmanager
def _in_one_line(action: str, resource: str, chain: Chain) -> Iterator[None]:
    try:
        yield
    except (AwsError, UndeclaredOperation):
        raise
    except (ClientError, BotoCoreError) as error:
        raise _with_way(explain(error, action=action, resource=resource), chain) from error
    except Exception as error:  # the SDK runs programs and reads files of others here
        raise explain_escaped(error, action, resource, chain) from error


def _with_way(error: AwsError, chain: Chain) -> AwsError:
    """The error with the way to credentials that failed, where the profile has one of its own."""
    for profile, settings in chain:
        if "credential_process" in settings and isinstance(error, AwsCredentialsInvalid):
            program = _shown("credential_process", settings["credential_process"])
            text = f"{error} It is credential_process of profile {profile} ({program})."
            return type(error)(text, action=error.action, resource=error.resource, code=error.code)
    return error


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


def _sign_in(session: botocore.session.Session, label: str, action: str, most_seconds: float) -> None:
    """Get credentials now, so that what fails says so before any call. None at all is told by the first call."""
    if not sign_in(session, most_seconds):
        raise AwsCredentialsInvalid(
            f"{action} on {label}: no credentials after {most_seconds:g} seconds. Run the profile's program, or "
            f"`aws sts get-caller-identity --profile ...`, by hand and see what it waits for.",
            action=action,
            resource=label,
        )
