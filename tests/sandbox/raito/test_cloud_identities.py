"""Import of identity stores: what is added, changed and removed, and what a half-good file does."""

from typing import Any

import pytest

from .wire import Wire, group, user

NOTHING = dict.fromkeys(
    (f"{kind}{what}" for kind in ("users", "groups") for what in ("Added", "Updated", "Removed")), 0
)


def counted(result: dict[str, Any], **expected: int) -> bool:
    numbers = {name: value for name, value in result.items() if name != "warnings"}
    return numbers == {**NOTHING, **expected}


def people(wire: Wire, store: str) -> dict[str, list[str]]:
    """User name -> groups."""
    found = wire.ask(f'{{ users(identityStore: "{store}") {{ items {{ userName groupExternalIds }} }} }}')
    return {item["userName"]: item["groupExternalIds"] for item in found["items"]}


def test_users_and_groups_arrive(wire: Wire, store: str) -> None:
    tags = [{"key": "email", "value": "x@example.com", "source": "aws-s3"}]
    users = [user("ann", "id-team", tags=tags), user("bob", isMachine=True)]

    result = wire.result("identities", store, users, [group("team", description="a team")])

    assert counted(result, usersAdded=2, groupsAdded=1)
    assert result["warnings"] == []
    found = wire.ask(
        f'{{ users(identityStore: "{store}") {{ total items {{ externalId name email isMachine groupExternalIds'
        " tags { key value source } } } }"
    )
    assert found["total"] == 2
    assert found["items"][0] == {
        "externalId": "id-ann",
        "name": "ann",
        "email": "ann@example.com",
        "isMachine": False,
        "groupExternalIds": ["id-team"],
        "tags": tags,
    }
    assert found["items"][1]["isMachine"] is True
    groups = wire.ask(f'{{ groups(identityStore: "{store}") {{ items {{ name displayName description }} }} }}')
    assert groups["items"] == [{"name": "team", "displayName": "team", "description": "a team"}]


def test_the_same_again_changes_nothing(wire: Wire, store: str) -> None:
    files = [user("ann", "id-team", "id-other"), user("bob")], [group("team"), group("other")]
    wire.result("identities", store, *files)

    assert counted(wire.result("identities", store, *files))


CHANGES = [
    ("email", user("ann", "id-team", email="new@example.com"), {"usersUpdated": 1}),
    ("a tag", user("ann", "id-team", tags=[{"key": "a", "value": "b", "source": "aws-s3"}]), {"usersUpdated": 1}),
    ("a machine", user("ann", "id-team", isMachine=True), {"usersUpdated": 1}),
    ("no group any more", user("ann"), {"usersUpdated": 1}),
    ("null or an empty list", user("ann", "id-team", tags=[]), {}),
]


@pytest.mark.parametrize(("changed", "expected"), [case[1:] for case in CHANGES], ids=[case[0] for case in CHANGES])
def test_a_change_counts_as_an_update(
    wire: Wire, store: str, changed: dict[str, Any], expected: dict[str, int]
) -> None:
    wire.result("identities", store, [user("ann", "id-team")], [group("team")])

    assert counted(wire.result("identities", store, [changed], [group("team")]), **expected)


def test_what_the_file_lacks_is_removed(wire: Wire, store: str) -> None:
    wire.result("identities", store, [user("ann"), user("bob")], [group("team"), group("gone")])

    result = wire.result("identities", store, [user("ann")], [group("team")], deleteUntouched=True)

    assert counted(result, usersRemoved=1, groupsRemoved=1)
    assert people(wire, store) == {"ann": []}


def test_a_partial_file_removes_nothing(wire: Wire, store: str) -> None:
    wire.result("identities", store, [user("ann"), user("bob")], [group("team"), group("other")])

    result = wire.result("identities", store, [user("cy")], [], deleteUntouched=False)

    assert counted(result, usersAdded=1)
    assert set(people(wire, store)) == {"ann", "bob", "cy"}
    assert wire.counts()["identityStores"][store]["groups"] == 2


def test_removing_is_the_default(wire: Wire, store: str) -> None:
    wire.result("identities", store, [user("ann")], [])

    assert counted(wire.result("identities", store, [], []), usersRemoved=1)


@pytest.mark.parametrize(("replace", "expected"), [(True, ["id-b"]), (False, ["id-a", "id-b"])])
def test_memberships_are_replaced_or_joined(wire: Wire, store: str, replace: bool, expected: list[str]) -> None:
    groups = [group("a"), group("b")]
    wire.result("identities", store, [user("ann", "id-a")], groups)

    wire.result("identities", store, [user("ann", "id-b")], groups, replaceGroups=replace)

    assert people(wire, store) == {"ann": expected}


def test_a_membership_of_a_group_that_went_is_gone_too(wire: Wire, store: str) -> None:
    wire.result("identities", store, [user("ann", "id-a")], [group("a")])

    result = wire.result("identities", store, [user("ann")], [], replaceGroups=False)

    assert counted(result, usersUpdated=1, groupsRemoved=1)
    assert people(wire, store) == {"ann": []}


def test_memberships_of_users_outside_a_partial_file_end_with_their_group(wire: Wire, store: str) -> None:
    wire.result("identities", store, [user("ann", "id-a"), user("bob", "id-a", "id-b")], [group("a"), group("b")])

    wire.result("identities", store, [user("bob", "id-b")], [group("b")], deleteUntouched=True)

    assert wire.counts()["identityStores"][store] == {
        "name": "IAM of one account",
        "type": "",
        "users": 1,
        "groups": 1,
        "memberships": 1,
    }


def test_a_group_that_nobody_knows_is_a_warning(wire: Wire, store: str) -> None:
    result = wire.result("identities", store, [user("ann", "id-team", "id-ghost")], [group("team")])

    assert counted(result, usersAdded=1, groupsAdded=1)
    assert result["warnings"] == ["user ann: group id-ghost is not known; the membership was left out"]
    assert people(wire, store) == {"ann": ["id-team"]}


def test_an_element_that_stands_there_twice_counts_once(wire: Wire, store: str) -> None:
    result = wire.result("identities", store, [user("ann"), user("ann", email="second@example.com")], [])

    assert counted(result, usersAdded=1)
    assert result["warnings"] == ["users file: id-ann stands there twice; the first one counts"]


def test_tags_of_sources_outside_the_scope_stay(wire: Wire, store: str) -> None:
    by_hand, from_aws = ({"key": "k", "value": source, "source": source} for source in ("by-hand", "aws-s3"))
    wire.result("identities", store, [user("ann", tags=[by_hand, from_aws])], [])

    result = wire.result("identities", store, [user("ann")], [], tagSourcesScope=["aws-s3"])

    assert counted(result, usersUpdated=1)
    found = wire.ask(f'{{ users(identityStore: "{store}") {{ items {{ tags {{ key value source }} }} }} }}')
    assert found["items"] == [{"tags": [by_hand]}]


HALF_GOOD: list[tuple[str, Any, Any, str]] = [
    ("no external id", [user("ann"), {"name": "bob"}], [], "users file, element 2: Object missing required field"),
    ("a number for a name", [{**user("ann"), "name": 5}], [], "users file, element 1: Expected `str | null`"),
    ("an empty external id", [user("ann", externalId="")], [], "users file: an element without externalId"),
    ("a group without a name", [user("ann")], [{"externalId": "g"}], "groups file, element 1"),
    ("an object", {"users": []}, [], "the users file cannot be read: it is not a JSON array"),
    ("cut off", b'[{"externalId": "a", "name": "a"}', [], "it ends before its array does"),
    ("cut off in an element", b'[{"externalId": "a", "na', [], "it ends before its array does"),
    ("nothing", b"", [], "it is empty"),
    ("a stray comma", b'[{"externalId": "a", "name": "a"},]', [], "the users file cannot be read"),
    ("not UTF-8", b'[{"externalId": "\xff", "name": "a"}]', [], "the users file cannot be read"),
]


@pytest.mark.parametrize(
    ("users", "groups", "message"), [case[1:] for case in HALF_GOOD], ids=[case[0] for case in HALF_GOOD]
)
def test_a_file_with_a_wrong_element_changes_nothing(
    wire: Wire, store: str, users: Any, groups: Any, message: str
) -> None:
    wire.result("identities", store, [user("before")], [])

    failed = wire.imported("identities", store, users, groups)

    assert failed["status"] == "FAILED"
    assert message in failed["errors"][0]
    assert failed["result"] is None
    assert people(wire, store) == {"before": []}


def test_all_wrong_elements_are_told_at_once(wire: Wire, store: str) -> None:
    failed = wire.imported("identities", store, [{"name": "a"}, user("b"), {"name": "c"}], [{"name": "d"}])

    assert [error.split(":")[0] for error in failed["errors"]] == [
        "groups file, element 1",
        "users file, element 1",
        "users file, element 3",
    ]


def test_a_key_under_which_nothing_lies(wire: Wire, store: str) -> None:
    failed = wire.wait(*wire.start("identities", store, usersFileKey="uploads/nothing"))

    assert (failed["status"], failed["errors"]) == (
        "FAILED",
        ["no file was uploaded under the key 'uploads/nothing'"],
    )


def test_people_are_found_in_pages_and_by_name(wire: Wire, store: str) -> None:
    wire.result("identities", store, [user(f"user{number:02}") for number in range(25)], [])
    document = """query ($store: ID!, $after: String, $search: String) {
        users(identityStore: $store, after: $after, limit: 10, search: $search) { total next items { userName } } }"""

    names: list[str] = []
    after: str | None = None
    for _ in range(3):
        found = wire.ask(document, {"store": store, "after": after})
        names += [item["userName"] for item in found["items"]]
        after = found["next"]

    assert names == [f"user{number:02}" for number in range(25)]
    assert after is None
    assert wire.ask(document, {"store": store, "search": "user1"})["total"] == 10
