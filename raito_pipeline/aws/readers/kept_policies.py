"""The kept copy of the policies that AWS itself maintains: documents for credentials that may not read them.

These documents are public, and what a version holds never changes: where AWS names the version that the copy has, its
document is the very one. Where AWS has another version, the copy is older, and whoever reads the row is told.

`aws_managed_policies.parquet` beside this module is the copy: its columns are those of `KeptPolicy`, its rows sorted by
ARN in small row groups, so that one policy is found without reading the others. Where it is from, under which licences
and of which day stands in `aws_managed_policies.md`; `make managed-policies` refreshes it from AWS.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from raito_pipeline.storage.selection import Selection

COPY = Path(__file__).with_name("aws_managed_policies.parquet")
_ROW_GROUP = 64
"""Policies that are read to find one, of 25 parts of the file."""
_TYPES: dict[str, pa.DataType] = {
    "arn": pa.string(),
    "version_id": pa.string(),
    "as_of": pa.date32(),
    "document": pa.string(),
}
_SCHEMA = pa.schema(_TYPES)


@dataclass(frozen=True, slots=True)
class KeptPolicy:
    """A policy of AWS as it was on a day."""

    arn: str
    version_id: str
    """version that was in force, `v1`"""
    as_of: date
    """day on which it was"""
    document: str
    """JSON text"""


def kept_policy(arn: str, copy: Path = COPY) -> KeptPolicy | None:
    """A policy of the copy by its ARN; None where the copy does not have it. It has those of `arn:aws:` alone."""
    return next(_read(copy, Selection([{"arn": [arn]}])), None)


def kept_policies(copy: Path = COPY, *, arns: Collection[str] | None = None) -> dict[str, KeptPolicy]:
    """The copy by ARN: all of it, or what it has of these ARNs."""
    wanted = Selection() if arns is None else Selection([{"arn": arns}])
    return {policy.arn: policy for policy in _read(copy, wanted)}


def _read(copy: Path, wanted: Selection) -> Iterator[KeptPolicy]:
    with pq.ParquetFile(copy) as file:
        for batch in file.iter_batches(row_groups=wanted.row_groups(file.metadata)):
            yield from (KeptPolicy(**row) for row in wanted.of(batch).cast(_SCHEMA).to_pylist())


def keep_policies(policies: Iterable[KeptPolicy], copy: Path = COPY) -> None:
    """Write a copy; the same policies make the same file."""
    rows = sorted(policies, key=lambda row: row.arn)
    columns = {name: [getattr(row, name) for row in rows] for name in _SCHEMA.names}
    table = pa.table(columns, schema=_SCHEMA)
    pq.write_table(
        table, copy, row_group_size=_ROW_GROUP, compression="zstd", compression_level=19, use_dictionary=False
    )
