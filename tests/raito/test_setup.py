"""Data sources and identity stores are made once, whoever asks twice."""

from raito_pipeline.raito.client import RaitoClient
from raito_pipeline.raito.setup import SetUp, trigger_url
from raito_pipeline.raito.usage_window import usage_window
from raito_pipeline.raito.version import check_version

from .conftest import Answer, ScriptedServer, connection_to


def test_what_is_there_is_neither_made_nor_linked_again(client: RaitoClient) -> None:
    made, sources = [], set()
    for _ in range(2):
        set_up = SetUp(client)
        for name in ("account", "another"):
            store = set_up.identity_store(f"people of {name}", "all of them")
            sources.add(set_up.data_source(name, "one account"))
            for _ in range(2):
                set_up.link(set_up.data_source(name), store)
        made.append(dict(set_up.made))

    assert made == [{"CreateIdentityStore": 2, "CreateDataSource": 2, "AddIdentityStoreToDataSource": 2}, {}]
    assert len(sources) == 2
    assert [node["name"] for node in client.pages("IdentityStores")].count("people of account") == 1
    assert [node["name"] for node in client.pages("DataSources")].count("account") == 1


def test_a_store_can_be_linked_to_a_source_that_was_not_listed(client: RaitoClient) -> None:
    first = SetUp(client)
    source, store = first.data_source("account"), first.identity_store("people")
    for _ in range(2):
        SetUp(client).link(source, store)
    (node,) = [one for one in client.pages("DataSources") if one["id"] == source]
    assert [one["id"] for one in node["identityStores"]].count(store) == 1


def test_a_new_data_source_has_no_usage_and_the_service_knows_this_version(client: RaitoClient) -> None:
    window = usage_window(client, SetUp(client).data_source("account"))
    assert (window.first_used, window.last_used) == (None, None)
    assert trigger_url(client).startswith("ws://")
    assert check_version(client).supported


def test_a_listing_with_odd_stores_makes_and_links_what_is_missing(scripted: ScriptedServer) -> None:
    odd = {"cursor": "a", "node": {"id": "1", "name": "account", "identityStores": [None, {"id": None}, 7]}}
    listed = Answer({"data": {"dataSources": {"edges": [odd], "pageInfo": {"hasNextPage": False}}}})
    linked = Answer({"data": {"addIdentityStoreToDataSource": {"id": "1"}}})
    scripted.on("POST", "/query", listed, linked)
    with RaitoClient(connection_to(scripted.url, skip_authentication=True)) as client:
        set_up = SetUp(client)
        set_up.link(set_up.data_source("account"), "2")
    assert set_up.made == {"AddIdentityStoreToDataSource": 1}
