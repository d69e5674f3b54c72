"""Which accounts of the file have the buckets that the policies of another one name.

To read the buckets of all accounts for each of them would be a million calls for a thousand accounts. So each account
remembers where it met a bucket, and as of when: only the accounts are read again that had one, and those whose buckets
were written since, which one listing of the storage says.
"""

import json
import posixpath
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from raito_pipeline.config.options import OtherAccount
from raito_pipeline.model import S3Bucket, table_of
from raito_pipeline.storage import Store
from raito_pipeline.storage.errors import storage_errors

REMEMBERED: Final = "buckets of others"
"""Key in what a cell notes: the account of each bucket that was asked for (null: none has it), and as of when."""
_TABLE = table_of(S3Bucket).name
_LEVEL = "account="
_FEW = 3
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass
class BucketOwners:
    """Looks up buckets in the accounts of a file, as an account knew them last; `noted` is what it notes for the next
    time."""

    store: Store
    targets: Sequence[OtherAccount]
    remembered: Mapping[str, str | None] = field(default_factory=dict)
    as_of: datetime = _NEVER
    noted: str = ""

    @classmethod
    def remembering(cls, store: Store, targets: Sequence[OtherAccount], noted: str) -> "BucketOwners":
        """Those of the accounts of a file, with what was noted the last time (empty: nothing)."""
        if not noted:
            return cls(store, targets)
        said = json.loads(noted)
        return cls(store, targets, dict(said["owners"]), datetime.fromisoformat(said["as of"]), noted)

    def of(self, names: Collection[str], account_id: str) -> dict[str, OtherAccount]:
        """The target of each of these buckets that another account than this one has, as its buckets were last read.

        Raises `StorageError`.
        """
        owners: dict[str, OtherAccount] = {}
        if not names:
            return owners
        written = self._written()
        others = {each.partition: each for each in self.targets if each.account_id != account_id}
        first, since, rest = self._in_turn(names, [key for key in others if key in written], written)
        new = [name for name in names if name not in self.remembered]
        for keys, sought in (((*first, *since), names), (rest, new)):
            for key in keys:
                if all(name in owners for name in sought):
                    break
                self._meet(others[key], names, owners)
        self._note(names, owners, max(written.values(), default=_NEVER), len(since))
        return owners

    def _in_turn(
        self, names: Collection[str], keys: Sequence[str], written: Mapping[str, datetime]
    ) -> tuple[list[str], list[str], list[str]]:
        """The accounts that had one of the buckets, those whose buckets were written since, and the others."""
        before = dict.fromkeys(self.remembered.get(name) for name in sorted(names))
        first = [key for key in before if key is not None and key in keys]
        others = [key for key in keys if key not in before]
        since = [key for key in others if written[key] >= self.as_of]
        return first, since, [key for key in others if written[key] < self.as_of]

    def _meet(self, target: OtherAccount, names: Collection[str], owners: dict[str, OtherAccount]) -> None:
        """Note which of the buckets an account has. Raises `StorageError`."""
        for row in self.store.earlier(S3Bucket, target.partition):
            if row.name in names:
                owners.setdefault(row.name, target)

    def _note(self, names: Collection[str], owners: Mapping[str, OtherAccount], as_of: datetime, read: int) -> None:
        """Note for the next time whose buckets these are; where that is as it was, and little was read again, it stays.

        A new note makes the table that it stands in another one.
        """
        known = {name: owners[name].partition if name in owners else None for name in sorted(names)}
        if known != self.remembered or read > _FEW:
            self.noted = json.dumps({"as of": as_of.isoformat(), "owners": known})

    def _written(self) -> dict[str, datetime]:
        """When the buckets of each account were written last, by partition: one call for a thousand on S3."""
        folder = posixpath.join(self.store.root, _TABLE)
        with storage_errors(f"the files of {_TABLE}", "listed", self.store.files.scheme + folder):
            files = self.store.files.below(folder)
        written: dict[str, datetime] = {}
        for file in files:
            level = file.path.removeprefix(f"{folder}/").partition("/")[0]
            if level.startswith(_LEVEL) and file.mtime is not None:
                key, at = level.removeprefix(_LEVEL), file.mtime.astimezone(UTC)
                written[key] = max(written.get(key, _NEVER), at)
        return written
