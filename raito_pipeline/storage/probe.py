"""Whether the tables can be stored: a small file is written where they lie, and deleted again."""

import posixpath
import uuid

import pyarrow as pa

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
    file = posixpath.join(store.root, f".probe-{uuid.uuid4().hex}")
    try:
        store.filesystem.create_dir(store.root, recursive=True)
        try:
            with store.filesystem.open_output_stream(file) as stream:
                stream.write(b"raito-pipeline looks whether it can write here\n")
        finally:
            store.filesystem.delete_file(file)
    except (OSError, pa.ArrowException) as error:
        raise StorageUnusable(store.scheme + store.root, " ".join(str(error).split())) from error
