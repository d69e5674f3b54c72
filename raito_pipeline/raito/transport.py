"""HTTP towards Raito Cloud: timeouts on everything, and retries of what is safe to repeat.

Safe is: a call that is repeatable by nature, a call that never left (no connection), and a call that the
service turned away unread (429 and 503).
"""

import email.utils
import errno
import http.client
import logging
import math
import os
import random
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.exceptions import InvalidSchema, InvalidURL, MissingSchema
from requests.utils import DEFAULT_CA_BUNDLE_PATH, get_environ_proxies, select_proxy
from urllib3.exceptions import (
    ConnectTimeoutError,
    LocationParseError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
)
from urllib3.exceptions import SSLError as UrllibSslError

from raito_pipeline.raito.errors import RaitoUnreachable
from raito_pipeline.redaction import one_line

logger = logging.getLogger(__name__)

USER_AGENT = "raito-pipeline"
CONNECT_SECONDS = 10.0
# What an S3 store says of a signature that is too old, or of temporary credentials behind it that ended:
# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
ADDRESS_ENDED = re.compile(
    r"request has expired|token (?:has|is) expired|ExpiredToken|ExpiredRequest|TokenRefreshRequired", re.IGNORECASE
)
_PASSING = frozenset({429, 500, 502, 503, 504})
_TURNED_AWAY = frozenset({429, 503})
_CONNECTIONS = 16


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a call is tried, how long to wait between (seconds, doubled each time), and the longest wait."""

    attempts: int
    delay: float
    longest_wait: float


class _Session(requests.Session):
    """A session that is sent nowhere else by plain http once it asked by https."""

    def send(self, request: requests.PreparedRequest, **how: Any) -> requests.Response:
        """Send a request. A bundle of certificates that is not there is an error of TLS, as one that cannot be used."""
        try:
            return super().send(request, **how)
        except requests.RequestException:
            raise
        except OSError as error:
            if error.errno is not None:
                raise
            raise requests.exceptions.SSLError(error, request=request) from error

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Where an answer sends on to; None, so that it is the answer, where anybody on the way could read that."""
        target = super().get_redirect_target(resp)
        return target if sent_on_to(resp.url, target) else None


def sent_on_to(url: str, location: str | None) -> str | None:
    """Where an answer of `url` sends on to; None for nowhere, no address, and where it would leave https."""
    try:
        elsewhere = urljoin(url, location) if location else ""
        leaves = urlsplit(url).scheme == "https" and urlsplit(elsewhere).scheme != "https"
    except ValueError:
        return None
    return None if leaves or not elsewhere else elsewhere


def new_session() -> requests.Session:
    """A session that keeps connections and no cookies, and takes no login from a netrc file."""
    session = _Session()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.auth = _leave_as_is
    adapter = HTTPAdapter(pool_connections=4, pool_maxsize=_CONNECTIONS)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def _leave_as_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def send(
    attempt: Callable[[], requests.Response],
    *,
    what: str,
    url: str,
    repeatable: bool,
    policy: RetryPolicy,
) -> requests.Response:
    """Make a call with retries and give its last answer, whatever its status.

    `what` and `url` are for messages. Raises `RaitoUnreachable` where there was no answer at all.
    """
    for number in range(1, policy.attempts + 1):
        last = number == policy.attempts
        try:
            response = attempt()
        except requests.RequestException as error:
            if last or not (repeatable or never_left(error)):
                raise RaitoUnreachable(what, url, reason_of(error), proxy_of(url)) from None
            wait = _backoff(policy, number)
            logger.info("%s: %s, trying again in %.1f s", what, reason_of(error), wait)
        else:
            again = response.status_code in (_PASSING if repeatable else _TURNED_AWAY)
            asked = retry_after(response)
            if last or not again or (asked or 0.0) > policy.longest_wait:
                return response
            wait = _backoff(policy, number) if asked is None else asked
            logger.info("%s: status %s, trying again in %.1f s", what, response.status_code, wait)
            response.close()
        time.sleep(wait)
    raise AssertionError("a policy has at least one attempt")


def never_left(error: requests.RequestException) -> bool:
    """True where no connection came about, so that the service cannot have acted on the call."""
    cause: Any = error.args[0] if error.args else None
    cause = getattr(cause, "reason", cause)
    return isinstance(cause, (NewConnectionError, NameResolutionError, ConnectTimeoutError))


def reason_of(error: requests.RequestException) -> str:
    """A few words for why there was no answer, without addresses or object names."""
    causes = list(_causes(error))
    if any("SOCKS" in str(cause) for cause in causes):
        return "a SOCKS proxy needs the Python package PySocks"
    tunnel = next((refusal for cause in causes if (refusal := _TUNNEL.search(str(cause)))), None)
    if tunnel is not None:
        return f"the proxy did not let it through ({one_line(tunnel[1])})"
    of_tls = f" ({_bundle()})" if isinstance(error, requests.exceptions.SSLError) else ""
    for kinds, words in _REASONS:
        if any(isinstance(cause, kinds) for cause in causes):
            return f"{words}{of_tls}"
    if any(isinstance(cause, OSError) and cause.errno in _UNREACHABLE for cause in causes):
        return "network unreachable"
    return f"the connection failed ({type(error).__name__})"


def proxy_of(url: str) -> str | None:
    """The proxy that the environment names for an address, without its login; None where there is none."""
    proxy = select_proxy(url, get_environ_proxies(url))
    if not proxy:
        return None
    login, at, host = proxy.rpartition("@")
    scheme, separator, _ = login.partition("://")
    return f"{scheme if separator else ''}{separator}***@{host}" if at else proxy


def trusted_certificates() -> str:
    """The file or folder of certificates that requests trusts: that of the environment, else its own."""
    return next((given for name in _BUNDLES if (given := os.environ.get(name))), DEFAULT_CA_BUNDLE_PATH)


_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def _bundle() -> str:
    name = next((name for name in _BUNDLES if os.environ.get(name)), None)
    if name is None:
        return "behind a proxy that signs anew, name a file with its certificate in REQUESTS_CA_BUNDLE"
    return f"the certificates of {name}, {os.environ[name]}, are trusted"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and all that it wraps: requests and urllib3 keep it as an argument, as `reason` or as the cause."""
    if error is None:
        return
    yield error
    inside = {id(each): each for each in (*error.args, getattr(error, "reason", None), error.__cause__)}
    for each in inside.values():
        if isinstance(each, BaseException):
            yield from _causes(each)


_TUNNEL = re.compile(r"Tunnel connection failed: ([^'\")]{3,80})")
_UNREACHABLE = (errno.ENETUNREACH, errno.EHOSTUNREACH)
_REASONS: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    ((MissingSchema, InvalidSchema, InvalidURL, LocationParseError), "it is no http or https address"),
    ((ConnectionRefusedError,), "connection refused"),
    ((NameResolutionError, socket.gaierror), "its name is not known to the name service"),
    ((ssl.SSLCertVerificationError,), "its TLS certificate is not valid"),
    ((ssl.SSLError, UrllibSslError, requests.exceptions.SSLError), "no TLS connection came about"),
    ((ConnectTimeoutError, requests.ConnectTimeout), "no connection in time"),
    ((ReadTimeoutError, requests.Timeout, TimeoutError), "no answer in time"),
    ((http.client.RemoteDisconnected,), "the connection was dropped"),
    ((ConnectionResetError,), "the connection was reset"),
    ((http.client.IncompleteRead, requests.exceptions.ChunkedEncodingError), "the answer broke off"),
    ((ProtocolError,), "the connection was dropped"),
)
"""what is wrapped -> words for it; the first that fits counts"""


def retry_after(response: requests.Response) -> float | None:
    """Seconds that the service asks to wait (number or date), None where it does not say."""
    given = response.headers.get("Retry-After", "").strip()
    if not given:
        return None
    try:
        seconds = float(given)
    except ValueError:
        pass
    else:
        return max(0.0, seconds) if math.isfinite(seconds) else None
    try:
        moment = email.utils.parsedate_to_datetime(given)
    except ValueError:
        return None
    # A date without a zone, or with -0000, is one of UTC: https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7
    known = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, known.timestamp() - time.time())


def _backoff(policy: RetryPolicy, number: int) -> float:
    return min(policy.delay * float(2 ** (number - 1)) * random.uniform(0.8, 1.2), policy.longest_wait)
