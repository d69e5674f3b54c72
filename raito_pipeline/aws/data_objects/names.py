"""The full names of data objects, and what they stand for in S3.

`ACCOUNT:REGION:BUCKET/PATH`, where PATH is the key (or the prefix without its last slash) exactly as S3 has it. Two
objects of S3 never share a name this way, whatever their keys are: `a//b` is the file `b` in the folder `a/` (whose
own name is the empty part, shown as `/`) in the folder `a`; `/x` lies in the folder `BUCKET/`.

Two exceptions, because a full name may stand for one object only. They put a mark behind the name of the bucket,
where a colon cannot otherwise be (bucket names have none), so that no key can ever look the same:

- A file and a folder of one path (keys `a` and `a/b`): the folder keeps `BUCKET/a`, since its children and all
  policies on `BUCKET/a/*` refer to it; the file is `BUCKET:file/a`.
- A Glue table whose location is a bucket, or that of an older table, or above or below that of an older table: the
  older one keeps `BUCKET/PATH`; the table is `BUCKET:DATABASE.TABLE/PATH`, in the closest folder above.

`parse_full_name` reads all of them back.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

FILE_MARK = "file"
EMPTY_PART = "/"


@dataclass(frozen=True, slots=True)
class DataObjectName:
    """What a full name stands for. `path` is a key, or a prefix without its last slash; null for a bucket itself."""

    account: str
    region: str
    bucket: str
    path: str | None
    mark: str = ""
    """what tells objects of one path apart: `file`, or `DATABASE.TABLE` (percent-encoded)"""


def bucket_full_name(account: str, region: str, bucket: str) -> str:
    """The full name of a bucket."""
    return f"{account}:{region}:{bucket}"


def beside_folder(bucket: str, key: str) -> str:
    """The full name of a file that has a folder of the same path beside it; `bucket` is that of the bucket."""
    return f"{bucket}:{FILE_MARK}/{key}"


def table_mark(database: str, table: str) -> str:
    """The mark of a Glue table that cannot have the name of its location.

    The first dot ends the name of the database: either name may hold some.
    """
    return f"{quote(database, safe='').replace('.', '%2E')}.{quote(table, safe='')}"


def last_part(path: str) -> str:
    """The name of what lies at a path: its last part, which must not be empty for people to see."""
    return path.rpartition("/")[2] or EMPTY_PART


def folders_above(path: str) -> Iterator[str]:
    """The folders that a path lies in, from the top: `a`, `a/b` of `a/b/c`; the bucket itself is not among them."""
    at = path.find("/")
    while at != -1:
        yield path[:at]
        at = path.find("/", at + 1)


def parse_full_name(full_name: str) -> DataObjectName | None:
    """What a full name stands for in S3; None for the account itself and for what is no full name.

    The full name of a Glue column reads as a path below its table.
    """
    account, _, rest = full_name.partition(":")
    region, colon, rest = rest.partition(":")
    if not (account and region and colon):
        return None
    bucket, slash, path = rest.partition("/")
    bucket, _, mark = bucket.partition(":")
    return DataObjectName(account, region, bucket, path if slash else None, mark)
