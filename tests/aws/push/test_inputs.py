"""A plan and its results know which versions of their tables they were made of."""

from dataclasses import replace
from pathlib import Path

import pytest

from raito_pipeline.aws.push.inputs import PLANNED_ON, made_of, note, versions
from raito_pipeline.model import TABLES
from raito_pipeline.storage import Store

ACCOUNT, REGION = "111122223333", "eu-west-1"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with every table that a push stands on."""
    store = Store.open(tmp_path / "data", "run-1", "s1")
    for table in PLANNED_ON:
        write(store, table)
    return store


def write(store: Store, table: str) -> None:
    store.write(table, (), ACCOUNT, REGION if TABLES[table].partitioned_by == "account_region" else None)


def test_what_a_plan_was_made_of_is_read_back(store: Store) -> None:
    stands_on = versions(store, ACCOUNT)
    assert set(stands_on) == set(PLANNED_ON)
    plan = store.write("access_push_plan", (), ACCOUNT, extra=note(stands_on))
    assert made_of(plan) == stands_on == versions(store, ACCOUNT)


@pytest.mark.parametrize("table", PLANNED_ON)
def test_a_table_that_was_read_again_is_another_version(store: Store, table: str) -> None:
    stands_on = versions(store, ACCOUNT)
    write(replace(store, run_id="run-2"), table)
    now = versions(store, ACCOUNT)
    assert {name for name in PLANNED_ON if now[name] != stands_on[name]} == {table}


def test_a_cell_of_an_earlier_version_of_the_product_does_not_say(store: Store) -> None:
    assert made_of(store.write("access_push_plan", (), ACCOUNT)) is None
    assert set(PLANNED_ON) <= set(TABLES)
