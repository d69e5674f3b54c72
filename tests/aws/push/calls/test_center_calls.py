"""The calls of Identity Center: patience with what goes on, failures that are named, and what is done already."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from raito_pipeline.aws.connection.errors import AwsDenied, AwsError, AwsGone, AwsUnreachable
from raito_pipeline.aws.connection.limits import ServiceLimits
from raito_pipeline.aws.push.calls.center_calls import Center, Patience
from raito_pipeline.sandbox.aws.faults import Fault
from tests.aws.push.center_push import BY_RAITO, PLACE, WORKING, CenterAccount
from tests.aws.push.conftest import World, arn


@pytest.fixture
def account(world: World) -> CenterAccount:
    return CenterAccount(world)


def center(account: CenterAccount, patience: Patience = WORKING) -> Center:
    return Center(lambda: account.world.clients, PLACE, {}, ServiceLimits({}), patience)


def user(identifier: str) -> dict[str, str]:
    return {"PrincipalType": "USER", "PrincipalId": identifier}


def deny(operation: str) -> Fault:
    return Fault(kind="deny", service="sso", operation=operation)


def test_nothing_is_asked_before_the_first_call() -> None:
    def connect() -> None:
        raise AssertionError("not needed")

    Center(connect, PLACE, {})  # type: ignore[arg-type]


def test_an_assignment_is_waited_for(account: CenterAccount) -> None:
    account.permission_set("Set", *BY_RAITO)
    account.world.aws.pace.provisioning_seconds = 0.15
    calls, person = center(account), account.person("p1")

    assert calls.assign("Set", user(person)) is None
    assert (account.assigned("Set"), account.role("Set") is not None) == ({"user:p1"}, True)
    assert calls.unassign("Set", user(person)) is None
    assert (account.assigned("Set"), account.role("Set")) == (set(), None)


def test_a_policy_that_a_lost_answer_has_given_already_is_no_conflict_to_wait_for(account: CenterAccount) -> None:
    account.permission_set("Set", *BY_RAITO)
    account.world.tagged_policy("p")
    account.world.aws.faults.add(
        Fault(kind="drop", operation="AttachCustomerManagedPolicyReferenceToPermissionSet", after=True, times=1)
    )
    center(account).attach("Set", arn("p"))
    assert account.references("Set") == {"/p"}


def test_what_aws_refuses_while_something_is_under_way_is_tried_again(account: CenterAccount) -> None:
    set_arn, person = account.permission_set("Set", *BY_RAITO), account.person("p1")
    account.world.aws.pace.provisioning_seconds = 0.2
    account.assign(set_arn, "USER", person)
    calls = center(account)
    calls.put_policy("Set", '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}')
    calls.provision("Set")
    assert account.role_policies("Set")[0]["Statement"][0]["Action"] == "*"


def test_patience_ends(account: CenterAccount) -> None:
    set_arn, person = account.permission_set("Set", *BY_RAITO), account.person("p1")
    account.world.aws.pace.provisioning_seconds = 30.0
    account.assign(set_arn, "USER", person)
    short = Patience(first=0.01, longest=0.01, conflict=0.03, in_all=0.03)
    with pytest.raises(AwsError, match="ConflictException"):
        center(account, short).describe("Set", "x")
    account.permission_set("Other", *BY_RAITO)
    with pytest.raises(AwsUnreachable, match="AWS has not done it yet"):
        center(account, short).assign("Other", user(person))


def test_what_aws_could_not_do_is_an_error_with_its_reason(account: CenterAccount) -> None:
    account.permission_set("Set", *BY_RAITO)
    with pytest.raises(AwsError, match="failed: Received a 404 status error: USER not found"):
        center(account).assign("Set", user("00000000-0000-0000-0000-000000000000"))


@pytest.mark.parametrize("kind", ["Creation", "Deletion"])
def test_where_the_status_is_denied_the_assignments_are_listed(account: CenterAccount, kind: str) -> None:
    account.permission_set("Set", *BY_RAITO)
    account.world.aws.pace.provisioning_seconds = 0.05
    calls, person = center(account), account.person("p1")
    if kind == "Deletion":
        calls.assign("Set", user(person))
    account.world.aws.faults.add(deny(f"DescribeAccountAssignment{kind}Status"))
    try:
        warning = (calls.assign if kind == "Creation" else calls.unassign)("Set", user(person))
    finally:
        account.world.aws.faults.clear()
    assert f"Grant sso:DescribeAccountAssignment{kind}Status" in (warning or "")
    assert account.assigned("Set") == ({"user:p1"} if kind == "Creation" else set())


def test_a_denied_assignment_says_what_delegated_administrators_cannot_do(account: CenterAccount) -> None:
    account.permission_set("Set", *BY_RAITO)
    account.world.aws.faults.add(deny("CreateAccountAssignment"))
    try:
        with pytest.raises(AwsDenied, match="delegated administrator cannot change assignments in the management"):
            center(account).assign("Set", user(account.person("p1")))
    finally:
        account.world.aws.faults.clear()


def test_what_is_done_already_is_done(account: CenterAccount) -> None:
    set_arn, person = account.permission_set("Set", *BY_RAITO), account.person("p1")
    account.world.tagged_policy("P")
    calls = center(account)
    assert calls.unassign("Set", user(person)) is None
    for _ in range(2):
        assert calls.assign("Set", user(person)) is None
        calls.attach("Set", arn("P"))
    for _ in range(2):
        calls.detach("Set", arn("P"))
        calls.delete_policy("Set")
    account.sso.delete_account_assignment(
        InstanceArn=PLACE.instance_arn, TargetId=PLACE.account_id, TargetType="AWS_ACCOUNT",
        PermissionSetArn=set_arn, **user(person),
    )  # fmt: skip
    for _ in range(2):
        calls.delete("Set")
    assert (calls.tags("Set"), account.sets()) == (None, {})


def test_one_that_exists_is_not_made_and_one_that_does_not_is_gone(account: CenterAccount) -> None:
    account.permission_set("Set", *BY_RAITO)
    calls = center(account)
    assert calls.create("Set", {"Description": "d", "Tags": list(BY_RAITO)}) is False
    assert calls.create("New", {"Description": "d", "Tags": list(BY_RAITO)}) is True
    with pytest.raises(AwsGone, match="there is no permission set of this name"):
        calls.describe("Nothing", "x")


def test_a_provisioning_is_made_once_and_says_the_same_to_everybody(account: CenterAccount) -> None:
    set_arn = account.permission_set("Set", *BY_RAITO)
    account.assign(set_arn, "USER", account.person("p1"))
    account.sso.attach_customer_managed_policy_reference_to_permission_set(
        InstanceArn=PLACE.instance_arn, PermissionSetArn=set_arn, CustomerManagedPolicyReference={"Name": "missing"}
    )
    calls, mark, said = center(account), account.world.aws.calls.mark, []

    def ask() -> None:
        try:
            calls.provision("Set")
        except AwsError as error:
            said.append(str(error))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(said)) == 1
    assert len(said) == 3
    assert account.world.writes(mark) == ["ProvisionPermissionSet"]


def test_at_most_three_are_provisioned_at_a_time(account: CenterAccount) -> None:
    names = [f"Set{number}" for number in range(5)]
    calls, person = center(account), account.person("p1")
    for name in names:
        account.assign(account.permission_set(name, *BY_RAITO), "USER", person)
        calls.describe(name, "new")
    account.world.aws.pace.provisioning_seconds = seconds = 0.1
    mark = account.world.aws.calls.mark

    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(calls.provision, names))

    asked = account.world.aws.calls.since(mark)
    begun = sorted(call.time for call in asked if call.operation == "ProvisionPermissionSet")
    assert len(begun) == len(names)
    assert all(fourth - first >= seconds for first, fourth in zip(begun, begun[3:], strict=False))


def test_what_is_under_way_is_looked_at_less_than_once_a_second_and_sooner_at_first() -> None:
    pauses = list(Patience().pauses(60))
    assert pauses[0] < 1
    assert pauses == sorted(pauses)
    assert len(pauses) <= 60 / 3
    assert 60 <= sum(pauses) <= 60 + pauses[-1]


def test_where_nobody_has_it_there_is_nothing_to_provision(account: CenterAccount) -> None:
    account.permission_set("Set", *BY_RAITO)
    center(account).provision("Set")


@pytest.mark.parametrize("asked", ["AWS_ACCOUNT", PLACE.account_id])
def test_a_permission_set_is_brought_into_this_account_alone(account: CenterAccount, asked: str) -> None:
    account.assign(account.permission_set("Set", *BY_RAITO), "USER", account.person("p1"))
    refusal = Fault(kind="deny", service="sso", operation="ProvisionPermissionSet", resource=asked)
    account.world.aws.faults.add(refusal)
    try:
        with pytest.raises(AwsDenied):
            center(account).provision("Set")
    finally:
        account.world.aws.faults.clear()


def test_a_deletion_that_conflicts_is_tried_again(account: CenterAccount) -> None:
    account.permission_set("Set", *BY_RAITO)
    conflict = {"kind": "error", "code": "ConflictException", "status": 400, "times": 2}
    account.world.aws.faults.add(Fault(service="sso", operation="DeletePermissionSet", **conflict))  # type: ignore[arg-type]
    center(account).delete("Set")
    assert account.sets() == {}
