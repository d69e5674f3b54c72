"""What people need beside the objects of a Glue table to query it from Athena: the option `aws-athena-workgroups`.

Reading the catalog of the region that the table is in (descriptions of tables, no data), temporary credentials of Lake
Formation (which gives by them what it has granted, and nothing else), and queries in the named workgroups.
https://docs.aws.amazon.com/athena/latest/ug/fine-grained-access-to-glue-resources.html
https://docs.aws.amazon.com/athena/latest/ug/example-policies-workgroup.html
"""

from collections.abc import Iterable, Sequence
from typing import Any

from raito_pipeline.aws.data_objects.names import FILE_MARK, parse_full_name
from raito_pipeline.model import DataObjectReference, WhatItem

CATALOG = (
    "glue:BatchGetPartition",
    "glue:GetDatabase",
    "glue:GetDatabases",
    "glue:GetPartition",
    "glue:GetPartitions",
    "glue:GetTable",
    "glue:GetTables",
)
CREDENTIALS = "lakeformation:GetDataAccess"
QUERIES = (
    "athena:GetQueryExecution",
    "athena:GetQueryResults",
    "athena:GetWorkGroup",
    "athena:StartQueryExecution",
    "athena:StopQueryExecution",
)
_TABLES = ("glue-table", "table")


def athena_statements(
    what: Iterable[WhatItem], account_id: str, partition: str, workgroups: Sequence[str]
) -> list[dict[str, Any]]:
    """The statements for the Glue tables of a what; none where there are none, or no workgroup is named."""
    regions = sorted({region for item in what if (region := _region_of_table(item.data_object, account_id))})
    if not regions or not workgroups:
        return []
    catalogs = [f"arn:{partition}:glue:{region}:{account_id}" for region in regions]
    places = sorted(f"{catalog}:{part}" for catalog in catalogs for part in ("catalog", "database/*", "table/*"))
    groups = sorted(
        f"arn:{partition}:athena:{region}:{account_id}:workgroup/{name}" for region in regions for name in workgroups
    )
    return [
        {"Effect": "Allow", "Action": list(CATALOG), "Resource": places},
        # It takes no resource: what may be read is what Lake Formation has granted.
        {"Effect": "Allow", "Action": [CREDENTIALS], "Resource": ["*"]},
        {"Effect": "Allow", "Action": list(QUERIES), "Resource": groups},
    ]


def _region_of_table(data_object: DataObjectReference, account_id: str) -> str:
    """The region of a Glue table; empty for what is none, or is of another account."""
    place = parse_full_name(data_object.full_name)
    if place is None or place.account != account_id:
        return ""
    is_table = data_object.type in _TABLES or place.mark not in ("", FILE_MARK)
    return place.region if is_table and data_object.type != "column" else ""
