"""What the declarations of access decide: what its removal waits for, and what a sync makes before it."""

from raito_pipeline.model import TABLES, Layer, Outside, upstream_tables


def test_access_is_removed_only_where_all_that_gives_it_was_read_whole() -> None:
    for table in ("access_providers", "access_provider_import"):
        waits_for = set(upstream_tables(table))
        assert {*Outside.AWS_IAM.feeds, "s3_buckets", "access_points"} <= waits_for
        assert {"org_permission_sets", "org_account_assignments"} <= waits_for
        assert "data_objects" not in waits_for, "access is on buckets and prefixes, listed or not"


def test_access_is_made_of_tables_and_asks_nobody() -> None:
    for table in ("access_providers", "access_basis"):
        spec = TABLES[table]
        assert spec.is_derived
        assert (spec.layer, spec.partitioned_by) == (Layer.FINISH, "account")


def test_access_points_are_read_a_region_after_the_buckets_that_they_open() -> None:
    spec = TABLES["access_points"]
    assert (spec.layer, spec.partitioned_by) == (Layer.REGIONS, "account_region")
    assert "s3_buckets" in spec.parents
    assert spec.is_read_from_aws
