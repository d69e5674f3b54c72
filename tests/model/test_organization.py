"""What the declarations of the organization decide: a sync of its own, and what accounts may do without."""

from raito_pipeline.model import TABLES, Layer, Outside, upstream_tables

PEOPLE = ("org_users", "org_groups")


def test_an_organization_is_one_layer_that_begins_and_ends_its_sync() -> None:
    read = [name for name in Layer.ORGANIZATION.tables if TABLES[name].is_read_from_aws]
    assert set(Outside.AWS_IDENTITY_CENTER.feeds) >= {*PEOPLE, "org_permission_sets", "org_account_assignments"}
    for table in read:
        assert TABLES[table].partitioned_by == "organization"
        assert all(TABLES[parent].layer is Layer.ORGANIZATION for parent in TABLES[table].parents)
    assert (Layer.ORGANIZATION.begins, Layer.ORGANIZATION.ends) == (True, True)


def test_people_leave_raito_cloud_only_by_a_whole_read_of_people() -> None:
    assert set(upstream_tables("org_identity_store_import")) == set(PEOPLE)


def test_what_is_of_another_store_has_another_key() -> None:
    for table in PEOPLE:
        assert TABLES[table].key[0] == "identity_store_id"


def test_an_account_does_not_need_the_rights_of_organizations_to_be_synced() -> None:
    optional = {name for name in Outside.AWS_ORGANIZATIONS.feeds if TABLES[name].optional}
    assert optional == set(Outside.AWS_ORGANIZATIONS.feeds)
    assert optional.isdisjoint(upstream_tables("data_source_import"))
