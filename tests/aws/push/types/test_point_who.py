"""Who an access point is granted to: by ARN, each entry for itself, and what the same push makes."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from raito_pipeline.aws.push.account.state import PushState
from raito_pipeline.aws.push.draft import Draft, Planned, Plans
from raito_pipeline.aws.push.types.point_who import point_who
from raito_pipeline.config.groups import PushOptions
from raito_pipeline.model import AccessControl, IamGroup, IamRole, IamUser
from tests.aws.push.conftest import ACCOUNT
from tests.aws.push.points import point_control, role_control, who

WHEN = datetime(2026, 1, 1, tzinfo=UTC)
SSO = "/aws-reserved/sso.amazonaws.com/eu-west-1/"
HASH = "0123456789abcdef"


def user(name: str, path: str = "/", groups: tuple[str, ...] = ()) -> IamUser:
    return IamUser(f"AIDA{name}", name, f"arn:aws:iam::{ACCOUNT}:user{path}{name}", path, WHEN, groups, None, ())


def role(name: str, path: str = "/") -> IamRole:
    return IamRole(f"AROA{name}", name, f"arn:aws:iam::{ACCOUNT}:role{path}{name}", path, WHEN, "{}", None, ())


USERS = (user("ada"), user("bob", groups=("staff",)), user("cyd", "/people/", ("staff",)))
ROLES = (
    role("reader", "/data/"),
    role(f"AWSReservedSSO_Team_{HASH}", SSO),
    role(f"AWSReservedSSO_Team_A_{HASH}", SSO),
    role(f"AWSReservedSSO_Faked_{HASH}"),
    role("gone"),
    role("locked"),
)
CONTROLS = (
    role_control("made", external_id=None),
    role_control("kept", external_id="role:reader"),
    role_control("refused", external_id="role:reader"),
    role_control("removed", external_id="role:gone", delete=True),
    role_control("stays", external_id="role:locked", delete=True, delete_locked=True),
    point_control("point", external_id=None),
)
PLANNED = {
    "made": Planned("aws_role", "made_role"),
    "kept": Planned("aws_role", "reader"),
    "set": Planned("aws_sso_role", "New_set"),
    "team": Planned("aws_sso_role", "Team"),
    "point": Planned("aws_access_point", "point"),
}


def plans() -> Plans:
    groups = [IamGroup(f"AGPA{name}", name, "arn", "/", WHEN) for name in ("staff", "empty")]
    state = PushState.of(ACCOUNT, USERS, groups, ROLES, (), ())
    return Plans(state, PushOptions(), PLANNED, {control.id: control for control in CONTROLS}, assigned={"New_set"})


def found(control: AccessControl) -> tuple[list[str], list[str]]:
    draft = Draft(control, "aws_access_point")
    named = point_who(plans(), draft)
    return sorted(named.users | named.roles), draft.errors


def of(kind: str, path_and_name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:{kind}{path_and_name}"


@pytest.mark.parametrize(
    ("entry", "principal"),
    [
        ("role:reader", of("role", "/data/reader")),
        ("role:locked", of("role", "/locked")),
        ("role:made_role", "role:made_role"),
        ("ID:made", "role:made_role"),
        ("ID:kept", of("role", "/data/reader")),
        ("ID:refused", of("role", "/data/reader")),
        ("ssorole:Team", of("role", f"{SSO}AWSReservedSSO_Team_{HASH}")),
        ("ssorole:Team_A", of("role", f"{SSO}AWSReservedSSO_Team_A_{HASH}")),
        (f"ssorole:AWSReservedSSO_Team_{HASH}", of("role", f"{SSO}AWSReservedSSO_Team_{HASH}")),
        ("ssorole:AWSReservedSSO_Team_fedcba9876543210", of("role", f"{SSO}AWSReservedSSO_Team_{HASH}")),
        ("ID:team", of("role", f"{SSO}AWSReservedSSO_Team_{HASH}")),
        ("ID:set", "ssorole:New_set"),
        ("ssorole:New_set", "ssorole:New_set"),
    ],
)
def test_an_entry_is_the_role_that_it_names(entry: str, principal: str) -> None:
    assert found(point_control("p", who=who(inherit=[entry]))) == ([principal], [])


@pytest.mark.parametrize(
    "entry",
    [
        "role:nobody", "role:gone", "role:Reader", "ID:removed", "ID:point", "ID:unknown", "policy:reader", "reader",
        "ssorole:Faked", "ssorole:Nobody", "ssorole:Tea", "accesspoint:x", "",
    ],
)  # fmt: skip
def test_an_entry_that_names_no_role_is_an_error_of_its_own(entry: str) -> None:
    ada = of("user", "/ada")
    principals, errors = found(point_control("p", who=who("ada", inherit=[entry])))
    assert principals == [ada]
    assert len(errors) == 1
    assert entry in errors[0]


def test_users_and_members_of_groups_are_named_with_their_paths_and_each_bad_one_for_itself() -> None:
    control = point_control("p", who=who("ada", "nobody", "noone", groups=["staff", "empty", "nowhere"]))
    principals, errors = found(control)
    assert principals == [of("user", "/ada"), of("user", "/bob"), of("user", "/people/cyd")]
    assert [error.split(" in its who")[0] for error in errors] == ["group nowhere", "user nobody", "user noone"]


def test_recipients_are_said_to_be_left_out() -> None:
    draft = Draft(point_control("p", who=replace(who("ada"), recipients=("a@example.com",))), "aws_access_point")
    point_who(plans(), draft)
    assert (len(draft.warnings), draft.errors) == (1, [])
