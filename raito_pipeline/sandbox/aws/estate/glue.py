"""The Glue catalogs of one account of the estate."""

from collections.abc import Mapping, Sequence
from typing import Any

from moto.glue.models import glue_backends

from raito_pipeline.sandbox.aws.estate.names import LOGS

DATABASES = ("sales_db", "events_db", "shared_db")


def seed_glue(account_id: str, regions: Sequence[str], buckets: Mapping[str, str], tables: int) -> dict[str, list[str]]:
    """Tables in each region, on the buckets of that region; gives some of their locations by bucket."""
    places: dict[str, list[str]] = {}
    each = tables // len(regions)
    for number, region in enumerate(regions):
        here = [name for name, place in buckets.items() if place == region and not name.endswith(f"-{LOGS}")]
        glue = glue_backends[account_id][region]
        for database in DATABASES:
            glue.create_database(database, {"Name": database, "Description": f"Tables of {database}"})
        odd = _odd_tables(here)
        count = each if number else tables - each * (len(regions) - 1)
        for database, name, table in odd[:count]:
            glue.create_table(database, name, table)
        for at in range(count - len(odd)):
            bucket, path = here[at % len(here)], f"tables/t{at:03}"
            glue.create_table(DATABASES[at % 2], f"t{at:03}", _table(f"t{at:03}", f"s3://{bucket}/{path}/", at % 4))
            places.setdefault(bucket, []).append(path)
    return places


def _odd_tables(buckets: Sequence[str]) -> list[tuple[str, str, dict[str, Any]]]:
    """A table at a bucket's root, two at one location, one above another, other schemes, a view, no location."""
    one, two = buckets[0], buckets[-1]
    view = {"Name": "a_view", "TableType": "VIRTUAL_VIEW", "ViewOriginalText": "select 1"}
    return [
        ("shared_db", "at_root", _table("at_root", f"s3://{one}", 1)),
        ("shared_db", "twice_a", _table("twice_a", f"s3://{one}/shared/place/", 1)),
        ("shared_db", "twice_b", _table("twice_b", f"s3://{one}/shared/place/", 0)),
        ("shared_db", "above", _table("above", f"s3a://{two}/stack/", 0)),
        ("shared_db", "below", _table("below", f"s3n://{two}/stack/inner", 2)),
        ("shared_db", "abroad", _table("abroad", "s3://somebody-elses-bucket/tables/abroad/", 0)),
        ("shared_db", "a_view", view),
        ("shared_db", "over_jdbc", _table("over_jdbc", "jdbc:postgresql://db/x", 0)),
    ]


def _table(name: str, location: str, partition_keys: int) -> dict[str, Any]:
    columns = [{"Name": f"c{number}", "Type": ("string", "bigint", "double")[number % 3]} for number in range(4)]
    columns[0]["Comment"] = f"first column of {name}"
    keys = [{"Name": f"p{number}", "Type": "string"} for number in range(partition_keys)]
    return {
        "Name": name,
        "Description": f"Table {name}",
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"classification": "parquet", "owner": "data-platform"},
        "PartitionKeys": keys,
        "StorageDescriptor": {"Location": location, "Columns": columns},
    }
