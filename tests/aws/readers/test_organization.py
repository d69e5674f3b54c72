"""Identity Center over the wire: which instance is the organization's, and what becomes of what cannot be read."""

from collections.abc import Callable
from typing import Any

import pytest

from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.aws.connection.errors import AwsError
from raito_pipeline.aws.connection.limits import ServiceLimits
from raito_pipeline.aws.readers.instances import Home, NoIdentityCenter
from raito_pipeline.aws.readers.organization import EarlierOrganization, OrganizationRead, read_organization
from raito_pipeline.storage.cells import ReadStatus
from tests.aws.conftest import Reach
from tests.aws.identity_center import (
    ACCOUNT,
    BESIDE,
    MASTER,
    ORG,
    OTHER,
    READ,
    REGION,
    STORE,
    STORE_BESIDE,
    WRITE,
    Answer,
    center,
    group,
    instance,
    member,
    refused,
    user,
)
from tests.aws.stand_in import Refused, StandIn

ADA = {"PrincipalType": "USER", "PrincipalId": "u-1"}
TEAM = {"PrincipalType": "GROUP", "PrincipalId": "g-1"}
ACCOUNT_INSTANCE = instance(BESIDE, STORE_BESIDE, ACCOUNT)


def read(
    reach: Reach,
    stand_in: StandIn | AwsClients,
    *,
    accounts: tuple[str, ...] = (ACCOUNT,),
    home: Home | None = None,
    earlier: EarlierOrganization | None = None,
    region: str = REGION,
) -> OrganizationRead:
    clients = stand_in if isinstance(stand_in, AwsClients) else reach(stand_in)
    return read_organization(clients, region, frozenset(accounts), ServiceLimits({}), home=home, earlier=earlier)


def earlier_of(found: OrganizationRead) -> EarlierOrganization:
    return EarlierOrganization(found.users.rows, found.permission_sets.rows, found.assignments.rows)


def refusing(code: str, text: str = "no") -> Callable[[str, Answer], Refused | None]:
    """The account instance refuses all that is about permission sets, and its people."""

    def fails(_action: str, request: Answer) -> Refused | None:
        beside = request.get("InstanceArn") == BESIDE or request.get("IdentityStoreId") == STORE_BESIDE
        return refused(code, text) if beside else None

    return fails


BESIDES: dict[str, tuple[dict[str, Any], Home | None, str]] = {
    "an account instance": (ACCOUNT_INSTANCE, None, "ValidationException"),
    "an account instance, by its owner": (ACCOUNT_INSTANCE, Home(owner=MASTER), "InternalServerException"),
    "an account instance, by the ARN of the other": (ACCOUNT_INSTANCE, Home(ORG), "InternalServerException"),
    "an account instance, by the store of the other": (
        ACCOUNT_INSTANCE, Home("", f"arn:aws:identitystore::{MASTER}:identitystore/{STORE}"), "AccessDeniedException",
    ),
    "an account instance that is denied": (ACCOUNT_INSTANCE, None, "AccessDeniedException"),
    "an account instance that is gone": (ACCOUNT_INSTANCE, None, "ResourceNotFoundException"),
    "an account instance, options that name nothing here": (
        ACCOUNT_INSTANCE, Home("arn:aws:sso:::instance/x", "d-x", "1"), "ValidationException",
    ),
    "one that is being deleted": (
        instance(BESIDE, STORE_BESIDE, ACCOUNT, "DELETE_IN_PROGRESS"), None, "ResourceNotFoundException",
    ),
    "one that is being made": (instance(BESIDE, "", ACCOUNT, "CREATE_IN_PROGRESS"), None, "ValidationException"),
    "one that failed": (instance(BESIDE, STORE_BESIDE, MASTER, "CREATE_FAILED"), Home(owner=MASTER),
                        "ValidationException"),
    "one without identity store": ({"InstanceArn": BESIDE}, None, "ValidationException"),
}  # fmt: skip


@pytest.mark.parametrize("case", BESIDES)
def test_an_instance_beside_the_organizations_does_not_end_the_read(reach: Reach, case: str) -> None:
    beside, home, code = BESIDES[case]
    for instances in ([instance(), beside], [beside, instance()]):
        found = read(
            reach,
            center(instances=instances, users=[user(1)], assigned={(READ, ACCOUNT): [ADA]}, fails=refusing(code)),
            home=home,
        )
        tables = (found.users, found.groups, found.permission_sets, found.assignments)
        assert [(len(table.rows), table.status) for table in tables] == [
            (count, ReadStatus.COMPLETE) for count in (1, 0, 1, 1)
        ]
        assert found.assignments.rows[0].principal_name == "user1"
        assert any(BESIDE in hint for hint in found.hints)


NONE = {
    "none at all": [],
    "all being deleted": [instance(status="DELETE_IN_PROGRESS")],
    "an account instance alone": [ACCOUNT_INSTANCE],
}


@pytest.mark.parametrize("case", NONE)
def test_no_instance_that_can_be_used_is_an_error_with_words(reach: Reach, case: str) -> None:
    with pytest.raises(NoIdentityCenter) as caught:
        read(reach, center(instances=NONE[case], users=[user(1)], fails=refusing("ValidationException")))
    assert "no instance of IAM Identity Center of an organization in eu-west-1" in str(caught.value)
    for one in NONE[case]:
        assert one["InstanceArn"] in str(caught.value)


@pytest.mark.parametrize("action", [
    "sso:ListInstances", "identitystore:ListUsers", "identitystore:ListGroups",
    "identitystore:ListGroupMemberships", "sso:ListPermissionSetsProvisionedToAccount", "sso:ListAccountAssignments",
    "sso:DescribePermissionSet",
])  # fmt: skip
def test_a_list_that_fails_leaves_the_reader(reach: Reach, action: str) -> None:
    def fails(called: str, _request: Answer) -> Refused | None:
        return refused("InternalServerException") if called == action else None

    with pytest.raises(AwsError):
        read(reach, center(users=[user(1)], groups=[group(1)], assigned={(READ, ACCOUNT): [ADA]}, fails=fails))


ASSIGNED = {(READ, ACCOUNT): [ADA], (WRITE, ACCOUNT): [TEAM], (READ, OTHER): [TEAM]}
PEOPLE = {"users": [user(1), user(2), user(3)], "groups": [group(1), group(2)],
          "members": [member(1, 1), member(2, 2)]}  # fmt: skip
ELEMENTS: dict[str, tuple[Callable[[str, Answer], bool], set[str], str]] = {
    "members of a group": (lambda _, r: r.get("GroupId") == "g-1", {"users"}, "members of groups"),
    "permission sets of an account": (
        lambda action, r: action == "sso:ListPermissionSetsProvisionedToAccount" and r["AccountId"] == OTHER,
        {"permission_sets", "assignments"}, "permission sets of accounts",
    ),
    "assignments of a permission set": (
        lambda action, r: action == "sso:ListAccountAssignments" and r["PermissionSetArn"] == WRITE,
        {"assignments"}, "assignments of permission sets",
    ),
    "a permission set": (
        lambda action, r: action == "sso:DescribePermissionSet" and r["PermissionSetArn"] == WRITE,
        {"permission_sets"}, "permission sets",
    ),
    "tags of a permission set": (
        lambda action, r: action == "sso:ListTagsForResource" and r["ResourceArn"] == WRITE,
        {"permission_sets"}, "tags of permission sets",
    ),
    "tags of all permission sets": (
        lambda action, _: action == "sso:ListTagsForResource", {"permission_sets"}, "tags of permission sets",
    ),
}  # fmt: skip
TABLES = ("users", "groups", "permission_sets", "assignments")


CODES = ("InternalServerException", "ThrottlingException", "ValidationException")


@pytest.mark.parametrize(("case", "code"), [(case, CODES[n % len(CODES)]) for n, case in enumerate(ELEMENTS)])
def test_an_element_that_cannot_be_read_is_as_the_previous_sync_stored_it(reach: Reach, case: str, code: str) -> None:
    fails, partial, words = ELEMENTS[case]
    accounts = (ACCOUNT, OTHER)
    whole = read(reach, center(**PEOPLE, assigned=ASSIGNED), accounts=accounts)  # type: ignore[arg-type]

    broken = reach(
        center(
            **PEOPLE,  # type: ignore[arg-type]
            assigned=ASSIGNED,
            fails=lambda action, request: refused(code) if fails(action, request) else None,
        )
    )
    earlier = earlier_of(whole)
    for _ in range(2):
        found = read(reach, broken, accounts=accounts, earlier=earlier)
        assert [getattr(found, table).rows for table in TABLES] == [getattr(whole, table).rows for table in TABLES]
        assert {table for table in TABLES if getattr(found, table).status is ReadStatus.PARTIAL} == partial
        for table in partial:
            (problem,) = getattr(found, table).problems
            assert problem.startswith(f"{words} were not read, so they are as the previous sync stored them: ")
        earlier = earlier_of(found)

    without = read(reach, broken, accounts=accounts)
    # Who has a permission set that nobody knew is not known: the account is not said to have it, with nobody in it.
    partial = partial | ({"permission_sets"} if words == "assignments of permission sets" else set())
    for table in TABLES:
        assert len(getattr(without, table).rows) <= len(getattr(whole, table).rows)
        assert (getattr(without, table).status is ReadStatus.PARTIAL) == (table in partial)
    assigned = {(row.permission_set_arn, row.account_id) for row in without.assignments.rows}
    held = {(row.arn, account) for row in without.permission_sets.rows for account in row.account_ids}
    assert held <= assigned
    assert (None in {row.tags for row in without.permission_sets.rows}) == (words == "tags of permission sets")


def test_what_was_deleted_since_it_was_listed_is_gone(reach: Reach) -> None:
    def fails(action: str, request: Answer) -> Refused | None:
        gone = request.get("GroupId") == "g-1" or WRITE in (request.get("PermissionSetArn"), request.get("ResourceArn"))
        return refused("ResourceNotFoundException") if gone and action != "sso:ListAccountAssignments" else None

    found = read(reach, center(**PEOPLE, assigned=ASSIGNED, fails=fails))  # type: ignore[arg-type]
    assert [row.group_id for row in found.groups.rows] == ["g-2"]
    assert {row.user_id: row.group_ids for row in found.users.rows} == {"u-1": (), "u-2": ("g-2",), "u-3": ()}
    assert [row.name for row in found.permission_sets.rows] == ["Read"]
    assert {table.status for table in (found.users, found.groups, found.permission_sets)} == {ReadStatus.COMPLETE}


def test_who_is_on_two_pages_because_a_name_changed_between_them_is_one(reach: Reach) -> None:
    twice = [user(1), user(2), user(1, UserName="renamed")], [group(1), group(1, DisplayName="renamed")]
    found = read(reach, center(users=twice[0], groups=twice[1], assigned={(READ, ACCOUNT): [ADA, ADA]}))
    assert [(row.user_id, row.user_name) for row in found.users.rows] == [("u-1", "renamed"), ("u-2", "user2")]
    assert [row.display_name for row in found.groups.rows] == ["renamed"]
    assert [row.principal_name for row in found.assignments.rows] == ["renamed"]


def test_what_names_nobody_is_left_out_and_said(reach: Reach) -> None:
    odd = [
        ADA,
        None,
        {"PrincipalType": "USER"},
        {"PrincipalId": "u-1"},
        {"PrincipalType": "USER", "PrincipalId": "u-x"},
    ]
    found = read(reach, center(users=[user(1)], assigned={(READ, ACCOUNT): odd}))
    rows = [(row.principal_id, row.principal_name) for row in found.assignments.rows]
    assert rows == [("u-1", "user1"), ("u-x", None)]
    assert found.assignments.status is ReadStatus.PARTIAL
    assert len(found.assignments.problems) == 1


def test_without_the_right_to_ask_by_account_all_permission_sets_are_asked_for(reach: Reach) -> None:
    def fails(action: str, request: Answer) -> Refused | None:
        by_account = action == "sso:ListPermissionSetsProvisionedToAccount" and request["AccountId"] == OTHER
        return refused("AccessDeniedException") if by_account else None

    whole = read(reach, center(**PEOPLE, assigned=ASSIGNED), accounts=(ACCOUNT, OTHER))  # type: ignore[arg-type]
    asked = center(**PEOPLE, assigned=ASSIGNED, fails=fails)  # type: ignore[arg-type]
    found = read(reach, asked, accounts=(ACCOUNT, OTHER), region="us-gov-west-1")
    assert [getattr(found, table).rows for table in TABLES] == [getattr(whole, table).rows for table in TABLES]
    (hint,) = (hint for hint in found.hints if "ListPermissionSetsProvisionedToAccount is not granted" in hint)
    assert "arn:aws-us-gov:sso:::account/*" in hint
