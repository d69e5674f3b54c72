"""Counts what the stored tables hold, with nothing but a Parquet reader, as any other program would read them."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

_ROOT_USER = 1


class TableCounter:
    """Counts the tables below one folder."""

    def __init__(self, storage: Path) -> None:
        self._storage = storage

    def _columns(self, table: str, account: str, *columns: str) -> Iterator[tuple[Any, ...]]:
        for file in sorted((self._storage / table).glob(f"account={account}/**/data.parquet")):
            columns_read = pq.read_table(file, columns=list(columns), partitioning=None)
            yield from zip(*(columns_read.column(name).to_pylist() for name in columns), strict=True)

    def _rows(self, table: str, account: str) -> int:
        files = (self._storage / table).glob(f"account={account}/**/data.parquet")
        return sum(int(pq.read_metadata(file).num_rows) for file in files)

    def identities(self, account: str) -> dict[str, int]:
        """IAM users, with the root user that is added to them, and groups."""
        return {"users": self._rows("iam_users", account) + _ROOT_USER, "groups": self._rows("iam_groups", account)}

    def organization(self, account: str) -> dict[str, int]:
        """People and groups of an organization, by its management account."""
        return {"users": self._rows("org_users", account), "groups": self._rows("org_groups", account)}

    def data_objects(self, account: str) -> dict[str, int]:
        """Data objects by type."""
        # Regions may name the same bucket (Glue catalogs do); it is one data object.
        return dict(Counter(kind for _, kind in set(self._columns("data_objects", account, "full_name", "type"))))

    def access_providers(self, account: str) -> dict[str, int]:
        """Access providers by type."""
        return dict(Counter(kind for (kind,) in self._columns("access_providers", account, "type")))

    def usage_statements(self, account: str) -> int:
        """Usage statements of all regions."""
        return self._rows("usage_statements", account)

    def pushed(self, account: str) -> int:
        """Access controls that the push keeps in AWS."""
        rows = self._columns("access_push_results", account, "external_id", "errors")
        return sum(bool(known) and not errors for known, errors in rows)
