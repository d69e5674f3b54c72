"""What a push reads of Identity Center: all permission sets by name, those of Raito whole, people by their names."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from raito_pipeline.aws.connection.errors import AwsError
from raito_pipeline.aws.connection.limits import ServiceLimits
from raito_pipeline.aws.readers.push_center import PushCenterRead, kept_documents, list_center, read_push_center
from raito_pipeline.model import Assignee, PushPermissionSet, Tag
from raito_pipeline.sandbox.aws.faults import Fault
from tests.aws.push.center_push import BY_RAITO, INSTANCE, PLACE, CenterAccount
from tests.aws.push.conftest import ACCOUNT, World, emulated_aws, world

__all__ = ["emulated_aws", "world"]


def read(
    account: CenterAccount, *names: str, sets: tuple[str, ...] = (), known: Iterable[PushPermissionSet] = ()
) -> PushCenterRead:
    return read_push_center(account.world.clients, PLACE, sets, names, ServiceLimits({}), known=known)


def test_those_of_raito_are_read_whole_and_of_others_who_has_those_that_are_wanted(world: World) -> None:
    account = CenterAccount(world)
    person, team = account.person("p1"), account.team("t1")
    ours = account.permission_set("Ours", *BY_RAITO, inline='{"Statement":[{}]}')
    theirs = account.permission_set("Theirs")
    account.permission_set("Other")
    account.assign(ours, "GROUP", team)
    account.assign(ours, "USER", person, "222222222222")
    at = {"InstanceArn": INSTANCE, "PermissionSetArn": ours}
    world.tagged_policy("P")
    account.sso.attach_customer_managed_policy_reference_to_permission_set(
        **at, CustomerManagedPolicyReference={"Name": "P"}
    )
    aws_managed = "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"
    account.sso.attach_managed_policy_to_permission_set(**at, ManagedPolicyArn=aws_managed)
    account.assign(theirs, "USER", person)

    rows = {row.name: row for row in read(account, sets=("Theirs",)).permission_sets.rows}

    found = rows["Ours"]
    assert (found.tags, found.is_whole, found.inline_policy) == ((Tag("creator", "RAITO"),), True, '{"Statement":[{}]}')
    assert (found.policy_arns, found.references) == ((aws_managed,), ("/P",))
    assert (found.assigned, found.account_ids) == ((Assignee("GROUP", team),), (ACCOUNT, "222222222222"))
    assert (rows["Theirs"].is_whole, rows["Theirs"].assigned) == (False, (Assignee("USER", person),))
    assert (rows["Other"].is_whole, rows["Other"].assigned, rows["Other"].arn[:12]) == (False, (), "arn:aws:sso:")


def test_those_of_others_are_not_asked_for_their_names_again_but_for_their_tags(world: World) -> None:
    account = CenterAccount(world)
    account.permission_set("Ours", *BY_RAITO)
    theirs, became = account.permission_set("Theirs"), account.permission_set("Became")
    person = account.person("p1")
    account.assign(theirs, "USER", person)
    known = read(account).permission_sets.rows
    account.sso.tag_resource(InstanceArn=INSTANCE, ResourceArn=became, Tags=list(BY_RAITO))
    account.permission_set("New")
    mark = world.aws.calls.mark

    again = read(account, sets=("Theirs",), known=known).permission_sets.rows

    asked = [call for call in world.aws.calls.since(mark) if call.operation == "DescribePermissionSet"]
    assert len(asked) == 3  # Ours, Became, New
    rows = {row.name: row for row in again}
    assert (rows["Theirs"].assigned, rows["Became"].is_whole) == ((Assignee("USER", person),), True)
    assert {name: row.arn for name, row in rows.items() if name in ("Theirs", "Became")} == {
        "Theirs": theirs,
        "Became": became,
    }


def test_what_was_listed_for_another_account_is_not_listed_again(world: World) -> None:
    account = CenterAccount(world)
    account.assign(account.permission_set("Ours", *BY_RAITO), "USER", account.person("p1"))
    account.permission_set("Theirs")
    listing = list_center(world.clients, PLACE, ServiceLimits({}))
    mark = world.aws.calls.mark

    found = read_push_center(world.clients, PLACE, (), ("p1",), ServiceLimits({}), listing=listing)

    asked = {call.operation for call in world.aws.calls.since(mark)}
    whole = read(account, "p1")
    assert asked.isdisjoint({"ListPermissionSets", "ListTagsForResource", "DescribePermissionSet", "ListUsers"})
    assert found.permission_sets.rows == whole.permission_sets.rows
    assert found.principals.rows == whole.principals.rows
    assert found.permission_sets.read_at == listing.began


def test_a_listing_of_another_account_says_nothing_old_of_ones_own(world: World) -> None:
    """The other account knows its description of a push before, and asks for that of its own alone."""
    account, other = CenterAccount(world), replace(PLACE, account_id="222222222222")
    ours = account.permission_set("Ours", *BY_RAITO, {"Key": "raito_account", "Value": ACCOUNT})
    known = read(account).permission_sets.rows
    account.sso.update_permission_set(InstanceArn=INSTANCE, PermissionSetArn=ours, Description="another")
    listing = list_center(world.clients, other, ServiceLimits({}), known=known)

    found = read_push_center(world.clients, PLACE, (), (), ServiceLimits({}), listing=listing)

    assert [row.description for row in found.permission_sets.rows] == ["another"]


def test_what_policies_of_aws_give_that_permission_sets_have_is_known_of_the_kept_copy() -> None:
    read_only, unknown = (f"arn:aws:iam::aws:policy/{name}" for name in ("AmazonS3ReadOnlyAccess", "NotThere"))
    row = PushPermissionSet("arn", "Set", "", (), True, "", (read_only, unknown), (), (), ())

    found = kept_documents([row, row])

    assert list(found) == [read_only]
    assert "s3:Get*" in found[read_only]


def test_of_the_people_those_who_are_named_or_assigned(world: World) -> None:
    account = CenterAccount(world)
    for name in ("p1", "p2", "p3"):
        account.person(name)
    account.team("p2")
    arn = account.permission_set("Ours", *BY_RAITO)
    account.assign(arn, "USER", account.person("assigned"))

    rows = read(account, "p2", "nobody").principals.rows

    assert sorted((row.principal_type, row.name) for row in rows) == [
        ("GROUP", "p2"),
        ("USER", "assigned"),
        ("USER", "p2"),
    ]


@pytest.mark.parametrize(
    "operation",
    [
        "ListPermissionSets",
        "DescribePermissionSet",
        "ListTagsForResource",
        "GetInlinePolicyForPermissionSet",
        "ListManagedPoliciesInPermissionSet",
        "ListCustomerManagedPolicyReferencesInPermissionSet",
        "ListAccountAssignments",
        "ListAccountsForProvisionedPermissionSet",
        "ListUsers",
        "ListGroups",
    ],
)
def test_a_part_is_never_taken_for_the_whole(world: World, operation: str) -> None:
    account = CenterAccount(world)
    account.permission_set("Ours", *BY_RAITO)
    world.aws.faults.add(Fault(kind="deny", operation=operation))
    try:
        with pytest.raises(AwsError, match=operation):
            read(account)
    finally:
        world.aws.faults.clear()
