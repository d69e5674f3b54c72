"""Imports of an account: they arrive, arrive again as the same, and remove nothing where a table is not whole."""

import pytest

from raito_pipeline.model import TABLES, ImportResult
from raito_pipeline.sandbox.aws.faults import Fault

from .conftest import ACCOUNT, ORGANIZATION, Stage
from .test_account_iam import TABLES as IAM_TABLES


def imported(stage: Stage) -> ImportResult:
    (row,) = stage.store.rows(ImportResult, ACCOUNT, table="identity_store_import")
    return row


def test_an_import_of_what_was_not_read_in_this_sync_may_remove_nothing(stage: Stage) -> None:
    stage.make(IAM_TABLES)
    stage.servers.aws.faults.add(Fault(kind="deny", service="iam", times=None))
    stage.make(IAM_TABLES)

    stage.make(["identity_store_import"])

    assert imported(stage).removed == 0
    assert "iam_users" in str(stage.info("identity_store_import").problems)


@pytest.mark.parametrize(
    ("table", "partition_key"), [("org_identity_store_import", ORGANIZATION), ("identity_store_import", ACCOUNT)]
)
def test_an_import_that_raito_yml_leaves_out_is_out_of_scope_with_its_notes(
    stage: Stage, table: str, partition_key: str
) -> None:
    stage.options = "skip-identity-store-sync: true"

    made = stage.make(TABLES[table].with_notes, partition_key)

    assert (set(made), stage.failure) == (set(TABLES[table].with_notes), "")
