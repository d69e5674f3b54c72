"""The Parquet store: one file a cell, written whole or not at all. And the leases: one sync of an account at a time."""

from raito_pipeline.storage.cells import CellInfo, CellMissing, CellUnusable, ReadStatus
from raito_pipeline.storage.errors import StorageError
from raito_pipeline.storage.store import Store
from raito_pipeline.storage.writer import CellWriter

__all__ = ["CellInfo", "CellMissing", "CellUnusable", "CellWriter", "ReadStatus", "StorageError", "Store"]
