"""Organizations of the emulated AWS: pages, who may ask, and a policy of each type at every level."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

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
