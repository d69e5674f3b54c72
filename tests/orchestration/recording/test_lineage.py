"""Column lineage: it names columns that are there, of tables that are read, under the names of the project."""

from dataclasses import replace

import dagster as dg
import pytest

from raito_pipeline.model import TABLES, check_tables
from raito_pipeline.orchestration.naming import Naming, translated
from raito_pipeline.orchestration.recording.lineage import KEY, column_lineage


def test_what_an_access_provider_gives_comes_from_documents() -> None:
    deps = column_lineage("access_providers", Naming())[KEY].value.deps_by_column

    assert dg.TableColumnDep(dg.AssetKey("iam_policies"), "document") in deps["what"]


def test_a_table_whose_declaration_says_nothing_has_none() -> None:
    assert column_lineage("iam_users", Naming()) == {}


def test_lineage_has_the_keys_of_the_component() -> None:
    naming = translated("eu", [dg.AssetSpec(table) for table in TABLES], None)

    deps = column_lineage("access_providers", naming)[KEY].value.deps_by_column

    assert {dep.asset_key.path[0] for found in deps.values() for dep in found} == {"eu"}


@pytest.mark.parametrize(
    ("columns_from", "reason"),
    [
        ({"what": ("iam_policies.text",)}, "iam_policies.text, which is no column"),
        ({"hwat": ("iam_policies.document",)}, "access_providers.hwat, which is no column"),
        ({"what": ("data_objects.name",)}, "access_providers does not read data_objects"),
    ],
)
def test_lineage_that_is_not_there_is_refused(
    monkeypatch: pytest.MonkeyPatch, columns_from: dict[str, tuple[str, ...]], reason: str
) -> None:
    changed = replace(TABLES["access_providers"], columns_from=columns_from)
    monkeypatch.setitem(TABLES, "access_providers", changed)

    with pytest.raises(ValueError, match=reason):
        check_tables()
