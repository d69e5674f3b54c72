"""Managed policies and permission sets: referenced, brought into the account, and given up again."""

import json
from dataclasses import replace
from typing import Any

import pytest

from raito_pipeline.model import AccessControl, WhoEntry
from raito_pipeline.sandbox.aws.faults import Fault
from tests.aws.push.center_push import BY_RAITO, INSTANCE, CenterAccount, data, granted
from tests.aws.push.conftest import World, arn

NOBODY = WhoEntry((), (), (), ())
READ = {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::data-00/sales/*"]}


@pytest.fixture
def account(world: World) -> CenterAccount:
    """An account with the person p1, beside it in the organization."""
    made = CenterAccount(world)
    made.person("p1")
    return made


def policy(identifier: str, *who: str, **changes: Any) -> AccessControl:
    return granted(identifier, *who, **{"type": "aws_policy", "what": (data("s3:PutObject"),), **changes})


def test_a_policy_on_a_permission_set_of_the_same_push(account: CenterAccount) -> None:
    first = account.push(policy("P", "ID:Set"), granted("Set", "p1"))

    assert first.errors("P") == first.errors("Set") == ""
    assert account.references("Set") == {"/P"}
    assert account.role_policies("Set")[1] == {"P"}
    steps = first.steps
    assert steps.index("create permission-set Set") < steps.index("attach permission-set-reference Set")
    assert steps.index("create policy P") < steps.index("attach permission-set-reference Set")
    assert steps[-1] == "create assignment Set/user:p1"
    assert "ProvisionPermissionSet" not in first.writes
    assert account.push(*first.controls).writes == []


@pytest.mark.parametrize("before", [False, True], ids=["a new permission set", "one that somebody has"])
@pytest.mark.parametrize("refused", ["AttachCustomerManagedPolicyReferenceToPermissionSet", "CreatePolicy"])
def test_who_gets_a_permission_set_gets_it_also_where_a_policy_does_not_come(
    account: CenterAccount, before: bool, refused: str
) -> None:
    account.person("p2")
    made = account.push(granted("Set", "p1")).controls if before else (granted("Set"),)
    account.world.aws.faults.add(Fault(kind="deny", operation=refused))

    pushed = account.push(policy("P", "ID:Set"), replace(made[0], who=WhoEntry(("p1", "p2"), (), (), ())))

    assert (pushed.errors("Set"), account.assigned("Set")) == ("", {"user:p1", "user:p2"})
    assert refused in pushed.errors("P")
    account.world.aws.faults.clear()
    again = account.push(*pushed.controls)
    assert (again.errors("P"), account.role_policies("Set")[1]) == ("", {"P"})
    assert account.push(*again.controls).writes == []


@pytest.mark.parametrize("form", ["ssorole:Set", "reserved"])
def test_both_forms_of_an_external_id_name_it(account: CenterAccount, form: str) -> None:
    made = account.push(granted("Set", "p1")).controls
    entry = form if form != "reserved" else f"ssorole:{account.role('Set')}"

    pushed = account.push(policy("P", entry), *made)

    assert (pushed.errors("P"), account.references("Set"), account.role_policies("Set")[1]) == ("", {"/P"}, {"P"})
    assert account.push(*pushed.controls).writes == []


@pytest.mark.parametrize("entry", ["ssorole:Set", "ID:Set"])
def test_who_lost_a_policy_does_not_have_it_any_more(account: CenterAccount, entry: str) -> None:
    given, made = account.push(policy("P", "ssorole:Set"), granted("Set", "p1")).controls
    gone = WhoEntry((), (), (entry,), ())

    pushed = account.push(replace(given, who=NOBODY, deleted_who=gone), made)

    assert pushed.writes == ["DetachCustomerManagedPolicyReferenceFromPermissionSet", "ProvisionPermissionSet"]
    assert (account.references("Set"), account.role_policies("Set")[1]) == (set(), set())
    assert account.push(*pushed.controls).writes == []


def test_who_lost_a_policy_loses_it_although_its_own_access_control_is_refused(account: CenterAccount) -> None:
    given, made = account.push(policy("P", "ssorole:Set"), granted("Set", "p1")).controls
    gone = WhoEntry((), (), ("ID:Set",), ())

    unread = replace(made, unreadable=("what: no list",), what=(), what_locked=True)
    pushed = account.push(replace(given, who=NOBODY, deleted_who=gone), unread)

    assert "cannot be read" in pushed.errors("Set")
    assert (pushed.errors("P"), account.references("Set"), account.role_policies("Set")[1]) == ("", set(), set())


def test_what_people_referenced_by_hand_stays(account: CenterAccount) -> None:
    made = account.push(policy("P"), granted("Set", "p1")).controls
    at = {"InstanceArn": INSTANCE, "PermissionSetArn": account.sets()["Set"]}
    account.sso.attach_customer_managed_policy_reference_to_permission_set(
        **at, CustomerManagedPolicyReference={"Name": "P", "Path": "/"}
    )
    account.sso.provision_permission_set(**at, TargetType="ALL_PROVISIONED_ACCOUNTS")
    assert account.push(*made).writes == []
    assert account.references("Set") == {"/P"}


def test_a_policy_is_deleted_after_nobody_has_it(account: CenterAccount) -> None:
    given, made = account.push(policy("P", "ID:Set"), granted("Set", "p1")).controls

    pushed = account.push(replace(given, delete=True), made)

    assert (pushed.errors("P"), pushed.errors("Set")) == ("", "")
    assert pushed.writes[:2] == ["DetachCustomerManagedPolicyReferenceFromPermissionSet", "ProvisionPermissionSet"]
    assert (account.world.policies(), account.references("Set")) == (set(), set())


def test_a_policy_under_another_name_is_there_before_the_old_one_goes(account: CenterAccount) -> None:
    given, made = account.push(policy("Old", "ssorole:Set", id="p"), granted("Set", "p1")).controls

    pushed = account.push(replace(given, name="New"), made)

    assert pushed.errors("p") == ""
    assert (account.references("Set"), account.role_policies("Set")[1]) == ({"/New"}, {"New"})
    assert account.world.policies() == {"New"}
    assert pushed.writes.count("ProvisionPermissionSet") == 1
    writes = [each for each in pushed.writes if "Reference" in each or "Provision" in each or each == "DeletePolicy"]
    assert writes == [
        "AttachCustomerManagedPolicyReferenceToPermissionSet",
        "DetachCustomerManagedPolicyReferenceFromPermissionSet",
        "ProvisionPermissionSet",
        "DeletePolicy",
    ]


def test_a_permission_set_keeps_a_policy_until_it_has_the_one_that_takes_its_place(account: CenterAccount) -> None:
    given, made = account.push(policy("P", "ID:Set"), granted("Set", "p1")).controls
    faults = account.world.aws.faults
    faults.add(Fault(kind="deny", operation="AttachCustomerManagedPolicyReferenceToPermissionSet"))

    failed = account.push(replace(given, naming_hint="New"), made)
    has = account.references("Set"), account.role_policies("Set")[1]
    faults.clear()
    again = account.push(*failed.controls)

    assert "AttachCustomerManagedPolicyReferenceToPermissionSet" in failed.errors("P")
    assert has == ({"/P"}, {"P"})
    assert (again.errors("P"), account.references("Set"), account.role_policies("Set")[1]) == ("", {"/New"}, {"New"})
    assert account.world.policies() == {"New"}


@pytest.mark.parametrize("refused", ["", "CreatePolicy"])
def test_who_lost_a_policy_that_gets_another_name_has_neither(account: CenterAccount, refused: str) -> None:
    given, made, kept = account.push(
        policy("P", "ID:Set", "ID:Kept"), granted("Set", "p1"), granted("Kept", "p1")
    ).controls
    left, gone = (WhoEntry((), (), (entry,), ()) for entry in ("ID:Kept", "ID:Set"))
    if refused:
        account.world.aws.faults.add(Fault(kind="deny", operation=refused))

    pushed = account.push(replace(given, naming_hint="New", who=left, deleted_who=gone), made, kept)
    account.world.aws.faults.clear()

    assert (account.references("Set"), account.role_policies("Set")[1]) == (set(), set())
    name = "P" if refused else "New"
    assert (account.references("Kept"), account.role_policies("Kept")[1]) == ({f"/{name}"}, {name})
    assert (pushed.errors("P") != "") is bool(refused)


def test_several_that_touch_one_permission_set_provision_it_once(account: CenterAccount) -> None:
    (made,) = account.push(granted("Set", "p1")).controls
    changed = replace(made, what=(data("s3:DeleteObject"),))

    pushed = account.push(policy("P", "ssorole:Set"), policy("Q", "ID:Set"), changed)

    assert pushed.writes.count("ProvisionPermissionSet") == 1
    assert sum(step.startswith("provision") for step in pushed.steps) == 3
    document, attached = account.role_policies("Set")
    assert (document["Statement"][0]["Action"], attached) == (["s3:DeleteObject"], {"P", "Q"})


def test_what_this_push_writes_while_aws_is_asked_is_nothing_that_others_did(account: CenterAccount) -> None:
    (made,) = account.push(granted("Set", "p1")).controls
    changed = replace(made, what=(data("s3:DeleteObject"),))
    listing = "ListManagedPoliciesInPermissionSet"

    # P is attached meanwhile.
    def listing_waits() -> None:
        account.world.aws.faults.add(Fault(kind="delay", operation=listing, delay=0.5))

    pushed = account.push(policy("P", "ssorole:Set"), changed, meanwhile=listing_waits)

    assert (pushed.errors("P"), pushed.errors("Set")) == ("", "")
    document, attached = account.role_policies("Set")
    assert (document["Statement"][0]["Action"], attached) == (["s3:DeleteObject"], {"P"})


def test_a_permission_set_that_goes_takes_no_policy_along(account: CenterAccount) -> None:
    given, made = account.push(policy("P", "ID:Set"), granted("Set", "p1")).controls
    gone = WhoEntry((), (), ("ssorole:Set",), ())

    pushed = account.push(replace(given, who=NOBODY, deleted_who=gone), replace(made, delete=True))

    assert (pushed.errors("P"), pushed.errors("Set")) == ("", "")
    assert (account.sets(), account.world.policies()) == ({}, {"P"})


@pytest.mark.parametrize(
    ("entry", "error"),
    [
        ("ssorole:Nothing", "there is no permission set Nothing"),
        ("ssorole:Theirs", "permission set Theirs was not made by Raito, and stays as it is"),
        ("ssorole:Elsewhere", "permission set Elsewhere is that of account 222222222222"),
        ("ID:nothing", "ID:nothing"),
    ],
)
def test_what_cannot_be_referenced_is_an_error(account: CenterAccount, entry: str, error: str) -> None:
    account.permission_set("Theirs")
    account.permission_set("Elsewhere", *BY_RAITO, {"Key": "raito_account", "Value": "222222222222"})
    pushed = account.push(policy("P", entry))
    assert error in pushed.errors("P")
    assert account.references("Theirs") == set()


def theirs_with(account: CenterAccount, name: str) -> None:
    """A permission set that others made, assigned, with a managed policy of the account."""
    at = {"InstanceArn": INSTANCE, "PermissionSetArn": account.permission_set("Theirs")}
    account.sso.attach_customer_managed_policy_reference_to_permission_set(
        **at, CustomerManagedPolicyReference={"Name": name, "Path": "/"}
    )
    account.assign(at["PermissionSetArn"], "USER", account.person("p2"))


def test_an_imported_policy_pushed_back_leaves_imported_permission_sets_alone(account: CenterAccount) -> None:
    document = {"Version": "2012-10-17", "Statement": [{**READ, "Action": ["s3:PutObject"]}]}
    account.world.iam.create_policy(PolicyName="P", PolicyDocument=json.dumps(document))
    theirs_with(account, "P")
    imported = policy("P", f"ssorole:{account.role('Theirs')}", external_id="policy:P", naming_hint="P")

    pushed = account.push(imported)

    assert (pushed.errors("P"), pushed.writes) == ("", [])


def test_a_policy_that_a_permission_set_of_others_has_is_not_deleted(account: CenterAccount) -> None:
    (given,) = account.push(policy("P")).controls
    theirs_with(account, "P")

    pushed = account.push(replace(given, delete=True))

    assert "permission set Theirs has it, and was not made by Raito" in pushed.errors("P")
    assert (pushed.writes, account.world.policies()) == ([], {"P"})


def test_roles_of_permission_sets_are_never_changed_through_iam(account: CenterAccount) -> None:
    given, made = account.push(policy("P", "ID:Set"), granted("Set", "p1")).controls
    pushed = account.push(replace(given, who=NOBODY), made)
    assert [row for row in pushed.plan.changes if row.kind == "attachment"] == []
    assert account.role_policies("Set")[1] == {"P"}


def test_what_a_failed_provisioning_left_undone_is_done_by_the_next_push(account: CenterAccount) -> None:
    given, made = account.push(policy("P"), granted("Set", "p1")).controls
    at = {"InstanceArn": INSTANCE, "PermissionSetArn": account.sets()["Set"]}
    missing = {"Name": "missing", "Path": "/"}
    account.sso.attach_customer_managed_policy_reference_to_permission_set(**at, CustomerManagedPolicyReference=missing)
    asking = replace(given, who=WhoEntry((), (), ("ID:Set",), ()))

    failed = account.push(asking, replace(made, what=(data("s3:PutObject"),)))

    for identifier in ("P", "Set"):
        assert "policy/missing does not exist" in failed.errors(identifier)
    account.sso.detach_customer_managed_policy_reference_from_permission_set(
        **at, CustomerManagedPolicyReference=missing
    )
    again = account.push(*failed.controls)
    assert (again.errors("P"), again.errors("Set"), again.writes) == ("", "", ["ProvisionPermissionSet"])
    assert account.role_policies("Set")[1] == {"P"}
    assert arn("P")
