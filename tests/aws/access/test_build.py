"""From stored tables to access providers: sorted, each once, those that others name kept."""

from collections.abc import Collection, Iterator

from raito_pipeline.aws.access.account import Account
from raito_pipeline.aws.access.basis import TracedProvider
from raito_pipeline.aws.access.build import ImportedType, build_access_providers
from raito_pipeline.aws.access.rows import access_provider
from raito_pipeline.aws.access.who import WhoNames
from raito_pipeline.config.groups import AccessOptions, Locks

from .conftest import Told


def provider(external_id: str, *named: str) -> TracedProvider:
    who = WhoNames(access_providers=named or None)
    return access_provider(external_id=external_id, name=external_id, type="t", policy="", who=who, reasons=())


def policies(_account: Account, _named: Collection[str]) -> Iterator[TracedProvider]:
    yield provider("policy:z", "role:b")
    yield provider("policy:a", "role:c")


def roles(_account: Account, named: Collection[str]) -> Iterator[TracedProvider]:
    yield from (provider(each) for each in sorted(named, reverse=True))


def points(_account: Account, _named: Collection[str]) -> Iterator[TracedProvider]:
    yield provider("accesspoint:x", "role:only-here")


ROLES = ImportedType(roles, named_by_others=True, keeps_named=False)
POLICIES = ImportedType(policies, named_by_others=False, keeps_named=True)
POINTS = ImportedType(points, named_by_others=False, keeps_named=False)


def ids(*types: ImportedType) -> list[str]:
    return [row.external_id for row in build_access_providers(Told().inputs(), AccessOptions(), types)]


def test_those_that_others_name_are_read_after_them_whatever_the_order_of_the_types() -> None:
    expected = ["policy:a", "policy:z", "role:b", "role:c"]
    assert ids(ROLES, POLICIES) == ids(POLICIES, ROLES) == expected


def test_not_every_type_keeps_what_it_names() -> None:
    assert ids(ROLES, POINTS) == ["accesspoint:x"]


def test_options_are_of_every_access_provider() -> None:
    options = AccessOptions(locks=Locks(lock_all_who=True))
    rows = build_access_providers(Told().inputs(), options, (ROLES, POLICIES, POINTS))
    assert len(rows) == 5
    assert all(row.who_locked for row in rows)
