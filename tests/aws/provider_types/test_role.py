"""Roles as an access provider type: what a push of them may do, and how they are named."""

from raito_pipeline.aws.provider_types.role import ROLE
from raito_pipeline.aws.push.pushed_types import PushedType
from tests.orchestration.conftest import FIRST, Loads


def pushed() -> PushedType:
    assert isinstance(ROLE.push, PushedType)
    return ROLE.push


def test_its_rights_are_on_roles_of_the_account_alone(loads: Loads) -> None:
    rights = list(pushed().rights(loads(accounts=1).accounts[0]))
    assert {resource for right in rights for resource in right.resources} == {f"arn:aws:iam::{FIRST}:role/*"}
    actions = {action for right in rights for action in right.actions}
    assert {"iam:CreateRole", "iam:UpdateAssumeRolePolicy", "iam:PutRolePolicy", "iam:TagRole"} <= actions
    assert not [action for action in actions if "User" in action or "Group" in action]


def test_a_role_that_is_deleted_lets_go_of_its_policies_before(loads: Loads) -> None:
    actions = {action for right in pushed().rights(loads(accounts=1).accounts[0]) for action in right.actions}
    assert {"iam:DeleteRole", "iam:DetachRolePolicy", "iam:DeleteRolePolicy"} <= actions


def test_prefix_and_suffix_are_those_of_roles(loads: Loads) -> None:
    target = loads(accounts=1).accounts[0].model_copy(update={"aws_role_prefix": "r_", "aws_role_suffix": "_x"})
    assert pushed().affixes(target) == ("r_", "_x")


def test_roles_come_before_what_names_them_in_its_who() -> None:
    assert ROLE.description.can_be_assumed
    assert not ROLE.description.assumable_in_who
    assert pushed().order == 0
