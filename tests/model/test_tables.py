"""The declarations of tables: what they refuse, and what derives from them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from raito_pipeline.model import TABLES, Layer, Outside, TableSpec, check_tables, upstream_tables
from raito_pipeline.model.tables import declare_table


@dataclass(frozen=True)
class Row:
    """A row of a table that only a test has."""

    name: str


SPEC = TableSpec("extra", Row, "A table.", "account", ("name",), Layer.FINISH, reads=("iam_users",))


@pytest.fixture(autouse=True)
def declared(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test declares is gone after it."""
    for name, spec in list(TABLES.items()):
        monkeypatch.setitem(TABLES, name, spec)
    yield
    TABLES.pop(SPEC.name, None)


def test_the_tables_of_the_pipeline_can_all_be_made() -> None:
    check_tables()

    assert {table for layer in Layer for table in layer.tables} == set(TABLES)


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (replace(SPEC, layer=Layer.CELLS), "no run of layer cells makes extra, partitioned by account"),
        (replace(SPEC, layer=Layer.REGIONS), "no run of layer regions makes extra, partitioned by account"),
        (replace(SPEC, reads=("iam_user",)), "extra reads iam_user, which is no table"),
        (replace(SPEC, layer=Layer.ACCOUNT, after=("access_providers",)), "access_providers, which a later layer"),
        (replace(SPEC, looks_at=("iam_user",)), "extra looks at iam_user, which is no table"),
        (replace(SPEC, reads=("extra",)), "tables read each other: extra <- extra"),
    ],
)
def test_a_table_that_no_sync_could_make_is_refused(spec: TableSpec, reason: str) -> None:
    declare_table(spec)

    with pytest.raises(ValueError, match=reason):
        check_tables()


def test_a_name_is_declared_once() -> None:
    declare_table(SPEC)

    with pytest.raises(ValueError, match="'extra' is declared twice"):
        declare_table(SPEC)


def test_upstream_is_what_was_read_from_aws_however_far_away() -> None:
    declare_table(replace(SPEC, reads=("access_providers", "iam_users"), after=("data_usage_import",)))

    found = upstream_tables("extra")

    assert found == upstream_tables("access_providers")
    assert set(found) == {
        *Outside.AWS_IAM.feeds,
        "org_account_assignments",
        "org_groups",
        "org_permission_sets",
        "org_users",
        "s3_buckets",
        "s3_bucket_policies",
        "access_points",
    }


def test_what_is_read_in_raito_cloud_is_no_evidence_of_aws() -> None:
    assert "access_controls" not in upstream_tables("access_push_plan")
    assert upstream_tables("access_controls") == ()


def test_what_only_the_push_has_to_know_holds_up_no_import() -> None:
    of_the_push = {"push_permission_sets", "push_principals"}
    assert of_the_push <= set(upstream_tables("access_push_plan"))
    assert of_the_push & set(upstream_tables("access_provider_import")) == set()


def test_what_is_optional_holds_up_nothing() -> None:
    """Whoever is not granted control policies could else never remove anything from Raito Cloud."""
    optional = {name for name, spec in TABLES.items() if spec.optional}
    assert optional == set(Outside.AWS_ORGANIZATIONS.feeds)
    for table in TABLES:
        assert optional & set(upstream_tables(table)) == set()


def test_what_an_import_notes_for_the_next_sync_belongs_to_it() -> None:
    assert TABLES["data_source_import"].notes == ("data_source_import_elements",)
    assert TABLES["data_usage_import"].notes == ("usage_uploaded",)
    assert TABLES["access_providers"].notes == ()


def test_what_may_be_read_for_a_table_is_declared_and_what_it_keeps_for_itself() -> None:
    assert TABLES["iam_users"].readable == {"iam_users"}
    assert TABLES["data_usage_import"].readable >= {"usage_statements", "data_source_import", "usage_uploaded"}
    assert "access_push_targets" in TABLES["access_providers"].readable, "of the previous sync"
    assert "access_push_targets" not in TABLES["access_providers"].parents
