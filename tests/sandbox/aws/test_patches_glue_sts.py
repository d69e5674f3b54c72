from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.aws.conftest import ACCOUNT, OTHER_ACCOUNT, ClientOf


@pytest.fixture
def glue(client: ClientOf) -> Any:
    glue = client("glue")
    for number in range(3):
        glue.create_database(DatabaseInput={"Name": f"db{number}"})
        glue.create_table(DatabaseName="db0", TableInput={"Name": f"t{number}", "PartitionKeys": [{"Name": "day"}]})
        glue.create_partition(DatabaseName="db0", TableName="t0", PartitionInput={"Values": [str(number)]})
    return glue


@pytest.mark.parametrize(
    ("operation", "arguments", "key"),
    [
        ("get_databases", {}, "DatabaseList"),
        ("get_tables", {"DatabaseName": "db0"}, "TableList"),
        ("get_partitions", {"DatabaseName": "db0", "TableName": "t0"}, "Partitions"),
    ],
)
def test_glue_lists_come_in_pages(glue: Any, operation: str, arguments: dict[str, str], key: str) -> None:
    pages = list(glue.get_paginator(operation).paginate(**arguments, PaginationConfig={"PageSize": 2}))
    assert [len(page[key]) for page in pages] == [2, 1]
    assert "NextToken" not in getattr(glue, operation)(**arguments)


def test_more_than_a_hundred_tables_need_pages(glue: Any) -> None:
    for number in range(120):
        glue.create_table(DatabaseName="db1", TableInput={"Name": f"t{number}"})
    first = glue.get_tables(DatabaseName="db1", MaxResults=100)
    assert len(first["TableList"]) == 100
    assert len(glue.get_tables(DatabaseName="db1", NextToken=first["NextToken"])["TableList"]) == 20


@pytest.mark.parametrize(
    "arn", [f"arn:aws:iam::{OTHER_ACCOUNT}:role/missing", "arn:aws:iam::999999999999:role/x", f"{ACCOUNT}:role/x" * 2]
)
def test_a_role_that_does_not_exist_is_not_assumed(client: ClientOf, arn: str) -> None:
    with pytest.raises(ClientError) as caught:
        client("sts").assume_role(RoleArn=arn, RoleSessionName="test")
    assert caught.value.response["Error"]["Code"] == "AccessDenied"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
