"""Whether the tables can be stored: a small file is written where they lie, and deleted again."""

import posixpath
import uuid

from raito_pipeline.storage.errors import StorageError, storage_errors
from raito_pipeline.storage.files import put
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
    """Write and delete a file below the root of the store. Raises `StorageUnusable`."""
    address = store.files.scheme + store.root
    file = posixpath.join(store.root, f".probe-{uuid.uuid4().hex}")
    try:
        with storage_errors("the storage", "written", address):
            put(store.files, file, b"raito-pipeline looks whether it can write here\n")
            store.files.delete(file)
    except StorageError as error:
        raise StorageUnusable(address, error.reason) from error
