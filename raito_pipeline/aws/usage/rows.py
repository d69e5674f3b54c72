"""Records of many log files -> rows of `usage_statements`, as a record batch.

This runs for every record that CloudTrail has written: it avoids whatever costs a tenth of a microsecond. Nearly all
records are plain: of a call on one object, and on no version of it. They are taken apart in one short loop, and what
can be asked for many of them at once (which data objects are known) is. All others go to `StatementMaker.make`, which
gives the same for a plain record.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from raito_pipeline.aws.usage.events import plain_event
from raito_pipeline.aws.usage.known import Target
from raito_pipeline.aws.usage.records import Parameters, Record
from raito_pipeline.aws.usage.statements import (
    BUCKET,
    OBJECT,
    S3,
    SkipReason,
    StatementMaker,
    UsageEntry,
    moved,
    seconds,
)
from raito_pipeline.model import UsageStatement
from raito_pipeline.model.schema import arrow_schema

_SCHEMA: Any = arrow_schema(UsageStatement)
_WIDTH = 9
Numbers = npt.NDArray[np.intp]


class Rows(NamedTuple):
    """Rows of `usage_statements`."""

    batch: pa.RecordBatch
    ids: list[str]
    """event ids, as in the batch"""
    of_file: Numbers
    """for each row, which of the files it is of"""


class StatementRows:
    """Collects the statements of log files."""

    def __init__(self, maker: StatementMaker) -> None:
        self._maker = maker
        self._clear()

    def __len__(self) -> int:
        return len(self._plain) // _WIDTH + len(self._others)

    def _clear(self) -> None:
        self._plain: list[Any] = []
        """the fields of one plain call after those of another, `_WIDTH` for each"""
        self._plain_counts: list[int] = []
        self._others: list[UsageEntry] = []
        self._other_counts: list[int] = []

    def add(self, records: Sequence[Record]) -> Counter[SkipReason]:
        """Append the statements of the next file; gives why records made none."""
        plain, others = len(self._plain), len(self._others)
        outcomes: Counter[SkipReason] = Counter()
        for record in self._add_plain(records):
            made = self._maker.make(record)
            if isinstance(made, UsageEntry):
                self._others.append(made)
            else:
                outcomes[made] += 1
        self._plain_counts.append((len(self._plain) - plain) // _WIDTH)
        self._other_counts.append(len(self._others) - others)
        return outcomes

    def _add_plain(self, records: Sequence[Record]) -> list[Record]:
        """Append the calls on one object, and no version of it; gives the records of all others."""
        rest: list[Record] = []
        add, people, folders, maker = self._plain.extend, self._maker.people, self._maker.folders, self._maker
        for record in records:
            resources, asked = record.resources, record.requestParameters
            if (
                record.eventCategory == "Data"
                and record.eventSource == S3
                and resources
                and (len(resources) == 1 or (len(resources) == 2 and resources[1].type == BUCKET))
                and resources[0].type == OBJECT
                and (type(asked) is not Parameters or asked.versionId is None)
            ):
                arn, identity = resources[0].ARN or "", bytes(record.userIdentity)
                slash = arn.rfind("/")
                above = arn[:slash]
                folder = folders.get(above) or maker.folder_of(above)
                person = people.get(hash(identity)) or maker.person(identity)
                event = plain_event(record.eventName)
                start, event_id = seconds(record.eventTime), record.eventID
                if folder and 0 < slash < len(arn) - 1 and event and person and start is not None and event_id:
                    code = record.errorCode or None
                    message = record.errorMessage if code else None
                    size = moved(record.additionalEventData)
                    add((event_id, start, person, code, message, size, event, arn, folder))
                    continue
            rest.append(record)
        return rest

    def take(self, file_keys: Sequence[str]) -> Rows:
        """The rows of all files so far, whose keys are `file_keys`; they are forgotten here."""
        fields = [self._plain[at::_WIDTH] for at in range(_WIDTH)]
        ids, starts, people, codes, messages, sizes, events, arns, folders = fields
        others = self._others
        accessed = [item for each in others for item in each.accessed]
        ids += [each.external_id for each in others]
        people += [each.person for each in others]
        codes += [each.status for each in others]
        files = np.arange(len(file_keys))
        of_file = np.concatenate([np.repeat(files, self._plain_counts), np.repeat(files, self._other_counts)])
        columns: dict[str, Any] = {
            "external_id": ids,
            "file_key": pa.array(file_keys, pa.string()).take(pa.array(of_file)),
            "accessed": _nested(
                [*self._maker.targets(arns, folders), *((name, kind) for name, kind, _, _ in accessed)],
                [event.permission for event in events] + [permission for _, _, permission, _ in accessed],
                [*repeat(None, len(arns)), *(right for _, _, _, right in accessed)],
                np.array([1] * len(arns) + [len(each.accessed) for each in others], np.int32),
            ),
            "global_permission": [each.global_permission for each in (*events, *others)],
            "user": [user for user, _ in people],
            "role": [role for _, role in people],
            "success": [code is None for code in codes],
            "status": codes,
            "error": messages + [each.error for each in others],
            "start_time": starts + [each.start_time for each in others],
            "bytes": np.array(sizes + [each.bytes for each in others], np.float64).astype(np.int64),
        }
        self._clear()
        arrays = [pa.array(columns[field.name], field.type) for field in _SCHEMA]
        return Rows(pa.RecordBatch.from_arrays(arrays, schema=_SCHEMA), ids, of_file)


def _nested(
    targets: Sequence[Target],
    permissions: Sequence[str],
    global_permissions: Sequence[str | None],
    counts: npt.NDArray[np.int32],
) -> "pa.Array[Any]":
    """The nested column, put together of its flat ones: a Python object for each value would take most of the time."""
    item = _SCHEMA.field("accessed").type.value_type
    name_type = item.field("data_object").type
    names = pa.StructArray.from_arrays(
        [pa.array([each[0] for each in targets], pa.string()), pa.array([each[1] for each in targets], pa.string())],
        fields=[name_type.field("full_name"), name_type.field("type")],
    )
    each_one = pa.array(np.arange(len(targets) + 1), pa.int32())
    single = pa.ListArray.from_arrays(each_one, pa.array(permissions, pa.string()))
    values = pa.StructArray.from_arrays(
        [names, single.cast(item.field("permissions").type), pa.array(global_permissions, pa.string())],
        fields=[item.field("data_object"), item.field("permissions"), item.field("global_permission")],
    )
    ends = pa.array(np.concatenate([[0], np.cumsum(counts)]), pa.int32())
    return pa.ListArray.from_arrays(ends, values).cast(_SCHEMA.field("accessed").type)
