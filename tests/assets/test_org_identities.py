"""The people of an organization: a master account without Identity Center fails and stores nothing."""

from .conftest import ACCOUNT, MASTER, ORGANIZATION, REGION, Stage

TABLES = ["org_users", "org_groups", "org_permission_sets", "org_account_assignments"]


def test_the_profile_of_another_account_stores_nothing(stage: Stage) -> None:
    assert stage.make(TABLES, ORGANIZATION) == []

    assert f"these credentials belong to account {ACCOUNT}, but aws-account-id is {MASTER}" in stage.failure
    assert [stage.store.info(table, MASTER, REGION) for table in TABLES] == [None] * 4


def test_people_who_were_never_read_are_not_imported(stage: Stage) -> None:
    assert stage.make(["org_identity_store_import"], ORGANIZATION) == []

    assert "org_users" in stage.failure
    assert stage.store.info("org_identity_store_import", MASTER, REGION) is None
