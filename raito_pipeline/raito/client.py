"""The connection to Raito Cloud: login, GraphQL operations, and plain calls, each with named errors."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import requests

from raito_pipeline.raito.connection import Connection
from raito_pipeline.raito.errors import AddressEnded, RaitoRefused, UnknownDomain
from raito_pipeline.raito.login import TokenSource
from raito_pipeline.raito.operations import Operation, operation
from raito_pipeline.raito.transport import (
    ADDRESS_ENDED,
    CONNECT_SECONDS,
    USER_AGENT,
    RetryPolicy,
    new_session,
    retry_after,
    send,
)
from raito_pipeline.redaction import redact
from raito_pipeline.storage.errors import storage_errors
from raito_pipeline.storage.private import open_private

_SHOWN = 300
_PAGE = 100
_LONGEST_REFUSAL = 4096
_TOKEN_ENDED = re.compile(
    r"token (?:has |is )?(?:been )?(?:expired|revoked)|(?:jwt|token)[ _-]?expired|expired[ _-]?(?:jwt|token)"
    r"|UNAUTHENTICATED",
    re.IGNORECASE,
)


class RaitoClient:
    """One user's connection to one domain of Raito Cloud. Thread-safe; nothing is sent before the first call."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._session = new_session()
        self._plain = new_session()
        self._tokens = TokenSource(connection, self._find_client_id)
        self._policy = RetryPolicy(connection.attempts, connection.retry_delay, connection.longest_wait)
        self._timeout = (min(CONNECT_SECONDS, connection.timeout), connection.timeout)

    def __enter__(self) -> "RaitoClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the kept connections."""
        self._session.close()
        self._plain.close()

    def login(self) -> None:
        """Log in now, so that a wrong domain, user or password shows before anything else happens.

        Raises `UnknownDomain`, `RaitoLoginFailed`, `RaitoUnreachable`.
        """
        if not self.connection.service.skip_authentication:
            self._tokens.token()

    def token(self) -> str | None:
        """The token of the login, for what is no call of ours; None where nobody logs in. Raises as `login`."""
        return None if self.connection.service.skip_authentication else self._tokens.token()

    def reject(self, token: str) -> None:
        """Say that the service does not take a token any more: the next one is a new one."""
        self._tokens.reject(token)

    def renew_token(self) -> None:
        """Say that the token in use is not taken any more, whichever it is. Nothing is sent for it."""
        self._tokens.renew()

    def call(self, name: str, variables: Mapping[str, Any] | None = None, *, attempts: int | None = None) -> Any:
        """Run the operation of this name (`operations/<name>.graphql`) and give the value of its root field.

        `attempts` replaces the setting of that name. Raises `RaitoRefused` with every message of the answer,
        `RaitoUnreachable`, `RaitoLoginFailed`.
        """
        wanted = operation(name)
        what = _named(name, variables or {})
        body = json.dumps(wanted.request(variables or {})).encode()
        response = self.send(
            "POST",
            "query",
            what=what,
            repeatable=wanted.repeatable,
            attempts=attempts,
            data=body,
            headers={"Content-Type": "application/json"},
        )
        return self._root(wanted, self.json_of(response, what), what)

    def ask(self, name: str, variables: Mapping[str, Any], *path: str) -> str:
        """Run an operation and give the text that stands at this path in its answer.

        Raises as `call`, and `RaitoRefused` where there is none.
        """
        value = self.call(name, variables)
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        if value in (None, "") or isinstance(value, (dict, list)):
            raise RaitoRefused(_named(name, variables), (f"the answer holds no {'.'.join(path)}",))
        return str(value)

    def pages(self, name: str, variables: Mapping[str, Any] | None = None) -> Iterator[dict[str, Any]]:
        """The nodes of a relay listing, page after page.

        Raises as `call`, and `RaitoRefused` where a page has no list, or announces another one and gives no way to it:
        to end there would pass a part for the whole.
        """
        after: str | None = None
        seen = {after}
        while True:
            page = self.call(name, {**(variables or {}), "after": after, "limit": _PAGE})
            listed, info = page.get("edges"), page.get("pageInfo")
            if not isinstance(listed, list):
                raise RaitoRefused(name, ("a page of the listing has no edges",))
            edges = [edge for edge in listed if isinstance(edge, dict)]
            nodes = [edge["node"] for edge in edges if isinstance(edge.get("node"), dict)]
            yield from (node for node in nodes if node.get("id"))
            if not (isinstance(info, dict) and info.get("hasNextPage")):
                return
            after = edges[-1].get("cursor") if edges else None
            if not isinstance(after, str) or after in seen:
                raise RaitoRefused(name, ("the listing announces another page and gives no way to it",))
            seen.add(after)

    def send(
        self, method: str, path: str, *, what: str, repeatable: bool, attempts: int | None = None, **arguments: Any
    ) -> requests.Response:
        """A call below the base address with domain and login; the arguments are those of `requests`.

        A token that the service does not take is replaced once. Raises `RaitoRefused` for a status >= 300,
        `RaitoUnreachable`, `RaitoLoginFailed`.
        """
        url = self.connection.base_url + path
        own = arguments.pop("headers", {})
        policy = self._policy if attempts is None else replace(self._policy, attempts=attempts)
        response = requests.Response()
        for first in (True, False):
            token = None if self.connection.service.skip_authentication else self._tokens.token()
            headers = {**own, "User-Agent": USER_AGENT, "Raito-Domain": self.connection.domain}
            if token is not None:
                headers["Authorization"] = f"token {token}"

            def attempt(headers: dict[str, str] = headers) -> requests.Response:
                return self._session.request(
                    method, url, headers=headers, timeout=self._timeout, allow_redirects=False, **arguments
                )

            response = send(attempt, what=what, url=url, repeatable=repeatable, policy=policy)
            if token is None or not first or not _refuses_token(response):
                break
            self._tokens.reject(token)
        if response.status_code >= 300:
            raise self._refused(what, response)
        return response

    def download(self, url: str, to: Path, *, what: str) -> int:
        """Download an address that Raito Cloud gave, without any header of ours, into a file; gives its bytes.

        Raises `AddressEnded`, `RaitoRefused`, `RaitoUnreachable`, `StorageError` where the file cannot be written.
        """
        shown = url.split("?")[0]

        def attempt() -> requests.Response:
            response = self._plain.get(url, timeout=self._timeout, stream=True)
            with response:
                _save(response.iter_content(1 << 16), to, what)
            return response

        response = send(attempt, what=what, url=shown, repeatable=True, policy=self._policy)
        if response.status_code >= 300:
            with to.open("rb") as answer:
                said = answer.read(_LONGEST_REFUSAL).decode("utf-8", "replace")
            if response.status_code in (400, 401, 403) and ADDRESS_ENDED.search(said):
                raise AddressEnded(what, shown, response.status_code)
            raise RaitoRefused(what, (f"download of {shown}",), status=response.status_code)
        return to.stat().st_size

    @property
    def plain_session(self) -> requests.Session:
        """A session without login or domain, for the addresses of the file store."""
        return self._plain

    @property
    def timeout(self) -> tuple[float, float]:
        """Seconds to connect and seconds to wait for an answer."""
        return self._timeout

    def redact(self, text: str) -> str:
        """`text` without the login's secrets."""
        return redact(text, self._tokens.secrets())

    def secrets(self) -> tuple[str, ...]:
        """The password and the tokens: what must never be seen in a text."""
        return self._tokens.secrets()

    def json_of(self, response: requests.Response, what: str) -> Any:
        """The body as JSON. Raises `RaitoRefused` where it is none."""
        try:
            return response.json()
        except (ValueError, RecursionError):
            shown = self.redact(_shown(response.text))
            raise RaitoRefused(
                what, (f"the answer is no JSON: {shown}",), status=response.status_code, page=_is_page(response)
            ) from None

    def _root(self, wanted: Operation, body: Any, what: str) -> Any:
        if not isinstance(body, dict):
            raise RaitoRefused(what, ("the answer is no JSON object",))
        if body.get("errors"):
            raise RaitoRefused(what, [self.redact(text) for text in messages_of(body["errors"])])
        data = body.get("data")
        value = data.get(wanted.field) if isinstance(data, dict) else None
        if not isinstance(value, dict):  # what each of the documents asks for
            raise RaitoRefused(what, (f"the answer holds no {wanted.field}",))
        kind = str(value.get("__typename") or "")
        if kind.endswith("Error") or ("message" in value and not kind):
            raise RaitoRefused(what, (self.redact(str(value.get("message") or kind)),), kind=kind)
        return value

    def _refused(self, what: str, response: requests.Response) -> RaitoRefused:
        try:
            texts_of_answer = messages_of(response.json().get("errors") or [response.json()])
        except (ValueError, AttributeError, RecursionError):
            texts_of_answer = ()
        texts = texts_of_answer or (_shown(response.text) or response.reason or "no message",)
        wait = retry_after(response) or 0.0
        messages = [self.redact(text) for text in texts]
        status, page = response.status_code, _is_page(response)
        return RaitoRefused(what, messages, status=status, retry_after=wait, page=page)

    def _find_client_id(self) -> str:
        url = f"{self.connection.base_url}admin/org/{self.connection.domain}"

        def attempt() -> requests.Response:
            headers = {"User-Agent": USER_AGENT, "Raito-Domain": self.connection.domain}
            return self._session.get(url, headers=headers, timeout=self._timeout, allow_redirects=False)

        what = "look-up of the domain"
        response = send(attempt, what=what, url=url, repeatable=True, policy=self._policy)
        if response.status_code in (400, 403, 404) and not _is_page(response):
            raise UnknownDomain(self.connection.domain, self.connection.base_url, response.status_code)
        if response.status_code != 200:
            raise self._refused(f"{what} {self.connection.domain}", response)
        values = without_case(self.json_of(response, what))
        if not values.get("clientappid"):
            raise RaitoRefused(what, ("the answer holds no clientAppId",))
        return str(values["clientappid"])


def _save(chunks: Iterable[bytes], to: Path, what: str) -> None:
    """Write what arrives into a file. Raises `StorageError`, besides what `chunks` raises."""
    with storage_errors(what, "written", str(to)):
        sink = open_private(to)
    try:
        for chunk in chunks:
            with storage_errors(what, "written", str(to)):
                sink.write(chunk)
        with storage_errors(what, "written", str(to)):
            sink.close()
    finally:
        with suppress(OSError):  # what is held back fails again where it failed before
            sink.close()


def without_case(values: Any) -> dict[str, Any]:
    """A JSON object with its keys in lower case; empty where it is no object."""
    return {str(key).lower(): value for key, value in values.items()} if isinstance(values, dict) else {}


def messages_of(errors: Any) -> tuple[str, ...]:
    """Every message of an `errors` list, whatever its shape."""
    listed = errors if isinstance(errors, list) else [errors]
    texts = (each.get("message") or each.get("error") if isinstance(each, dict) else each for each in listed)
    return tuple(str(text) for text in texts if text)


def _named(name: str, variables: Mapping[str, Any]) -> str:
    """An operation and what it was about, for messages."""
    given = variables.get("input")
    fields = given if isinstance(given, Mapping) else variables
    about = variables.get("id") or fields.get("jobId") or fields.get("name")
    return f"{name} of {about}" if about else name


def _refuses_token(response: requests.Response) -> bool:
    """Whether an answer is that the token is not good (any more): nothing was done then, and a new one may be.

    Gateways say so with 403 as well, and services of GraphQL with 200 and an error.
    """
    if response.status_code == 401:
        return True
    if response.status_code not in (200, 400, 403) or len(response.content) > _LONGEST_REFUSAL:
        return False
    if response.status_code == 403:
        return _TOKEN_ENDED.search(response.text) is not None
    try:
        body = response.json()
        done = any(value is not None for value in (body.get("data") or {}).values())
    except (ValueError, AttributeError, RecursionError):
        return False
    return not done and _TOKEN_ENDED.search(json.dumps(body.get("errors"))) is not None


def _is_page(response: requests.Response) -> bool:
    """Whether an answer is a page for people, as proxies and portals give it in the place of an answer."""
    return response.content[:200].lstrip().lower().startswith((b"<html", b"<!doctype html"))


def _shown(text: str) -> str:
    plain = " ".join(re.sub(r"<[^>]*>", " ", text).split())
    return plain if len(plain) <= _SHOWN else plain[:_SHOWN] + "..."
