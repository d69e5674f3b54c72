"""Which rows of a cell are wanted, decided a row group and a record batch at a time.

pyarrow's own module for this, `pyarrow.dataset`, loads pandas into each process.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

Wanted = Mapping[str, Collection[Any]]
"""By column, the values of which a row has one: a row has to fit in all columns."""


@dataclass(frozen=True)
class Selection:
    """The rows that fit at least one of `any_of`; all rows where there is none."""

    any_of: Sequence[Wanted] = ()
    _sets: dict[tuple[int, str], Any] = field(default_factory=dict, compare=False)

    @property
    def columns(self) -> frozenset[str]:
        """The columns that decide."""
        return frozenset(column for wanted in self.any_of for column in wanted)

    def row_groups(self, footer: pq.FileMetaData) -> list[int]:
        """The row groups that may hold such rows, by the least and greatest value that the footer says of each."""
        return [n for n in range(footer.num_row_groups) if self._may_hold(footer.row_group(n))]

    def of(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The wanted rows of a batch."""
        if not self.any_of:
            return batch
        return batch.filter(reduce(pc.or_, (self._fits(batch, number) for number in range(len(self.any_of)))))

    def _fits(self, batch: pa.RecordBatch, number: int) -> Any:
        flags = []
        for name, values in self.any_of[number].items():
            column: Any = batch.column(batch.schema.get_field_index(name))
            if (number, name) not in self._sets:
                self._sets[number, name] = pa.array(list(values), column.type)
            flags.append(pc.is_in(column, value_set=self._sets[number, name]))
        return reduce(pc.and_, flags)

    def _may_hold(self, group: pq.RowGroupMetaData) -> bool:
        if not self.any_of:
            return True
        chunks = [group.column(n) for n in range(group.num_columns)]
        said = {chunk.path_in_schema: chunk.statistics for chunk in chunks if chunk.path_in_schema in self.columns}
        return any(all(_may_be(said[column], values) for column, values in wanted.items()) for wanted in self.any_of)


def _may_be(said: Any, values: Collection[Any]) -> bool:
    """Whether a column can have one of these values; where it does not say how large its values are, it can."""
    if said is None or not said.has_min_max:
        return True
    least, greatest = said.min, said.max
    return any(type(value) is not type(least) or least <= value <= greatest for value in values)
