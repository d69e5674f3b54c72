"""The Parquet store, on a local folder or on S3.

A cell lies at `<root>/<table>/account=<id>/region=<region>/data.parquet`. It appears there when it is whole, so that a
reader never sees half a file, whatever happens to the writer.

A file that cannot be used (damaged, not Parquet, of a version whose columns say something else) counts as not there:
`Store._find` is the one place that decides it, and everything that reads goes through there. One of an older version
that can be read is read as if this one had written it (`versions.py`). What only shows when rows are read (a
flipped byte in a page) raises `CellUnusable` then, and is noted beside the file: from then on it counts as not there.
"""

import contextlib
import logging
import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq
from botocore.exceptions import BotoCoreError, ClientError

from raito_pipeline.model.schema import arrow_schema, from_batch
from raito_pipeline.model.tables import TABLES, table_of
from raito_pipeline.storage.cells import (
    REPLACES,
    UPGRADES,
    CellInfo,
    CellMissing,
    CellUnusable,
    ReadStatus,
    cell_label,
    damage_of,
    from_metadata,
    to_confirmation,
    to_damage_note,
    with_confirmation,
)
from raito_pipeline.storage.errors import StorageError, UndeclaredRead, is_of_storage, storage_errors
from raito_pipeline.storage.files import CellFile, Files, LocalFiles
from raito_pipeline.storage.footer import UnusableFile, read_footer
from raito_pipeline.storage.known import KnownFooters, Said
from raito_pipeline.storage.s3 import S3Files
from raito_pipeline.storage.selection import Selection, Wanted
from raito_pipeline.storage.unusable import OLDER_FILES, UNUSABLE_FILES
from raito_pipeline.storage.versions import OlderColumns, older_columns
from raito_pipeline.storage.writer import CellWriter

logger = logging.getLogger(__name__)

R = TypeVar("R")
_FILE = "data.parquet"
_CONFIRMED = "_confirmed.json"
_DAMAGED = "_damaged.json"
_BATCH_ROWS = 8_192
_ROWS_AT_ONCE = 1_024
"""how many are there as objects at a time: a whole batch of them takes 10 MB"""
_NOT_READABLE = (OSError, pa.ArrowException, pa.ArrowMemoryError, UnicodeDecodeError, OverflowError)
"""What pyarrow raises for bytes that it can make no sense of (and, as `OSError`, for a storage that fails)."""


@dataclass(frozen=True)
class Store:
    """Typed access to the stored tables below one root.

    `root` is a path inside `files`; `run_id` and `sync` (the id of the sync that the run belongs to) are noted in every
    cell that is written; `warn` is told once of each file that cannot be used. What reads or writes raises
    `StorageError` where the storage itself fails: that is never taken for a cell that is not there. `readable` are the
    tables of which rows may be read (None: all); of another one, that raises `UndeclaredRead`.
    """

    files: Files
    root: str
    run_id: str = ""
    sync: str = ""
    warn: Callable[[str], object] = field(default=logger.warning, compare=False)
    readable: frozenset[str] | None = field(default=None, compare=False)

    @classmethod
    def open(cls, location: str | Path, run_id: str = "", sync: str = "") -> "Store":
        """Open the store at a local path or an `s3://` address. Nothing is contacted or created before it is used."""
        text = str(location)
        if text.startswith("s3://"):
            files = S3Files(text)
            return cls(files, files.root, run_id, sync)
        root = Path(text).absolute()
        return cls(LocalFiles(root), root.as_posix(), run_id, sync)

    def for_a_run(self) -> "Store":
        """The same store for one run: it sees one version of what others write, and asks S3 for each file once."""
        return replace(self, files=self.files.remembering(self.run_id))

    def flush(self) -> None:
        """Write what this run noted of its cells and is not written yet. Raises `StorageError`."""
        with storage_errors("the notes of cells", "written", self.files.scheme + self.root):
            self.files.flush()

    def path(self, table: str, account: str, region: str | None = None) -> str:
        """Where a cell lies inside the file system. Raises `KeyError` for an unknown table."""
        spec = TABLES[table]
        if (region is None) != (spec.partitioned_by == "account"):
            raise ValueError(f"{table} is partitioned by {spec.partitioned_by}, region is {region!r}")
        level = [] if region is None else [f"region={region}"]
        return posixpath.join(self.root, table, f"account={account}", *level, _FILE)

    def uri(self, table: str, account: str, region: str | None = None) -> str:
        """The address of a cell as other programs take it: a path, or `s3://...`."""
        return self.files.scheme + self.path(table, account, region)

    def writer(self, table: str, account: str, region: str | None = None) -> CellWriter:
        """A writer of one cell."""
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
        cell = self._cell(table, account, region)
        if cell.older is not None:
            return self._written_anew(cell, read_at or datetime.now(UTC))
        return self._confirmed(cell, read_at or datetime.now(UTC))

    def _confirmed(self, cell: "_Cell", read_at: datetime) -> CellInfo:
        said = to_confirmation(cell.written, self.sync, self.run_id, read_at)
        with storage_errors(cell.written.label, "confirmed", cell.written.uri):
            self.files.add_note(cell.path, _CONFIRMED, said)
        return with_confirmation(cell.written, said)

    def _written_anew(self, cell: "_Cell", read_at: datetime) -> CellInfo:
        """Write a cell of an older version with the columns of this one; what it says of its read stays."""
        info = cell.written
        with self.writer(info.table, info.account, info.region) as writer:
            writer.status, writer.read_at = info.status, read_at
            writer.problems.extend(info.problems)
            writer.extra.update({name: said for name, said in info.extra.items() if name not in (REPLACES, UPGRADES)})
            for batch in self._batches(cell):
                writer.write_batch(batch)
        assert writer.info is not None
        return writer.info

    def same(self, table: str, account: str, region: str | None, content: str, read_at: datetime) -> CellInfo | None:
        """Note that a cell holds what this sync would write, which is its digest; None where it does not.

        Raises `StorageError`.
        """
        try:
            cell = self._cell(table, account, region)
        except CellMissing:
            return None
        replaced = {REPLACES, UPGRADES} & cell.written.extra.keys()  # said of one write alone
        if cell.older is not None or replaced or cell.written.content != content:
            return None
        return self._confirmed(cell, read_at)

    def info(self, table: str, account: str, region: str | None = None) -> CellInfo | None:
        """What a cell knows about itself; None where it was never written or cannot be used. Reads the footer only."""
        try:
            return self._cell(table, account, region).info
        except CellMissing:
            return None

    def unusable(self, table: str, account: str, region: str | None = None) -> str | None:
        """Why a cell that is there cannot be used; None where it can, or was never written.

        To be asked where something may be done because nothing is stored: what cannot be read is no reason for it.
        """
        try:
            self._cell(table, account, region)
        except CellUnusable as error:
            return f"{cell_label(table, account, region)} cannot be used ({error.reason})"
        except CellMissing:
            return None
        return None

    def accounts(self, table: str) -> list[str]:
        """The accounts (or organizations) that have a folder in a table, whether of cells that can be used or not."""
        return self._levels(posixpath.join(self.root, table), "account")

    def regions(self, table: str, account: str) -> list[str]:
        """The regions that an account has a folder of in a regional table."""
        return self._levels(posixpath.join(self.root, table, f"account={account}"), "region")

    def _levels(self, folder: str, level: str) -> list[str]:
        with storage_errors(f"the folders {level}=...", "listed", self.files.scheme + folder):
            names = self.files.folders(folder)
        return sorted(name.removeprefix(f"{level}=") for name in names if name.startswith(f"{level}="))

    def remove(self, table: str, account: str, region: str | None = None) -> None:
        """Remove a cell and all that lies beside it, where it is there."""
        with storage_errors(cell_label(table, account, region), "removed", self.uri(table, account, region)):
            for info in self.files.listing(posixpath.dirname(self.path(table, account, region))).values():
                self.files.delete(info.path)

    def require(self, table: str, account: str, region: str | None = None) -> str:
        """The path of a cell that is there. Raises `CellMissing` (`CellUnusable` where it cannot be used)."""
        return self._cell(table, account, region).path

    def dataset(self, table: str, account: str, region: str | None = None) -> "CellDataset":
        """A cell as a dataset, to select and filter. Raises `CellMissing`."""
        return CellDataset(self, self._cell_to_read(table, account, region))

    def batches(self, table: str, account: str, region: str | None = None) -> Iterator[pa.RecordBatch]:
        """The record batches of a cell in the order they were written. Raises `CellMissing`."""
        return self._batches(self._cell_to_read(table, account, region))

    def _batches(
        self, cell: "_Cell", columns: Sequence[str] | None = None, selection: Selection | None = None
    ) -> Iterator[pa.RecordBatch]:
        """The batches of a cell as this version has them: the rows of a selection, and at least these columns."""
        wanted, older = selection or Selection(), cell.older
        read = None if columns is None else sorted({*columns, *wanted.columns})
        with self._rows_of(cell), cell.file.open() as source:
            file = pq.ParquetFile(source, page_checksum_verification=True)
            batches: Iterable[pa.RecordBatch]
            if older is not None:
                batches = map(older.read, file.iter_batches(batch_size=_BATCH_ROWS, columns=list(older.names)))
            else:
                groups = wanted.row_groups(file.metadata)
                batches = file.iter_batches(batch_size=_BATCH_ROWS, row_groups=groups, columns=read)
            yield from map(wanted.of, batches)

    def rows(
        self, row_type: type[R], account: str, region: str | None = None, *, table: str | None = None
    ) -> Iterator[R]:
        """The rows of a cell, streamed. `table` is needed where several tables share the row type."""
        cell = self._cell_to_read(table or table_of(row_type).name, account, region)
        for batch in self._batches(cell):
            for first in range(0, batch.num_rows, _ROWS_AT_ONCE):
                with self._rows_of(cell):
                    rows = list(from_batch(row_type, batch.slice(first, _ROWS_AT_ONCE)))
                yield from rows

    def earlier(
        self, row_type: type[R], account: str, region: str | None = None, *, table: str | None = None
    ) -> tuple[R, ...]:
        """All rows of the previous sync, for a reader that compares; none where there are none that can be used."""
        with contextlib.suppress(CellMissing):
            return tuple(self.rows(row_type, account, region, table=table))
        return ()

    def remembered(
        self, row_type: type[R], account: str, region: str | None = None, *, table: str | None = None
    ) -> tuple[R, ...]:
        """The same for what decides: none only where nothing was ever written. Raises `CellUnusable`."""
        try:
            return tuple(self.rows(row_type, account, region, table=table))
        except CellUnusable:
            raise
        except CellMissing:
            return ()

    def smallest(self, table: str, column: str, account: str, region: str | None = None) -> Any:
        """The smallest value of a column, read from the footer of a cell; None without rows. Raises `CellMissing`."""
        cell = self._cell_to_read(table, account, region)
        if cell.older is not None:
            values = [value for batch in self._batches(cell) for value in batch.column(column).to_pylist()]
            return min((value for value in values if value is not None), default=None)
        with self._rows_of(cell), cell.file.open() as source:
            footer = pq.read_metadata(source)
            at = footer.schema.names.index(column)
            groups = [footer.row_group(n).column(at).statistics for n in range(footer.num_row_groups)]
            smallest: list[Any] = [each.min for each in groups if each is not None and each.has_min_max]
        return min(smallest, default=None)

    def _cell_to_read(self, table: str, account: str, region: str | None) -> "_Cell":
        """The one way to the rows of a cell. Raises as `_cell`, and `UndeclaredRead`."""
        if self.readable is not None and table not in self.readable:
            raise UndeclaredRead(table, self.readable)
        return self._cell(table, account, region)

    def _cell(self, table: str, account: str, region: str | None) -> "_Cell":
        """The one way to a cell. Raises `CellMissing`, and `CellUnusable` after it warned once of the file."""
        path = self.path(table, account, region)
        uri = self.files.scheme + path
        with storage_errors(cell_label(table, account, region), "read", uri):
            file = self.files.cell(path)
            if file is None:
                raise CellMissing(table, account, region, uri)
            try:
                return self._find(path, file, (table, account, region))
            except FileNotFoundError as gone:
                raise CellMissing(table, account, region, uri) from gone
            except UnusableFile as error:
                self._warn_once(file, CellUnusable(table, account, region, uri, str(error)))
                raise CellUnusable(table, account, region, uri, str(error)) from None

    def _find(self, path: str, file: CellFile, place: tuple[str, str, str | None]) -> "_Cell":
        """Read what a file says of itself, and what is noted of it. Raises `UnusableFile`."""
        uri = self.files.scheme + path
        said = _known.get(uri, file.version)
        if said is None:
            said = self._said(uri, file, place)
            _known.keep(uri, file.version, said)
        written, older = said
        damage = damage_of(written, file.note(_DAMAGED))
        if damage:
            raise UnusableFile(damage)
        if older is not None:
            self._say_older(file, written, older)
        return _Cell(path, file, written, with_confirmation(written, file.note(_CONFIRMED)), older)

    def _said(self, uri: str, file: CellFile, place: tuple[str, str, str | None]) -> Said:
        table, account, region = place
        with file.open() as source:
            footer = read_footer(source)
        older = older_columns(footer, TABLES[table].row_type)
        try:
            info = from_metadata(
                footer.metadata or {},
                table=table,
                account=account,
                region=region,
                uri=uri,
                rows=footer.num_rows,
                size=file.size,
            )
        except (KeyError, ValueError, TypeError) as error:
            raise UnusableFile(f"what it says of its own read is missing or damaged: {error}") from None
        return info, older

    def _say_older(self, file: CellFile, written: CellInfo, older: OlderColumns) -> None:
        """Say once that a file is of an older version, and how it is read."""
        version = written.schema or "before versions were noted"
        said = f"an older version of the project wrote it (columns {version}), {older.said}"
        if OLDER_FILES.note(written.uri, file.size, file.version, said):
            self.warn(f"{written.label}: {said}. The next sync writes it anew ({written.uri})")

    @contextlib.contextmanager
    def _rows_of(self, cell: "_Cell") -> Iterator[None]:
        """Reading rows of a cell: damage makes the whole cell unusable, also for those who come later.

        Only pyarrow's own work may stand in the block.
        """
        info = cell.written
        try:
            yield
        except FileNotFoundError as error:
            raise CellMissing(info.table, info.account, info.region, info.uri) from error
        except (*_NOT_READABLE, ClientError, BotoCoreError) as error:
            if is_of_storage(error):
                with storage_errors(info.label, "read", info.uri):
                    raise
            reason = f"its rows are damaged: {' '.join(str(error).split()).rstrip('.')}"
            with contextlib.suppress(StorageError), storage_errors(info.label, "marked as damaged", info.uri):
                self.files.add_note(cell.path, _DAMAGED, to_damage_note(info, reason))
            raise CellUnusable(info.table, info.account, info.region, info.uri, reason) from error

    def _warn_once(self, file: CellFile, error: CellUnusable) -> None:
        if UNUSABLE_FILES.note(error.uri, file.size, file.version, error.reason):
            self.warn(str(error))


@dataclass(frozen=True)
class _Cell:
    """A cell that can be used: `written` is what its file says, `info` the same as the last sync confirmed it."""

    path: str
    file: CellFile
    written: CellInfo
    info: CellInfo
    older: OlderColumns | None = None
    """how its columns are read, where an older version of the project wrote them"""


@dataclass(frozen=True)
class CellDataset:
    """A cell to select and filter from. Raises `CellUnusable` where the rows that are asked for are damaged."""

    store: Store
    cell: _Cell

    def batches(self, columns: Sequence[str], *any_of: Wanted) -> Iterator[pa.RecordBatch]:
        """The chosen columns of the rows that fit one of `any_of` (all rows without), streamed."""
        schema = self._schema_of(columns)
        for batch in self.store._batches(self.cell, columns, Selection(any_of)):
            if batch.num_rows:
                yield batch.select(list(columns)).cast(schema)

    def to_table(self, columns: Sequence[str] | None = None, *any_of: Wanted) -> pa.Table:
        """The same as one table; without `columns` all of them."""
        chosen = self._names if columns is None else columns
        return pa.Table.from_batches(self.batches(chosen, *any_of), self._schema_of(chosen))

    def head(self, count: int) -> pa.Table:
        """The first rows."""
        first = next(self.batches(self._names), None)
        schema = self._schema_of(self._names)
        return schema.empty_table() if first is None else pa.Table.from_batches([first]).slice(0, count)

    @property
    def _names(self) -> list[str]:
        return arrow_schema(TABLES[self.cell.written.table].row_type).names

    def _schema_of(self, columns: Sequence[str]) -> pa.Schema:
        whole = arrow_schema(TABLES[self.cell.written.table].row_type)
        return pa.schema([whole.field(name) for name in columns])


_known = KnownFooters()
