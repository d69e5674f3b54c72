"""The recorded pushes of the real Raito CLI, pushed here: feedback, AWS afterwards and calls beside the client's.

What differs is said here, and explained in `docs/push-compared.md`.
"""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from raito_pipeline.aws.push.account.state import PushState
from raito_pipeline.aws.push.plan import plan_push
from raito_pipeline.config import load
from raito_pipeline.model import AccessControl, IamUser
from raito_pipeline.sandbox.aws.faults import Fault
from tests.aws.push.center_push import INSTANCE, REGION, STORE, TYPES, CenterAccount, CenterOptions, CenterPushed
from tests.aws.push.conftest import ACCOUNT, World
from tests.aws.push.recorded import RecordedPush, recorded

FILE = f"""
api-user: ada
api-secret: nothing
domain: acme
targets:
- name: one
  connector-name: raito-io/cli-plugin-aws-account
  aws-account-id: "{ACCOUNT}"
  data-source-id: ds
  identity-store-id: is
  aws-regions: {REGION}
"""
LINK = f"""
  aws-organization-profile: there
  aws-organization-region: {REGION}
  aws-organization-identity-center-instance-arn: {INSTANCE}
  aws-organization-identity-store: {STORE}
"""
UNKNOWN = "is not in the identity store of the organization"


@pytest.fixture
def account(world: World) -> CenterAccount:
    """The estate that the pushes were recorded on, as far as permission sets go."""
    made = CenterAccount(world)
    for number in range(10):
        made.person(f"person{number:03}")
    teams = [made.team(f"team{number}") for number in range(4)]
    made.assign(made.permission_set("ExistingSet", Description="Set ExistingSet"), "GROUP", teams[0])
    return made


def push(account: CenterAccount, recording: RecordedPush, folder: Path) -> CenterPushed:
    """Push a recorded export with its options. The hash of the reserved role is that of the account here."""
    # The client leaves out a tag that is not KEY:VALUE; here the file is refused, with what is wrong.
    values = {option: value.removesuffix(",bad") for option, value in recording.options.items()}
    lines = "".join(f"  {option}: '{value}'\n" for option, value in values.items())
    (folder / "raito.yml").write_text(FILE + LINK + lines)
    (target,) = load(folder / "raito.yml").accounts
    given = {name: getattr(target, name) for name in CenterOptions.model_fields}
    account.options = CenterOptions(**given)
    return account.push(*(here(account, control) for control in recording.controls))


def here(account: CenterAccount, control: AccessControl) -> AccessControl:
    if control.external_id and "AWSReservedSSO_ExistingSet" in control.external_id:
        return replace(control, external_id=f"ssorole:{account.role('ExistingSet')}")
    return control


def same_feedback(pushed: CenterPushed, recording: RecordedPush, *, but: tuple[str, ...] = ()) -> None:
    for identifier, theirs in recording.feedback.items():
        ours = pushed.results[identifier]
        if identifier not in but:
            assert (ours.actual_name, ours.external_id) == (theirs["actualName"], theirs["externalId"])
            assert len(ours.errors) == len(theirs["errors"] or ()), (identifier, ours.errors)


def same_permission_sets(account: CenterAccount, recording: RecordedPush, *, but: tuple[str, ...] = ()) -> None:
    """Those that the client left are here, with the same who, description, references and (at least) tags."""
    arns = account.sets()
    assert set(arns) == set(recording.permission_sets)
    for name, theirs in recording.permission_sets.items():
        if name in but:
            continue
        assert {who.replace("user:", "USER:").replace("group:", "GROUP:") for who in account.assigned(name)} == set(
            theirs["assigned"]
        )
        assert account.described(arns[name])["Description"] == theirs["description"]
        assert account.references(name) == set(theirs["references"])
        assert (account.inline(name) is not None) or not theirs["inline"] or name == "ExistingSet"
        assert theirs["tags"].items() - {("bad", "")} <= account.tags(name).items()


def test_1_all_types(account: CenterAccount, tmp_path: Path) -> None:
    recording = recorded("1-all-types.1-create", tmp_path)
    pushed = push(account, recording, tmp_path)
    same_feedback(pushed, recording)
    same_permission_sets(account, recording)
    # The client removes a policy that is not there, and provisions what the assignment has provisioned.
    left_out = {"DeleteInlinePolicyFromPermissionSet": 1, "ProvisionPermissionSet": 1}
    assert Counter(recording.operations) - Counter(pushed.writes) == Counter(left_out)


def test_3_permission_sets(account: CenterAccount, tmp_path: Path) -> None:
    first, second, third, last = (
        recorded(f"3-permission-sets.{step}", tmp_path)
        for step in ("1-create", "2-update", "3-update-again", "4-delete")
    )
    pushed = push(account, first, tmp_path)
    same_feedback(pushed, first)
    same_permission_sets(account, first)
    assert pushed.errors("ps-unknown") == f"user nobody {UNKNOWN}; group nogroup {UNKNOWN}"
    left_out = {"DeleteInlinePolicyFromPermissionSet": 9, "ProvisionPermissionSet": 9}
    assert Counter(first.operations) - Counter(pushed.writes) == Counter(left_out)

    pushed = push(account, second, tmp_path)
    # An imported permission set: the client tries to make one of the name of its role; here its who is edited.
    same_feedback(pushed, second, but=("ps-imported",))
    same_permission_sets(account, second, but=("ExistingSet",))
    assert account.assigned("ExistingSet") == {"user:person001", "group:team0"}
    assert (pushed.errors("ps-imported"), account.inline("ExistingSet")) == ("", None)
    assert "it stays R_111122223333_No_what_z" in pushed.warnings("ps-nowhat")
    assert Counter(pushed.writes) == {
        "CreateAccountAssignment": 5,
        "DeleteAccountAssignment": 4,
        "UpdatePermissionSet": 1,
        "TagResource": 1,
        "PutInlinePolicyToPermissionSet": 1,
        "ProvisionPermissionSet": 1,
    }
    assert len(second.writes) == 21

    assert push(account, third, tmp_path).writes == []
    assert len(third.writes) == 12

    pushed = push(account, last, tmp_path)
    same_feedback(pushed, last, but=("ps-imported",))
    assert "was imported" in pushed.errors("ps-imported")
    same_permission_sets(account, last, but=("ExistingSet",))
    # The client provisions what nobody has any more, three times.
    assert Counter(last.operations) - Counter(pushed.writes) == Counter({"ProvisionPermissionSet": 3})


def test_5_a_policy_on_a_permission_set(account: CenterAccount, tmp_path: Path) -> None:
    first, second, third, last = (
        recorded(f"5-policy-on-permission-set.{step}", tmp_path)
        for step in ("1-create", "2-again", "3-delete-policy", "4-delete-set")
    )
    pushed = push(account, first, tmp_path)
    same_feedback(pushed, first)
    same_permission_sets(account, first)
    assert account.role_policies("Set_for_polic")[1] == {"Policy_on_a_set"}

    # Attaching what is attached is an error of the client in each later push.
    pushed = push(account, second, tmp_path)
    assert (pushed.errors("p-on"), pushed.writes) == ("", [])
    assert second.feedback["p-on"]["errors"]

    # The client leaves the policy on the permission set, so that AWS does not let it go.
    pushed = push(account, third, tmp_path)
    assert (pushed.errors("p-on"), account.world.policies()) == ("", set())
    assert account.references("Set_for_polic") == set()
    assert third.feedback["p-on"]["errors"]

    same_feedback(push(account, last, tmp_path), last)
    same_permission_sets(account, last)


def test_6_names(tmp_path: Path) -> None:
    recording = recorded("6-names-prefixes-no-organization.1-names", tmp_path)
    lines = "".join(f"  {option}: '{value}'\n" for option, value in recording.options.items())
    (tmp_path / "raito.yml").write_text(FILE + lines)
    (target,) = load(tmp_path / "raito.yml").accounts
    began = datetime(2026, 1, 1, tzinfo=UTC)
    user = IamUser("AIDA", "user0001", f"arn:aws:iam::{ACCOUNT}:user/user0001", "/", began, (), None, ())
    made = plan_push(recording.controls, PushState.of(ACCOUNT, [user], (), (), (), ()), target, TYPES)
    ours = {one.access_control_id: one.actual_name for one in made.targets}
    theirs = {identifier: one["actualName"] for identifier, one in recording.feedback.items()}
    assert {key: (ours[key], theirs[key]) for key in theirs if ours[key] != theirs[key]} == DIFFERENT_NAMES


DIFFERENT_NAMES: dict[str, tuple[str, str]] = {
    # a name without letter or digit is an error here, and prefix and suffix alone in the client
    "r-7": ("", "rp__rs"),
}


@pytest.mark.parametrize(
    ("name", "operation"),
    [
        ("7-identity-center-conflicts.1-provision-conflict", "ProvisionPermissionSet"),
        ("7-identity-center-conflicts.2-assignment-conflict", "CreateAccountAssignment"),
    ],
)
def test_7_conflicts(account: CenterAccount, tmp_path: Path, name: str, operation: str) -> None:
    recording = recorded(name, tmp_path)
    (identifier,) = recording.feedback
    if operation == "ProvisionPermissionSet":
        push(account, recording, tmp_path)
        made: dict[str, Any] = {"external_id": "ssorole:Org_wide_set", "actual_name": "Org_wide_set"}
        recording = replace(recording, controls=tuple(replace(c, what=(), **made) for c in recording.controls))
    conflict = Fault(kind="error", service="sso", operation=operation, times=1, code="ConflictException", status=400)
    account.world.aws.faults.add(conflict)
    try:
        pushed = push(account, recording, tmp_path)
    finally:
        account.world.aws.faults.clear()
    assert pushed.errors(identifier) == ""
    assert pushed.writes.count(operation) >= 2
    assert account.assigned(pushed.results[identifier].actual_name) == {"user:person001", "group:team1"}
