"""Setting up an estate: fixed ids, links, and access controls that a push can do something with."""

from raito_pipeline.sandbox.raito.seed import (
    SeedAccount,
    SeedBucket,
    SeededIds,
    SeedOrganization,
    seed_raito_cloud,
)
from raito_pipeline.sandbox.raito.server import LocalRaitoCloud

from .wire import Wire

BUCKETS = (SeedBucket("sales", "eu-west-1", ("in", "out/2026")), SeedBucket("logs", "us-east-1"))
FIRST = SeedAccount("111122223333", "Production", ("ann", "bob", "cy"), ("team",), BUCKETS, retired_role="OldRole")
SECOND = SeedAccount("444455556666", "Test", ("dan",))
ORGANIZATION = SeedOrganization("999900001111", "Organization", ("person001", "person002", "person003"), ("everybody",))


def seed(cloud: LocalRaitoCloud) -> SeededIds:
    return seed_raito_cloud(cloud, [FIRST, SECOND], ORGANIZATION)


def test_ids_are_fixed(cloud: LocalRaitoCloud) -> None:
    ids = seed(cloud)

    assert ids.data_sources == {"111122223333": "ds-111122223333", "444455556666": "ds-444455556666"}
    assert ids.identity_stores == {"111122223333": "is-111122223333", "444455556666": "is-444455556666"}
    assert ids.organization_store == "is-organization-999900001111"


def test_data_sources_are_linked_to_their_own_store_and_the_organization(cloud: LocalRaitoCloud, wire: Wire) -> None:
    seed(cloud)

    found = wire.ask(
        '{ dataSource(id: "ds-111122223333") { ... on DataSource { name syncMethod'
        " identityStores { id native master } } } }"
    )
    assert (found["name"], found["syncMethod"]) == ("Production", "ON_PREM")
    assert {store["id"]: (store["native"], store["master"]) for store in found["identityStores"]} == {
        "is-111122223333": (True, False),
        "is-organization-999900001111": (False, True),
    }


def test_access_controls_of_all_kinds(cloud: LocalRaitoCloud) -> None:
    ids = seed(cloud)

    rows = cloud.controls.listed("ds-111122223333")
    kinds = [row.definition["type"] for row in rows]
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "aws_role": 3,
        "aws_policy": 2,
        "aws_access_point": 1,
        "aws_sso_role": 1,
    }
    assert [row.id for row in rows if row.definition.get("delete")] == ["ac-111122223333-retired"]
    inherited = [name for row in rows for name in row.definition["who"].get("inheritFrom", [])]
    assert inherited == ["ID:ac-111122223333-sales-readers"]
    assert list(ids.access_controls["111122223333"]) == [row.id for row in rows]


def test_access_controls_name_what_exists(cloud: LocalRaitoCloud) -> None:
    seed(cloud)

    names = {
        item["dataObject"]["fullName"]
        for row in cloud.controls.listed("ds-111122223333")
        for item in row.definition["what"]
    }
    assert names == {
        "111122223333:eu-west-1:sales",
        "111122223333:eu-west-1:sales/in",
        "111122223333:eu-west-1:sales/out/2026",
    }


def test_an_account_with_nothing_to_grant_gets_no_access_controls(cloud: LocalRaitoCloud) -> None:
    assert list(seed(cloud).access_controls["444455556666"]) == []


def test_seeding_twice_changes_nothing(cloud: LocalRaitoCloud, wire: Wire) -> None:
    first = seed(cloud)
    before = wire.counts()

    assert seed(cloud) == first
    assert wire.counts() == before


def test_without_an_organization(cloud: LocalRaitoCloud) -> None:
    ids = seed_raito_cloud(cloud, [FIRST])

    assert ids.organization_store is None
    assert "aws_sso_role" not in {row.definition["type"] for row in cloud.controls.listed("ds-111122223333")}
