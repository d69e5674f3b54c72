"""Calls to one AWS service by name, with every page followed and every error named.

The listings of a service differ only in how they tell that there is more; that is a `Paging`.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore import xform_name

from raito_pipeline.aws.connection.clients import AwsClients, ServiceName, regional_call
from raito_pipeline.aws.connection.errors import AwsUnreachable

Answer = Mapping[str, Any]

IAM_PREFIXES: dict[ServiceName, str] = {"sso-admin": "sso", "s3control": "s3"}
"""Services whose IAM actions begin with something else than their own name."""


@dataclass(frozen=True, slots=True)
class Paging:
    """How a service pages: the member that carries the token both ways, and the one that says that there is more."""

    token: str
    more: str | None = None

    def next(self, page: Answer, action: str, resource: str, seen: Collection[str] = ()) -> str | None:
        """The token of the page after this one, null after the last page; `seen` are those of the pages before.

        Raises `AwsUnreachable` where the page says that there is more and does not say where, or where somebody already
        was: to end there would pass a part for the whole, and to go on would never end.
        """
        token = page.get(self.token) or None
        more = token is not None if self.more is None else bool(page.get(self.more))
        if not more:
            return None
        if token is None or token in seen:
            raise no_way_on(action, resource)
        return str(token)


def no_way_on(action: str, resource: str) -> AwsUnreachable:
    """The error of a listing that goes on nowhere, or where it already was."""
    text = f"{action} on {resource}: AWS announced another page and gave no way to it. Run this again."
    return AwsUnreachable(text, action=action, resource=resource)


MARKER = Paging("Marker", "IsTruncated")
NEXT_TOKEN = Paging("NextToken")


class Service:
    """The calls of one AWS service in one region."""

    def __init__(self, clients: AwsClients, service: ServiceName, paging: Paging, region: str | None = None) -> None:
        self.client: Any = clients.client(service, region)
        self.partition: str = self.client.meta.partition
        self._clients, self._region = clients, region
        self._prefix = IAM_PREFIXES.get(service, service)
        self._paging = paging

    def get(self, operation: str, resource: str, **request: Any) -> Answer:
        """One call (`GetUser`); `resource` is the ARN or name that it is about. Raises `AwsError`."""
        with regional_call(self._clients, f"{self._prefix}:{operation}", resource, self._region):
            answer: Answer = getattr(self.client, xform_name(operation))(**request)
        return answer

    def pages(self, operation: str, resource: str, **request: Any) -> Iterator[Answer]:
        """Every page of a listing. Raises `AwsError` where one of them fails."""
        seen: set[str] = set()
        while True:
            page = self.get(operation, resource, **request)
            yield page
            token = self._paging.next(page, f"{self._prefix}:{operation}", resource, seen)
            if token is None:
                return
            seen.add(token)
            request[self._paging.token] = token

    def items(self, operation: str, key: str, resource: str, **request: Any) -> list[Any]:
        """The items under `key` of all pages. Raises `AwsError`."""
        return [item for page in self.pages(operation, resource, **request) for item in page.get(key) or ()]
