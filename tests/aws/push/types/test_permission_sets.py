"""Permission sets, pushed twice over the wire: made, changed and given up, and what is left alone."""

import json
from dataclasses import replace

import pytest
from moto.identitystore.models import identitystore_backends

from raito_pipeline.aws.push.rules.bounds import Bounds
from raito_pipeline.model import WhoEntry
from raito_pipeline.sandbox.aws.faults import Fault
from tests.aws.push.center_push import BY_RAITO, INSTANCE, REGION, CenterAccount, CenterOptions, data, granted
from tests.aws.push.conftest import ACCOUNT, World

OTHER = "222222222222"
READ = {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::data-00/sales/*"]}


@pytest.fixture
def account(world: World) -> CenterAccount:
    """An account with people p1..p3 and the team t1 beside it in the organization."""
    made = CenterAccount(world)
    for name in ("p1", "p2", "p3"):
        made.person(name)
    made.team("t1")
    return made


def test_a_permission_set_is_made_whole_and_nothing_is_written_again(account: CenterAccount) -> None:
    first = account.push(granted("Sales readers", "p1", "group:t1"))

    assert (first.errors("Sales readers"), first.warnings("Sales readers")) == ("", "")
    assert first.results["Sales readers"].external_id == "ssorole:Sales_readers"
    assert account.assigned("Sales_readers") == {"user:p1", "group:t1"}
    assert account.inline("Sales_readers")["Statement"] == [READ]
    assert account.tags("Sales_readers") == {"creator": "RAITO", "raito_account": ACCOUNT}
    # The first assignment brings the permission set into the account, so that nothing has to be provisioned.
    assert account.role_policies("Sales_readers")[0]["Statement"] == [READ]
    assert first.writes == [
        "CreatePermissionSet",
        "PutInlinePolicyToPermissionSet",
        "CreateAccountAssignment",
        "CreateAccountAssignment",
    ]
    assert account.push(*first.controls).writes == []


def test_only_what_differs_is_changed_and_the_account_has_it_afterwards(account: CenterAccount) -> None:
    (made,) = account.push(granted("Set", "p1")).controls

    changed = account.push(replace(made, description="another", what=(data("s3:PutObject"),)))

    assert changed.writes[-1] == "ProvisionPermissionSet"
    assert sorted(changed.writes[:-1]) == ["PutInlinePolicyToPermissionSet", "UpdatePermissionSet"]
    assert account.role_policies("Set")[0]["Statement"][0]["Action"] == ["s3:PutObject"]
    assert account.push(*changed.controls).writes == []


def test_another_description_keeps_how_long_sessions_last_and_where_they_begin(account: CenterAccount) -> None:
    (made,) = account.push(granted("Set", "p1")).controls
    by_hand = {"SessionDuration": "PT8H", "RelayState": "https://example.com/start"}
    arn = account.sets()["Set"]
    account.sso.update_permission_set(InstanceArn=INSTANCE, PermissionSetArn=arn, Description="why", **by_hand)

    changed = account.push(replace(made, description="another"))

    assert (changed.writes, changed.errors("Set")) == (["UpdatePermissionSet"], "")
    assert account.described(arn).items() >= {**by_hand, "Description": "another"}.items()


def test_a_push_without_permission_sets_asks_nothing_of_identity_center(account: CenterAccount) -> None:
    mark = account.world.aws.calls.mark
    account.push(granted("P", type="aws_policy"))
    assert {call.service for call in account.world.aws.calls.since(mark)} & {
        "sso",
        "sso-admin",
        "identitystore",
    } == set()


def test_the_role_stays_where_all_people_change(account: CenterAccount) -> None:
    (made,) = account.push(granted("Set", "p1")).controls
    before = account.role("Set")

    changed = account.push(replace(made, who=WhoEntry(("p2",), (), (), ())))

    assert changed.writes == ["CreateAccountAssignment", "DeleteAccountAssignment"]
    assert (account.assigned("Set"), account.role("Set")) == ({"user:p2"}, before)


def test_who_loses_it_loses_it_first_where_somebody_keeps_it(account: CenterAccount) -> None:
    """So no role goes, and nobody who is to lose it gets more by it, also where AWS refuses to take it."""
    (made,) = account.push(granted("Set", "p1", "p2", what=(data(), data(path="hr")))).controls
    wanted = replace(made, who=WhoEntry(("p1", "p3"), (), (), ()), what=(data(), data(path="new")))
    account.world.aws.faults.add(Fault(kind="deny", operation="DeleteAccountAssignment"))

    failed = account.push(wanted)
    here = account.role_policies("Set")[0]["Statement"], account.assigned("Set")
    account.world.aws.faults.clear()
    again = account.push(*failed.controls)

    assert here == ([READ], {"user:p1", "user:p2"})
    assert "sso:DeleteAccountAssignment" in failed.errors("Set")
    assert (again.errors("Set"), account.assigned("Set")) == ("", {"user:p1", "user:p3"})
    assert "/new/" in json.dumps(account.role_policies("Set")[0])
    assert again.steps[0] == "delete assignment Set/user:p2"
    assert account.push(*again.controls).writes == []


def test_who_is_unknown_is_an_error_and_the_others_get_it(account: CenterAccount) -> None:
    pushed = account.push(granted("Set", "p1", "nobody", "group:none"))

    assert pushed.errors("Set") == (
        "user nobody is not in the identity store of the organization; "
        "group none is not in the identity store of the organization"
    )
    assert account.assigned("Set") == {"user:p1"}
    assert pushed.results["Set"].external_id == "ssorole:Set"


def test_several_of_one_name_are_an_error_and_nobody_is_guessed(account: CenterAccount) -> None:
    (made,) = account.push(granted("Set", "p1", "group:t1")).controls
    # AWS itself refuses two of one name; those of an external identity provider may come to have one.
    groups = identitystore_backends[ACCOUNT][REGION].identity_stores[account.place.identity_store_id].groups
    other = account.team("t2")
    groups[other] = groups[other]._replace(DisplayName="t1")

    pushed = account.push(made)

    assert "2 groups of the identity store are called t1" in pushed.errors("Set")
    assert pushed.writes == []
    assert account.assigned("Set") == {"user:p1", "group:t1"}


def test_the_dummy_user_comes_and_goes(account: CenterAccount) -> None:
    account.options = CenterOptions(aws_permissionset_dummy_user="p3")
    (made,) = account.push(granted("Set")).controls
    assert account.assigned("Set") == {"user:p3"}

    (made,) = account.push(replace(made, who=WhoEntry(("p1",), (), (), ()))).controls
    assert account.assigned("Set") == {"user:p1"}

    account.push(replace(made, who=WhoEntry((), (), (), ())))
    assert account.assigned("Set") == {"user:p3"}


def test_an_empty_who_is_a_state_of_which_people_are_warned(account: CenterAccount) -> None:
    (made,) = account.push(granted("Set", "p1")).controls
    emptied = account.push(replace(made, who=WhoEntry((), (), (), ())))
    assert account.assigned("Set") == set()
    assert (emptied.errors("Set"), "aws-permissionset-dummy-user" in emptied.warnings("Set")) == ("", True)
    assert account.push(*emptied.controls).writes == []


def test_somebody_who_left_the_identity_store_is_unassigned(account: CenterAccount) -> None:
    gone = account.person("gone")
    (made,) = account.push(granted("Set", "p1", "gone")).controls
    account.store.delete_user(IdentityStoreId=account.place.identity_store_id, UserId=gone)

    pushed = account.push(replace(made, who=WhoEntry(("p1",), (), (), ())))

    assert (pushed.errors("Set"), account.assigned("Set")) == ("", {"user:p1"})


@pytest.mark.parametrize("description", ["", "  "])
def test_without_a_description_none_is_made(account: CenterAccount, description: str) -> None:
    pushed = account.push(granted("Set", "p1", description=description))
    assert pushed.errors("Set") == "a permission set needs a description, and it has none"
    assert (pushed.writes, pushed.results["Set"].external_id) == ([], None)


def test_an_existing_one_that_lost_its_description_still_loses_people(account: CenterAccount) -> None:
    (made,) = account.push(granted("Set", "p1", "p2")).controls
    pushed = account.push(replace(made, description="", who=WhoEntry(("p1",), (), (), ())))
    assert "it keeps the one in AWS" in pushed.errors("Set")
    assert account.assigned("Set") == {"user:p1"}


def test_descriptions_are_cleaned_of_what_aws_refuses(account: CenterAccount) -> None:
    text = "Sales \u2013 \u201cEU\u201d \u62a5" + "x" * 800
    pushed = account.push(granted("Set", "p1", description=text))
    described = account.described(account.sets()["Set"])["Description"]
    assert (described[:14], len(described)) == ('Sales - "EU" ?', 700)
    assert "were replaced" in pushed.warnings("Set")
    assert "the rest was cut off" in pushed.warnings("Set")
    assert account.push(*pushed.controls).writes == []


def test_one_that_others_made_is_never_taken(account: CenterAccount) -> None:
    account.permission_set("Set")
    pushed = account.push(granted("Set", "p1"))
    assert "exists in AWS and was not made by Raito" in pushed.errors("Set")
    assert (pushed.writes, account.assigned("Set")) == ([], set())


@pytest.mark.parametrize(
    ("tags", "assigned_in", "error"),
    [
        ([{"Key": "raito_account", "Value": OTHER}], (), f"is that of account {OTHER}: put #account# into"),
        ([], (OTHER,), f"is in use in {OTHER}: put #account# into"),
        ([{"Key": "raito_account", "Value": ACCOUNT}], (), ""),
        ([], (ACCOUNT,), ""),
        ([], (), ""),
    ],
)
def test_one_permission_set_never_serves_two_accounts_by_accident(
    account: CenterAccount, tags: list[dict[str, str]], assigned_in: tuple[str, ...], error: str
) -> None:
    arn = account.permission_set("Set", *BY_RAITO, *tags)
    for place in assigned_in:
        account.assign(arn, "USER", account.person(f"in {place}"), place)

    pushed = account.push(granted("Set", "p1"))

    assert error in pushed.errors("Set")
    assert bool(pushed.writes) is (not error)
    assert error or account.tags("Set")["raito_account"] == ACCOUNT


def test_of_imported_ones_only_the_who_is_edited(account: CenterAccount) -> None:
    arn = account.permission_set("Set", inline=json.dumps({"Version": "2012-10-17", "Statement": [READ]}))
    account.assign(arn, "USER", account.person("old"))
    named = f"ssorole:{account.role('Set')}"

    pushed = account.push(granted("Set", "p1", external_id=named, description="other", what=(data("s3:PutObject"),)))

    assert pushed.writes == ["CreateAccountAssignment", "DeleteAccountAssignment"]
    assert pushed.results["Set"].external_id == named
    assert (account.assigned("Set"), account.tags("Set")) == ({"user:p1"}, {})
    assert "only who has it is edited" in pushed.warnings("Set")
    deleted = account.push(replace(pushed.controls[0], delete=True))
    assert "it is not deleted" in deleted.errors("Set")
    assert account.assigned("Set") == {"user:p1"}


def test_an_imported_one_named_by_its_own_name_is_not_touched(account: CenterAccount) -> None:
    account.permission_set("Set")
    pushed = account.push(granted("Set", "p1", external_id="ssorole:Set"))
    assert ("was not made by Raito" in pushed.errors("Set"), pushed.writes) == (True, [])


@pytest.mark.parametrize(
    ("locked", "writes"),
    [
        ("who_locked", ["PutInlinePolicyToPermissionSet", "ProvisionPermissionSet"]),
        ("what_locked", ["CreateAccountAssignment", "DeleteAccountAssignment"]),
    ],
)
def test_each_lock_keeps_its_own_part(account: CenterAccount, locked: str, writes: list[str]) -> None:
    (made,) = account.push(granted("Set", "p1")).controls
    other = {"who": WhoEntry(("p2",), (), (), ()), "what": (data("s3:PutObject"),), locked: True}
    assert account.push(replace(made, **other)).writes == writes


def test_a_locked_one_is_not_deleted(account: CenterAccount) -> None:
    (made,) = account.push(granted("Set", "p1")).controls
    assert "locked" in account.push(replace(made, delete=True, delete_locked=True)).errors("Set")
    assert "Set" in account.sets()


def test_a_name_stays_and_people_are_told(account: CenterAccount) -> None:
    (made,) = account.push(granted("Sales EU", "p1")).controls
    pushed = account.push(replace(made, name="Marketing"))
    assert pushed.warnings("Sales EU") == "permission sets cannot be renamed: it stays Sales_EU in AWS"
    assert pushed.writes == []


def test_names_have_the_account_and_room_for_a_counter(account: CenterAccount) -> None:
    account.options = CenterOptions(aws_sso_role_prefix="R", aws_sso_role_suffix="_#account#")
    pushed = account.push(granted("a", name="A very long name"), granted("b", name="A very long name indeed"))
    assert sorted(account.sets()) == [f"RA_very_long_n_{ACCOUNT}", f"RA_very_long_n__0_{ACCOUNT}"]
    assert account.push(*pushed.controls).writes == []


def test_accounts_that_share_an_organization_are_told_of_names_without_account(account: CenterAccount) -> None:
    account.is_shared = True
    assert "put #account# into aws-sso-role-suffix" in account.push(granted("Set", "p1")).warnings("Set")


def test_one_that_somebody_removed_is_said_where_somebody_was_to_lose_it(account: CenterAccount) -> None:
    (made,) = account.push(granted("Set", "p1", "p2")).controls
    at = {"InstanceArn": INSTANCE, "PermissionSetArn": account.sets()["Set"]}

    def remove() -> None:
        for one in account.sso.list_account_assignments(**at, AccountId=ACCOUNT)["AccountAssignments"]:
            named = {key: one[key] for key in ("PrincipalType", "PrincipalId")}
            account.sso.delete_account_assignment(**at, **named, TargetId=ACCOUNT, TargetType="AWS_ACCOUNT")
        account.sso.delete_permission_set(**at)

    pushed = account.push(replace(made, who=WhoEntry(("p1",), (), (), ())), meanwhile=remove)

    assert (pushed.errors("Set"), "is gone from AWS" in pushed.warnings("Set")) == ("", True)


def test_one_that_is_removed_goes_with_its_assignments(account: CenterAccount) -> None:
    (made,) = account.push(granted("Set", "p1", "group:t1")).controls

    pushed = account.push(replace(made, delete=True))

    assert pushed.writes == ["DeleteAccountAssignment", "DeleteAccountAssignment", "DeletePermissionSet"]
    assert (account.sets(), account.role("Set"), pushed.results["Set"].external_id) == ({}, None, None)
    again = account.push(replace(made, delete=True))
    assert (again.errors("Set"), again.writes) == ("", [])


def test_one_that_another_account_has_is_taken_from_this_one_only(account: CenterAccount) -> None:
    (made,) = account.push(granted("Set", "p1")).controls
    account.assign(account.sets()["Set"], "USER", account.person("elsewhere"), OTHER)

    pushed = account.push(replace(made, delete=True))

    assert (account.assigned("Set"), pushed.errors("Set")) == (set(), "")
    assert f"is in use in {OTHER}: it stays" in pushed.warnings("Set")


def test_deletes_of_what_never_was_are_done(account: CenterAccount) -> None:
    account.permission_set("Set")
    pushed = account.push(granted("a", delete=True), granted("b", delete=True, external_id="ssorole:Set"))
    assert (pushed.errors("a"), pushed.errors("b"), pushed.writes) == ("", "", [])
    assert "Set" in account.sets()


def test_what_the_account_does_not_have_as_it_is_is_provisioned(account: CenterAccount) -> None:
    (made,) = account.push(granted("Set", "p1")).controls
    drifted = json.dumps({"Version": "2012-10-17", "Statement": [{**READ, "Action": "s3:*"}]})
    at = {"InstanceArn": account.place.instance_arn, "PermissionSetArn": account.sets()["Set"]}
    account.sso.put_inline_policy_to_permission_set(**at, InlinePolicy=drifted)
    account.sso.provision_permission_set(**at, TargetType="ALL_PROVISIONED_ACCOUNTS")
    right = json.dumps({"Version": "2012-10-17", "Statement": [READ]})
    account.sso.put_inline_policy_to_permission_set(**at, InlinePolicy=right)

    assert account.push(made).writes == ["ProvisionPermissionSet"]
    assert account.push(made).writes == []


def test_without_what_it_has_no_policy(account: CenterAccount) -> None:
    (made,) = account.push(granted("Set", "p1", what=())).controls
    assert account.inline("Set") is None
    (made,) = account.push(replace(made, what=(data(),))).controls
    assert account.role_policies("Set")[0]["Statement"] == [READ]
    emptied = account.push(replace(made, what=()))
    assert emptied.writes == ["DeleteInlinePolicyFromPermissionSet", "ProvisionPermissionSet"]
    assert account.role_policies("Set")[0] is None


def test_what_is_too_much_for_one_is_granted_by_a_policy_that_it_references(account: CenterAccount) -> None:
    """As the error says that it can be done: the policy is split, and the permission set has all its parts."""
    account.bounds = Bounds("source", None, {"data-00": REGION})
    much = tuple(data(path=f"{number:03}-{'x' * 90}") for number in range(100))
    alone = account.push(granted("Set", "p1", what=much))
    assert "an access control of type policy with this permission set in its who" in alone.errors("Set")

    policy = granted("Much", "ID:Set", type="aws_policy", what=much)
    first = account.push(granted("Set", "p1"), policy)
    again = account.push(*first.controls)

    assert (first.errors("Set"), first.errors("Much")) == ("", "")
    assert account.references("Set") == {"/Much", "/Much_2"}
    assert account.role_policies("Set")[1] == {"Much", "Much_2"}
    assert again.writes == []


@pytest.mark.parametrize(
    "listing", ["ListManagedPoliciesInPermissionSet", "ListCustomerManagedPolicyReferencesInPermissionSet"]
)
def test_what_it_loses_does_not_wait_for_a_listing_that_only_new_access_needs(
    account: CenterAccount, listing: str
) -> None:
    faults = account.world.aws.faults
    (made,) = account.push(granted("Set", "p1", "p2", what=(data(), data(path="hr")))).controls
    wanted = replace(made, who=WhoEntry(("p1", "p3"), (), (), ()), what=(data(), data(path="new")))

    changed = account.push(wanted, meanwhile=lambda: faults.add(Fault(kind="deny", operation=listing)))
    faults.clear()
    here = account.role_policies("Set")[0]["Statement"], account.assigned("Set")
    again = account.push(*changed.controls)

    assert here == ([READ], {"user:p1"})
    assert f"sso:{listing}" in changed.errors("Set")
    assert (again.errors("Set"), account.assigned("Set")) == ("", {"user:p1", "user:p3"})
    assert "/new/" in json.dumps(account.role_policies("Set")[0])
