"""The keys of a bucket out of its S3 Inventory, read over the wire from the emulated AWS."""

import gzip
import hashlib
import io
import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote_plus

import pyarrow as pa
import pyarrow.orc as pa_orc
import pyarrow.parquet as pq
import pytest

from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.aws.readers import s3_inventory
from raito_pipeline.aws.readers.s3 import KeyPage
from raito_pipeline.aws.readers.s3_inventory import InventoryOf
from raito_pipeline.sandbox.aws.faults import Fault, Kind
from raito_pipeline.sandbox.aws.server import EmulatedAws
from raito_pipeline.storage.cells import ReadStatus

KEYS = ["a/b c.csv", "a+b", "é/ü%41.csv", "a//b", *(f"logs/{n:04d}" for n in range(900))]
SCHEMAS = {
    "CSV": "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size",
    "Parquet": "message s3.inventory { required binary bucket (UTF8); required binary key (UTF8); }",
    "ORC": "struct<bucket:string,key:string,is_latest:boolean,is_delete_marker:boolean>",
}


@pytest.fixture
def clients(emulated_aws: EmulatedAws) -> AwsClients:  # noqa: ARG001 - the clients reach it
    made = AwsClients("there", attempts=2)
    made.client("s3").create_bucket(Bucket="holder")
    return made


def csv_file(rows: list[tuple[str, str, str]]) -> bytes:
    lines = [f'"data","{quote_plus(key, safe="/")}","","{latest}","{marker}","7"' for key, latest, marker in rows]
    return gzip.compress("\n".join(lines).encode())


def columnar_file(rows: list[tuple[str, str, str]], kind: str) -> bytes:
    table = pa.table(
        {
            "bucket": ["data"] * len(rows),
            "key": [row[0] for row in rows],
            "is_latest": [row[1] == "true" for row in rows],
            "is_delete_marker": [row[2] == "true" for row in rows],
        }
    )
    sink = io.BytesIO()
    (pa_orc if kind == "ORC" else pq).write_table(table, sink)
    return sink.getvalue()


def put(clients: AwsClients, key: str, body: bytes) -> None:
    clients.client("s3").put_object(Bucket="holder", Key=key, Body=body)


def deliver(
    clients: AwsClients,
    keys: list[str],
    *,
    kind: str = "CSV",
    made: datetime | None = None,
    parts: int = 3,
    where: str = "inv/data/daily",
    **changes: Any,
) -> None:
    """Put an inventory there: the keys in random order over some files, with old versions and delete markers."""
    made = made or datetime.now(UTC)
    rows = [(key, "true", "false") for key in keys]
    rows += [("logs/0001", "false", "false"), ("deleted", "true", "true"), ("gone", "false", "false")]
    random.Random(1).shuffle(rows)
    listed = []
    for number in range(parts):
        part = rows[number::parts]
        body = csv_file(part) if kind == "CSV" else columnar_file(part, kind)
        name = f"{where}/data/{made:%H%M}-{number}"
        put(clients, name, body)
        listed.append({"key": name, "size": len(body), "MD5checksum": hashlib.md5(body).hexdigest()})
    manifest = {
        "sourceBucket": "data", "destinationBucket": "arn:aws:s3:::holder", "version": "2016-11-30",
        "creationTimestamp": str(int(made.timestamp() * 1000)), "fileFormat": kind, "fileSchema": SCHEMAS[kind],
        "files": listed, **changes,
    }  # fmt: skip
    put(clients, f"{where}/{made:%Y-%m-%dT%H-%MZ}/manifest.json", json.dumps(manifest).encode())


def read(clients: AwsClients, location: str = "s3://holder/inv/") -> tuple[list[str], list[KeyPage]]:
    pages = list(InventoryOf(clients, "data", location, "us-east-1", "us-east-1")())
    return [key for page in pages for key in page.keys], [page for page in pages if page.problem]


OF_ONE = "s3://holder/inv/data/daily/2026-03-19T01-00Z/"


@pytest.mark.parametrize(
    ("kind", "location"),
    [("CSV", "s3://holder/inv/"), ("Parquet", "s3://holder/inv"), ("ORC", "s3://holder/inv/data/daily/"),
     ("CSV", OF_ONE), ("Parquet", f"{OF_ONE}manifest.json")],
)  # fmt: skip
def test_the_keys_of_today_come_in_the_order_of_s3(clients: AwsClients, kind: str, location: str) -> None:
    deliver(clients, KEYS, kind=kind)
    assert read(clients, location) == (sorted(KEYS), [])


def test_more_keys_than_one_part_holds_are_merged(clients: AwsClients, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_inventory, "_KEYS_A_PART", 100)
    monkeypatch.setattr(s3_inventory, "_KEYS_A_PAGE", 7)
    deliver(clients, KEYS, parts=9)
    assert read(clients) == (sorted(KEYS), [])


def test_the_newest_inventory_that_is_whole_is_read(clients: AwsClients) -> None:
    now = datetime.now(UTC)
    deliver(clients, ["old"], made=now - timedelta(days=2))
    deliver(clients, ["new"], made=now - timedelta(days=1))
    put(clients, f"inv/data/daily/{now:%Y-%m-%dT%H-%MZ}/still-being-delivered", b"")
    inventory = InventoryOf(clients, "data", "s3://holder/inv/", "us-east-1", "us-east-1")
    assert [key for page in inventory() for key in page.keys] == ["new"]
    assert inventory.created is not None
    assert abs(inventory.created - (now - timedelta(days=1))) < timedelta(seconds=1)


def test_an_inventory_of_last_month_is_read_and_told(clients: AwsClients) -> None:
    deliver(clients, ["x"], made=datetime.now(UTC) - timedelta(days=30))
    keys, (page,) = read(clients)
    assert keys == ["x"]
    assert "30 days old" in str(page.problem)


def parquet_of(**columns: list[object]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()}), sink)
    return sink.getvalue()


NAMES = b'"Bucket","Key","VersionId","IsLatest","IsDeleteMarker","Size"\n'
NO_ROWS: dict[str, tuple[str, bytes | None]] = {
    "CSV, no file": ("CSV", None),
    "CSV, packed nothing": ("CSV", gzip.compress(b"")),
    "CSV, a file of no bytes": ("CSV", b""),
    "CSV, blank lines": ("CSV", gzip.compress(b"\n\r\n")),
    "CSV, only names": ("CSV", gzip.compress(NAMES)),
    "CSV, only names without line end": ("CSV", gzip.compress(NAMES.strip())),
    "CSV, only delete markers and old versions": ("CSV", csv_file([("a", "true", "true"), ("b", "false", "false")])),
    "Parquet, no file": ("Parquet", None),
    "ORC, only delete markers": ("ORC", columnar_file([("a", "true", "true")], "ORC")),
    "Parquet, no rows": ("Parquet", parquet_of(bucket=[], key=[])),
    "Parquet, a file of no bytes": ("Parquet", b""),
    "Parquet, only delete markers": ("Parquet", columnar_file([("a", "true", "true")], "Parquet")),
}


def one_file(clients: AwsClients, kind: str, body: bytes | None, **changes: Any) -> None:
    """An inventory of one data file, or of none."""
    files = []
    if body is not None:
        put(clients, "inv/data/daily/data/1", body)
        files = [{"key": "inv/data/daily/data/1", "size": len(body), "MD5checksum": hashlib.md5(body).hexdigest()}]
    deliver(clients, [], kind=kind, parts=0, **{"files": files, **changes})


@pytest.mark.parametrize("case", NO_ROWS)
def test_an_inventory_without_rows_is_of_an_empty_bucket(clients: AwsClients, case: str) -> None:
    kind, body = NO_ROWS[case]
    one_file(clients, kind, body)
    assert read(clients) == ([], [])


def test_a_file_without_rows_beside_others_loses_none_of_them(clients: AwsClients) -> None:
    full, empty = csv_file([("a", "true", "false"), ("b", "", "")]), gzip.compress(b"")
    put(clients, "inv/data/daily/data/full", full)
    put(clients, "inv/data/daily/data/empty", empty)
    files = [{"key": f"inv/data/daily/data/{name}", "size": len(body), "MD5checksum": hashlib.md5(body).hexdigest()}
             for name, body in (("empty", empty), ("full", full))]  # fmt: skip
    deliver(clients, [], parts=0, files=files)
    assert read(clients) == (["a", "b"], [])


ROWS: dict[str, tuple[str, bytes, dict[str, str]]] = {
    "CSV of two columns": ("CSV", gzip.compress(b'"data","a%2Bb"\n"data","c+d"'), {"fileSchema": "Bucket, Key"}),
    "CSV with a line of names": ("CSV", gzip.compress(NAMES + b'"data","a%2Bb"' + b',""' * 4 + b'\n"data","c+d"'
                                 + b',""' * 4), {}),
    "CSV of columns in another order": ("CSV", gzip.compress(b'"7","c%20d","data"\r\n"7","a%2Bb","data"\r\n'),
                                        {"fileSchema": "Size, Key, Bucket"}),
    "Parquet without versions": ("Parquet", parquet_of(bucket=["data"] * 2, key=["c d", "a+b"]), {}),
    "Parquet of keys alone": ("Parquet", parquet_of(key=["a+b", "c d"]), {}),
}  # fmt: skip


@pytest.mark.parametrize("case", ROWS)
def test_columns_that_are_not_needed_may_be_missing(clients: AwsClients, case: str) -> None:
    kind, body, changes = ROWS[case]
    one_file(clients, kind, body, **changes)
    assert read(clients) == (["a+b", "c d"], [])


def bucket_with(clients: AwsClients, *keys: str) -> datetime:
    """Fill the bucket now, and give a time at which an inventory has it."""
    clients.client("s3").create_bucket(Bucket="data")
    for key in keys:
        clients.client("s3").put_object(Bucket="data", Key=key, Body=b"")
    return datetime.now(UTC) + timedelta(days=3)


@pytest.mark.parametrize("kind", ["CSV", "Parquet"])
@pytest.mark.parametrize("outside", ["a/1", "zoo"])
def test_an_inventory_of_one_prefix_is_not_the_whole_bucket(clients: AwsClients, kind: str, outside: str) -> None:
    made = bucket_with(clients, "logs/1", "logs/2", outside)
    deliver(clients, ["logs/1", "logs/2"], kind=kind, made=made)
    keys, (page,) = read(clients)
    assert (keys, page.status) == ([], ReadStatus.PARTIAL)
    assert f"lacks {outside}" in str(page.problem)


def test_an_inventory_without_rows_of_a_bucket_with_some_is_not_the_whole_bucket(clients: AwsClients) -> None:
    deliver(clients, [], made=bucket_with(clients, "logs/1"))
    assert [page.problem is not None for page in read(clients)[1]] == [True]


@pytest.mark.parametrize("days", [0, 1])
def test_what_is_newer_than_an_inventory_is_not_missed_in_it(clients: AwsClients, days: int) -> None:
    bucket_with(clients, "a/new", "logs/1", "zoo")
    deliver(clients, ["logs/1"], made=datetime.now(UTC) + timedelta(days=days))
    assert read(clients) == (["logs/1"], [])


@pytest.mark.parametrize("kind", ["deny", "error"])
def test_an_inventory_of_a_bucket_that_may_not_be_listed_is_taken_at_its_word(
    clients: AwsClients, emulated_aws: EmulatedAws, kind: Kind
) -> None:
    deliver(clients, ["logs/1"], made=bucket_with(clients, "logs/1", "zoo"))
    emulated_aws.faults.add(Fault(kind=kind, service="s3", operation="ListObjectsV2", resource="/data?"))
    assert read(clients) == (["logs/1"], [])


BROKEN = {
    "of another bucket": ({"sourceBucket": "other"}, "other"),
    "of another format": ({"fileFormat": "Avro"}, "AVRO"),
    "without files": ({"files": None}, "no manifest"),
    "with files of no name": ({"files": ["data"]}, "no manifest"),
    "made at no time": ({"creationTimestamp": "9" * 400}, "no manifest"),
    "without keys": ({"fileSchema": "Bucket, Size"}, "no column Key"),
    "another file than the manifest says": (
        {"files": [{"key": "inv/data/daily/data/x", "MD5checksum": "0" * 32}]}, "MD5"
    ),
    "a file of another size": ({"files": [{"key": "inv/data/daily/data/x", "size": 9}]}, "size"),
    "a file that is cut off": ({"files": [{"key": "inv/data/daily/data/cut"}]}, "cannot be read"),
    "a Parquet file without keys": (
        {"fileFormat": "Parquet", "files": [{"key": "inv/data/daily/data/keyless"}]}, "no column key",
    ),
    "a file that is gone": ({"files": [{"key": "inv/nowhere"}]}, "arn:aws:s3:::holder/inv/nowhere"),
    "a file that is no gzip": ({"files": [{"key": "inv/data/daily/data/x"}]}, "cannot be read"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_an_inventory_that_is_not_right_gives_no_key_and_a_problem(clients: AwsClients, case: str) -> None:
    changes, part = BROKEN[case]
    put(clients, "inv/data/daily/data/x", b"not what it should be")
    put(clients, "inv/data/daily/data/cut", csv_file([(key, "true", "false") for key in KEYS])[:-9])
    put(clients, "inv/data/daily/data/keyless", parquet_of(bucket=[]))
    deliver(clients, KEYS, **changes)
    keys, (page,) = read(clients)
    assert keys == []
    assert page.status is not ReadStatus.COMPLETE
    assert part in str(page.problem), page.problem


@pytest.mark.parametrize("file", ["manifest.json", "/data/"])
def test_a_file_that_breaks_off_is_read_again(clients: AwsClients, emulated_aws: EmulatedAws, file: str) -> None:
    deliver(clients, KEYS)
    fault = Fault(kind="truncate", service="s3", operation="GetObject", resource=file, times=3)
    emulated_aws.faults.add(fault)
    assert read(clients) == (sorted(KEYS), [])
    assert [found.hits for found in emulated_aws.faults.listed()] == [3]


def test_a_file_that_always_breaks_off_is_a_problem(clients: AwsClients, emulated_aws: EmulatedAws) -> None:
    deliver(clients, KEYS)
    emulated_aws.faults.add(Fault(kind="truncate", service="s3", operation="GetObject", resource="/data/"))
    keys, (page,) = read(clients)
    assert keys == []
    assert "broke off while it was read, 4 times" in str(page.problem)


def test_a_manifest_that_is_nested_without_end_is_a_problem(clients: AwsClients) -> None:
    put(
        clients,
        "inv/data/daily/2026-01-02T01-00Z/manifest.json",
        b'{"files": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    )
    keys, (page,) = read(clients)
    assert keys == []
    assert "is no manifest" in str(page.problem)


def test_no_inventory_at_all_is_a_problem(clients: AwsClients) -> None:
    keys, (page,) = read(clients)
    assert keys == []
    assert "no manifest.json below s3://holder/inv/" in str(page.problem)
