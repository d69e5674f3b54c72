"""What botocore raises, told apart and said in a line: the call, what came of it, what to do."""

import pytest
from botocore import exceptions as botocore
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from raito_pipeline.aws.connection.errors import (
    AwsCredentialsInvalid,
    AwsDenied,
    AwsError,
    AwsGone,
    AwsOptedOut,
    AwsThrottled,
    AwsUnreachable,
    explain,
    grouped,
)
from raito_pipeline.redaction import redact
from raito_pipeline.storage import ReadStatus

USER = "User: arn:aws:iam::1:user/u is not authorized to perform: iam:GetRole on resource: arn:aws:iam::1:role/r"


def answer(code: str, message: str = "", status: int = 400, operation: str = "GetRole") -> ClientError:
    said = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(said, operation)  # type: ignore[arg-type]


def explained(error: Exception) -> AwsError:
    """What is made of an error; nothing that is said of it is hidden where it is told."""
    meaning = explain(error, action="iam:ListRoles", resource="the account")  # type: ignore[arg-type]
    assert redact(str(meaning)) == str(meaning)
    return meaning


@pytest.mark.parametrize(
    ("code", "status", "kind", "words"),
    [
        ("AccessDenied", 403, AwsDenied, "Grant iam:ListRoles on the account to the credentials."),
        ("Throttling", 400, AwsThrottled, "Run this again later"),
        ("SlowDown", 503, AwsThrottled, "Run this again later"),
        ("ExpiredToken", 400, AwsCredentialsInvalid, "Renew them"),
        ("RequestTimeTooSkewed", 403, AwsCredentialsInvalid, "Set this machine's clock"),
        ("InvalidClientTokenId", 403, AwsCredentialsInvalid, "Check aws-profile"),
        ("OptInRequired", 403, AwsOptedOut, "not enabled"),
        ("NoSuchEntity", 404, AwsGone, "it does not exist"),
        ("404", 404, AwsGone, "it does not exist"),
        ("InternalError", 500, AwsUnreachable, "AWS failed with status 500"),
        ("ValidationError", 400, AwsError, "AWS refused the call (ValidationError): odd"),
    ],
)
def test_what_an_answer_of_aws_means(code: str, status: int, kind: type[AwsError], words: str) -> None:
    error = explained(answer(code, "odd", status))

    assert type(error) is kind
    assert str(error).startswith("iam:ListRoles on the account: ")
    assert words in str(error)
    assert "\n" not in str(error)
    assert (error.action, error.resource, error.code) == ("iam:ListRoles", "the account", code)


def test_what_aws_says_itself_is_told_without_secrets() -> None:
    error = explained(answer("Odd", "The canonical string is\n'GET /\nx-amz-security-token:Corr3ct-horse'"))

    assert "Corr3ct-horse" not in str(error)
    assert "The canonical string is 'GET /" in str(error)


def test_aws_knows_better_what_was_denied_on_what() -> None:
    error = explained(answer("AccessDenied", f"{USER} because no identity-based policy allows it", 403))

    assert (error.action, error.resource) == ("iam:GetRole", "arn:aws:iam::1:role/r")
    assert "Grant iam:GetRole on arn:aws:iam::1:role/r to the credentials" in str(error)


@pytest.mark.parametrize("code", ["SignatureDoesNotMatch", "InvalidSignatureException"])
@pytest.mark.parametrize("operation", ["ListRoles", "AssumeRole"])
def test_a_signature_of_another_time_is_a_matter_of_the_clock(code: str, operation: str) -> None:
    said = "Signature expired: 20160928T135747Z is now earlier than 20160928T140052Z (20160928T140552Z - 5 min.)"
    assert "Set this machine's clock" in str(explained(answer(code, said, 403, operation=operation)))
    assert "Check aws-profile" in str(explained(answer(code, "The request signature does not match", 403)))


def test_an_explicit_deny_is_not_helped_by_granting() -> None:
    error = explained(answer("AccessDenied", f"{USER} with an explicit deny in a service control policy", 403))

    assert "a policy denies it explicitly. Take iam:GetRole out of it" in str(error)


def test_what_lake_formation_denies_is_not_helped_by_granting_in_iam() -> None:
    """https://github.com/data-dot-all/dataall/issues/588 and many more."""
    words = "Insufficient Lake Formation permission(s): Required Describe on sales"
    error = explained(answer("AccessDeniedException", words, 400))

    assert type(error) is AwsDenied
    assert words in str(error)
    assert "rights of IAM do not help" in str(error)


def test_what_a_member_account_may_not_ask_says_who_may() -> None:
    """https://github.com/cloudquery/cloudquery/issues/10844: with a profile of a member account rights do not help."""
    denied = answer("AccessDeniedException", "You don't have permissions to access this resource.", 400)
    error = explain(denied, action="organizations:ListRoots", resource="*")
    assert "of the management account or a delegated administrator" in str(error)


def test_a_refused_sign_in_is_no_denied_call() -> None:
    error = explained(
        answer("AccessDenied", "not authorized on resource: arn:aws:iam::1:role/r", operation="AssumeRole")
    )

    assert type(error) is AwsCredentialsInvalid
    assert "sts:AssumeRole on arn:aws:iam::1:role/r was refused" in str(error)


@pytest.mark.parametrize(
    ("code", "status", "kind", "words"),
    [
        ("Throttling", 400, AwsThrottled, "throttled"),
        ("InternalFailure", 500, AwsUnreachable, "Run this again"),
        ("ExpiredToken", 403, AwsCredentialsInvalid, "have expired"),
        ("RequestTimeTooSkewed", 403, AwsCredentialsInvalid, "Set this machine's clock"),
        ("InvalidIdentityToken", 400, AwsCredentialsInvalid, "No provider is there"),
    ],
)
def test_a_sign_in_that_failed_says_why(code: str, status: int, kind: type[AwsError], words: str) -> None:
    error = explained(answer(code, "No provider is there", status, operation="AssumeRole"))

    assert type(error) is kind
    assert "sts:AssumeRole" in str(error)
    assert words in str(error)


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (botocore.NoCredentialsError(), AwsCredentialsInvalid, "Check aws-profile"),
        (botocore.ProfileNotFound(profile="x"), AwsCredentialsInvalid, "Check aws-profile"),
        (botocore.UnauthorizedSSOTokenError(), AwsCredentialsInvalid, "aws sso login"),
        (botocore.EndpointConnectionError(endpoint_url="http://x"), AwsUnreachable, "Check the network"),
        (botocore.ConnectionClosedError(endpoint_url="http://x"), AwsUnreachable, "broke off"),
        (botocore.SSLError(endpoint_url="https://x", error="self-signed"), AwsUnreachable, "AWS_CA_BUNDLE"),
        (
            botocore.ProxyConnectionError(proxy_url="http://p", error="OSError('Tunnel connection failed: 407 Login')"),
            AwsUnreachable,
            "(407 Login). Check HTTPS_PROXY",
        ),
        (botocore.InvalidRegionError(region_name="eu west"), AwsError, "Check aws-regions"),
        (botocore.ParamValidationError(report="x"), AwsError, "was not made"),
        (botocore.InvalidRetryModeError(provided_retry_mode="x", valid_modes="y"), AwsError, "Correct that setting"),
        (botocore.InvalidSTSRegionalEndpointsConfigError(sts_regional_endpoints_config="x"), AwsError, "AWS_*"),
        (botocore.InvalidDefaultsMode(mode="x", valid_modes=["y"]), AwsError, "Correct that setting"),
        (botocore.InvalidS3AddressingStyleError(s3_addressing_style="x"), AwsError, "Correct that setting"),
        (botocore.InvalidProxiesConfigError(), AwsError, "Correct that setting"),
        (botocore.InvalidIMDSEndpointModeError(mode="x", valid_modes=["y"]), AwsError, "Correct that setting"),
        (ResponseParserError("<html>hunter22"), AwsUnreachable, "cannot be read"),
    ],
)
def test_what_is_no_answer(error: Exception, kind: type[AwsError], words: str) -> None:
    found = explained(error)

    assert type(found) is kind
    assert words in str(found)
    assert "hunter22" not in str(found)


def test_what_each_kind_makes_of_a_read() -> None:
    kinds = (AwsError, AwsDenied, AwsThrottled, AwsOptedOut, AwsGone, AwsCredentialsInvalid, AwsUnreachable)

    assert [kind.status for kind in kinds] == [
        ReadStatus.PARTIAL,
        ReadStatus.DENIED,
        ReadStatus.THROTTLED,
        ReadStatus.OPTED_OUT,
        ReadStatus.PARTIAL,
        ReadStatus.DENIED,
        ReadStatus.PARTIAL,
    ]
    assert [kind.retryable for kind in kinds] == [False, False, True, False, False, False, True]


def test_failures_of_one_kind_are_one_line() -> None:
    def denied(resource: str, code: str = "AccessDenied") -> AwsError:
        return AwsDenied(f"{resource} {code}", action="iam:GetRole", resource=resource, code=code)

    assert grouped([denied("c"), denied("a"), denied("b", "Other"), denied("b")]) == (
        "a AccessDenied The same for 2 more.",
        "b Other",
    )
    assert grouped([]) == ()
