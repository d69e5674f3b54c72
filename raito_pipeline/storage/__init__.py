"""The Parquet store: one file a cell, written whole or not at all."""

from raito_pipeline.storage.cells import CellInfo, CellMissing, ReadStatus
from raito_pipeline.storage.store import CellWriter, Store

__all__ = ["CellInfo", "CellMissing", "CellWriter", "ReadStatus", "Store"]
