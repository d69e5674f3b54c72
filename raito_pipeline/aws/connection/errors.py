"""What can go wrong with a call to AWS, told apart: denied, throttled away, opted out, gone, expired, unreachable.

`explain` is the one translation. Every message is one line: the action, what it was made on, what came of it, and
what to do.
"""

import re
from collections import Counter
from collections.abc import Iterable

from botocore import exceptions as botocore
from botocore.parsers import ResponseParserError

from raito_pipeline.aws.connection.answers import NOT_AWS
from raito_pipeline.redaction import one_line
from raito_pipeline.sdk_models import NO_CREDENTIALS, SIGN_IN_ENDED
from raito_pipeline.storage.cells import ReadStatus

_DENIED = {
    "AccessDenied",
    "AccessDeniedException",
    "AllAccessDisabled",
    "Forbidden",
    "UnauthorizedOperation",
    "UnauthorizedAccess",
    "403",
}
THROTTLED = {
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "TooManyRequestsException",
    "RequestLimitExceeded",
    "BandwidthLimitExceeded",
    "SlowDown",
    "RequestThrottled",
    "RequestThrottledException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
}
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"}
_CLOCK = {"RequestExpired", "RequestTimeTooSkewed", "RequestInTheFuture"}
_BAD_CREDENTIALS = {
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "InvalidAccessKeyId",
    "InvalidToken",
    "SignatureDoesNotMatch",
    "InvalidSignatureException",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "AuthFailure",
}
NOT_KNOWN_HERE = {
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "InvalidAccessKeyId",
    "InvalidToken",
    "AuthFailure",
}
"""Codes with which AWS says that it does not know the credentials, at the place that was asked."""
_OPTED_OUT = {"OptInRequired", "InvalidRegionException", "RegionDisabledException"}
_GONE = {
    "404",
    "NotFound",
    "NotFoundException",
    "ResourceNotFoundException",
    "EntityNotFoundException",
}
_SIGN_IN = {
    "AssumeRole": "sts",
    "AssumeRoleWithWebIdentity": "sts",
    "AssumeRoleWithSAML": "sts",
    "GetRoleCredentials": "sso",
    "CreateToken": "sso-oidc",
}
"""the calls that make credentials, each with its service"""
SIGN_INS = frozenset(f"{service}:{operation}" for operation, service in _SIGN_IN.items())
"""the same as IAM names them"""
_NOT_REACHED = (
    botocore.EndpointConnectionError,
    botocore.ConnectTimeoutError,
)
_WRONG_SETTING = (
    botocore.InvalidChecksumConfigError,
    botocore.InvalidDefaultsMode,
    botocore.InvalidEndpointConfigurationError,
    botocore.InvalidEndpointDiscoveryConfigurationError,
    botocore.InvalidIMDSEndpointError,
    botocore.InvalidIMDSEndpointModeError,
    botocore.InvalidProxiesConfigError,
    botocore.InvalidRetryConfigurationError,
    botocore.InvalidS3AddressingStyleError,
    botocore.InvalidS3UsEast1RegionalEndpointConfigError,
    botocore.InvalidSTSRegionalEndpointsConfigError,
)
_BROKEN_OFF = (botocore.HTTPClientError, botocore.IncompleteReadError)
_CLOCK_WORDS = re.compile(r"Signature (?:expired|not yet current)")
"""how a signature of another time is told from one that is wrong: by AWS's words alone"""
_ON_RESOURCE = re.compile(r"on resource: (\S+)")
_ACTION = re.compile(r"perform: (\S+)")
_TUNNEL = re.compile(r"Tunnel connection failed: ([^'\")]{3,80})")
_ORGANIZATION = frozenset({"organizations", "sso", "identitystore"})
_OF_AN_ORGANIZATION = ", which have to be of the management account or a delegated administrator"
_NOT_A_HEADER = "Invalid header value"
_LAKE_FORMATION = "Lake Formation permission"
"""What Glue says where the rights of IAM are there, and those of Lake Formation are not"""


class AwsError(Exception):
    """A call to AWS that gave no answer.

    `action` and `resource` say which call it was, `code` is AWS's own name for the failure (empty where there was no
    answer), `status` what it makes of the read that needed it, `retryable` whether the same call may succeed later
    with nothing changed.
    """

    status = ReadStatus.PARTIAL
    retryable = False

    def __init__(self, message: str, *, action: str, resource: str, code: str = "") -> None:
        super().__init__(message)
        self.action, self.resource, self.code = action, resource, code


class AwsDenied(AwsError):
    """The credentials may not make this call."""

    status = ReadStatus.DENIED


class AwsThrottled(AwsError):
    """AWS refused the call for its rate, and went on doing so through all retries."""

    status = ReadStatus.THROTTLED
    retryable = True


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

    retryable = True


def explain(
    error: botocore.ClientError | botocore.BotoCoreError | ResponseParserError, *, action: str, resource: str
) -> AwsError:
    """Turn what botocore raised into a named error.

    `action` is the IAM action of the call (`iam:ListUsers`), `resource` what it was made on (an ARN or a
    name); AWS's own words for both win where the answer has them.
    """
    if isinstance(error, botocore.ClientError):
        return _explain_answer(error, action, resource)
    if isinstance(error, ResponseParserError):
        # Its own words quote the answer, which may hold anything.
        text = "AWS answered with something that cannot be read, through all retries. Run this again."
        return AwsUnreachable(f"{action} on {resource}: {text}", action=action, resource=resource)
    words = one_line(str(error)).rstrip(".")
    kind: type[AwsError] = AwsUnreachable
    if isinstance(error, SIGN_IN_ENDED):
        kind, text = AwsCredentialsInvalid, f"the AWS sign-in has expired: {words}. Sign in again (aws sso login)."
    elif isinstance(error, NO_CREDENTIALS):
        kind = AwsCredentialsInvalid
        text = f"no usable AWS credentials ({words}). Check aws-profile and the AWS configuration files."
    elif isinstance(error, (botocore.InvalidRegionError, botocore.NoRegionError, botocore.UnknownEndpointError)):
        kind, text = AwsError, f"there is no such region: {words}. Check aws-regions."
    elif isinstance(error, _WRONG_SETTING):
        kind = AwsError
        text = f"{words}. Correct that setting in the AWS configuration files or the variables AWS_*."
    elif _NOT_A_HEADER in words:
        kind = AwsCredentialsInvalid
        text = "the AWS credentials hold a line break. Take it out of AWS_SESSION_TOKEN, of the key, or of the profile."
    elif isinstance(error, botocore.ProxyConnectionError):
        tunnel = _TUNNEL.search(one_line(str(error.kwargs.get("error", ""))))
        words += f" ({tunnel[1]})" if tunnel else ""
        text = f"AWS cannot be reached: {words}. Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY."
    elif isinstance(error, botocore.SSLError) or "certificate" in words:
        advice = "Behind a proxy that signs anew, name a file with its certificate in AWS_CA_BUNDLE"
        text = f"AWS cannot be reached: {words}. {advice}; it has to be there, and in PEM."
    elif isinstance(error, _NOT_REACHED):
        text = f"AWS cannot be reached: {words}. Check the network, the region and endpoint_url."
    elif isinstance(error, _BROKEN_OFF):
        text = f"AWS broke off the answer, through all retries: {words}. Run this again."
    elif isinstance(error, botocore.ParamValidationError):
        kind, text = AwsError, f"the call is not valid, so it was not made: {words}."
    else:
        text = f"no usable answer from AWS: {words}. Run this again."
    return kind(f"{action} on {resource}: {text}", action=action, resource=resource)


def _explain_answer(error: botocore.ClientError, action: str, resource: str) -> AwsError:
    details = error.response.get("Error", {})
    code, message = str(details.get("Code", "")), one_line(str(details.get("Message", "")))
    http = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    not_aws = error.response.get(NOT_AWS)
    if not_aws:
        text = f"what answered was not AWS, through all retries ({not_aws}). A proxy between? Ask who runs the network."
        return AwsUnreachable(f"{action} on {resource}: {text}", action=action, resource=resource)
    if error.operation_name in _SIGN_IN and not action.endswith(f":{error.operation_name}"):
        # The credentials of the profile are made by a call of their own, which comes before the one that was asked for.
        signing = f"{_SIGN_IN[error.operation_name]}:{error.operation_name}"
        asked = _found(_ON_RESOURCE, message, "the role of the profile")
        kind, text = _meaning(code, message, http, signing, asked)
        if kind in (AwsError, AwsDenied, AwsGone, AwsOptedOut):
            said = f": {message}" if kind is not AwsDenied and message else ""
            text = f"no usable AWS credentials ({code}: {signing} on {asked} was refused{said}). Check aws-profile."
            kind = AwsCredentialsInvalid
        else:
            text = f"{signing} on {asked}: {text}"
        return kind(f"{action} on {resource}: {text}", action=signing, resource=asked, code=code)
    action, resource = _found(_ACTION, message, action), _found(_ON_RESOURCE, message, resource)
    kind, text = _meaning(code, message, http, action, resource)
    return kind(f"{action} on {resource}: {text}", action=action, resource=resource, code=code)


def _meaning(code: str, message: str, http: int, action: str, resource: str) -> tuple[type[AwsError], str]:
    if code in _EXPIRED:
        return AwsCredentialsInvalid, f"the AWS credentials have expired ({code}). Renew them and run this again."
    if code in _CLOCK or (code in _BAD_CREDENTIALS and _CLOCK_WORDS.search(message)):
        return AwsCredentialsInvalid, f"AWS finds the time of the request wrong ({code}). Set this machine's clock."
    if code in _BAD_CREDENTIALS:
        return AwsCredentialsInvalid, f"AWS does not accept the credentials ({code}). Check aws-profile."
    if code in _OPTED_OUT:
        return AwsOptedOut, f"the region is not enabled in this account ({code})."
    if code in _DENIED:
        if _LAKE_FORMATION in message:
            text = f"Lake Formation denied the call ({code}: {message}). Grant it there: rights of IAM do not help."
            return AwsDenied, text
        if "explicit deny" in message:
            return AwsDenied, f"AWS denied the call ({code}): a policy denies it explicitly. Take {action} out of it."
        whose = _OF_AN_ORGANIZATION if action.partition(":")[0] in _ORGANIZATION else ""
        return AwsDenied, f"AWS denied the call ({code}). Grant {action} on {resource} to the credentials{whose}."
    if code in THROTTLED:
        return AwsThrottled, f"AWS throttled the call through all retries ({code}). Run this again later."
    if code in _GONE or code.startswith("NoSuch"):
        return AwsGone, f"it does not exist ({code})."
    if http >= 500:
        return AwsUnreachable, f"AWS failed with status {http} ({code}) through all retries. Run this again."
    return AwsError, f"AWS refused the call ({code}): {message}"


def grouped(errors: Iterable[AwsError]) -> tuple[str, ...]:
    """One line for each kind of failure, however many things share it: the first of them, and how many more."""
    listed = sorted(errors, key=lambda error: (error.action, error.code, error.resource))
    count = Counter((error.action, error.code) for error in listed)
    lines = []
    for error in listed:
        others = count.pop((error.action, error.code), 0) - 1
        if others >= 0:
            lines.append(str(error) + (f" The same for {others} more." if others else ""))
    return tuple(lines)


def _found(pattern: re.Pattern[str], message: str, otherwise: str) -> str:
    match = pattern.search(message)
    return match.group(1).rstrip(".,") if match else otherwise
