"""Which of the paths that policies name are data objects of the account, and which buckets are of other targets."""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from raito_pipeline.aws.access.known_paths import FILE, FOLDERS, file_names, file_patterns, known_paths
from raito_pipeline.aws.access.other_buckets import lets_in
from raito_pipeline.aws.data_objects.names import parse_full_name
from raito_pipeline.aws.data_objects.unread import UNREAD_BUCKETS
from raito_pipeline.aws.policy.claims import KnownPaths, OtherBucket, WantedPaths
from raito_pipeline.config import AccountTarget
from raito_pipeline.config.options import OtherAccount
from raito_pipeline.model import S3BucketPolicy
from raito_pipeline.model.batches import texts
from raito_pipeline.orchestration.access.bucket_owners import BucketOwners
from raito_pipeline.storage import CellMissing, Store


def known_paths_of(store: Store, owners: BucketOwners, target: AccountTarget, wanted: WantedPaths) -> KnownPaths:
    """Those of the paths that policies name that are data objects, and those of the buckets that are of other targets.

    Data objects are those of all regions that were read.
    """
    if target.aws_glue_enabled:
        # A Glue catalog does not say which keys there are.
        wanted = replace(wanted, patterns=set())
    known = known_paths(
        wanted,
        data_objects_named(store, target.partition, target.account_id, wanted),
        listed=frozenset(_listed_buckets(store, target.partition)) if wanted.patterns else (),
        max_depth=target.aws_s3_max_folder_depth if target.aws_s3_emulate_folder_structure else None,
    )
    return replace(known, others=dict(_other_buckets(store, owners, target.account_id, wanted.others)))


def _other_buckets(
    store: Store, owners: BucketOwners, account_id: str, names: Collection[str]
) -> Iterator[tuple[str, OtherBucket]]:
    """Those of some buckets that other accounts of the file have, as they were last read."""
    by_account: dict[str, list[tuple[str, OtherAccount]]] = {}
    for name, target in owners.of(names, account_id).items():
        by_account.setdefault(target.partition, []).append((name, target))
    for partition, buckets in by_account.items():
        policies = {row.bucket: row for row in store.earlier(S3BucketPolicy, partition)}
        for name, target in buckets:
            owner = f"account {target.account_id} (target {target.name})"
            yield name, OtherBucket(owner, lets_in(policies[name], account_id) if name in policies else None)


def data_objects_named(store: Store, account: str, account_id: str, wanted: WantedPaths) -> Iterator[tuple[str, str]]:
    """Full names and types of the files that are asked for, and of all folders where some of them are."""
    for region in store.regions("data_objects", account) if wanted else ():
        names, by_pattern = list(file_names(wanted, account_id, region)), bool(wanted.patterns)
        files = {"type": [FILE]} if by_pattern else {"type": [FILE], "full_name": names}
        folders = [{"type": FOLDERS}] if wanted.beginnings or by_pattern else []
        with suppress(CellMissing):
            objects = store.dataset("data_objects", account, region)
            for batch in objects.batches(["full_name", "type"], files, *folders):
                # Whoever reads the names takes a pattern out that too much matches: the next batches go without it.
                wanted_rows = _asked_for(batch, names, file_patterns(wanted)) if by_pattern else batch
                yield from zip(texts(wanted_rows, "full_name"), texts(wanted_rows, "type"), strict=True)


def _asked_for(batch: pa.RecordBatch, names: Sequence[str], patterns: Iterable[str]) -> pa.RecordBatch:
    """The folders of a batch, and its files of some names or patterns."""
    column: Any = batch.column("full_name")
    kind: Any = batch.column("type")
    folders: Any = pc.invert(pc.is_in(kind, value_set=pa.array([FILE])))
    chosen: Any = pc.or_(folders, pc.is_in(column, value_set=pa.array(names, pa.string())))
    for pattern in patterns:
        chosen = pc.or_(chosen, pc.match_substring_regex(column, pattern))
    return batch.filter(chosen)


def _listed_buckets(store: Store, account: str) -> Iterator[str]:
    """The names of the buckets whose keys are all among the data objects."""
    for region in store.regions("data_objects", account):
        info = store.info("data_objects", account, region)
        if info is None or UNREAD_BUCKETS not in info.extra:
            continue
        unread = json.loads(info.extra[UNREAD_BUCKETS])
        with suppress(CellMissing):
            buckets = store.dataset("data_objects", account, region).to_table(["full_name"], {"type": ["bucket"]})
            names = (parse_full_name(name) for name in texts(buckets, "full_name") if name not in unread)
            yield from (place.bucket for place in names if place is not None)
