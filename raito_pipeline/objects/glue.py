"""Tables of the Glue catalog -> data objects: the folders of their locations, the tables, their columns."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from raito_pipeline.model import DataObject, S3Bucket, Tag
from raito_pipeline.model.glue import GlueTable
from raito_pipeline.objects.columns import bucket_row
from raito_pipeline.objects.names import bucket_full_name, last_part, table_mark

_SCHEMES = frozenset({"s3", "s3a", "s3n"})


@dataclass(frozen=True, slots=True)
class GlueReport:
    """What became of the tables of one catalog; the counts of tables add up to all that were read."""

    tables: int = 0
    """tables that are data objects now"""
    columns: int = 0
    views: int = 0
    """views: they have no location, and are left out"""
    without_location: int = 0
    """other tables without location"""
    elsewhere: int = 0
    """tables whose location is not in S3"""
    foreign: int = 0
    """of `tables`: those on buckets of other accounts"""
    shared: int = 0
    """of `tables`: those that do not have the name of their location, because something else does"""
    buckets: int = 0
    folders: int = 0


@dataclass(frozen=True, slots=True)
class _Located:
    table: GlueTable
    bucket: str
    path: str


def glue_objects(
    tables: Iterable[GlueTable],
    account_id: str,
    region: str,
    buckets: Sequence[S3Bucket],
) -> tuple[list[DataObject], GlueReport]:
    """The data objects of the catalog of one region, parents before children, in a stable order.

    `buckets` are those of the account: their own regions count. The location of a table on any other bucket gets the
    region of the catalog. The table has the full name of its location, unless that is a bucket, or is the location of
    another table as well, or has another table's location below it: see `raito_pipeline.objects.names`.
    """
    counted: Counter[str] = Counter()
    located = list(_located(tables, counted))
    own: Mapping[str, S3Bucket] = {bucket.name: bucket for bucket in buckets}
    counted["foreign"] = sum(each.bucket not in own for each in located)
    shaper = _Shaper(account_id, region, own, located, counted)
    rows = shaper.rows()
    return rows, GlueReport(**counted)


def _located(tables: Iterable[GlueTable], counted: Counter[str]) -> Iterator[_Located]:
    for table in sorted(tables, key=lambda t: (t.database, t.name)):
        found = split_location(table.location)
        if found is not None:
            yield _Located(table, *found)
        elif table.location.strip():
            counted["elsewhere"] += 1
        else:
            counted["views" if "VIEW" in table.table_type.upper() else "without_location"] += 1


def split_location(location: str) -> tuple[str, str] | None:
    """The bucket and the path (without its last slash) of an S3 location; None where it is none.

    >>> split_location("s3a://bucket/a/b/")
    ('bucket', 'a/b')
    """
    scheme, separator, rest = location.strip().partition("://")
    if not separator or scheme.lower() not in _SCHEMES:
        return None
    bucket, _, path = rest.partition("/")
    return (bucket, path.removesuffix("/") if path.strip("/") else "") if bucket else None


class _Shaper:
    def __init__(
        self,
        account_id: str,
        region: str,
        own: Mapping[str, S3Bucket],
        located: Sequence[_Located],
        counted: Counter[str],
    ) -> None:
        self._account, self._region, self._own, self._counted = account_id, region, own, counted
        self._located = located
        self._at = Counter((each.bucket, each.path) for each in located)
        self._folders = {(bucket, parent) for bucket, path in self._at for parent in _parents(path)}
        self._done: set[str] = set()

    def rows(self) -> list[DataObject]:
        rows: list[DataObject] = []
        for each in sorted(self._located, key=lambda e: (e.bucket, e.path.split("/"), e.table.database, e.table.name)):
            rows += self._table(each)
        return rows

    def _table(self, each: _Located) -> Iterator[DataObject]:
        bucket = self._bucket_name(each.bucket)
        shared = not each.path or self._at[each.bucket, each.path] > 1 or (each.bucket, each.path) in self._folders
        yield from self._above(each, whole=shared)
        parent_path = each.path if shared else each.path.rpartition("/")[0]
        parent = f"{bucket}/{parent_path}" if parent_path else bucket
        if shared:
            marked = f"{bucket}:{table_mark(each.table.database, each.table.name)}"
            full_name = f"{marked}/{each.path}" if each.path else marked
            name = each.table.name
        else:
            full_name, name = f"{bucket}/{each.path}", last_part(each.path)
        self._counted["tables"] += 1
        self._counted["shared"] += shared
        yield DataObject(
            full_name, name, "glue-table", parent, each.table.description, None, _tags(each.table.parameters)
        )
        yield from self._columns(each.table, full_name)

    def _above(self, each: _Located, *, whole: bool) -> Iterator[DataObject]:
        """The bucket and the folders above a table that were not emitted yet."""
        bucket = self._bucket_name(each.bucket)
        if bucket not in self._done:
            self._done.add(bucket)
            self._counted["buckets"] += 1
            known = self._own.get(each.bucket)
            yield bucket_row(bucket, self._account, each.bucket, known.tags if known else None)
        paths = [*_parents(each.path), each.path] if whole else list(_parents(each.path))
        for path in paths:
            full_name = f"{bucket}/{path}"
            if not path or full_name in self._done:
                continue
            self._done.add(full_name)
            self._counted["folders"] += 1
            above = path.rpartition("/")[0]
            yield DataObject(
                full_name, last_part(path), "folder", f"{bucket}/{above}" if above else bucket, "", None, None
            )

    def _columns(self, table: GlueTable, full_name: str) -> Iterator[DataObject]:
        seen: set[str] = set()
        for column in (*table.columns, *table.partition_keys):
            if column.name in seen:
                continue
            seen.add(column.name)
            self._counted["columns"] += 1
            yield DataObject(
                f"{full_name}/{column.name}",
                column.name,
                "column",
                full_name,
                column.comment,
                column.data_type,
                _tags(column.parameters),
            )

    def _bucket_name(self, bucket: str) -> str:
        known = self._own.get(bucket)
        return bucket_full_name(self._account, (known.region if known else None) or self._region, bucket)


def _parents(path: str) -> Iterator[str]:
    """The folders above a path, from the top; the bucket itself is not among them."""
    at = path.find("/")
    while at != -1:
        yield path[:at]
        at = path.find("/", at + 1)


def _tags(parameters: tuple[tuple[str, str], ...]) -> tuple[Tag, ...]:
    return tuple(sorted(Tag(key, value) for key, value in parameters))
