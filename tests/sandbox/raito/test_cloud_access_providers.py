"""Import of access providers: the records, and what they name checked against what is known."""

import json
from typing import Any

import pytest

from raito_pipeline.sandbox.raito.server import LocalRaitoCloud

from .wire import ACCOUNT, BUCKET, Wire, access_provider, group, small_tree, user


@pytest.fixture
def filled(wire: Wire, source: str, store: str) -> str:
    """A data source with a small tree, two users and a group."""
    wire.result("identities", store, [user("ann"), user("bob")], [group("team")])
    wire.result("data-objects", source, small_tree())
    return source


def counted(result: dict[str, Any], added: int = 0, updated: int = 0, removed: int = 0) -> bool:
    return [result[f"access{what}"] for what in ("Added", "Updated", "Removed")] == [added, updated, removed]


def record(wire: Wire, source: str, identifier: str) -> dict[str, Any]:
    found = wire.ask(f'{{ accessProviders(dataSource: "{source}") {{ items {{ externalId record }} }} }}')
    (text,) = [item["record"] for item in found["items"] if item["externalId"] == identifier]
    return json.loads(text)


def test_access_providers_arrive(wire: Wire, filled: str) -> None:
    role = access_provider("readers", nameLocked=True, nameLockedReason="because", incomplete=True)
    policy = access_provider(
        "shared",
        "aws_policy",
        externalId="policy:shared",
        who={"users": None, "groups": ["team"], "accessProviders": ["role:readers"], "recipients": None},
        what=[{"dataObject": {"fullName": f"{BUCKET}/a", "type": ""}, "permissions": ["s3:GetObject"]}],
    )

    result = wire.result("access-providers", filled, [policy, role])

    assert counted(result, added=2)
    assert result["warnings"] == []
    assert wire.counts()["dataSources"][filled]["accessProviders"] == {"aws_policy": 1, "aws_role": 1}
    kept = record(wire, filled, "role:readers")
    assert (kept["nameLocked"], kept["nameLockedReason"], kept["incomplete"]) == (True, "because", True)
    assert record(wire, filled, "policy:shared")["who"]["accessProviders"] == ["role:readers"]


def test_reading_access_providers(wire: Wire, filled: str) -> None:
    wire.result("access-providers", filled, [access_provider("readers")])

    found = wire.ask(
        f'{{ accessProviders(dataSource: "{filled}", type: "aws_role") {{ total items {{ name namingHint actualName'
        " type action policy incomplete notInternalizable who { users groups accessProviders recipients }"
        " what { dataObject { fullName type } permissions } tags { key } } } }"
    )
    assert found["total"] == 1
    assert found["items"][0] == {
        "name": "readers",
        "namingHint": "readers",
        "actualName": "readers",
        "type": "aws_role",
        "action": "grant",
        "policy": "{}",
        "incomplete": False,
        "notInternalizable": False,
        "who": {"users": ["ann"], "groups": [], "accessProviders": None, "recipients": None},
        "what": [{"dataObject": {"fullName": ACCOUNT, "type": "datasource"}, "permissions": ["s3:GetObject"]}],
        "tags": [],
    }


def test_the_same_again_changes_nothing(wire: Wire, filled: str) -> None:
    content = [access_provider("readers"), access_provider("writers", what=[], who=None)]
    wire.result("access-providers", filled, content)

    assert counted(wire.result("access-providers", filled, content))


def test_changes_and_removals(wire: Wire, filled: str) -> None:
    wire.result("access-providers", filled, [access_provider("a"), access_provider("b"), access_provider("c")])

    result = wire.result("access-providers", filled, [access_provider("a", policy="{ }"), access_provider("b")])
    partial = wire.result("access-providers", filled, [access_provider("d")], deleteUntouched=False)

    assert counted(result, updated=1, removed=1)
    assert counted(partial, added=1)
    assert wire.counts()["dataSources"][filled]["accessProviders"] == {"aws_role": 3}


UNKNOWN: list[tuple[str, dict[str, Any], str]] = [
    ("a user", {"who": {"users": ["ann", "ghost"]}}, "user 'ghost' in who is not known; left out"),
    ("a group", {"who": {"groups": ["ghosts"]}}, "group 'ghosts' in who is not known; left out"),
    (
        "an access provider",
        {"who": {"accessProviders": ["role:ghost"]}},
        "access provider 'role:ghost' in who is not known; left out",
    ),
    (
        "a data object",
        {"what": [{"dataObject": {"fullName": "ghost", "type": ""}, "permissions": ["s3:GetObject"]}]},
        "data object 'ghost' in what is not known; left out",
    ),
    (
        "a data object of another type",
        {"what": [{"dataObject": {"fullName": BUCKET, "type": "folder"}, "permissions": ["s3:GetObject"]}]},
        f"data object '{BUCKET}' of type 'folder' in what is not known; left out",
    ),
    (
        "a permission",
        {"what": [{"dataObject": {"fullName": BUCKET, "type": ""}, "permissions": ["s3:Nonsense"]}]},
        "permission 's3:Nonsense' is not one of a bucket; left out",
    ),
]


@pytest.mark.parametrize(("change", "warning"), [case[1:] for case in UNKNOWN], ids=[case[0] for case in UNKNOWN])
def test_names_that_nobody_knows_are_warnings(wire: Wire, filled: str, change: dict[str, Any], warning: str) -> None:
    result = wire.result("access-providers", filled, [access_provider("readers", **change)])

    assert counted(result, added=1)
    assert result["warnings"] == [f"access provider role:readers: {warning}"]
    kept = record(wire, filled, "role:readers")
    assert "ghost" not in json.dumps([kept["who"], kept["what"]])


def test_an_unknown_type_is_left_out(wire: Wire, filled: str) -> None:
    result = wire.result("access-providers", filled, [access_provider("a", "aws_thing"), access_provider("b")])

    assert counted(result, added=1)
    assert result["warnings"] == ["access provider role:a: the type 'aws_thing' is not known; it was left out"]


def test_only_linked_identity_stores_count(wire: Wire, cloud: LocalRaitoCloud, filled: str) -> None:
    other = cloud.catalog.create_identity_store("Organization")
    wire.result("identities", other, [user("person")], [])
    content = [access_provider("readers", who={"users": ["person"]})]

    before = wire.result("access-providers", filled, content)
    cloud.catalog.link(filled, other)
    after = wire.result("access-providers", filled, content)

    assert len(before["warnings"]) == 1
    assert after["warnings"] == []
    assert counted(after, updated=1)


HALF_GOOD: list[tuple[str, dict[str, Any], str]] = [
    ("no name", {"name": ""}, "lacks externalId or name"),
    ("no action", {"action": None}, "access provider file, element 2: Expected `str`, got `null` - at `$.action`"),
    ("the action as a number", {"action": 1}, "access provider file, element 2"),
    ("an unknown action", {"action": "Grant"}, "'Grant' is not an action"),
    ("who as a list", {"who": ["ann"]}, "access provider file, element 2: Expected `object | null`"),
    ("what without a data object", {"what": [{"permissions": []}]}, "missing required field `dataObject`"),
    ("the old form", {"access": []}, "access provider file, element 2: Expected `null`"),
]


@pytest.mark.parametrize(("change", "message"), [case[1:] for case in HALF_GOOD], ids=[case[0] for case in HALF_GOOD])
def test_a_file_with_a_wrong_element_changes_nothing(
    wire: Wire, filled: str, change: dict[str, Any], message: str
) -> None:
    wire.result("access-providers", filled, [access_provider("before")])

    failed = wire.imported("access-providers", filled, [access_provider("new"), {**access_provider("bad"), **change}])

    assert failed["status"] == "FAILED"
    assert message in failed["errors"][0]
    assert wire.counts()["dataSources"][filled]["accessProviders"] == {"aws_role": 1}
    assert record(wire, filled, "role:before")["name"] == "before"


def test_an_element_that_stands_there_twice_counts_once(wire: Wire, filled: str) -> None:
    result = wire.result("access-providers", filled, [access_provider("a"), access_provider("a", policy="other")])

    assert counted(result, added=1)
    assert len(result["warnings"]) == 1
    assert record(wire, filled, "role:a")["policy"] == "{}"


def test_an_access_provider_with_a_long_list(wire: Wire, filled: str) -> None:
    item = {"dataObject": {"fullName": BUCKET, "type": ""}, "permissions": ["s3:GetObject"]}
    content = [access_provider("long", what=[item] * 20_000), access_provider("short")]

    assert counted(wire.result("access-providers", filled, content), added=2)
    assert len(record(wire, filled, "role:long")["what"]) == 20_000
