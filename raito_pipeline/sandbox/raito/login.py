"""Who may speak to the local Raito Cloud: the headers of a request, and the ID tokens of the emulated Cognito."""

import base64
import binascii
import time
from collections.abc import Mapping
from typing import Any

import msgspec

_SCHEME = "token "


class LoginRefused(Exception):
    """A request that is not let in: `status` is the HTTP status, the text says why. It never holds the token."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Gate:
    """Checks the headers that every call carries. Without `require_login` only the domain is looked at."""

    def __init__(self, domain: str, client_id: str, *, require_login: bool) -> None:
        self.domain = domain
        self.client_id = client_id
        self._require_login = require_login

    def check(self, headers: Mapping[str, str]) -> None:
        """Raises LoginRefused unless the request comes from somebody who is logged in to this domain."""
        domain = headers.get("Raito-Domain")
        if not domain:
            raise LoginRefused(400, "the header Raito-Domain is missing")
        if domain != self.domain:
            raise LoginRefused(403, f"domain {domain!r} is not known here")
        self.check_login(headers)

    def check_login(self, headers: Mapping[str, str]) -> None:
        """Raises LoginRefused unless somebody is logged in; the domain is not looked at (a WebSocket has none)."""
        if self._require_login:
            self._check_token(headers.get("Authorization", ""))

    def _check_token(self, authorization: str) -> None:
        if not authorization:
            raise LoginRefused(401, "the header Authorization is missing")
        if not authorization.startswith(_SCHEME):
            raise LoginRefused(401, "the header Authorization does not have the form 'token <IdToken>'")
        claims = _claims(authorization.removeprefix(_SCHEME).strip())
        if claims.get("token_use") != "id":
            raise LoginRefused(401, "the token is not an ID token")
        if claims.get("aud") != self.client_id:
            raise LoginRefused(401, "the token was issued for another client")
        if not claims.get("cognito:username"):
            raise LoginRefused(401, "the token names no user")
        expires = claims.get("exp")
        if not isinstance(expires, int | float) or expires <= time.time():
            raise LoginRefused(401, "the token has expired")


def _claims(token: str) -> dict[str, Any]:
    """The payload of a JSON Web Token. The signature is not looked at: the emulated Cognito's key is public anyway."""
    parts = token.split(".")
    if len(parts) != 3:
        raise LoginRefused(401, "the token is not a JSON Web Token")
    try:
        payload = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        return msgspec.json.decode(payload, type=dict[str, Any])
    except (binascii.Error, ValueError, msgspec.DecodeError):
        raise LoginRefused(401, "the token is not a JSON Web Token") from None
