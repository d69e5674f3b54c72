"""What the declarations of a push decide: nothing is changed before all that the plan stands on was read."""

import itertools

import pytest

from raito_pipeline.model import TABLES, Layer, Outside, upstream_tables

ORDER = ("access_controls", "push_permission_sets", "access_push_plan", "access_push_results")


def _before(table: str) -> set[str]:
    parents = set(TABLES[table].parents)
    return parents.union(*(_before(parent) for parent in parents))


@pytest.mark.parametrize(("earlier", "later"), list(itertools.pairwise(ORDER)))
def test_export_questions_plan_and_changes_follow_one_another(earlier: str, later: str) -> None:
    assert earlier in _before(later)
    assert later not in _before(earlier)


def test_access_controls_are_exported_after_what_raito_cloud_calculates_them_from() -> None:
    assert {"identity_store_import", "data_source_import"} <= set(TABLES["access_controls"].after)


def test_a_plan_is_held_to_a_whole_iam_and_to_what_it_asked_right_before() -> None:
    waits_for = set(upstream_tables("access_push_plan"))
    assert {
        *Outside.AWS_IAM.feeds,
        "s3_buckets",
        "push_permission_sets",
        "push_principals",
        "push_buckets",
    } <= waits_for


def test_what_only_a_push_asks_holds_up_no_import() -> None:
    imports = [name for name in Layer.FINISH.tables if name.endswith("_import")]
    assert len(imports) >= 4
    for table in imports:
        assert not [name for name in upstream_tables(table) if name.startswith("push_")], table


def test_raito_cloud_hears_of_what_came_of_a_push_and_of_no_plan() -> None:
    fed = set(Outside.RAITO_CLOUD.fed_by)
    assert "access_push_results" in fed
    assert fed.isdisjoint({"access_push_plan", "access_push_targets", "access_push_orphans"})
