"""Data sources and identity stores: what a person otherwise clicks together, and the metadata that a sync reports."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Table, insert, select, update
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import Connection, Row

from raito_pipeline.sandbox.raito.database import Database, data_sources, identity_stores, links, now
from raito_pipeline.sandbox.raito.jobs import NotThere, NotValid

SYNC_METHODS = frozenset({"ON_PREM", "SAAS"})
DATA_SOURCE = "data source"
IDENTITY_STORE = "identity store"


class AlreadyThere(Exception):
    """Something of that name exists. `identifier` is its id."""

    def __init__(self, kind: str, name: str, identifier: str) -> None:
        super().__init__(f"{kind} {name!r} exists already")
        self.identifier = identifier


class Catalog:
    """Creates, links and describes data sources and identity stores."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create_data_source(
        self,
        name: str,
        description: str = "",
        sync_method: str = "ON_PREM",
        parent: str | None = None,
        identifier: str | None = None,
    ) -> str:
        """Gives the id of the new data source. Raises AlreadyThere, NotThere (parent) or NotValid."""
        if sync_method not in SYNC_METHODS:
            raise NotValid(f"{sync_method!r} is not a sync method; known are {', '.join(sorted(SYNC_METHODS))}")
        with self._database.write() as connection:
            if parent:
                _row(connection, data_sources, DATA_SOURCE, parent)
            values = {"description": description, "sync_method": sync_method, "parent": parent or None}
            return _create(connection, data_sources, DATA_SOURCE, name, identifier, values)

    def create_identity_store(
        self,
        name: str,
        description: str = "",
        *,
        native: bool = False,
        master: bool = False,
        identifier: str | None = None,
    ) -> str:
        """Gives the id of the new identity store. Raises AlreadyThere or NotValid."""
        with self._database.write() as connection:
            values = {"description": description, "native": native, "master": master}
            return _create(connection, identity_stores, IDENTITY_STORE, name, identifier, values)

    def link(self, data_source: str, identity_store: str) -> None:
        """Links an identity store to a data source; a second time changes nothing. Raises NotThere."""
        with self._database.write() as connection:
            _row(connection, data_sources, DATA_SOURCE, data_source)
            _row(connection, identity_stores, IDENTITY_STORE, identity_store)
            connection.execute(
                sqlite_insert(links)
                .values(data_source=data_source, identity_store=identity_store)
                .on_conflict_do_nothing()
            )

    def set_data_source_metadata(self, identifier: str, content: Mapping[str, Any]) -> None:
        """Replaces the metadata, `DataSourceMetaDataInput`. Raises NotThere or NotValid."""
        names = [kind["name"] for kind in content.get("dataObjectTypes") or []]
        doubled = sorted({name for name in names if names.count(name) > 1})
        if doubled:
            raise NotValid(f"data object types named twice: {', '.join(doubled)}")
        unknown = {child for kind in content.get("dataObjectTypes") or [] for child in kind.get("children") or []}
        if unknown - set(names):
            raise NotValid(f"children of an unknown data object type: {', '.join(sorted(unknown - set(names)))}")
        with self._database.write() as connection:
            row = _row(connection, data_sources, DATA_SOURCE, identifier)
            connection.execute(
                update(data_sources)
                .where(data_sources.c.id == identifier)
                .values(metadata=dict(content), type=content.get("type") or row.type, modified_at=now())
            )

    def set_identity_store_metadata(self, identifier: str, content: Mapping[str, Any]) -> None:
        """Sets type, icon and the two flags, `IdentityStoreMetaDataInput`. Raises NotThere."""
        with self._database.write() as connection:
            _row(connection, identity_stores, IDENTITY_STORE, identifier)
            connection.execute(
                update(identity_stores)
                .where(identity_stores.c.id == identifier)
                .values(
                    type=content["type"],
                    icon=content.get("icon") or "",
                    can_be_linked=bool(content.get("canBeLinked")),
                    can_be_master=bool(content.get("canBeMaster")),
                    modified_at=now(),
                )
            )

    def data_source(self, identifier: str) -> Row[Any]:
        with self._database.read() as connection:
            return _row(connection, data_sources, DATA_SOURCE, identifier)

    def identity_store(self, identifier: str) -> Row[Any]:
        with self._database.read() as connection:
            return _row(connection, identity_stores, IDENTITY_STORE, identifier)

    def data_sources(self) -> Sequence[Row[Any]]:
        with self._database.read() as connection:
            return connection.execute(select(data_sources).order_by(data_sources.c.name)).all()

    def identity_stores(self, data_source: str | None = None) -> Sequence[Row[Any]]:
        """All identity stores by name, or those of one data source."""
        query = select(identity_stores).order_by(identity_stores.c.name)
        if data_source is not None:
            query = query.join(links, links.c.identity_store == identity_stores.c.id).where(
                links.c.data_source == data_source
            )
        with self._database.read() as connection:
            return connection.execute(query).all()


def _create(
    connection: Connection,
    table: Table,
    kind: str,
    name: str,
    identifier: str | None,
    values: Mapping[str, Any],
) -> str:
    if not name.strip():
        raise NotValid(f"a {kind} needs a name")
    row = connection.execute(select(table.c.id).where(table.c.name == name)).first()
    if row is not None:
        raise AlreadyThere(kind, name, row.id)
    identifier, instant = identifier or str(uuid.uuid4()), now()
    connection.execute(
        insert(table).values(id=identifier, name=name, created_at=instant, modified_at=instant, **values)
    )
    return identifier


def _row(connection: Connection, table: Table, kind: str, identifier: str) -> Row[Any]:
    row = connection.execute(select(table).where(table.c.id == identifier)).first()
    if row is None:
        raise NotThere(kind, identifier)
    return row
