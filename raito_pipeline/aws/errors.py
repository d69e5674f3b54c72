"""What can go wrong with a call to AWS, told apart: denied, throttled away, opted out, gone, expired, unreachable."""

import re

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
    SSOTokenLoadError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)

from raito_pipeline.storage.cells import ReadStatus

_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "UnauthorizedAccess", "403"}
_THROTTLED = {
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "TooManyRequestsException",
    "RequestLimitExceeded",
    "SlowDown",
    "RequestThrottled",
    "ProvisionedThroughputExceededException",
}
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
_BAD_CREDENTIALS = {
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "AuthFailure",
}
_OPTED_OUT = {"OptInRequired", "InvalidRegionException"}
_GONE = {
    "NoSuchEntity",
    "NoSuchBucket",
    "NoSuchKey",
    "404",
    "NotFound",
    "ResourceNotFoundException",
    "EntityNotFoundException",
    "NoSuchAccessPoint",
    "NoSuchAccessPointPolicy",
    "NoSuchTagSet",
}
_ARN = re.compile(r"on resource: (\S+)")
_ACTION = re.compile(r"perform: (\S+)")


class AwsError(Exception):
    """A call to AWS that gave no answer. `status` says what that makes of the read that needed it."""

    status = ReadStatus.PARTIAL

    def __init__(self, message: str, *, action: str, resource: str, code: str = "") -> None:
        super().__init__(message)
        self.action, self.resource, self.code = action, resource, code


class AwsDenied(AwsError):
    """The credentials may not make this call."""

    status = ReadStatus.DENIED


class AwsThrottled(AwsError):
    """AWS refused the call for its rate, and went on doing so through all retries."""

    status = ReadStatus.THROTTLED


class AwsOptedOut(AwsError):
    """The region is not enabled in the account."""

    status = ReadStatus.OPTED_OUT


class AwsGone(AwsError):
    """What the call names does not exist (any more)."""


class AwsCredentialsInvalid(AwsError):
    """There are no credentials, or they have expired, or AWS does not know them."""

    status = ReadStatus.DENIED


class AwsUnreachable(AwsError):
    """AWS could not be reached, or broke off, or answered with something that is no answer, through all retries."""


def explain(error: ClientError | BotoCoreError, *, action: str, resource: str) -> AwsError:
    """Turn what botocore raised into a named error.

    `action` is the IAM action of the call (`iam:ListUsers`), `resource` what it was made on (an ARN or a
    name); AWS's own words for both win where the answer has them.
    """
    if isinstance(error, ClientError):
        return _explain_answer(error, action, resource)
    if isinstance(error, (NoCredentialsError, ProfileNotFound, CredentialRetrievalError)):
        return AwsCredentialsInvalid(
            f"{action} on {resource}: no usable AWS credentials: {error}. Check aws-profile and the AWS "
            "configuration files.",
            action=action,
            resource=resource,
        )
    if isinstance(error, (SSOTokenLoadError, UnauthorizedSSOTokenError, TokenRetrievalError)):
        return AwsCredentialsInvalid(
            f"{action} on {resource}: the AWS sign-in has expired: {error}. Sign in again (`aws sso login`).",
            action=action,
            resource=resource,
        )
    if isinstance(error, (EndpointConnectionError, ConnectTimeoutError)):
        text = f"{action} on {resource}: AWS cannot be reached: {error}. Check the network and endpoint_url."
    elif isinstance(error, (ReadTimeoutError, ConnectionClosedError)):
        text = f"{action} on {resource}: AWS broke off the answer, through all retries: {error}. Run this again."
    else:
        text = f"{action} on {resource}: no usable answer from AWS: {error}."
    return AwsUnreachable(text, action=action, resource=resource)


def _explain_answer(error: ClientError, action: str, resource: str) -> AwsError:
    details = error.response.get("Error", {})
    code, message = str(details.get("Code", "")), str(details.get("Message", ""))
    action = _found(_ACTION, message, action)
    resource = _found(_ARN, message, resource)
    http = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)

    def made(kind: type[AwsError], text: str) -> AwsError:
        return kind(f"{action} on {resource}: {text}", action=action, resource=resource, code=code)

    if code in _EXPIRED:
        return made(
            AwsCredentialsInvalid,
            f"the AWS credentials have expired ({code}). Renew them and run this again.",
        )
    if code in _BAD_CREDENTIALS:
        return made(AwsCredentialsInvalid, f"AWS does not accept the credentials ({code}). Check aws-profile.")
    if code in _OPTED_OUT:
        return made(AwsOptedOut, f"the region is not enabled in this account ({code}).")
    if code in _DENIED:
        return made(AwsDenied, f"AWS denied the call ({code}). Grant {action} to the credentials of this account.")
    if code in _THROTTLED:
        return made(AwsThrottled, f"AWS throttled the call through all retries ({code}). Run this again later.")
    if code in _GONE or code.startswith("NoSuch"):
        return made(AwsGone, f"it does not exist ({code}).")
    if http >= 500:
        return made(AwsUnreachable, f"AWS failed with status {http} ({code}) through all retries. Run this again.")
    return made(AwsError, f"AWS refused the call: {code}: {message}")


def _found(pattern: re.Pattern[str], message: str, otherwise: str) -> str:
    match = pattern.search(message)
    return match.group(1).rstrip(".,") if match else otherwise
