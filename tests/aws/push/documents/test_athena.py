"""What a grant on a Glue table gives beside its objects, where the option asks for it."""

import json

import pytest

from raito_pipeline.aws.push.documents.athena import CATALOG, CREDENTIALS, QUERIES, athena_statements
from raito_pipeline.aws.push.documents.statements import policy_for
from raito_pipeline.aws.push.plan import plan_push
from raito_pipeline.aws.push.rules.bounds import Bounds
from raito_pipeline.aws.push.rules.data_rights import is_data
from raito_pipeline.model import DataObjectReference, WhatItem
from tests.aws.push.center_push import TYPES, CenterOptions
from tests.aws.push.conftest import ACCOUNT
from tests.aws.push.exported import state
from tests.aws.push.pushing import control

HERE = f"arn:aws:glue:eu-west-1:{ACCOUNT}"
GROUPS = ("primary", "analysts")


def item(name: str, kind: str, *permissions: str, account: str = ACCOUNT, region: str = "eu-west-1") -> WhatItem:
    return WhatItem(DataObjectReference(f"{account}:{region}:{name}", kind), permissions or ("s3:GetObject",))


@pytest.mark.parametrize(
    "what",
    [
        (item("data/a", "folder"), item("data", "bucket"), item("data/a.csv", "file"), item("data:file/a", "file")),
        (item("data/a/c", "column"),),
        (item("data/a", "glue-table", account="999988887777"),),
        (),
    ],
)
def test_what_is_no_table_of_the_account_gives_none(what: tuple[WhatItem, ...]) -> None:
    assert athena_statements(what, ACCOUNT, "aws", GROUPS) == []


def test_tables_give_their_catalogs_credentials_and_queries_in_their_regions() -> None:
    what = (item("data/a", "glue-table"), item("data:db.t/b", ""), item("far/b", "table", region="us-east-1"))
    catalog, credentials, queries = athena_statements(what, ACCOUNT, "aws", GROUPS)
    assert (catalog["Action"], credentials["Action"], queries["Action"]) == (
        list(CATALOG),
        [CREDENTIALS],
        list(QUERIES),
    )
    assert [each for each in catalog["Resource"] if "eu-west-1" in each] == [
        f"{HERE}:catalog", f"{HERE}:database/*", f"{HERE}:table/*",
    ]  # fmt: skip
    assert len(catalog["Resource"]) == 6
    assert credentials["Resource"] == ["*"]
    assert queries["Resource"] == [
        f"arn:aws:athena:{region}:{ACCOUNT}:workgroup/{name}"
        for region, name in sorted((r, n) for r in ("eu-west-1", "us-east-1") for n in GROUPS)
    ]
    assert athena_statements(what, ACCOUNT, "aws", ()) == []
    assert all(map(is_data, (*CATALOG, CREDENTIALS, *QUERIES)))


def test_they_are_of_documents_that_grant_something() -> None:
    column = policy_for([item("data/a/c", "column")], ACCOUNT, "aws", GROUPS)
    assert column.document["Statement"][0]["Action"] == "none:null"
    assert "is a column, and S3 gives whole objects only; grant the table" in column.problems[0]
    table = policy_for([item("data/a", "glue-table")], ACCOUNT, "aws", GROUPS)
    assert len(table.document["Statement"]) == 4


@pytest.mark.parametrize("kind", ["aws_role", "aws_policy"])
def test_a_plan_may_give_them_and_its_export_asks_for_nothing_else(kind: str) -> None:
    what = (item("data/a", "glue-table"),)
    options, bounds = CenterOptions(aws_athena_workgroups=GROUPS), Bounds("ds", None, {"data": "eu-west-1"})
    made = plan_push([control("x", "ada", type=kind, what=what)], state(), options, TYPES, bounds)
    written = json.dumps([change.after for change in made.changes])
    assert [target.errors for target in made.targets] == [()]
    assert "athena:StartQueryExecution" in written
