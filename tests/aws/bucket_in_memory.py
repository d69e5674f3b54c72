"""A bucket in memory that answers listings as S3 does, and a slow, obvious account of the data objects in it.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
"""

import random
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from raito_pipeline.aws.data_objects.subtree import Subtree
from raito_pipeline.aws.readers.s3 import KeyPage
from raito_pipeline.aws.readers.s3_objects import ScanReport, write_s3_objects
from raito_pipeline.config.groups import S3Options
from raito_pipeline.model import DataObject, S3Bucket
from raito_pipeline.storage import Store

ACCOUNT, REGION = "111122223333", "eu-west-1"


@dataclass
class Buckets:
    """Buckets by name, with the listings that were asked for. `shuffled` answers after a time that varies."""

    keys: dict[str, list[str]]
    page_size: int = 3
    shuffled: random.Random | None = None
    asked: list[dict[str, object]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.keys = {name: sorted(set(keys), key=str.encode) for name, keys in self.keys.items()}

    def page(
        self,
        bucket: str,
        *,
        prefix: str = "",
        start_after: str = "",
        token: str = "",
        delimiter: str = "",
        limit: int = 0,
    ) -> KeyPage:
        self.asked.append({"bucket": bucket, "prefix": prefix, "start_after": start_after, "delimiter": delimiter})
        if self.shuffled:
            time.sleep(self.shuffled.random() / 2000)
        entries = self._entries(bucket, prefix, start_after, delimiter)
        entries = [entry for entry in entries if entry > token]
        size = limit or self.page_size
        page, more = entries[:size], len(entries) > size
        prefixes = [e for e in page if delimiter and e.endswith(delimiter) and e != prefix]
        keys = [e for e in page if e not in prefixes]
        return KeyPage(keys, prefixes, page[-1] if more else None)

    def _entries(self, bucket: str, prefix: str, start_after: str, delimiter: str) -> list[str]:
        found: dict[str, None] = {}
        for key in self.keys[bucket]:
            if not key.startswith(prefix) or key.encode() <= start_after.encode():
                continue
            cut = key.find(delimiter, len(prefix)) + 1 if delimiter else 0
            found[key[:cut] if cut else key] = None
        return list(found)


def bucket_row(name: str, *, included: bool = True, region: str | None = REGION) -> S3Bucket:
    return S3Bucket(name, region, None, included, None)


def scanned(
    folder: Path,
    buckets: Buckets,
    folders: S3Options | None = None,
    *,
    concurrency: int = 1,
    subtree: Subtree | None = None,
    marks: str = "",
) -> tuple[list[DataObject], ScanReport]:
    """The data objects of all buckets, through a store, and the report. `marks` are those of a sync before."""
    store = Store.open(folder)
    options = (folders or S3Options()).model_copy(update={"aws_concurrency": concurrency})
    rows = [bucket_row(name) for name in buckets.keys]
    with store.writer("data_objects", ACCOUNT, REGION) as writer:
        report = write_s3_objects(writer, buckets, ACCOUNT, REGION, rows, options, subtree, marks=marks)
    return list(store.rows(DataObject, ACCOUNT, REGION)), report


def expected(bucket: str, keys: Iterable[str], options: S3Options) -> set[tuple[str, str, str]]:
    """Full name, type and parent of everything in a bucket, thought out key by key."""
    full = f"{ACCOUNT}:{REGION}:{bucket}"
    if not options.aws_s3_emulate_folder_structure:
        return {(full, "bucket", ACCOUNT), *((f"{full}/{key}", "file", full) for key in keys)}
    folders: set[tuple[str, ...]] = set()
    files: set[tuple[str, ...]] = set()
    for key in keys:
        *above, last = key.split("/")
        folders |= {tuple(above[: n + 1]) for n in range(min(len(above), options.aws_s3_max_folder_depth))}
        if last and len(above) < options.aws_s3_max_folder_depth:
            files.add((*above, last))

    def name(path: Sequence[str]) -> str:
        return "/".join([full, *path])

    rows = {(full, "bucket", ACCOUNT)}
    rows |= {(name(path), "folder", name(path[:-1])) for path in folders}
    for path in files:
        own = f"{full}:file/{'/'.join(path)}" if path in folders else name(path)
        rows.add((own, "file", name(path[:-1])))
    return rows
