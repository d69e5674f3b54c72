"""The IAM tables of an account: read together, kept where a read fails, and left out where options say so."""

from raito_pipeline.model import IamAttachment, IamRole, IamUser
from raito_pipeline.sandbox.aws.faults import Fault
from raito_pipeline.storage import ReadStatus

from .conftest import ACCOUNT, Stage

TABLES = ["iam_users", "iam_groups", "iam_roles", "iam_policies", "iam_attachments"]


def test_iam_is_stored_and_stays_where_a_later_read_fails(stage: Stage) -> None:
    assert sorted(stage.make(TABLES)) == sorted(TABLES)
    assert [user.user_name for user in stage.store.rows(IamUser, ACCOUNT)] == ["ann"]
    assert [role.role_name for role in stage.store.rows(IamRole, ACCOUNT)] == ["reader"]
    assert [one.policy_name for one in stage.store.rows(IamAttachment, ACCOUNT)] == ["read"]
    assert {stage.info(table).status for table in TABLES} == {ReadStatus.COMPLETE}
    before = {table: stage.info(table) for table in TABLES}

    stage.servers.aws.faults.add(Fault(kind="deny", service="iam", times=None))

    assert stage.make(TABLES) == []
    assert {table: stage.info(table) for table in TABLES} == before


def test_a_table_by_itself_leaves_the_others(stage: Stage) -> None:
    assert stage.make(["iam_users"]) == ["iam_users"]
    assert stage.store.info("iam_roles", ACCOUNT) is None
