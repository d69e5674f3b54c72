"""What the declarations of usage decide: read after what it points at, sent once, and never a reason to remove."""

from raito_pipeline.model import TABLES, Layer

READ = ("cloudtrail_files", "usage_statements")


def test_usage_is_read_after_the_data_objects_that_it_points_at() -> None:
    for table in READ:
        assert TABLES[table].layer is Layer.REGIONS
        assert {"data_objects", "s3_buckets", "org_users"} <= set(TABLES[table].reads)


def test_what_was_sent_is_noted_with_the_import_for_the_next_one() -> None:
    spec = TABLES["usage_uploaded"]
    assert (spec.remembered_for, spec.key) == ("data_usage_import", ("file_key",))
    assert "usage_uploaded" in TABLES["data_usage_import"].with_notes


def test_no_usage_is_needed_for_anything_but_its_own_import() -> None:
    readers = {name for name, spec in TABLES.items() if set(READ) & set(spec.reads)}
    assert readers <= {*READ, "data_usage_import"}
