"""Data sources and identity stores are made once, whoever asks twice."""

from raito_pipeline.raito import (
    RaitoClient,
)
from raito_pipeline.raito.setup import ensure_data_source, ensure_identity_store, link, trigger_url
from raito_pipeline.raito.usage_window import usage_window
from raito_pipeline.raito.version import check_version


def test_set_up_of_stores_and_sources_happens_once(client: RaitoClient) -> None:
    for _ in range(2):
        store = ensure_identity_store(client, "people", "all of them")
        source = ensure_data_source(client, "account", "one account")
        link(client, source, store)
    assert [node["name"] for node in client.pages("IdentityStores")].count("people") == 1
    assert [node["name"] for node in client.pages("DataSources")].count("account") == 1
    window = usage_window(client, source)
    assert (window.first_used, window.last_used) == (None, None)
    assert trigger_url(client).startswith("ws://")
    assert check_version(client).supported
