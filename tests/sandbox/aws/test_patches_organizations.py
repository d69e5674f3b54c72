"""Organizations of the emulated AWS: pages, who may ask, and a policy of each type at every level."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from raito_pipeline.sandbox.aws.estate.large_organization import seed_large_organization
from raito_pipeline.sandbox.aws.estate.organization import POLICIES, RESOURCE, SERVICE, seed_organization
from tests.sandbox.aws.conftest import ACCOUNT, OTHER_ACCOUNT, ClientOf

STRANGER = "999988887777"


def code(call: Any, **request: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**request)
    return str(caught.value.response["Error"]["Code"])


def test_lists_come_in_pages_and_end(client: ClientOf) -> None:
    seed_organization(ACCOUNT, [OTHER_ACCOUNT])
    organizations = client("organizations")
    (root,) = organizations.list_roots()["Roots"]
    request: dict[str, Any] = {"TargetId": root["Id"], "Filter": SERVICE}

    first = organizations.list_policies_for_target(**request, MaxResults=1)
    last = organizations.list_policies_for_target(**request, MaxResults=1, NextToken=first["NextToken"])
    assert [one["Name"] for one in (*first["Policies"], *last["Policies"])] == ["FullAWSAccess", "HomeRegions"]
    assert "NextToken" not in last


def test_only_the_management_account_may_ask(client: ClientOf) -> None:
    outside = client("organizations", account=ACCOUNT)
    assert code(outside.list_roots) == "AWSOrganizationsNotInUseException"
    seed_organization(ACCOUNT, [OTHER_ACCOUNT])
    member = client("organizations", account=OTHER_ACCOUNT)
    for call, request in (
        (member.list_roots, {}),
        (member.list_parents, {"ChildId": OTHER_ACCOUNT}),
        (member.describe_policy, {"PolicyId": "p-FullAWSAccess"}),
        (member.list_policies_for_target, {"TargetId": OTHER_ACCOUNT, "Filter": SERVICE}),
    ):
        assert code(call, **request) == "AccessDeniedException"


def test_a_stranger_has_no_parents(client: ClientOf) -> None:
    seed_organization(ACCOUNT, [OTHER_ACCOUNT])
    assert code(client("organizations").list_parents, ChildId=STRANGER) == "ChildNotFoundException"


def test_every_level_of_the_estate_allows_what_it_does_not_name(client: ClientOf) -> None:
    """AWS attaches its own policies to every root, unit and account when a type is enabled."""
    seed_organization(ACCOUNT, [OTHER_ACCOUNT, "333344445555", "444455556666"])
    organizations = client("organizations")
    (root,) = organizations.list_roots()["Roots"]
    assert {one["Type"]: one["Status"] for one in root["PolicyTypes"]} == {SERVICE: "ENABLED", RESOURCE: "ENABLED"}
    found: set[str] = set()
    for node in (OTHER_ACCOUNT, "333344445555", "444455556666"):
        while node:
            for kind, full in ((SERVICE, "FullAWSAccess"), (RESOURCE, "RCPFullAWSAccess")):
                listed = organizations.list_policies_for_target(TargetId=node, Filter=kind)["Policies"]
                assert full in [one["Name"] for one in listed]
                found |= {one["Name"] for one in listed}
            node = "" if node == root["Id"] else organizations.list_parents(ChildId=node)["Parents"][0]["Id"]
    assert found == {policy.name for policy in POLICIES} | {"FullAWSAccess", "RCPFullAWSAccess"}


def test_accounts_units_and_tags_come_in_pages_whatever_their_number(client: ClientOf) -> None:
    made = seed_large_organization(ACCOUNT, 45, ("a", "a/b"))
    organizations = client("organizations")

    def everything(operation: str, key: str, **request: Any) -> list[Any]:
        pages = []
        while True:
            answer = getattr(organizations, operation)(**request, MaxResults=20)
            pages.append(answer[key])
            if "NextToken" not in answer:
                assert all(len(page) == 20 for page in pages[:-1])
                return [item for page in pages for item in page]
            request["NextToken"] = answer["NextToken"]

    accounts = {one["Id"]: one["State"] for one in everything("list_accounts", "Accounts")}
    assert sorted(accounts) == sorted([ACCOUNT, *made.accounts])
    assert {one for one, state in accounts.items() if state == "SUSPENDED"} == set(made.closed)
    (root,) = organizations.list_roots()["Roots"]
    (unit,) = everything("list_organizational_units_for_parent", "OrganizationalUnits", ParentId=root["Id"])
    assert len(everything("list_accounts_for_parent", "Accounts", ParentId=unit["Id"])) == 23
    assert code(organizations.list_accounts_for_parent, ParentId="ou-none-none1234") == "ParentNotFoundException"
    (tag,) = organizations.list_tags_for_resource(ResourceId=made.accounts[0])["Tags"]
    assert tag == {"Key": "stage", "Value": "live"}
