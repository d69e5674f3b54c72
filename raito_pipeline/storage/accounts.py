"""All stored tables of an account at once: where they lie, moved to another key, removed."""

import posixpath
from collections.abc import Iterator

import pyarrow.fs as pafs

from raito_pipeline.model.tables import TABLES
from raito_pipeline.storage.errors import storage_errors
from raito_pipeline.storage.files import NOTES, PLANS
from raito_pipeline.storage.store import Store

_BLOCK = 2**20


def files_of_account(store: Store, account: str, region: str | None = None) -> Iterator[pafs.FileInfo]:
    """The files of the tables of an account (or of one of its regions), table by table, then those of its plans.

    Raises `StorageError`.
    """
    for name in _folders(regional=region is not None):
        folder = posixpath.join(store.root, name, f"account={account}")
        if region is not None:
            folder = posixpath.join(folder, f"region={region}")
        with storage_errors(f"{name} of {account}", "listed", store.files.scheme + folder):
            files = store.files.below(folder)
        yield from files


def _folders(*, regional: bool) -> list[str]:
    if regional:
        return [name for name, spec in TABLES.items() if spec.partitioned_by == "account_region"]
    return [*(name for name, spec in TABLES.items() if spec.partitioned_by != "organization"), PLANS]


def table_of_file(store: Store, path: str) -> str:
    """The table (or other folder of the storage) that a file is of."""
    return posixpath.relpath(path, store.root).split("/")[0]


def move_account(store: Store, account: str, to: str) -> int:
    """Move all tables of an account to another key, where they replace what is there; gives how many files.

    A file is removed only after it was written anew: who is interrupted moves the rest the next time. Raises
    `StorageError`.
    """
    count = 0
    for info in files_of_account(store, account):
        parts = posixpath.relpath(info.path, store.root).split("/")
        target = posixpath.join(store.root, parts[0], f"account={to}", *parts[2:])
        with storage_errors(f"{parts[0]} of {account}", f"moved to {to}", store.files.scheme + info.path):
            _copy(store, info.path, target)
            store.files.delete(info.path)
        count += 1
    return count


def remove_account(store: Store, account: str, region: str | None = None) -> int:
    """Remove all tables of an account, or those of one of its regions; gives how many files. Raises `StorageError`."""
    count = 0
    for info in files_of_account(store, account, region):
        table = table_of_file(store, info.path)
        with storage_errors(f"{table} of {account}", "removed", store.files.scheme + info.path):
            store.files.delete(info.path)
        count += 1
    if region is None:
        _remove_notes(store, account)
    return count


def _remove_notes(store: Store, account: str) -> None:
    """Remove what is noted of the tables of an account, where that is apart from them (on S3)."""
    notes = posixpath.join(store.root, NOTES, f"account={account}.json")
    with storage_errors(f"the notes of {account}", "removed", store.files.scheme + notes):
        if store.files.read(notes) is not None:
            store.files.delete(notes)


def _copy(store: Store, path: str, target: str) -> None:
    file = store.files.cell(path)
    if file is None:
        return  # another process moves it at the same time
    sink = store.files.sink(target)
    try:
        with file.open() as source:
            while block := source.read(_BLOCK):
                sink.stream.write(block)
        sink.commit()
    except BaseException:
        sink.discard()
        raise
