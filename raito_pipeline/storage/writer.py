"""How one cell is written: in row groups, whole or not at all."""

import contextlib
import hashlib
import json
import uuid
from collections import Counter
from collections.abc import Iterable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from raito_pipeline.model.schema import arrow_schema, schema_version, to_batch
from raito_pipeline.model.tables import TABLES
from raito_pipeline.storage.cells import (
    REPLACES,
    UPGRADES,
    CellInfo,
    ReadStatus,
    cell_label,
    from_metadata,
    to_metadata,
)
from raito_pipeline.storage.errors import storage_errors
from raito_pipeline.storage.files import Files
from raito_pipeline.storage.unusable import OLDER_FILES, UNUSABLE_FILES

_BATCH_ROWS = 8_192
_MOST_ALIKE = 10


class WrittenInto(Protocol):
    """What a writer needs of the store that it writes into."""

    @property
    def files(self) -> Files: ...
    @property
    def run_id(self) -> str: ...
    @property
    def sync(self) -> str: ...
    def path(self, table: str, account: str, region: str | None = None) -> str: ...
    def uri(self, table: str, account: str, region: str | None = None) -> str: ...
    def same(
        self, table: str, account: str, region: str | None, content: str, read_at: datetime
    ) -> CellInfo | None: ...


class CellWriter:
    """Writes one cell; use as a context manager. Leaving it normally publishes the cell, an exception discards it.

    `status` and `problems` may be set at any time before the end; adding a problem to a complete cell makes it
    partial. Entering, writing and leaving raise `StorageError` where the storage fails: the old cell stays then, and
    nothing else is left.
    """

    def __init__(self, store: WrittenInto, table: str, account: str, region: str | None) -> None:
        self._store = store
        self._place = (table, account, region)
        self._schema = arrow_schema(TABLES[table].row_type)
        self._path = store.path(table, account, region)
        self.status = ReadStatus.COMPLETE
        self.problems: list[str] = []
        self._alike: Counter[str] = Counter()
        self._tenth: dict[str, tuple[str, str]] = {}
        """by kind: a problem in its own words, and as it stands in `problems`"""
        self.read_at = datetime.now(UTC)
        self.extra: dict[str, str] = {}
        self.rows = 0
        self._waiting: list[pa.RecordBatch] = []
        self._rows_in_groups = 0
        self.info: CellInfo | None = None

    def __enter__(self) -> "CellWriter":
        with self._writing():
            self._sink = self._store.files.sink(self._path)
            self._writer = pq.ParquetWriter(
                self._sink.stream, self._schema, compression="zstd", write_page_checksum=True
            )
        return self

    def write_batch(self, batch: pa.RecordBatch) -> None:
        """Append a record batch that has the schema of the table. Small ones are put together to one row group."""
        self._waiting.append(batch)
        self.rows += batch.num_rows
        if self.rows - self._rows_in_groups >= _BATCH_ROWS:
            self._write_waiting()

    def _write_waiting(self) -> None:
        if self._waiting:
            table = pa.Table.from_batches(self._waiting)
            with self._writing():
                self._writer.write_table(table)
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

    def add_problem(self, problem: str, each_of: str = "") -> None:
        """Say that something could not be read: the cell is no longer complete.

        `each_of` is for what a cell may have hundred thousands of, and names them: `log files`. Ten of them are told in
        their own words, the last of these with how many more there are: problems are part of messages.
        """
        self._alike[each_of] += 1
        more = self._alike[each_of] - _MOST_ALIKE if each_of else 0
        if more <= 0:
            self._tenth[each_of] = problem, problem
            self.problems.append(problem)
        else:
            said, shown = self._tenth[each_of]
            # In the words of `connection.errors.grouped`, which `repair` knows.
            line = f"{said} The same for {more} more {each_of}."
            self.problems[self.problems.index(shown)] = line
            self._tenth[each_of] = said, line
        if self.status is ReadStatus.COMPLETE:
            self.status = ReadStatus.PARTIAL

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._discard()
            return
        try:
            self._publish()
        except BaseException:
            self._discard()
            raise

    def _publish(self) -> None:
        self._write_waiting()
        content = self._content()
        same = self._store.same(*self._place, content, self.read_at) if content else None
        if same is not None:
            self._discard()
            self.info = same
            return
        self._note_what_is_replaced()
        metadata = self._metadata(content)
        with self._writing():
            self._writer.add_key_value_metadata(metadata)
            self._writer.close()
            size = self._sink.stream.tell()
            self._sink.commit()
        table, account, region = self._place
        self.info = from_metadata(
            {name.encode(): value.encode() for name, value in metadata.items()},
            table=table,
            account=account,
            region=region,
            uri=self._store.uri(table, account, region),
            rows=self.rows,
            size=size,
        )

    def _content(self) -> str:
        """A digest of the rows and of how they were read; empty where telling the same from new would save nothing.

        The bytes of equal rows are equal up to the footer, as long as the same version of pyarrow writes them.
        """
        unsent = self._sink.unsent
        if unsent is None:
            return ""
        said = [self.status.value, self.problems, dict(sorted(self.extra.items())), self._version]
        digest = hashlib.blake2b(unsent, digest_size=16)
        digest.update(json.dumps(said).encode())
        return digest.hexdigest()

    def _note_what_is_replaced(self) -> None:
        uri = self._store.uri(*self._place)
        for name, known in ((REPLACES, UNUSABLE_FILES), (UPGRADES, OLDER_FILES)):
            before = known.replaced(uri)
            if before is not None:
                self.extra[name] = before

    def _metadata(self, content: str) -> dict[str, str]:
        return to_metadata(
            self.status,
            tuple(self.problems),
            self.read_at,
            self.extra,
            run_id=self._store.run_id,
            sync=self._store.sync,
            file_id=uuid.uuid4().hex,
            rows=self.rows,
            schema=self._version,
            content=content,
        )

    @property
    def _version(self) -> str:
        return schema_version(TABLES[self._place[0]].row_type)

    def _discard(self) -> None:
        with contextlib.suppress(OSError, pa.ArrowException):
            self._writer.close()
        # Where closing fails the writer stays open, and would try again while it is thrown away.
        self._writer.is_open = False
        self._sink.discard()

    def _writing(self) -> AbstractContextManager[None]:
        return storage_errors(cell_label(*self._place), "written", self._store.uri(*self._place))
