"""JSON of whole columns at once (Arrow): a Python object for each value would take most of the time of a large file."""

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

BETWEEN = ",\n"
"""stands between two elements of a file"""
Strings = Any
"""an array of strings; the type stubs of pyarrow lack what is done with it here"""


def joined(*parts: "Strings | str") -> Strings:
    """An array with a value a row: these put together, of which texts are the same in each row. A null makes a null."""
    join: Any = pc.binary_join_element_wise
    return join(*parts, "")


def text_of(lines: Strings) -> memoryview:
    """The text of a string array, one value after the other, as it lies in memory."""
    _, offsets, data = lines.buffers()
    if data is None or offsets is None or len(lines) == 0:
        return memoryview(b"")
    width = np.int64 if pa.types.is_large_string(lines.type) else np.int32
    ends = np.frombuffer(offsets, width)[lines.offset : lines.offset + len(lines) + 1]
    return memoryview(data)[int(ends[0]) : int(ends[-1])]


def escaped(column: Strings) -> Strings:
    """A column of strings, escaped for JSON where anything in it has to be."""
    if not _needs_escape(column):
        return column
    mask: Any = pc.match_substring_regex(column, pattern=r'["\\\x00-\x1f]')
    texts = [json.dumps(text, ensure_ascii=False)[1:-1] for text in column.filter(mask).to_pylist()]
    return pc.replace_with_mask(column, mask, pa.array(texts, pa.string()))


def _needs_escape(column: Strings) -> bool:
    data = np.frombuffer(text_of(column), np.uint8)
    return bool(((data < 0x20) | (data == 0x22) | (data == 0x5C)).any())


def where(condition: Any, text: Strings) -> Strings:
    """The text where a condition is true, else nothing."""
    return pc.if_else(condition, text, "")


def optional(name: str, column: Strings) -> Strings:
    """`,"NAME":"VALUE"` for each row; nothing where the value is null or empty."""
    if column.null_count == len(column):
        return pa.repeat("", len(column))
    filled: Strings = pc.fill_null(column, "")
    return where(pc.not_equal(filled, pa.scalar("", pa.string())), joined(f',"{name}":"', escaped(filled), '"'))
