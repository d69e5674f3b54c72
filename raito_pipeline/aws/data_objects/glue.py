"""Tables of the Glue catalog -> data objects: the folders of their locations, the tables, their columns."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from raito_pipeline.aws.data_objects.columns import bucket_row
from raito_pipeline.aws.data_objects.names import (
    bucket_full_name,
    folders_above,
    last_part,
    parse_full_name,
    table_mark,
)
from raito_pipeline.model import DataObject, S3Bucket, Tag
from raito_pipeline.model.glue import GlueTable

_SCHEMES = frozenset({"s3", "s3a", "s3n"})
_HOLDER = re.compile(r"[A-Za-z0-9._:-]+")
"""a bucket, an alias of an access point, or the beginning of an ARN; nothing else is the name of one"""
_ALIASES = ("-s3alias", "--ol-s3")
_BY_ARN = re.compile(r"(arn:[^:/]+:s3[^:/]*:[^:/]*:[^:/]*:accesspoint)[/:]([^/]+)/?(.*)")


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
    """tables whose location is not in S3, or in what cannot be a bucket"""
    foreign: int = 0
    """of `tables`: those on buckets of other accounts"""
    shared: int = 0
    """of `tables`: those that do not have the name of their location, because something else does"""
    unknown_access_point: int = 0
    """tables whose location is an access point, of which bucket is not known"""
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
    access_points: Mapping[str, str] | None = None,
    before: Collection[str] = (),
) -> tuple[list[DataObject], GlueReport]:
    """The data objects of the catalog of one region, parents before children, in a stable order.

    `buckets` are those of the account: their own regions count. The location of a table on any other bucket gets the
    region of the catalog. `access_points` are the buckets behind access points, by alias and by ARN: the location of a
    table may be either. The first table at a location has the full name of it, unless that is a bucket, or lies above
    or below the location of an earlier one: see `data_objects.names`. So a table that is new never takes the name of
    one that was there. Where the catalog was read in part, `before` are the full names of all tables of the previous
    sync: those of tables that were not read are not taken, and lie below no other table and are no folder.
    """
    counted: Counter[str] = Counter()
    own: Mapping[str, S3Bucket] = {bucket.name: bucket for bucket in buckets}
    located = list(_located(tables, counted, own, access_points or {}))
    counted["foreign"] = sum(each.bucket not in own for each in located)
    shaper = _Shaper(account_id, region, own, located, counted, before)
    rows = shaper.rows()
    return rows, GlueReport(**counted)


def _located(
    tables: Iterable[GlueTable], counted: Counter[str], own: Mapping[str, S3Bucket], points: Mapping[str, str]
) -> Iterator[_Located]:
    for table in sorted(tables, key=lambda t: (t.database, t.name)):
        place = split_location(table.location)
        if place is not None:
            bucket = _bucket_of(place[0], own, points)
            if bucket is None:
                counted["unknown_access_point"] += 1
            else:
                yield _Located(table, bucket, place[1])
        elif table.location.strip():
            counted["elsewhere"] += 1
        else:
            counted["views" if "VIEW" in table.table_type.upper() else "without_location"] += 1


def _bucket_of(holder: str, own: Mapping[str, S3Bucket], points: Mapping[str, str]) -> str | None:
    """The bucket that the first part of a location names; null for an access point that is not known."""
    if holder in own:
        return holder
    if holder.lower() in own:
        # Bucket names have no capitals, and Hive and Spark keep what somebody typed.
        return holder.lower()
    if holder in points:
        return points[holder]
    return None if ":" in holder or holder.endswith(_ALIASES) else holder


def split_location(location: str) -> tuple[str, str] | None:
    """The bucket (or the alias or ARN of an access point) and the path of an S3 location; None where it is none.

    The path has no slash at its end: all that tools write there mean the same folder.

    >>> split_location("s3a://bucket/a/b/")
    ('bucket', 'a/b')
    >>> split_location("s3://arn:aws:s3:eu-west-1:111122223333:accesspoint/lake/a")
    ('arn:aws:s3:eu-west-1:111122223333:accesspoint/lake', 'a')
    """
    scheme, separator, rest = location.strip().partition("://")
    if not separator or scheme.lower() not in _SCHEMES:
        return None
    by_arn = _BY_ARN.fullmatch(rest)
    if by_arn:
        return f"{by_arn[1]}/{by_arn[2]}", by_arn[3].rstrip("/")
    bucket, _, path = rest.partition("/")
    # Old addresses of Hadoop name a key of AWS before the bucket, which is part of no name.
    bucket = bucket.rpartition("@")[2]
    return (bucket, path.rstrip("/")) if _HOLDER.fullmatch(bucket) else None


def access_point_regions(tables: Iterable[GlueTable], account_id: str, region: str) -> set[str]:
    """The regions in which access points of the account have to be known for the locations of these tables."""
    regions: set[str] = set()
    for place in map(split_location, {table.location for table in tables}):
        if place is not None and place[0].endswith(_ALIASES):
            regions.add(region)
        elif place is not None and place[0].startswith("arn:"):
            _, _, _, there, owner, _ = place[0].split(":", 5)
            regions |= {there} if there and owner == account_id else set()
    return regions


class _Shaper:
    def __init__(
        self,
        account_id: str,
        region: str,
        own: Mapping[str, S3Bucket],
        located: Sequence[_Located],
        counted: Counter[str],
        before: Collection[str],
    ) -> None:
        self._account, self._region, self._own, self._counted = account_id, region, own, counted
        self._located = located
        # A table that did not have the name of its location does not get it from one that is only not read.
        may_be_named = [each for each in located if self._marked(each) not in before]
        unread = set(before) - {f"{self._bucket_name(each.bucket)}/{each.path}" for each in may_be_named}
        self._named = _named_by_location(may_be_named, unread)
        self._done: set[str] = set()

    def rows(self) -> list[DataObject]:
        rows: list[DataObject] = []
        for each in sorted(self._located, key=lambda e: (e.bucket, e.path.split("/"), e.table.database, e.table.name)):
            rows += self._table(each)
        return rows

    def _table(self, each: _Located) -> Iterator[DataObject]:
        bucket = self._bucket_name(each.bucket)
        shared = self._named.get((each.bucket, each.path)) is not each
        folders = list(self._folders_above(each, shared))
        yield from self._above(each.bucket, folders)
        parent = f"{bucket}/{folders[-1]}" if folders else bucket
        if shared:
            full_name, name = self._marked(each), each.table.name
        else:
            full_name, name = f"{bucket}/{each.path}", last_part(each.path)
        self._counted["tables"] += 1
        self._counted["shared"] += shared
        yield DataObject(
            full_name, name, "glue-table", parent, each.table.description, None, _tags(each.table.parameters)
        )
        yield from self._columns(each.table, full_name)

    def _marked(self, each: _Located) -> str:
        """The full name of a table that does not have that of its location."""
        marked = f"{self._bucket_name(each.bucket)}:{table_mark(each.table.database, each.table.name)}"
        return f"{marked}/{each.path}" if each.path else marked

    def _folders_above(self, each: _Located, shared: bool) -> Iterator[str]:
        """The folders that a table lies in, from the top; they end above a table that has the name of its location."""
        for path in (*folders_above(each.path), *((each.path,) if shared and each.path else ())):
            if (each.bucket, path) in self._named:
                return
            yield path

    def _above(self, bucket_name: str, folders: Sequence[str]) -> Iterator[DataObject]:
        """The bucket and the folders that were not emitted yet."""
        bucket = self._bucket_name(bucket_name)
        if bucket not in self._done:
            self._done.add(bucket)
            self._counted["buckets"] += 1
            known = self._own.get(bucket_name)
            yield bucket_row(bucket, self._account, bucket_name, known.tags if known else None)
        for path in folders:
            full_name = f"{bucket}/{path}"
            if full_name in self._done:
                continue
            self._done.add(full_name)
            self._counted["folders"] += 1
            above, slash, _ = path.rpartition("/")
            parent = f"{bucket}/{above}" if slash else bucket
            yield DataObject(full_name, last_part(path), "folder", parent, "", None, None)

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


def _named_by_location(located: Sequence[_Located], unread: Collection[str]) -> dict[tuple[str, str], _Located | None]:
    """The tables that have the full name of their location, by bucket and path; null for those that were not read.

    The older one comes first, and tables of the catalog before linked ones. Without times, the upper one does: tables
    that a crawler makes of partitions lie below.
    """
    named: dict[tuple[str, str], _Located | None] = {}
    above: set[tuple[str, str]] = set()
    for name in filter(None, map(parse_full_name, unread)):
        if name.path and not name.mark:
            named[name.bucket, name.path] = None
            above.update((name.bucket, path) for path in folders_above(name.path))
    for each in sorted(located, key=_rank):
        place, parents = (each.bucket, each.path), [(each.bucket, path) for path in folders_above(each.path)]
        if each.path and place not in named and place not in above and not any(parent in named for parent in parents):
            named[place] = each
            above.update(parents)
    return named


def _rank(each: _Located) -> tuple[bool, int, int, str, str]:
    return (each.table.linked, each.table.created, each.path.count("/"), each.table.database, each.table.name)


def _tags(parameters: tuple[tuple[str, str], ...]) -> tuple[Tag, ...]:
    return tuple(sorted(Tag(key, value) for key, value in parameters))
