"""The Parquet store, on a local folder or on S3 (`pyarrow.fs`).

A cell lies at `<root>/<table>/account=<id>/region=<region>/data.parquet`. It is written under a temporary
name and moved into place when it is whole, so that a reader never sees half a file, whatever happens to
the writer.
"""

import posixpath
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.fs as pafs
import pyarrow.parquet as pq

from raito_pipeline.model.schema import TABLES, arrow_schema, from_batch, table_of, to_batch
from raito_pipeline.storage.cells import (
    CellInfo,
    CellMissing,
    ReadStatus,
    from_metadata,
    to_confirmation,
    to_metadata,
    with_confirmation,
)

R = TypeVar("R")
_FILE = "data.parquet"
_CONFIRMED = "_confirmed.json"
_TEMPORARY = ".data.parquet."
_BATCH_ROWS = 8_192


class CellWriter:
    """Writes one cell; use as a context manager. Leaving it normally publishes the cell, an exception discards it.

    `status` and `problems` may be set at any time before the end; adding a problem to a complete cell makes it
    partial.
    """

    def __init__(self, store: "Store", table: str, account: str, region: str | None) -> None:
        self._store = store
        self._place = (table, account, region)
        self._schema = arrow_schema(TABLES[table].row_type)
        self._path = store.path(table, account, region)
        self._temporary = posixpath.join(posixpath.dirname(self._path), f"{_TEMPORARY}{uuid.uuid4().hex}")
        self.status = ReadStatus.COMPLETE
        self.problems: list[str] = []
        self.read_at = datetime.now(UTC)
        self.extra: dict[str, str] = {}
        self.rows = 0
        self._waiting: list[pa.RecordBatch] = []
        self._rows_in_groups = 0
        self.info: CellInfo | None = None

    def __enter__(self) -> "CellWriter":
        self._store.clear_temporary(posixpath.dirname(self._path))
        self._sink = self._store.filesystem.open_output_stream(self._temporary)
        self._writer = pq.ParquetWriter(self._sink, self._schema, compression="zstd")
        return self

    def write_batch(self, batch: pa.RecordBatch) -> None:
        """Append a record batch that has the schema of the table. Small ones are put together to one row group."""
        self._waiting.append(batch)
        self.rows += batch.num_rows
        if self.rows - self._rows_in_groups >= _BATCH_ROWS:
            self._write_waiting()

    def _write_waiting(self) -> None:
        if self._waiting:
            self._writer.write_table(pa.Table.from_batches(self._waiting))
            self._waiting, self._rows_in_groups = [], self.rows

    def write_rows(self, rows: Iterable[Any]) -> None:
        """Append rows (instances of the row type of the table)."""
        row_type = TABLES[self._place[0]].row_type
        chunk: list[Any] = []
        for each in rows:
            chunk.append(each)
            if len(chunk) == _BATCH_ROWS:
                self.write_batch(to_batch(row_type, chunk))
                chunk = []
        if chunk:
            self.write_batch(to_batch(row_type, chunk))

    def add_problem(self, problem: str) -> None:
        """Say that something could not be read: the cell is no longer complete."""
        self.problems.append(problem)
        if self.status is ReadStatus.COMPLETE:
            self.status = ReadStatus.PARTIAL

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._writer.close()
            self._sink.close()
            self._store.filesystem.delete_file(self._temporary)
            return
        self._write_waiting()
        metadata = to_metadata(
            self.status,
            tuple(self.problems),
            self.read_at,
            self.extra,
            run_id=self._store.run_id,
            sync=self._store.sync,
            file_id=uuid.uuid4().hex,
        )
        self._writer.add_key_value_metadata(metadata)
        self._writer.close()
        self._sink.close()
        self._store.filesystem.move(self._temporary, self._path)
        self.info = self._store.info(*self._place)


@dataclass(frozen=True)
class Store:
    """Typed access to the stored tables below one root.

    `root` is a path inside `filesystem`; `run_id` and `sync` (the id of the sync that the run belongs to) are noted in
    every cell that is written.
    """

    filesystem: pafs.FileSystem
    root: str
    scheme: str = ""
    run_id: str = ""
    sync: str = ""

    @classmethod
    def open(cls, location: str | Path, run_id: str = "", sync: str = "") -> "Store":
        """Open the store at a local path or an `s3://` address. Nothing is created before the first write."""
        text = str(location)
        if text.startswith("s3://"):
            filesystem, root = pafs.FileSystem.from_uri(text)
            return cls(filesystem, root, "s3://", run_id, sync)
        return cls(pafs.LocalFileSystem(), Path(text).absolute().as_posix(), "", run_id, sync)

    def path(self, table: str, account: str, region: str | None = None) -> str:
        """Where a cell lies inside the file system. Raises `KeyError` for an unknown table."""
        spec = TABLES[table]
        if (region is None) != (spec.partitioned_by == "account"):
            raise ValueError(f"{table} is partitioned by {spec.partitioned_by}, region is {region!r}")
        level = [] if region is None else [f"region={region}"]
        return posixpath.join(self.root, table, f"account={account}", *level, _FILE)

    def uri(self, table: str, account: str, region: str | None = None) -> str:
        """The address of a cell as other programs take it: a path, or `s3://...`."""
        return self.scheme + self.path(table, account, region)

    def writer(self, table: str, account: str, region: str | None = None) -> CellWriter:
        """A writer of one cell."""
        path = self.path(table, account, region)
        self.filesystem.create_dir(posixpath.dirname(path), recursive=True)
        return CellWriter(self, table, account, region)

    def write(
        self,
        table: str,
        rows: Iterable[Any],
        account: str,
        region: str | None = None,
        *,
        status: ReadStatus = ReadStatus.COMPLETE,
        problems: Sequence[str] = (),
        read_at: datetime | None = None,
        extra: Mapping[str, str] | None = None,
    ) -> CellInfo:
        """Write a cell from rows, replacing what it held. `read_at` is when its read began (now, if not given)."""
        with self.writer(table, account, region) as writer:
            writer.status = status
            writer.read_at = read_at or writer.read_at
            writer.extra.update(extra or {})
            for problem in problems:
                writer.add_problem(problem)
            writer.write_rows(rows)
        assert writer.info is not None
        return writer.info

    def confirm(
        self, table: str, account: str, region: str | None = None, *, read_at: datetime | None = None
    ) -> CellInfo:
        """Note that this sync read again and found nothing new: the cell stays, and counts as of this sync.

        `read_at` is when that read began (now, if not given). Gives what `info` says from now on. Raises `CellMissing`.
        """
        path = self.require(table, account, region)
        info = self._written(path, table, account, region)
        said = to_confirmation(info, self.sync, self.run_id, read_at or datetime.now(UTC))
        sidecar = posixpath.join(posixpath.dirname(path), _CONFIRMED)
        temporary = posixpath.join(posixpath.dirname(path), f"{_TEMPORARY}{uuid.uuid4().hex}")
        with self.filesystem.open_output_stream(temporary) as sink:
            sink.write(said)
        self.filesystem.move(temporary, sidecar)
        return with_confirmation(info, said)

    def info(self, table: str, account: str, region: str | None = None) -> CellInfo | None:
        """What a cell knows about itself, or None where it was never written. Reads the footer only."""
        path = self.path(table, account, region)
        sidecar = posixpath.join(posixpath.dirname(path), _CONFIRMED)
        cell, confirmed = self.filesystem.get_file_info([path, sidecar])
        if cell.type != pafs.FileType.File:
            return None
        info = self._written(path, table, account, region)
        if confirmed.type != pafs.FileType.File:
            return info
        with self.filesystem.open_input_file(sidecar) as source:
            return with_confirmation(info, source.read())

    def _written(self, path: str, table: str, account: str, region: str | None) -> CellInfo:
        with self.filesystem.open_input_file(path) as source:
            size = source.size()
            metadata = pq.read_metadata(source)
        return from_metadata(
            metadata.metadata or {},
            table=table,
            account=account,
            region=region,
            uri=self.scheme + path,
            rows=metadata.num_rows,
            size=size,
        )

    def require(self, table: str, account: str, region: str | None = None) -> str:
        """The path of a cell that is there. Raises `CellMissing`."""
        path = self.path(table, account, region)
        if self.filesystem.get_file_info(path).type != pafs.FileType.File:
            raise CellMissing(table, account, region, self.scheme + path)
        return path

    def dataset(self, table: str, account: str, region: str | None = None) -> ds.Dataset:
        """A cell as a dataset, to stream and filter. Raises `CellMissing`."""
        path = self.require(table, account, region)
        schema = arrow_schema(TABLES[table].row_type)
        return ds.dataset(path, schema=schema, filesystem=self.filesystem, format="parquet")

    def batches(self, table: str, account: str, region: str | None = None) -> Iterator[pa.RecordBatch]:
        """The record batches of a cell in the order they were written. Raises `CellMissing`."""
        path = self.require(table, account, region)
        with self.filesystem.open_input_file(path) as source:
            yield from pq.ParquetFile(source).iter_batches(batch_size=_BATCH_ROWS)

    def smallest(self, table: str, column: str, account: str, region: str | None = None) -> Any:
        """The smallest value of a column, read from the footer of a cell; None without rows. Raises `CellMissing`."""
        with self.filesystem.open_input_file(self.require(table, account, region)) as source:
            footer = pq.ParquetFile(source).metadata
        at = footer.schema.names.index(column)
        groups = [footer.row_group(n).column(at).statistics for n in range(footer.num_row_groups)]
        smallest: list[Any] = [found.min for found in groups if found is not None and found.has_min_max]
        return min(smallest, default=None)

    def rows(
        self, row_type: type[R], account: str, region: str | None = None, *, table: str | None = None
    ) -> Iterator[R]:
        """The rows of a cell, streamed. `table` is needed where several tables share the row type."""
        name = table or table_of(row_type).name
        for batch in self.batches(name, account, region):
            yield from from_batch(row_type, batch)

    def clear_temporary(self, folder: str) -> None:
        """Remove what a writer that was killed left in the folder of a cell."""
        selector = pafs.FileSelector(folder, allow_not_found=True)
        for found in self.filesystem.get_file_info(selector):
            if posixpath.basename(found.path).startswith(_TEMPORARY):
                self.filesystem.delete_file(found.path)
