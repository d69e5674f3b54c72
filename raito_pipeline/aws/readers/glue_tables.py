"""One table of Glue as the catalog answers it -> where its data really is, and its columns.

Spark and the table formats on it register tables in the way of Hive, which cannot express them: with a made-up
location, and the true one elsewhere.
https://docs.aws.amazon.com/glue/latest/webapi/API_Table.html
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from raito_pipeline.model.glue import GlueColumn, GlueTable

_PLACEHOLDER = "__PLACEHOLDER__"
_PROVIDER = "spark.sql.sources.provider"
_SCHEMA = "spark.sql.sources.schema"
_SYMLINKS = "_symlink_format_manifest"
_S3 = ("s3://", "s3a://", "s3n://")
_ICEBERG_METADATA = re.compile(r"(.*)/metadata/[^/]*\.metadata\.json", re.DOTALL)
_CURRENT = "iceberg.field.current"
"""Parameter of the columns of an Iceberg table; false for those that only earlier schemas had."""

Answer = Mapping[str, Any]


def table_of(database: str, answered: Answer, *, linked: bool = False) -> GlueTable:
    """A table of `GetTables`, under the name of the database that was asked. Raises `KeyError` without a name."""
    storage: Answer = answered.get("StorageDescriptor") or {}
    created = answered.get("CreateTime")
    return GlueTable(
        database=database,
        name=answered["Name"],
        location=location_of(answered),
        table_type=answered.get("TableType") or "",
        description=answered.get("Description") or "",
        parameters=_parameters(answered),
        columns=_columns(answered, storage),
        partition_keys=_listed(answered.get("PartitionKeys")),
        created=int(created.timestamp()) if isinstance(created, datetime) else 0,
        linked=linked,
    )


def location_of(answered: Answer) -> str:
    """Where the data of a table is; empty where the catalog does not say.

    The path of a Spark data source (Delta, Hudi, Parquet, ...) wins over the location of Hive, which Spark does not
    use; for other tables it counts where the location is none: a placeholder, a folder of the machine that made it.
    Iceberg names its metadata file, some of its libraries as the location, and a Delta table for Athena lies above its
    list of files. A view has metadata, and no data.
    """
    storage: Answer = answered.get("StorageDescriptor") or {}
    parameters: Answer = answered.get("Parameters") or {}
    serde: Answer = (storage.get("SerdeInfo") or {}).get("Parameters") or {}
    location = (storage.get("Location") or "").strip()
    named = (serde, storage.get("Parameters") or {}, parameters)
    paths = [path for path in (each.get("path") for each in named) if _in_s3(path)]
    if paths and ((parameters.get(_PROVIDER) or "hive").lower() != "hive" or not _in_s3(location)):
        return str(paths[0])
    view = "VIEW" in (answered.get("TableType") or "").upper()
    metadata = location if _in_s3(location) else "" if view else parameters.get("metadata_location")
    above = _ICEBERG_METADATA.fullmatch(metadata or "")
    if above and _in_s3(metadata):
        return above[1]
    head, symlinks, rest = location.rstrip("/").rpartition(f"/{_SYMLINKS}")
    return head if symlinks and not rest else location


def _in_s3(location: str | None) -> bool:
    return location is not None and location.strip().lower().startswith(_S3) and _PLACEHOLDER not in location


def _columns(answered: Answer, storage: Answer) -> tuple[GlueColumn, ...]:
    """The columns; those of Spark's own schema where the ones of Hive are made up (`col array<string>`)."""
    listed = _listed(storage.get("Columns"))
    made_up = not listed or [(column.name, column.data_type) for column in listed] == [("col", "array<string>")]
    partitions = {column.name for column in _listed(answered.get("PartitionKeys"))}
    spark = [column for column in _spark_columns(answered.get("Parameters") or {}) if column.name not in partitions]
    return tuple(spark) if made_up and spark else listed


def _spark_columns(parameters: Answer) -> Iterator[GlueColumn]:
    """The columns that Spark writes into the parameters as JSON, in parts where it is long; none of a broken one."""
    try:
        parts = int(parameters.get(f"{_SCHEMA}.numParts") or 0)
        text = "".join(parameters[f"{_SCHEMA}.part.{number}"] for number in range(parts)) or parameters.get(_SCHEMA)
        fields = json.loads(text or "{}")["fields"]
        columns = [
            (field["name"], _spark_type(field["type"]), (field.get("metadata") or {}).get("comment"))
            for field in fields
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return
    for name, kind, comment in columns:
        if isinstance(name, str):
            yield GlueColumn(name, kind, comment if isinstance(comment, str) else "")


def _spark_type(kind: Any) -> str:
    """A type of Spark's JSON in the words of Hive, as the catalog has them for other tables."""
    if isinstance(kind, str):
        return {"long": "bigint", "integer": "int", "short": "smallint", "byte": "tinyint"}.get(kind, kind)
    name = str(kind.get("type")) if isinstance(kind, dict) else ""
    if name == "array":
        return f"array<{_spark_type(kind.get('elementType'))}>"
    if name == "map":
        return f"map<{_spark_type(kind.get('keyType'))},{_spark_type(kind.get('valueType'))}>"
    if name == "struct":
        fields = (field for field in kind.get("fields") or () if isinstance(field, dict))
        inner = ",".join(f"{field.get('name')}:{_spark_type(field.get('type'))}" for field in fields)
        return f"struct<{inner}>"
    return name


def _listed(answered: Any) -> tuple[GlueColumn, ...]:
    return tuple(
        GlueColumn(
            name=column["Name"],
            data_type=column.get("Type") or None,
            comment=column.get("Comment") or "",
            parameters=_parameters(column),
        )
        for column in answered or ()
        if column and column.get("Name") and _is_current(column)
    )


def _is_current(column: Answer) -> bool:
    return str((column.get("Parameters") or {}).get(_CURRENT)).lower() != "false"


def _parameters(answered: Answer) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((key, value or "") for key, value in (answered.get("Parameters") or {}).items()))
