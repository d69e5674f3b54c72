"""Whether the tables can be stored: a small file is written where they lie, and deleted again."""

import posixpath
import uuid

from raito_pipeline.storage.errors import StorageError, storage_errors
from raito_pipeline.storage.files import put
from raito_pipeline.storage.s3 import S3Files
from raito_pipeline.storage.store import Store


class StorageUnusable(Exception):
    """Nothing can be stored at the address of `pipeline: storage:`."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(
            f"the storage {address} cannot be written: {reason}. Check its rights and free space, or set "
            "pipeline: storage: to another place; nothing was read."
        )
        self.address, self.reason = address, reason


def require_writable(store: Store) -> None:
    """Write and delete a file below the root of the store. Raises `StorageUnusable`.

    A store of S3 has to keep to conditions as well: one that takes them and writes all the same gives two syncs the
    lease of one account.
    """
    address = store.files.scheme + store.root
    file = posixpath.join(store.root, f".probe-{uuid.uuid4().hex}")
    try:
        with storage_errors("the storage", "written", address):
            put(store.files, file, b"raito-pipeline looks whether it can write here\n")
            try:
                kept_apart = not isinstance(store.files, S3Files) or store.files.keeps_to_conditions(file)
            finally:
                store.files.delete(file)
    except StorageError as error:
        raise StorageUnusable(address, error.reason) from error
    if not kept_apart:
        reason = "it takes `If-None-Match` and writes all the same, so that two syncs at once are not kept apart"
        raise StorageUnusable(address, reason)
