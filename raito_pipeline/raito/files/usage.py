"""Usage statements, split over as many files as the largest permitted size asks for."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from raito_pipeline.raito.files.json_columns import BETWEEN, Strings, escaped, joined, optional, text_of, where
from raito_pipeline.raito.files.writer import ImportFile, JsonArrayWriter

_ROWS_AT_ONCE = 1_024
"""how many are there as text at a time: each of its parts and what they are put together of"""


def usage_elements(batch: pa.RecordBatch) -> Strings:
    """The statements of a batch (of `UsageStatement`) as JSON, one text each; an empty role, status or error is left
    out."""
    start: Any = batch.column("start_time")
    success: Any = batch.column("success")
    return joined(
        '{"externalId":"',
        escaped(batch.column("external_id")),
        '","accessedDataObjects":[',
        _accessed(batch.column("accessed"), batch.column("global_permission")),
        '],"user":"',
        escaped(batch.column("user")),
        '"',
        optional("role", batch.column("role")),
        ',"success":',
        success.cast(pa.string()),
        optional("status", batch.column("status")),
        ',"query":""',
        where(pc.not_equal(start, pa.scalar(0, pa.int64())), joined(',"startTime":', start.cast(pa.string()))),
        ',"bytes":',
        batch.column("bytes").cast(pa.string()),
        optional("error", batch.column("error")),
        "}",
    )


def _accessed(accessed: Any, global_permission: Strings) -> Strings:
    """The data objects of each statement, with a comma between them."""
    of_row = pc.list_parent_indices(accessed)
    items: Any = pc.list_flatten(accessed)
    objects = items.field("data_object")
    texts = joined(
        '{"permissions":[',
        _commas(items.field("permissions"), lambda names: joined('"', escaped(names), '"')),
        '],"globalPermission":"',
        escaped(pc.coalesce(items.field("global_permission"), global_permission.take(of_row))),
        '","dataObject":{"fullName":"',
        escaped(objects.field("full_name")),
        '","type":"',
        escaped(objects.field("type")),
        '"}}',
    )
    return _commas(accessed, lambda _items: texts)


def _commas(lists: Any, texts: Callable[[Strings], Strings]) -> Strings:
    """The texts of what each list holds, with a comma between them. `texts` makes them of all that the lists hold."""
    lengths: Any = pc.list_value_length(lists)
    ends = np.concatenate([[0], np.cumsum(np.asarray(lengths))])
    return pc.binary_join(pa.ListArray.from_arrays(pa.array(ends, pa.int32()), texts(pc.list_flatten(lists))), ",")


def write_usage(folder: Path, batches: Iterable[pa.RecordBatch], maximum_file_size: int) -> tuple[ImportFile, ...]:
    """Write `usage-0001.json`, `usage-0002.json`, ...: none longer than `maximum_file_size` bytes, unless one single
    statement is. No statements, no file."""
    writers: list[JsonArrayWriter] = []
    with ExitStack() as stack:
        for texts in map(usage_elements, _parts(batches)):
            text, ends = text_of(joined(texts, BETWEEN)), _ends(texts)
            at = 0
            while at < len(texts):
                after = _fitting(ends, at, writers[-1].room(maximum_file_size)) if writers else at
                if after == at:  # the next file takes one statement, however long it is
                    stack.close()
                    writer = JsonArrayWriter(folder / f"usage-{len(writers) + 1:04d}.json")
                    writers.append(stack.enter_context(writer))
                    after = max(at + 1, _fitting(ends, at, writer.room(maximum_file_size)))
                writers[-1].write_encoded(text[ends[at] : ends[after] - len(BETWEEN)], after - at)
                at = after
    return tuple(writer.file for writer in writers)


def _parts(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        for first in range(0, batch.num_rows, _ROWS_AT_ONCE):
            yield batch.slice(first, _ROWS_AT_ONCE)


def _ends(texts: Strings) -> npt.NDArray[np.int64]:
    """Where each text ends, with what stands between two; begins with 0."""
    lengths = np.asarray(pc.binary_length(texts)) + len(BETWEEN)
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])


def _fitting(ends: npt.NDArray[np.int64], at: int, room: int) -> int:
    """Up to which text those from `at` on fit so many bytes; `at` where not even that one does."""
    return max(at, int(np.searchsorted(ends, ends[at] + room, side="right")) - 1)
