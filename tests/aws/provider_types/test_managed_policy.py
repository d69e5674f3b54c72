"""Managed policies as an access provider type: rights of reading and pushing, and how they are named."""

import pytest

from raito_pipeline.aws.provider_types.managed_policy import MANAGED_POLICY
from raito_pipeline.aws.push.pushed_types import PushedType
from tests.orchestration.conftest import FIRST, Loads


def pushed() -> PushedType:
    assert isinstance(MANAGED_POLICY.push, PushedType)
    return MANAGED_POLICY.push


def test_tags_of_policies_are_read_where_they_are_imported(loads: Loads) -> None:
    target = loads(accounts=1).accounts[0]
    reads = {action for right in MANAGED_POLICY.read_rights(target) for action in right.actions}
    assert reads == {"iam:GetAccountAuthorizationDetails", "iam:ListPolicyTags"}
    without = target.model_copy(update={"aws_access_skip_managed_policies": True})
    assert "iam:ListPolicyTags" not in {a for right in MANAGED_POLICY.read_rights(without) for a in right.actions}


@pytest.mark.parametrize("kind", ["user", "group", "role"])
def test_whom_it_is_attached_to_may_be_changed_in_its_attachments(loads: Loads, kind: str) -> None:
    rights = [
        r for r in pushed().rights(loads(accounts=1).accounts[0]) if r.resources == (f"arn:aws:iam::{FIRST}:{kind}/*",)
    ]
    actions = {action for right in rights for action in right.actions}
    assert {f"iam:Attach{kind.title()}Policy", f"iam:Detach{kind.title()}Policy"} <= actions
    assert (f"iam:Delete{kind.title()}Policy" in actions) == (kind != "role"), (
        "what was inline becomes a managed policy"
    )
    writing = {action for action in actions if action.startswith(("iam:Create", "iam:Update", "iam:Put"))}
    assert writing == (set() if kind == "role" else {f"iam:Put{kind.title()}Policy"}), "and is narrowed before"


def test_whoever_has_it_in_the_who_is_kept_and_it_can_have_roles_in_it() -> None:
    assert MANAGED_POLICY.keeps_named
    assert MANAGED_POLICY.description.assumable_in_who
    assert not MANAGED_POLICY.description.can_be_assumed


def test_prefix_and_suffix_are_those_of_policies(loads: Loads) -> None:
    target = loads(accounts=1).accounts[0].model_copy(update={"aws_policy_prefix": "p_", "aws_role_prefix": "r_"})
    assert pushed().affixes(target)[0] == "p_"
