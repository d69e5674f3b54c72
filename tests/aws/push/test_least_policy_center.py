"""A push of permission sets under exactly what `raito-pipeline info --iam-policy push` prints, enforced."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.aws.least_policy import least_policy
from raito_pipeline.config import AccountTarget, OrganizationTarget, load
from raito_pipeline.model import WhoEntry
from raito_pipeline.sandbox.aws.enforcement import create_limited_credentials, enforce_iam
from tests.aws.push.center_push import (
    BY_RAITO,
    INSTANCE,
    REGION,
    CenterAccount,
    CenterOptions,
    CenterPushed,
    data,
    granted,
)
from tests.aws.push.conftest import ACCOUNT, World
from tests.aws.push.types.test_references import policy
from tests.aws_actions import actions_in, actions_of, documented, enforceable

FILE = f"""
api-user: ada
api-secret: nothing
domain: acme
targets:
- name: organization
  connector-name: raito-io/cli-plugin-aws-organization
  identity-store-id: os
  aws-account-id: "{ACCOUNT}"
  aws-region: {REGION}
- name: one
  connector-name: raito-io/cli-plugin-aws-account
  aws-account-id: "{ACCOUNT}"
  data-source-id: ds
  identity-store-id: is
  aws-regions: {REGION}
"""
CHANGING = ("Create", "Update", "Delete", "Put", "Attach", "Detach", "Tag", "Provision")
AWS_READ = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"


@pytest.fixture
def targets(tmp_path: Path) -> tuple[OrganizationTarget, AccountTarget]:
    (tmp_path / "raito.yml").write_text(FILE)
    options = load(tmp_path / "raito.yml")
    return options.organizations[0], options.accounts[0]


@pytest.fixture
def account(world: World) -> CenterAccount:
    made = CenterAccount(world, CenterOptions(aws_permissionset_account_id_tag="account"))
    for name in ("p1", "p2"):
        made.person(name)
    return made


@pytest.fixture
def limited(
    account: CenterAccount, targets: tuple[OrganizationTarget, AccountTarget], tmp_path: Path
) -> Iterator[AwsClients]:
    """Clients that may do what the two policies allow, and nothing else."""
    policies = {str(place): enforceable(least_policy(target, "push")) for place, target in enumerate(targets)}
    key, secret = create_limited_credentials(ACCOUNT, policies)
    (tmp_path / "credentials").write_text(f"[there]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n")
    clients = AwsClients("there", attempts=2)
    enforce_iam(account.world.aws, True)
    try:
        yield clients
    finally:
        enforce_iam(account.world.aws, False)


def push_everything(account: CenterAccount) -> tuple[list[CenterPushed], int]:
    """Pushes that make, change and remove permission sets and references, with what was there before."""
    arn = account.permission_set("Attached", *BY_RAITO)
    at = {"InstanceArn": INSTANCE, "PermissionSetArn": arn}
    account.sso.attach_managed_policy_to_permission_set(**at, ManagedPolicyArn=AWS_READ)
    mark = account.world.aws.calls.mark
    first = account.push(granted("Set", "p1"), policy("P", "ID:Set"), granted("Attached", "p2"))
    made, given, attached = first.controls
    changed = replace(made, description="new", what=(), who=WhoEntry(("p2",), (), (), ()))
    second = account.push(changed, replace(given, delete=True), attached)
    third = account.push(replace(second.controls[0], what=(data(),)), replace(attached, delete=True))
    # Of the policies of AWS those that somebody has are known.
    account.world.iam.attach_user_policy(UserName="ada", PolicyArn=AWS_READ)
    of_aws = policy("A", "ada", "ssorole:Set", external_id=f"policy:{AWS_READ}", what_locked=True)
    fourth = account.push(third.controls[0], of_aws)
    lost = WhoEntry((), (), ("ssorole:Set",), ())
    fifth = account.push(third.controls[0], replace(of_aws, who=WhoEntry(("ada",), (), (), ()), deleted_who=lost))
    return [first, second, third, fourth, fifth], mark


def test_every_change_of_the_least_policy_is_used_and_no_other(
    account: CenterAccount, targets: tuple[OrganizationTarget, AccountTarget]
) -> None:
    pushes, mark = push_everything(account)
    assert [result.errors for pushed in pushes for result in pushed.results.values() if result.errors] == []
    used = {action for action in actions_of(account.world.aws.calls.since(mark)) if action.startswith("sso:")}
    allowed = actions_in(least_policy(targets[0], "push"))
    assert used <= allowed
    assert {each for each in allowed if each.partition(":")[2].startswith(CHANGING)} <= used


def test_a_push_works_under_the_least_policies(account: CenterAccount, limited: AwsClients) -> None:
    mark = account.world.aws.calls.mark
    pushed = account.push(granted("Set", "p1"), policy("P", "ID:Set"), clients=limited)
    assert [result.errors for result in pushed.results.values()] == [(), ()]
    assert [call.operation for call in account.world.aws.calls.since(mark) if call.status == 403] == []


def test_aws_itself_lets_nothing_be_changed_but_what_raito_made(
    targets: tuple[OrganizationTarget, AccountTarget],
) -> None:
    for statement in least_policy(targets[0], "push")["Statement"]:
        changing = [each for each in statement["Action"] if each.partition(":")[2].startswith(CHANGING)]
        if changing and any(":permissionSet/" in resource for resource in statement["Resource"]):
            (condition,) = statement["Condition"]["StringEquals"].items()
            assert condition in (("aws:ResourceTag/creator", "RAITO"), ("aws:RequestTag/creator", "RAITO"))


def test_beside_the_policy_that_users_have_only_the_status_of_assignments_is_new(
    targets: tuple[OrganizationTarget, AccountTarget],
) -> None:
    lacking = actions_in(least_policy(targets[0], "push")) - actions_in(documented("organization"))
    assert {each for each in lacking if each.startswith("sso:")} == {
        "sso:DescribeAccountAssignmentCreationStatus",
        "sso:DescribeAccountAssignmentDeletionStatus",
    }


def test_the_account_needs_nothing_more_for_permission_sets(
    targets: tuple[OrganizationTarget, AccountTarget],
) -> None:
    assert "sso:" not in json.dumps(least_policy(targets[1], "push"))
