"""Setting up identity stores and data sources, which otherwise a person clicks together in Raito Cloud."""

from raito_pipeline.raito.client import RaitoClient


def ensure_identity_store(client: RaitoClient, name: str, description: str = "") -> str:
    """The id of the identity store of this name, created where it is not there. Raises `RaitoError`."""
    found = find(client, "IdentityStores", name)
    if found is not None:
        return found
    answer = client.call("CreateIdentityStore", {"input": {"name": name, "description": description}})
    return str(answer["id"])


def ensure_data_source(client: RaitoClient, name: str, description: str = "") -> str:
    """The id of the self-managed data source of this name, created where it is not there. Raises `RaitoError`."""
    found = find(client, "DataSources", name)
    if found is not None:
        return found
    values = {"name": name, "description": description, "syncMethod": "ON_PREM", "parent": None}
    return str(client.call("CreateDataSource", {"input": values})["id"])


def find(client: RaitoClient, listing: str, name: str) -> str | None:
    """The id of the element of exactly this name in the listing `DataSources` or `IdentityStores`."""
    pages = client.pages(listing, {"search": name})
    return next((str(node["id"]) for node in pages if node.get("name") == name), None)


def link(client: RaitoClient, data_source_id: str, identity_store_id: str) -> None:
    """Link a store to a data source, unless it is linked already. Raises `RaitoError`."""
    answer = client.call("DataSource", {"id": data_source_id})
    if any(store["id"] == identity_store_id for store in answer.get("identityStores") or ()):
        return
    client.call("AddIdentityStoreToDataSource", {"dsId": data_source_id, "isId": identity_store_id})


def trigger_url(client: RaitoClient) -> str:
    """The WebSocket address that tells of changes. Raises `RaitoError`."""
    return str(client.call("CliTriggerUrl")["url"])
