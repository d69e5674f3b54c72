"""What the declarations of imports decide: what each may remove is counted by a table of its own."""

import pytest

from raito_pipeline.model import TABLES, ImportResult, Outside
from raito_pipeline.model.upload import ImportElement, elements_table

IMPORTS = [name for name, spec in TABLES.items() if spec.row_type is ImportResult]
REMOVING = [name for name in IMPORTS if name != "data_usage_import"]


def test_each_kind_of_import_is_a_table_and_goes_to_raito_cloud() -> None:
    assert set(IMPORTS) <= set(Outside.RAITO_CLOUD.fed_by)
    assert {*IMPORTS} == {
        "org_identity_store_import",
        "identity_store_import",
        "data_source_import",
        "access_provider_import",
        "data_usage_import",
    }


@pytest.mark.parametrize("table", REMOVING)
def test_an_import_that_may_remove_notes_what_raito_cloud_holds(table: str) -> None:
    note = TABLES[elements_table(table)]
    assert note.row_type is ImportElement
    assert (note.remembered_for, note.partitioned_by) == (table, TABLES[table].partitioned_by)
    assert note.sinks == (), "what is noted is sent to nobody"
    assert note.name in TABLES[table].with_notes


def test_usage_is_only_added_so_that_nothing_of_it_is_counted() -> None:
    assert elements_table("data_usage_import") not in TABLES


def test_access_providers_follow_the_data_objects_that_they_are_on() -> None:
    assert "data_source_import" in TABLES["access_provider_import"].after
    assert "data_source_import" in TABLES["data_usage_import"].after
