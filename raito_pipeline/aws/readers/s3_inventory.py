"""The keys of a bucket out of its S3 Inventory, in place of listing it.

An inventory lies at `PREFIX/SOURCE-BUCKET/CONFIGURATION/YYYY-MM-DDTHH-MMZ/manifest.json`; the manifest names the data
files (CSV, Parquet, ORC), with their MD5. They are in no order, so the keys are sorted here, in parts that go to disk.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html
"""

import gzip
import hashlib
import heapq
import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby, islice
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.orc as pa_orc
import pyarrow.parquet as pq

from raito_pipeline.aws.connection.bodies import read_object
from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.aws.connection.errors import AwsError
from raito_pipeline.aws.readers.s3 import KeyPage, list_page
from raito_pipeline.aws.readers.s3_listing import Listed
from raito_pipeline.model.batches import texts
from raito_pipeline.storage.cells import ReadStatus
from raito_pipeline.storage.temporary import temporary_folder

TOO_OLD = timedelta(days=8)
"""S3 delivers an inventory every day or every week: none for longer than this means that it stopped."""
_SETTLED = timedelta(days=2)
"""S3 may leave out of an inventory what was written shortly before it was made."""
_DATED = re.compile(r"(\d{4}-\d\d-\d\dT\d\d-\d\dZ)/\Z")
_ONE_OF_THEM = re.compile(r"(?:(?:\A|/)\d{4}-\d\d-\d\dT\d\d-\d\dZ(?:/manifest\.json)?)?/*\Z")
"""What an address has at its end that is of a single inventory: it means where that lies."""
_COLUMNS = ("key", "islatest", "isdeletemarker")
_KEYS_A_PART = 250_000
_KEYS_A_PAGE = 10_000
_CHUNK = 1024 * 1024


class InventoryUnusable(Exception):
    """There is no inventory, or it is not what its manifest says. Nothing of it was used."""


@dataclass(frozen=True, slots=True)
class DataFile:
    """One data file of an inventory."""

    key: str
    md5: str
    """hexadecimal; empty where the manifest does not say"""
    size: int | None = None
    """bytes; null where the manifest does not say"""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an inventory says about itself."""

    created: datetime
    """when S3 began to make it: what changed since is not in it"""
    file_format: str
    """`CSV`, `PARQUET` or `ORC`"""
    columns: tuple[str, ...]
    """names of the columns of CSV files, in lower case without underscores; the others have them in each file"""
    files: tuple[DataFile, ...]


@dataclass(frozen=True, slots=True)
class SortedKeys:
    """A part of the keys of an inventory, in the order of S3, on disk."""

    file: Path
    first: str
    last: str


class InventoryOf:
    """The newest inventory of one bucket at `location`, `s3://BUCKET/PREFIX/`. Call it for the pages of keys.

    `bucket_region` is that of the bucket, `region` that of the one that holds the inventory. `created` is known after
    the first page.
    """

    def __init__(self, clients: AwsClients, bucket: str, location: str, region: str, bucket_region: str) -> None:
        self.bucket, self.location = bucket, location
        self.created: datetime | None = None
        self._clients, self._region, self._bucket_region = clients, region, bucket_region
        self._holder, _, prefix = location.removeprefix("s3://").partition("/")
        prefix = _ONE_OF_THEM.sub("", prefix).lstrip("/")
        self._prefix = f"{prefix}/" if prefix else ""

    def __call__(self) -> Iterator[KeyPage]:
        """The keys of the bucket in the order of S3. What goes wrong is a page with a problem, and no keys at all."""
        with temporary_folder("inventory") as folder:
            try:
                manifest = self.manifest()
                self.created = manifest.created
                parts = self._parts(manifest, folder)
                self._require_all_prefixes(parts, manifest.created)
            except AwsError as error:
                yield KeyPage(problem=f"inventory of {self.bucket}: {error}", status=error.status)
                return
            except InventoryUnusable as error:
                yield KeyPage(problem=f"inventory of {self.bucket}: {error}", status=ReadStatus.PARTIAL)
                return
            keys = (key for key, _ in groupby(heapq.merge(*(_stored(part.file) for part in parts))))
            for page in _in_pages(keys):
                yield KeyPage(keys=page)
            problem = _age_problem(self.bucket, manifest.created)
            if problem:
                yield KeyPage(problem=problem, status=ReadStatus.PARTIAL)

    def manifest(self) -> Manifest:
        """The manifest of the newest inventory that is whole. Raises `AwsError`, `InventoryUnusable`."""
        for folder in sorted(self._dated(), key=lambda path: path[-18:], reverse=True):
            if f"{folder}manifest.json" in self._list(folder).keys:
                return self._read_manifest(f"{folder}manifest.json")
        raise InventoryUnusable(
            f"there is no manifest.json below {self.location}. Give the address that the inventory configuration of "
            f"the bucket names as its destination, or take the bucket out of `s3-inventory`."
        )

    def _dated(self) -> Iterator[str]:
        """The folders of single inventories: at the location, or in those of the bucket and its configurations."""
        level = [self._prefix]
        for _ in range(3):
            below = [prefix for folder in level for prefix in self._folders(folder)]
            dated = [prefix for prefix in below if _DATED.search(prefix)]
            if dated:
                yield from dated
                return
            own = [prefix for prefix in below if prefix.endswith(f"/{self.bucket}/") or prefix == f"{self.bucket}/"]
            level = own or below

    def _folders(self, prefix: str) -> Iterator[str]:
        token = ""
        while True:
            page = self._list(prefix, delimiter="/", token=token)
            yield from page.prefixes
            if not page.token:
                return
            token = page.token

    def _list(self, prefix: str, **asked: Any) -> Listed:
        return list_page(self._clients, self._region, self._holder, prefix=prefix, **asked)

    def _read_manifest(self, key: str) -> Manifest:
        where = f"s3://{self._holder}/{key}"
        text, _ = read_object(self._clients, self._region, self._holder, key, lambda body: body.read())
        try:
            said = json.loads(text)
            source, file_format = said["sourceBucket"], str(said["fileFormat"]).upper()
            created = datetime.fromtimestamp(int(said["creationTimestamp"]) / 1000, UTC)
            files = tuple(map(_data_file, said["files"]))
            schema = str(said.get("fileSchema") or "")
        except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, OSError, RecursionError) as error:
            raise InventoryUnusable(f"{where} is no manifest: {error}") from error
        if source != self.bucket:
            raise InventoryUnusable(f"{where} is of the bucket {source}")
        if file_format not in _BATCHES:
            raise InventoryUnusable(f"{where} has the format {file_format}: have it delivered as CSV, Parquet or ORC")
        columns = tuple(_plain(name) for name in schema.split(",")) if file_format == "CSV" else ()
        if files and columns and "key" not in columns:
            raise InventoryUnusable(f"{where} names no column Key")
        return Manifest(created, file_format, columns, files)

    def _require_all_prefixes(self, parts: Sequence[SortedKeys], created: datetime) -> None:
        """Raise `InventoryUnusable` where the bucket has older keys than the inventory before or behind all of its.

        A configuration may be of one prefix alone, and the manifest does not say so: all else would count as deleted.
        Where the bucket may not be listed, nothing is known against it.
        """
        first, last = min((p.first for p in parts), default=""), max((p.last for p in parts), default="")
        for after in dict.fromkeys(("", last)):
            try:
                page = list_page(self._clients, self._bucket_region, self.bucket, start_after=after, details=True)
            except AwsError:
                return
            for key, modified in zip(page.keys, page.modified, strict=True):
                if modified < created - _SETTLED and not first <= key <= last:
                    raise InventoryUnusable(
                        f"the one of {created:%Y-%m-%d} lacks {key}, which was there before. If its configuration is "
                        "of a prefix, make one of the whole bucket, or take the bucket out of `s3-inventory`"
                    )

    def _parts(self, manifest: Manifest, folder: Path) -> list[SortedKeys]:
        """The keys of all data files in sorted parts on disk."""
        parts: list[SortedKeys] = []
        waiting: list[str] = []
        for file in manifest.files:
            fetched = self._fetch(file, folder)
            for keys in _keys_of(fetched, manifest):
                waiting += keys
                if len(waiting) >= _KEYS_A_PART:
                    parts.append(_store(waiting, folder / f"part-{len(parts)}"))
                    waiting = []
            fetched.unlink()
        if waiting:
            parts.append(_store(waiting, folder / f"part-{len(parts)}"))
        return parts

    def _fetch(self, file: DataFile, folder: Path) -> Path:
        # The name tells the CSV reader that the file is packed.
        target = folder / "data.csv.gz"

        def save(body: Any) -> tuple[str, int]:
            checksum = hashlib.md5(usedforsecurity=False)
            with target.open("wb") as out:
                for chunk in body.iter_chunks(_CHUNK):
                    checksum.update(chunk)
                    out.write(chunk)
                return checksum.hexdigest(), out.tell()

        (digest, size), _ = read_object(self._clients, self._region, self._holder, file.key, save)
        for what, wrong in (
            ("MD5", file.md5 and digest != file.md5.lower()),
            ("size", file.size is not None and size != file.size),
        ):
            if wrong:
                where = f"s3://{self._holder}/{file.key}"
                raise InventoryUnusable(f"{where} is not the file that the manifest names ({what})")
        return target


def _data_file(said: Mapping[str, Any]) -> DataFile:
    size = said.get("size")
    return DataFile(said["key"], said.get("MD5checksum") or "", None if size is None else int(size))


def _age_problem(bucket: str, created: datetime) -> str | None:
    age = datetime.now(UTC) - created
    if age <= TOO_OLD:
        return None
    return f"the newest inventory of {bucket} is {age.days} days old: what was made or deleted since is not known"


def _plain(name: str) -> str:
    return name.strip().strip('"').replace("_", "").lower()


def _keys_of(file: Path, manifest: Manifest) -> Iterator[list[str]]:
    """The keys of the objects that exist now; none of a file without rows. Raises `InventoryUnusable`."""
    if not file.stat().st_size:
        return
    try:
        for batch in _BATCHES[manifest.file_format](file, manifest.columns):
            keys = texts(_current(batch), "key")
            encoded = manifest.file_format == "CSV"
            yield [unquote_plus(key) if "%" in key or "+" in key else key for key in keys] if encoded else keys
    except (pa.ArrowException, OSError, EOFError, zlib.error, KeyError) as error:
        raise InventoryUnusable(f"a data file cannot be read: {error}") from error


def _csv_batches(file: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    first = _first_lines(file)
    # S3 writes no line of names; who prepared the file by other means may have.
    named = bool(first) and tuple(map(_plain, first[0].split(","))) == tuple(columns)
    if not first[int(named) :]:
        return
    wanted = [name for name in _COLUMNS if name in columns]
    yield from pa_csv.open_csv(
        file,
        read_options=pa_csv.ReadOptions(column_names=list(columns), skip_rows=int(named)),
        parse_options=pa_csv.ParseOptions(newlines_in_values=False),
        convert_options=pa_csv.ConvertOptions(
            include_columns=wanted, column_types=dict.fromkeys(wanted, pa.string()), strings_can_be_null=False
        ),
    )


def _first_lines(file: Path) -> list[str]:
    """The first two lines of a packed CSV file that are not blank: pyarrow takes no file without any.

    Raises `OSError`, `EOFError`, `zlib.error` where the file is no whole gzip file.
    """
    with gzip.open(file, "rt", encoding="utf-8", errors="replace") as lines:
        return list(islice((line for line in lines if line.strip()), 2))


def _parquet_batches(file: Path, _columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(file) as source:
        names = _names_in(source.schema_arrow)
        for batch in source.iter_batches(columns=list(names.values())):
            yield _named(batch, names)


def _orc_batches(file: Path, _columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    source = pa_orc.ORCFile(file)
    names = _names_in(source.schema)
    for stripe in range(source.nstripes):
        yield _named(source.read_stripe(stripe, columns=list(names.values())), names)


_BATCHES: Mapping[str, Callable[[Path, Sequence[str]], Iterator[pa.RecordBatch]]] = {
    "CSV": _csv_batches,
    "PARQUET": _parquet_batches,
    "ORC": _orc_batches,
}


def _names_in(schema: pa.Schema) -> dict[str, str]:
    """The columns that matter, by their plain names. Raises `KeyError` where there are no keys."""
    names = {_plain(name): name for name in schema.names}
    if "key" not in names:
        raise KeyError("there is no column key")
    return {name: names[name] for name in _COLUMNS if name in names}


def _named(batch: pa.RecordBatch, names: Mapping[str, str]) -> pa.RecordBatch:
    columns = [pc.cast(batch.column(name), pa.string()) for name in names.values()]
    return pa.RecordBatch.from_arrays(columns, names=list(names))


def _current(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Without the older versions and the delete markers that an inventory of all versions also holds."""
    for column, kept in (("islatest", "true"), ("isdeletemarker", "false")):
        if column in batch.schema.names:
            # An inventory of current versions leaves the value empty.
            values = (str(value or "").lower() for value in batch.column(column).to_pylist())
            batch = batch.filter(pa.array([value in (kept, "") for value in values], pa.bool_()))
    return batch


def _in_pages(keys: Iterable[str]) -> Iterator[list[str]]:
    waiting = iter(keys)
    while page := list(islice(waiting, _KEYS_A_PAGE)):
        yield page


def _store(keys: list[str], file: Path) -> SortedKeys:
    keys.sort()
    schema = pa.schema([("key", pa.string())])
    with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        for page in _in_pages(keys):
            writer.write_batch(pa.RecordBatch.from_arrays([pa.array(page, pa.string())], schema=schema))
    return SortedKeys(file, keys[0], keys[-1])


def _stored(file: Path) -> Iterator[str]:
    with pa.OSFile(str(file), "rb") as source:
        reader = pa.ipc.open_file(source)
        for number in range(reader.num_record_batches):
            yield from texts(reader.get_batch(number), "key")


def inventories_of(
    clients: AwsClients, locations: Iterable[tuple[str, str]], region_of: Callable[[str], str]
) -> dict[str, InventoryOf]:
    """The inventories of the buckets that have one; `locations` are pairs of a bucket and an address."""
    return {
        bucket: InventoryOf(clients, bucket, location, region_of(holder), region_of(bucket))
        for bucket, location, holder in (
            (bucket, location, location.removeprefix("s3://").partition("/")[0]) for bucket, location in locations
        )
    }
