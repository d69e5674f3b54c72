"""Setting up identity stores and data sources, which otherwise a person clicks together in Raito Cloud."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Literal

from raito_pipeline.raito.client import RaitoClient

Listing = Literal["DataSources", "IdentityStores"]


class SetUp:
    """Makes the data sources and identity stores that are missing in one domain. What is there is listed once.

    `made` counts what was created and linked, by operation. Every method raises `RaitoError`.
    """

    def __init__(self, client: RaitoClient) -> None:
        self._client = client
        self._listed: dict[Listing, dict[str, str]] = {}
        self._links: dict[str, set[str]] = {}
        self.made: Counter[str] = Counter()

    def identity_store(self, name: str, description: str = "") -> str:
        """The id of the identity store of exactly this name, created where it is not there."""
        stores = self._of("IdentityStores")
        if name not in stores:
            values = {"name": name, "description": description}
            stores[name] = self._client.ask("CreateIdentityStore", {"input": values}, "id")
            self.made["CreateIdentityStore"] += 1
        return stores[name]

    def data_source(self, name: str, description: str = "") -> str:
        """The id of the data source of exactly this name, created self-managed where it is not there."""
        sources = self._of("DataSources")
        if name not in sources:
            values = {"name": name, "description": description, "syncMethod": "ON_PREM", "parent": None}
            sources[name] = self._client.ask("CreateDataSource", {"input": values}, "id")
            self._links[sources[name]] = set()
            self.made["CreateDataSource"] += 1
        return sources[name]

    def link(self, data_source_id: str, identity_store_id: str) -> None:
        """Link an identity store to a data source, unless it is linked already."""
        if data_source_id not in self._links:
            answer = self._client.call("DataSource", {"id": data_source_id})
            self._links[data_source_id] = _stores(answer)
        if identity_store_id in self._links[data_source_id]:
            return
        self._client.call("AddIdentityStoreToDataSource", {"dsId": data_source_id, "isId": identity_store_id})
        self._links[data_source_id].add(identity_store_id)
        self.made["AddIdentityStoreToDataSource"] += 1

    def _of(self, listing: Listing) -> dict[str, str]:
        """What is there, by name; of several of one name the first."""
        if listing not in self._listed:
            ids: dict[str, str] = {}
            for node in self._client.pages(listing):
                ids.setdefault(str(node.get("name")), str(node["id"]))
                if listing == "DataSources":
                    self._links[str(node["id"])] = _stores(node)
            self._listed[listing] = ids
        return self._listed[listing]


def _stores(node: Mapping[str, Any]) -> set[str]:
    listed = node.get("identityStores")
    stores = listed if isinstance(listed, list) else ()
    return {str(store["id"]) for store in stores if isinstance(store, dict) and store.get("id")}


def trigger_url(client: RaitoClient) -> str:
    """The WebSocket address that tells of changes. Raises `RaitoError`."""
    return client.ask("CliTriggerUrl", {}, "url")
