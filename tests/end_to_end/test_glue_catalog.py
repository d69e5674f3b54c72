"""A catalog as ordinary estates have it, read again and again: links, access points, a federated source that ends."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto.glue.models import glue_backends

from raito_pipeline.model import DataObject
from raito_pipeline.sandbox.aws.faults import Fault
from raito_pipeline.storage import ReadStatus
from tests.end_to_end.conftest import World, started

ACCOUNT, REGION = "210000000034", "eu-west-1"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """The estate as `make run` has it: its catalog is what this is about."""
    with started(tmp_path, None) as world:
        yield world


def read(world: World) -> tuple[set[str], ReadStatus, tuple[str, ...]]:
    """The tables of the cell by their names below the region, and what the cell says of itself."""
    assert world.materialize(("data_objects",), f"{ACCOUNT}|{REGION}").success
    rows = world.store.rows(DataObject, ACCOUNT, REGION)
    info = world.store.info("data_objects", ACCOUNT, REGION)
    assert info is not None
    tables = {row.full_name.split(":", 2)[2] for row in rows if row.type == "glue-table"}
    return tables, info.status, tuple(json.loads(info.extra.get("warnings", "[]")))


def test_nothing_is_doubled_renamed_or_lost_by_what_lies_beside_it(world: World) -> None:
    assert world.materialize(("s3_buckets",), ACCOUNT).success
    before, status, _ = read(world)
    assert status is ReadStatus.COMPLETE
    glue = glue_backends[ACCOUNT][REGION]
    bucket = next(name.partition("/")[0] for name in sorted(before) if ":" not in name)
    point = f"arn:aws:s3:{REGION}:{ACCOUNT}:accesspoint/"
    glue.create_database("a_link", {"Name": "a_link", "TargetDatabase": {"DatabaseName": "sales_db"}})
    federated = {"Name": "metastore", "FederatedDatabase": {"Identifier": "x", "ConnectionName": "hms"}}
    glue.create_database("metastore", federated)
    glue.create_table("metastore", "far", {"Name": "far", "StorageDescriptor": {"Location": f"s3://{bucket}/far/"}})
    odd = {"Name": "odd", "StorageDescriptor": {"Location": f"s3://{point}nobody-knows/x"}}
    glue.create_table("sales_db", "odd", odd)

    beside, status, notes = read(world)
    assert (beside, status, notes) == (before | {f"{bucket}/far"}, ReadStatus.COMPLETE, ())

    fault = Fault(kind="error", service="glue", operation="GetTables", resource="metastore", status=400,
                  code="FederationSourceException")  # fmt: skip
    world.embedded.aws.faults.add(fault)
    gone = next(name for name in sorted(before) if name.endswith("/t000"))
    glue.delete_table("sales_db", "t000")
    for _ in range(2):
        tables, status, notes = read(world)
        assert (tables, status) == (beside - {gone}, ReadStatus.COMPLETE)
        assert "the federated database metastore keeps the 1 tables that it had" in notes[0]

    # An ordinary database that fails: what it held keeps name and kind, whatever lies below it.
    world.embedded.aws.faults.clear()
    upper = next(name for name in sorted(beside) if name.endswith("/t002"))
    glue.create_database("other", {"Name": "other"})
    glue.create_table("other", "part", {"Name": "part", "StorageDescriptor": {"Location": f"s3://{upper}/part"}})
    whole, _, _ = read(world)
    assert whole == beside - {gone} | {upper.replace("/", ":other.part/", 1) + "/part"}
    kinds = {row.full_name: row.type for row in world.store.rows(DataObject, ACCOUNT, REGION)}
    world.embedded.aws.faults.add(Fault(kind="error", service="glue", operation="GetTables", resource="sales_db",
                                        status=400, code="AccessDeniedException"))  # fmt: skip
    tables, status, _ = read(world)
    assert (tables, status) == (whole, ReadStatus.PARTIAL)
    assert {row.full_name: row.type for row in world.store.rows(DataObject, ACCOUNT, REGION)} == kinds
