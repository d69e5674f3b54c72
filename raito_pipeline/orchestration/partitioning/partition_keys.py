"""Tables follow their target: where its partition key is not what it was at its last sync, they are moved first.

The first target of an account in the file has the key `ACCOUNT`, each other one `ACCOUNT-TARGET`: a target that is
added below changes no key. A target that is put above another one of its account, or taken out above it, does; so did
the rule of earlier versions (`ACCOUNT-TARGET` for all of them). What syncs stored then (what Raito Cloud took, which
log files were read, what was pushed) is still about the same target, and is wanted under its new key.
(docs/decisions/0015-partition-keys.md)
"""

from collections.abc import Iterator
from dataclasses import dataclass

from raito_pipeline.config import AccountTarget, Options
from raito_pipeline.config.names import as_key
from raito_pipeline.model import TABLES, ImportResult
from raito_pipeline.storage import Store
from raito_pipeline.storage.accounts import move_account
from raito_pipeline.storage.lease import Leases

_FIRST = "s3_buckets"
"""a table that every sync of an account writes"""


class KeyInUse(Exception):
    """The tables of a target lie under the key of another one, which is being synced at this moment."""

    def __init__(self, target: str, old: str, new: str) -> None:
        super().__init__(
            f"the tables of the target {target} are to be moved from {old} to {new}, and a sync of {old} is under way: "
            "nothing was done. Sync it again after that."
        )


@dataclass(frozen=True)
class Move:
    """Tables of a target that lie under another key than its own."""

    target: str
    old: str
    new: str


def settle_key(options: Options, store: Store, key: str) -> tuple[str, ...]:
    """Move what is stored of the target with this key to it, a line each; called at the start of a sync of the key.

    What another target of the account had left under the key goes to that one's own first. Raises `KeyInUse`,
    `StorageError`.
    """
    said = []
    leases = Leases(options.pipeline.storage)
    for move in _moves(options, store, options.account(key)):
        other = move.old if move.new == key else move.new
        if leases.under_way(other) is not None:
            raise KeyInUse(move.target, move.old, move.new)
        count = move_account(store, move.old, move.new)
        said.append(f"the tables of the target {move.target} moved from {move.old} to {move.new} ({count} files)")
    return tuple(said)


def _moves(options: Options, store: Store, target: AccountTarget) -> Iterator[Move]:
    account, key, long = as_key(target.account_id), target.partition, long_key(target)
    others = options.others_of_account(target)
    if key != account:
        if others and not _is_stored(store, key) and _whose(store, account) == target.name:
            yield Move(target.name, account, key)
        return
    if others:
        whose = _whose(store, account)
        for other in others:
            if other.name == whose and not _is_stored(store, other.partition):
                yield Move(other.name, account, other.partition)
    if _is_stored(store, long):
        yield Move(target.name, long, account)


def long_key(target: AccountTarget) -> str:
    """The key of a target that is not the first of its account, and of every one of several in earlier versions."""
    return as_key(f"{target.account_id}-{target.name}")


def _is_stored(store: Store, key: str) -> bool:
    # Whoever declares tables of their own may have taken ours out.
    if _FIRST not in TABLES:
        return False
    return store.info(_FIRST, key) is not None or store.unusable(_FIRST, key) is not None


def _whose(store: Store, key: str) -> str | None:
    """The name of the target whose imports are stored under a key; None where there are none."""
    for name, spec in TABLES.items():
        if spec.row_type is ImportResult and spec.partitioned_by == "account":
            for row in store.earlier(ImportResult, key, table=name):
                return row.target
    return None
