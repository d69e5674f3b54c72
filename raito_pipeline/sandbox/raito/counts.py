"""Counts of everything that has arrived, for people and for tests that compare them with AWS."""

from collections import Counter
from typing import Any

from sqlalchemy import Table, func, select
from sqlalchemy.engine import Connection

from raito_pipeline.sandbox.raito import controls
from raito_pipeline.sandbox.raito.catalog import Catalog
from raito_pipeline.sandbox.raito.controls import Controls
from raito_pipeline.sandbox.raito.database import (
    Database,
    access_providers,
    data_objects,
    groups,
    usage_statements,
    users,
)

Counts = dict[str, dict[str, dict[str, Any]]]


def count_all(database: Database, catalog: Catalog, defined: Controls) -> Counts:
    """`dataSources` and `identityStores`, each by id: name, type, and how many of each thing they hold.

    A data source has `dataObjects` and `accessProviders` by type, `usageStatements`, `accessControls` by state, and
    `identityStores`, the ids of those linked to it. An identity store has `users`, `groups` and `memberships`.
    """
    sources, stores = catalog.data_sources(), catalog.identity_stores()
    counts: Counts = {"dataSources": {}, "identityStores": {}}
    with database.read() as connection:
        objects = _by_type(connection, data_objects)
        providers = _by_type(connection, access_providers)
        statements = _by_store(connection, usage_statements, "data_source")
        people, teams = (
            _by_store(connection, users, "identity_store"),
            _by_store(connection, groups, "identity_store"),
        )
        memberships = _memberships(connection)
    for source in sources:
        counts["dataSources"][source.id] = {
            "name": source.name,
            "type": source.type,
            "identityStores": [store.id for store in catalog.identity_stores(source.id)],
            "dataObjects": objects.get(source.id, {}),
            "accessProviders": providers.get(source.id, {}),
            "usageStatements": statements.get(source.id, 0),
            "accessControls": dict(Counter(controls.state(row) for row in defined.listed(source.id))),
        }
    for store in stores:
        counts["identityStores"][store.id] = {
            "name": store.name,
            "type": store.type,
            "users": people.get(store.id, 0),
            "groups": teams.get(store.id, 0),
            "memberships": memberships.get(store.id, 0),
        }
    return counts


def _by_type(connection: Connection, table: Table) -> dict[str, dict[str, int]]:
    rows = connection.execute(
        select(table.c.data_source, table.c.type, func.count().label("number"))
        .group_by(table.c.data_source, table.c.type)
        .order_by(table.c.data_source, table.c.type)
    )
    counts: dict[str, dict[str, int]] = {}
    for row in rows:
        counts.setdefault(row.data_source, {})[row.type] = row.number
    return counts


def _by_store(connection: Connection, table: Table, store: str) -> dict[str, int]:
    rows = connection.execute(select(table.c[store], func.count()).group_by(table.c[store]))
    return {row[0]: row[1] for row in rows}


def _memberships(connection: Connection) -> dict[str, int]:
    number = func.sum(func.json_array_length(users.c.groups))
    rows = connection.execute(select(users.c.identity_store, number).group_by(users.c.identity_store))
    return {row[0]: row[1] or 0 for row in rows}
