"""Imports of an account: they arrive, arrive again as the same, and remove nothing where a table is not whole."""

from raito_pipeline.model import ImportResult
from raito_pipeline.sandbox.aws.faults import Fault

from .conftest import ACCOUNT, Stage
from .test_account_iam import TABLES


def imported(stage: Stage) -> ImportResult:
    (row,) = stage.store.rows(ImportResult, ACCOUNT, table="identity_store_import")
    return row


def test_an_import_of_what_was_not_read_in_this_sync_may_remove_nothing(stage: Stage) -> None:
    stage.make(TABLES)
    stage.servers.aws.faults.add(Fault(kind="deny", service="iam", times=None))
    stage.make(TABLES)

    stage.make(["identity_store_import"])

    assert imported(stage).removed == 0
    assert "iam_users" in str(stage.info("identity_store_import").problems)
