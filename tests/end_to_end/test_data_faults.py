"""What goes wrong while data objects and usage are read: nothing is lost or invented, and each is told."""

import gzip
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from raito_pipeline.model import Layer
from raito_pipeline.sandbox.aws.faults import Fault
from raito_pipeline.storage import ReadStatus, Store
from tests.end_to_end.conftest import World, started

ACCOUNT, REGION = "210000000012", "us-east-1"
KEY = f"{ACCOUNT}|{REGION}"
TABLES = ("data_objects", "cloudtrail_files", "usage_statements")
LOG_BUCKET = "marketing-cloudtrail"
LISTING, LOG = "ListObjectsV2", "GetObject"


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The estate with the buckets of the account read, and a copy of what the region gives when all is well."""
    folder = tmp_path_factory.mktemp("faults")
    with started(folder) as world:
        assert world.materialize(["s3_buckets"], ACCOUNT).success
        assert world.materialize(Layer.REGIONS.tables, KEY).success
        shutil.copytree(world.embedded.directory / "data", folder / "whole")
        yield world


@pytest.fixture
def world(estate: World) -> Iterator[World]:
    """The estate with nothing read of the region yet; what a test does to AWS is undone."""
    data = estate.embedded.directory / "data"
    for table in Layer.REGIONS.tables:
        shutil.rmtree(data / table, ignore_errors=True)
    yield estate
    estate.embedded.aws.faults.clear()


def rows(folder: Path, table: str) -> dict[str, dict[str, Any]]:
    """The rows by their key, but for when a log file was read."""
    found = Store.open(folder).dataset(table, ACCOUNT, REGION).to_table().to_pylist()
    name = {"data_objects": "full_name", "cloudtrail_files": "key", "usage_statements": "external_id"}[table]
    keyed = {row[name]: {k: v for k, v in row.items() if k != "read_at"} for row in found}
    assert len(keyed) == len(found), "a row twice"
    return keyed


def whole(world: World, table: str) -> dict[str, dict[str, Any]]:
    return rows(world.embedded.directory.parent / "whole", table)


def now(world: World, table: str) -> dict[str, dict[str, Any]]:
    return rows(world.embedded.directory / "data", table)


def info(world: World, table: str) -> tuple[ReadStatus, str]:
    found = world.store.info(table, ACCOUNT, REGION)
    assert found is not None
    return found.status, "\n".join(found.problems)


def only_without(world: World, file: str) -> None:
    """The statements are those of all other files; an event that a second file holds, too, is in them."""
    found, expected = now(world, "usage_statements"), whole(world, "usage_statements")
    assert found.keys() <= expected.keys()
    others = [name for name, row in expected.items() if row["file_key"] != file]
    assert [found.get(name) for name in others] == [expected[name] for name in others]
    twice = {name: row for name, row in found.items() if expected[name]["file_key"] == file}
    assert all(row["file_key"] != file for row in twice.values())
    assert [{**row, "file_key": file} for row in twice.values()] == [expected[name] for name in twice]


def without_file(found: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """An event that two files hold counts for the one that was read first."""
    return {name: {**row, "file_key": ""} for name, row in found.items()}


PASSING = {
    "a throttling storm": Fault(kind="throttle", service="s3", operation=LISTING, times=12),
    "server errors": Fault(kind="error", service="s3", operation=LISTING, status=503, times=8),
    "sockets dropped before a page": Fault(kind="drop", service="s3", operation=LISTING, times=8),
    "sockets dropped in the middle of a page": Fault(kind="truncate", service="s3", operation=LISTING, times=8),
    "sockets dropped in the middle of a log file": Fault(kind="truncate", service="s3", operation=LOG, times=3),
    "log files throttled": Fault(kind="throttle", service="s3", operation=LOG, times=8),
}


@pytest.mark.parametrize("case", PASSING)
def test_what_passes_changes_nothing(world: World, case: str) -> None:
    world.embedded.aws.faults.add(PASSING[case])
    assert world.materialize(Layer.REGIONS.tables, KEY).success
    for table in TABLES:
        assert now(world, table) == whole(world, table), table
        assert info(world, table) == (ReadStatus.COMPLETE, "")
    assert all(fault.hits for fault in world.embedded.aws.faults.listed())


def test_a_bucket_that_is_gone_by_now_is_no_problem_and_the_others_are_whole(world: World) -> None:
    bucket = "marketing-sales"
    world.embedded.aws.faults.add(
        Fault(kind="error", service="s3", operation=LISTING, resource=bucket, code="NoSuchBucket", status=404)
    )
    assert world.materialize(["data_objects"], KEY).success
    inside = f"{ACCOUNT}:{REGION}:{bucket}"
    others = {name: row for name, row in whole(world, "data_objects").items() if not name.startswith(inside)}
    assert {name: row for name, row in now(world, "data_objects").items() if name != inside} == others
    assert info(world, "data_objects")[0] is ReadStatus.COMPLETE


def test_a_bucket_that_cannot_be_listed_is_told_and_the_others_are_whole(world: World) -> None:
    bucket = "marketing-sales"
    world.embedded.aws.faults.add(
        Fault(kind="error", service="s3", operation=LISTING, resource=bucket, code="AccessDenied", status=403)
    )
    world.materialize(Layer.REGIONS.tables, KEY)
    expected = whole(world, "data_objects")
    inside = f"{ACCOUNT}:{REGION}:{bucket}/"
    assert now(world, "data_objects") == {name: row for name, row in expected.items() if not name.startswith(inside)}
    found, told = info(world, "data_objects")
    assert found is ReadStatus.PARTIAL
    assert bucket in told
    # Usage on what could not be listed points at the bucket: nothing of it is lost.
    statements, before = now(world, "usage_statements"), whole(world, "usage_statements")
    assert statements.keys() == before.keys()
    below = {name for name, row in before.items() if row["accessed"][0]["data_object"]["full_name"].startswith(inside)}
    assert below
    assert all(statements[name]["accessed"][0]["data_object"]["full_name"] == inside[:-1] for name in below)


def test_a_log_file_that_went_after_it_was_listed_is_told_and_no_other_is_lost(world: World) -> None:
    gone = sorted(whole(world, "cloudtrail_files"))[1]
    fault = Fault(kind="error", service="s3", operation=LOG, resource=gone, code="NoSuchKey", status=404)
    world.embedded.aws.faults.add(fault)
    assert world.materialize(Layer.REGIONS.tables, KEY).success
    manifest = now(world, "cloudtrail_files")
    assert manifest.keys() == whole(world, "cloudtrail_files").keys()
    assert [key for key, row in manifest.items() if row["problem"]] == [gone]
    only_without(world, gone)
    assert gone in info(world, "cloudtrail_files")[1]


def _flip(body: bytes) -> bytes:
    return body[: len(body) // 2] + bytes(255 - byte for byte in body[len(body) // 2 :])


BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "corrupt gzip": _flip,
    "cut off gzip": lambda body: body[:-30],
    "truncated JSON": lambda body: gzip.compress(gzip.decompress(body)[:-100]),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_log_file_is_told_loses_nothing_else_and_is_read_when_it_changes(world: World, case: str) -> None:
    key = sorted(whole(world, "cloudtrail_files"))[0]
    s3 = boto3.Session(profile_name="marketing").client("s3", region_name=REGION)
    good = s3.get_object(Bucket=LOG_BUCKET, Key=key)["Body"].read()
    s3.put_object(Bucket=LOG_BUCKET, Key=key, Body=BROKEN[case](good))
    try:
        assert world.materialize(Layer.REGIONS.tables, KEY).success
        assert key in info(world, "cloudtrail_files")[1]
        only_without(world, key)
    finally:
        s3.put_object(Bucket=LOG_BUCKET, Key=key, Body=good)
    assert world.materialize(Layer.REGIONS.tables, KEY).success
    assert without_file(now(world, "usage_statements")) == without_file(whole(world, "usage_statements"))
    assert info(world, "cloudtrail_files") == (ReadStatus.COMPLETE, "")
