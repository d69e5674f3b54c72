"""Login to Raito Cloud: Amazon Cognito's `InitiateAuth`, and a token that stays fresh, shared by all threads."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import botocore.session
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnection

from raito_pipeline.config.addresses import refusal
from raito_pipeline.raito.connection import Connection
from raito_pipeline.raito.errors import RaitoLoginFailed, RaitoUnreachable
from raito_pipeline.raito.transport import CONNECT_SECONDS, proxy_of
from raito_pipeline.redaction import hide_in_logs, redact
from raito_pipeline.sdk_models import session_with_shared_models

if TYPE_CHECKING:
    from types_boto3_cognito_idp import CognitoIdentityProviderClient

logger = logging.getLogger(__name__)

REGION = "eu-central-1"
_EARLY_SECONDS = 10.0
_PASSING = ("TooManyRequestsException", "InternalErrorException")
_Flow = Literal["USER_PASSWORD_AUTH", "REFRESH_TOKEN_AUTH"]


@dataclass(frozen=True, slots=True, repr=False)
class _Tokens:
    id_token: str
    refresh_token: str | None
    good_until: float


class TokenSource:
    """Gives the current id token; logs in, and refreshes, when it has to. Thread-safe.

    `client_id` is asked for the Cognito client id at the first login.
    """

    def __init__(self, connection: Connection, client_id: Callable[[], str]) -> None:
        hide_in_logs(connection.api_secret)
        self._connection, self._find_client_id = connection, client_id
        self._lock = threading.Lock()
        self._tokens: _Tokens | None = None
        self._client_id: str | None = None
        self._cognito: CognitoIdentityProviderClient | None = None

    def token(self) -> str:
        """An id token that is good for at least ten seconds. Raises `RaitoLoginFailed`, `RaitoUnreachable`."""
        with self._lock:
            if self._tokens is None or time.monotonic() >= self._tokens.good_until:
                self._tokens = self._renew(self._tokens)
            return self._tokens.id_token

    def reject(self, token: str) -> None:
        """Say that the service did not take this token: the next one is a new one."""
        with self._lock:
            held = self._tokens
            if held is not None and held.id_token == token:
                self._tokens = _Tokens(held.id_token, held.refresh_token, float("-inf"))

    def renew(self) -> None:
        """Say that the service does not take the token in use: the next one is a new one."""
        held = self._tokens
        if held is not None:
            self.reject(held.id_token)

    def secrets(self) -> tuple[str, ...]:
        """What must never be seen in a text."""
        held = self._tokens
        tokens = () if held is None else (held.id_token, held.refresh_token or "")
        return tuple(text for text in (self._connection.api_secret, *tokens) if text)

    def _renew(self, held: _Tokens | None) -> _Tokens:
        if held is not None and held.refresh_token:
            try:
                return self._initiate("REFRESH_TOKEN_AUTH", {"REFRESH_TOKEN": held.refresh_token}, held.refresh_token)
            except RaitoLoginFailed as error:
                logger.info("refresh of the Raito Cloud token failed, logging in again: %s", error.reason)
        secret = self._connection.api_secret
        return self._initiate(
            "USER_PASSWORD_AUTH", {"USERNAME": self._connection.login.api_user or "", "PASSWORD": secret}, None
        )

    def _initiate(self, flow: _Flow, parameters: dict[str, str], refresh_token: str | None) -> _Tokens:
        if self._client_id is None:
            self._client_id = self._find_client_id()
        started = time.monotonic()
        try:
            answer: Any = self._login_client().initiate_auth(
                ClientId=self._client_id, AuthFlow=flow, AuthParameters=parameters
            )
        except ClientError as error:
            raise self._refused(error) from None
        except (HTTPClientError, NoConnection) as error:
            address = self._address()
            raise RaitoUnreachable("login to Raito Cloud", address, _reason(error), proxy_of(address)) from None
        except BotoCoreError as error:
            raise self._failed(f"{type(error).__name__}: {error}") from None
        result = answer.get("AuthenticationResult")
        if not result or not result.get("IdToken"):
            challenge = answer.get("ChallengeName") or "no token"
            raise self._failed(
                f"the login service asks for {challenge}, which only a person can answer: sign in to Raito Cloud once "
                "as this user"
            )
        hide_in_logs(result["IdToken"], result.get("RefreshToken") or "")
        good_until = started + float(result.get("ExpiresIn") or 0) - _EARLY_SECONDS
        return _Tokens(result["IdToken"], result.get("RefreshToken") or refresh_token, good_until)

    def _login_client(self) -> "CognitoIdentityProviderClient":
        if self._cognito is None:
            config = Config(
                signature_version=UNSIGNED,
                connect_timeout=CONNECT_SECONDS,
                read_timeout=self._connection.timeout,
                retries={"mode": "standard", "total_max_attempts": self._connection.attempts},
            )
            session = session_with_shared_models(botocore.session.Session(), REGION)
            client = session.client("cognito-idp", config=config)
            refused = refusal(client.meta.endpoint_url, allowed=self._connection.allow_plain_http)
            if refused is not None:
                raise self._failed(f"login at {refused}")
            self._cognito = client
        return self._cognito

    def _address(self) -> str:
        return self._cognito.meta.endpoint_url if self._cognito else f"Cognito in {REGION}"

    def _refused(self, error: ClientError) -> Exception:
        details = error.response.get("Error", {})
        code, message = details.get("Code", ""), details.get("Message", "")
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if status >= 500 or code in _PASSING:
            return RaitoUnreachable("login to Raito Cloud", self._address(), f"status {status} ({code})")
        return self._failed(f"{code}: {message}")

    def _failed(self, reason: str) -> RaitoLoginFailed:
        connection = self._connection
        clean = redact(" ".join(reason.split()), self.secrets())
        return RaitoLoginFailed(connection.login.api_user or "", connection.domain, clean.rstrip("."))


def _reason(error: BotoCoreError) -> str:
    return {
        "EndpointConnectionError": "no connection",
        "ConnectTimeoutError": "no connection in time",
        "ReadTimeoutError": "no answer in time",
        "ConnectionClosedError": "the connection was dropped",
        "SSLError": "no TLS connection came about (behind a proxy that signs anew, name a file with its certificate in "
        "AWS_CA_BUNDLE)",
        "ProxyConnectionError": "the proxy did not answer, or did not let it through",
    }.get(type(error).__name__, f"the connection failed ({type(error).__name__})")
