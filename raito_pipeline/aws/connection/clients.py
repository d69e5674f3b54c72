"""The one place where clients are made of the AWS services that are read and written: retries, timeouts, counts.

One session an account, one client a service and region, both kept. Addresses come from the profile (`endpoint_url`) and
the AWS SDK's own environment variables. The tables on S3 have a client of their own (`storage/s3.py`), as has the login
to Raito Cloud; the sessions of all of them are made in `sdk_models.py`.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Literal, overload
from urllib.parse import urlsplit, urlunsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from raito_pipeline.aws.connection.answers import UndeclaredOperation, require_declared
from raito_pipeline.aws.connection.errors import (
    NOT_KNOWN_HERE,
    SIGN_INS,
    AwsCredentialsInvalid,
    AwsError,
    AwsOptedOut,
    explain,
)
from raito_pipeline.aws.connection.sessions import explain_escaped, label_of, open_session, user_agent
from raito_pipeline.config.addresses import refusal
from raito_pipeline.config.discovery import AssumedRole
from raito_pipeline.config.regions import dns_suffixes

if TYPE_CHECKING:
    from types_boto3_glue import GlueClient
    from types_boto3_iam import IAMClient
    from types_boto3_identitystore import IdentityStoreClient
    from types_boto3_s3 import S3Client
    from types_boto3_s3control import S3ControlClient
    from types_boto3_sso_admin import SSOAdminClient
    from types_boto3_sts import STSClient

ServiceName = Literal["iam", "s3", "s3control", "glue", "sso-admin", "identitystore", "organizations", "sts"]


class WrongAccount(Exception):
    """The credentials reach another account than `raito.yml` names."""

    def __init__(self, expected: str, found: str, profile: str | None) -> None:
        super().__init__(
            f"sts:GetCallerIdentity with {label_of(profile)}: these credentials belong to account "
            f"{found}, but aws-account-id is {expected}. Correct aws-profile or aws-account-id; nothing was read."
        )
        self.expected, self.found = expected, found


class AwsClients:
    """The clients of one set of credentials, thread-safe.

    `profile` and `region` are those of `raito.yml` (None = the SDK's default chain), `role` is one that is assumed with
    the credentials of the profile, `concurrency` bounds the connections that one client holds, `attempts` how often one
    call is tried in all, `patience` the seconds that one try waits for the next bytes of an answer; `allow_plain_http`
    lets a profile name an `endpoint_url` that is plain http on another machine. `calls` counts the calls made as
    `service:Operation`, retries included.
    """

    def __init__(
        self,
        profile: str | None,
        region: str | None = None,
        concurrency: int = 5,
        attempts: int = 10,
        patience: float = 60,
        *,
        allow_plain_http: bool = False,
        role: AssumedRole | None = None,
    ) -> None:
        self._role = role
        self.profile = profile
        self.concurrency = concurrency
        self.attempts = attempts
        self.patience = patience
        self.calls: Counter[str] = Counter()
        self._region = region
        self._allow_plain_http = allow_plain_http
        self._clients: dict[tuple[str, str | None], Any] = {}
        self._session: boto3.Session | None = None
        self._lock = threading.RLock()
        self._counting = threading.Lock()
        self._caller: tuple[str, str] | None = None
        self._not_enabled: dict[str, str] = {}
        """the account, by regions that refused credentials which were good elsewhere"""

    @overload
    def client(self, service: Literal["iam"], region: str | None = None) -> "IAMClient": ...
    @overload
    def client(self, service: Literal["s3"], region: str | None = None) -> "S3Client": ...
    @overload
    def client(self, service: Literal["s3control"], region: str | None = None) -> "S3ControlClient": ...
    @overload
    def client(self, service: Literal["glue"], region: str | None = None) -> "GlueClient": ...
    @overload
    def client(self, service: Literal["sso-admin"], region: str | None = None) -> "SSOAdminClient": ...
    @overload
    def client(self, service: Literal["identitystore"], region: str | None = None) -> "IdentityStoreClient": ...
    @overload
    def client(self, service: Literal["organizations"], region: str | None = None) -> Any: ...
    @overload
    def client(self, service: Literal["sts"], region: str | None = None) -> "STSClient": ...

    def client(self, service: ServiceName, region: str | None = None) -> Any:
        """The client of a service in a region (the default region, if none is given), made once.

        Raises `AwsError` where the profile does not exist or gives no credentials.
        """
        key = (service, region)
        with self._lock:
            if key not in self._clients:
                with aws_call(f"{service}:*", label_of(self.profile)):
                    self._clients[key] = self._make(service, region)
            return self._clients[key]

    def s3_arn(self, name: str, region: str | None = None) -> str:
        """The ARN of a bucket, or of `bucket/key`, in the partition of the credentials. Raises `AwsError`."""
        return f"arn:{self.client('s3', region).meta.partition}:s3:::{name}"

    def caller_account(self) -> str:
        """The account that the credentials reach (`sts:GetCallerIdentity`), asked once. Raises `AwsError`."""
        return self._identity()[0]

    def caller_arn(self) -> str:
        """The ARN of the identity that the credentials belong to, of the same answer. Raises `AwsError`."""
        return self._identity()[1]

    def _identity(self) -> tuple[str, str]:
        with self._lock:
            if self._caller is None:
                self._caller = self._ask_who()
            return self._caller

    def _ask_who(self) -> tuple[str, str]:
        with aws_call("sts:GetCallerIdentity", label_of(self.profile)):
            answer = self.client("sts").get_caller_identity()
            return answer["Account"], answer["Arn"]

    def require_account(self, account_id: str) -> None:
        """Refuse to go on with credentials of another account. Raises `WrongAccount` or `AwsError`."""
        account = self.caller_account()
        if account != account_id:
            raise WrongAccount(account_id, account, self.profile)

    def secrets(self) -> tuple[str, ...]:
        """The secret key and session token that are in use, which must never be seen in a text.

        Nothing is asked of AWS, or of a credential process, for this.
        """
        with self._lock:
            held = self._session.get_credentials() if self._session and self._clients else None
        # Credentials that refresh themselves do so when their attributes are asked for; their fields are as they are.
        values = vars(held) if held is not None else {}
        texts = (values.get(name) for name in ("secret_key", "_secret_key", "token", "_token"))
        return tuple(text for text in texts if text)

    def in_region(self, error: AwsError, region: str) -> AwsError:
        """What an error of a call in `region` means there.

        A region that the account has not enabled answers as if it did not know the credentials, so credentials that
        are refused there and good elsewhere mean that the region is not enabled.
        https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html
        """
        if not isinstance(error, AwsCredentialsInvalid) or error.code not in NOT_KNOWN_HERE:
            return error
        # A role that is not given any more is no matter of the region; nor is a key that was good when the sync began.
        account = None if error.action in SIGN_INS else self._account_elsewhere(region)
        if account is None:
            return error
        return AwsOptedOut(
            f"{error.action} on {error.resource}: region {region} is not enabled in account {account} ({error.code}), "
            "or does not take tokens of the global STS address (then set sts_regional_endpoints = regional).",
            action=error.action,
            resource=error.resource,
            code=error.code,
        )

    def _account_elsewhere(self, region: str) -> str | None:
        """The account, where the credentials that `region` refuses are good now; None where they are good nowhere."""
        with self._lock, suppress(AwsError):
            if region not in self._not_enabled:
                self._not_enabled[region] = self._ask_who()[0]
        return self._not_enabled.get(region)

    def _make(self, service: str, region: str | None) -> Any:
        if self._session is None:
            self._session = open_session(self.profile, self._region, role=self._role)
        config = Config(
            retries={"mode": "standard", "total_max_attempts": self.attempts},
            connect_timeout=10,
            read_timeout=self.patience,
            max_pool_connections=max(self.concurrency, 1),
            user_agent=user_agent(self._session),
        )
        client = self._session.client(
            service, region_name=region or self._session.region_name or "us-east-1", config=config
        )  # type: ignore[call-overload]
        refused = refusal(client.meta.endpoint_url, allowed=self._allow_plain_http)
        if refused is not None:
            text = f"{label_of(self.profile)}: {service} at {refused}."
            raise AwsCredentialsInvalid(text, action=f"{service}:*", resource=label_of(self.profile))
        events = client.meta.events
        events.register("before-send", self._count)
        events.register("before-call", require_declared)
        if service == "s3control":
            events.register("before-call.s3-control.*", _keep_endpoint_host)
        return client

    def _count(self, event_name: str, **_: Any) -> None:
        # event_name is "before-send.<service>.<Operation>"
        _prefix, service, operation = event_name.split(".", 2)
        with self._counting:
            self.calls[f"{service}:{operation}"] += 1


def _keep_endpoint_host(params: dict[str, Any], **_: Any) -> None:
    """Leave the host of an address that was set by hand as it is; those of AWS, in every partition, need the account.

    S3 Control puts the account id in front of the host, which an `endpoint_url` by number (127.0.0.1) cannot
    have; the account id travels in the header `x-amz-account-id` as well.
    """
    account = params.get("headers", {}).get("x-amz-account-id")
    parts = urlsplit(params["url"])
    host = parts.hostname or ""
    if not account or not host.startswith(f"{account}.") or host.endswith(tuple(f".{one}" for one in dns_suffixes())):
        return
    params["url"] = urlunsplit(parts._replace(netloc=parts.netloc.removeprefix(f"{account}.")))


@contextmanager
def aws_call(action: str, resource: str) -> Iterator[None]:
    """Turn what the AWS SDK raises inside into an `AwsError` that names the IAM action and the resource.

    Credentials are renewed within a call: what a program or file of the profile fails with comes out here, too.
    """
    try:
        yield
    except (AwsError, UndeclaredOperation):
        raise
    except (ClientError, BotoCoreError, ResponseParserError) as error:
        raise explain(error, action=action, resource=resource) from error
    except Exception as error:
        raise explain_escaped(error, action, resource) from error


@contextmanager
def regional_call(clients: AwsClients, action: str, resource: str, region: str | None) -> Iterator[None]:
    """`aws_call` for a call at the address of a region, which may be one that is not enabled: see `in_region`."""
    try:
        with aws_call(action, resource):
            yield
    except AwsCredentialsInvalid as error:
        meaning = error if region is None else clients.in_region(error, region)
        if meaning is error:
            raise
        raise meaning from error


@contextmanager
def bucket_call(clients: AwsClients, action: str, name: str, region: str | None) -> Iterator["S3Client"]:
    """The same for a call about a bucket, or `bucket/key`, in its region; gives the client to make it with."""
    with regional_call(clients, action, clients.s3_arn(name, region), region):
        yield clients.client("s3", region)


__all__ = ["AwsClients", "AwsError", "ServiceName", "WrongAccount", "aws_call", "bucket_call", "regional_call"]
