"""Names, owners and locks that the options give to finished access providers."""

from dataclasses import replace
from typing import Any

import pytest

from raito_pipeline.aws.access.locks import with_options
from raito_pipeline.config.groups import AccessOptions, Locks
from raito_pipeline.config.patterns import NamePattern
from raito_pipeline.model import AccessProvider, Tag
from tests.model.test_schema import example_row

ROW = replace(
    example_row(AccessProvider, null=True),
    name="sales-readers",
    tags=(Tag("team", "sales"),),
    incomplete=False,
    not_internalizable=False,
)
COLUMNS = ("who_locked", "inheritance_locked", "what_locked", "name_locked", "delete_locked")


def locked(row: AccessProvider = ROW, **locks: Any) -> dict[str, str]:
    """The columns that are locked, and why."""
    row = with_options(row, AccessOptions(locks=Locks(**locks)))
    return {name: getattr(row, name) for name in COLUMNS if getattr(row, name)}


@pytest.mark.parametrize(
    ("column", "part"), list(zip(COLUMNS, ("who", "inheritance", "what", "names", "delete"), strict=True))
)
def test_each_part_is_locked_by_its_own_options(column: str, part: str) -> None:
    ways: list[dict[str, Any]] = [
        {f"lock_all_{part}": True},
        {f"lock_{part}_by_name": (NamePattern("sales-.*"),)},
        {f"lock_{part}_by_tag": ("team:sales",)},
    ]
    for way in ways:
        found = locked(**way)
        assert list(found) == [column]
        assert next(iter(way)).replace("_", "-").removeprefix("lock-all") in found[column].replace("lock-all", "")
    assert locked(replace(ROW, incomplete=True), **{f"lock_{part}_when_incomplete": True}).keys() == {column}
    assert locked(**{f"lock_{part}_when_incomplete": True}) == {}


@pytest.mark.parametrize(
    "locks", [{"lock_who_by_name": (NamePattern("sales"),)}, {"lock_who_by_tag": ("team:other", "sales")}, {}]
)
def test_what_does_not_match_as_a_whole_locks_nothing(locks: dict[str, Any]) -> None:
    assert locked(**locks) == {}


def test_a_lock_of_its_own_keeps_its_reason() -> None:
    fixed = replace(ROW, what_locked="This policy is managed by AWS")
    assert locked(fixed, lock_all_what=True) == {"what_locked": "This policy is managed by AWS"}


@pytest.mark.parametrize(
    ("key", "tags", "is_locked"),
    [
        ("owner", {"owner": "jo"}, True),
        ("owner", {"owner": "jo", "raito_owner": "jo"}, True),
        ("raito_owner", {"raito_owner": "jo"}, True),
        ("owner", {"owner": " , "}, False),
        ("owner", {"raito_owner": "jo"}, False),
        ("owner", {}, False),
    ],
)
def test_owners_of_the_tag_are_locked_whether_or_not_they_were_there_before(
    key: str, tags: dict[str, str], is_locked: bool
) -> None:
    row = replace(ROW, tags=tuple(Tag(*tag) for tag in tags.items()))
    row = with_options(row, AccessOptions(tag_overwrite_key_for_access_provider_owners=key))
    assert (row.owners_locked is not None) is is_locked


def test_the_name_of_a_tag_is_locked_and_locks_are_judged_by_the_own_name() -> None:
    options = AccessOptions(
        tag_overwrite_key_for_access_provider_name="team", locks=Locks(lock_who_by_name=(NamePattern("sales-readers"),))
    )
    row = with_options(ROW, options)
    assert (row.name, row.actual_name) == ("sales", ROW.actual_name)
    assert row.name_locked == "the name is that of the tag team"
    assert row.who_locked is not None


def test_a_full_lock_is_not_taken_over() -> None:
    for locks in (Locks(fully_lock_all=True), Locks(fully_lock_by_tag=("team:sales",))):
        assert with_options(ROW, AccessOptions(locks=locks)).not_internalizable
    assert not with_options(ROW, AccessOptions(locks=Locks(fully_lock_when_incomplete=True))).not_internalizable
    assert not with_options(ROW, AccessOptions()).not_internalizable
