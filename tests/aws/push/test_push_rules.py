"""Rules of a push that no other file is about: what is planned, of stored tables alone.

`docs/push-rules.md` names the test of each rule.
"""

import json
from collections.abc import Iterable
from dataclasses import replace
from graphlib import TopologicalSorter
from typing import Any

import pytest

from raito_pipeline.aws.push.account.center_state import CenterState
from raito_pipeline.aws.push.account.point_state import PointState
from raito_pipeline.aws.push.account.state import PushState
from raito_pipeline.aws.push.order import waits_of
from raito_pipeline.aws.push.plan import Plan, plan_push
from raito_pipeline.aws.push.types.permission_set_tags import tags_of_permission_set
from raito_pipeline.config.groups import PushOptions
from raito_pipeline.model import (
    AccessControl,
    Assignee,
    DataObjectReference,
    IamAttachment,
    PushPermissionSet,
    PushPrincipal,
    S3Bucket,
    Tag,
    WhatItem,
    WhoEntry,
)
from tests.aws.push.center_push import TYPES, CenterOptions, granted
from tests.aws.push.conftest import ACCOUNT
from tests.aws.push.exported import BY_RAITO, FOLDER, control, plan, policy, policy_control, role, state, steps, who
from tests.aws.push.exported import document as plain_document
from tests.aws.push.points import point_control
from tests.aws.push.pushing import WHEN

PEOPLE = [PushPrincipal("USER", f"id-{name}", name) for name in ("p1", "p2")]
OTHER = "222222222222"
P1 = Assignee("USER", "id-p1")
LONGEST_SET_POLICY = 10_240
BUCKET = S3Bucket("data", "eu-west-1", WHEN, True, ())


def permission_set(name: str, **changes: Any) -> PushPermissionSet:
    """A permission set of Raito that p1 has in the account."""
    tags = (Tag("creator", "RAITO"), Tag("raito_account", ACCOUNT))
    row = PushPermissionSet(f"arn:{name}", name, "why", tags, True, "", (), (), (P1,), (ACCOUNT,))
    return replace(row, **changes)


def center(*sets: PushPermissionSet, **changes: Any) -> CenterState:
    return replace(CenterState.of(sets, PEOPLE, account_id=ACCOUNT), **changes)


def planned(*controls: AccessControl, there: PushState | None = None, **options: Any) -> Plan:
    listed = [replace(each, position=number) for number, each in enumerate(controls)]
    return plan_push(listed, there or with_center(center()), CenterOptions(**options), TYPES)


def with_center(found: CenterState, base: PushState | None = None) -> PushState:
    return replace(base or state(), center=found)


def request(made: Plan, kind: str) -> dict[str, Any]:
    """The request by which something of a kind is made."""
    (row,) = [row for row in made.changes if (row.operation, row.kind) == ("create", kind)]
    return dict(json.loads(row.after or ""))


def documents(made: Plan, kind: str) -> list[dict[str, Any]]:
    """The statements that the changes of a kind write."""
    after = [json.loads(row.after or "{}") for row in made.changes if row.kind == kind]
    return [statement for each in after for statement in each.get("PolicyDocument", each)["Statement"]]


def said(made: Plan) -> tuple[str, str]:
    """The errors and the warnings of all access controls."""
    errors = (text for target in made.targets for text in target.errors)
    return "; ".join(errors), "; ".join(text for target in made.targets for text in target.warnings)


def set_of(*items: WhatItem, **changes: Any) -> AccessControl:
    return granted("Set", "p1", what=items or (FOLDER,), **changes)


# -- the type -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("external_id", "organization", "kind"),
    [
        (None, True, "aws_sso_role"),
        (None, False, "aws_role"),
        ("policy:p", True, "aws_policy"),
        ("role:r", True, "aws_role"),
        ("user:ada|inline:x|", False, "aws_policy"),
    ],
)
def test_without_a_type_it_is_what_it_owns_else_the_accounts_own(
    external_id: str | None, organization: bool, kind: str
) -> None:
    given = granted("a", "ada", type=None, external_id=external_id)
    options = CenterOptions() if organization else PushOptions()
    (target,) = plan_push([given], with_center(center()), options, TYPES).targets
    assert target.type == kind


@pytest.mark.parametrize("action", ["deny", "mask", "filter", "filtered", "share", ""])
@pytest.mark.parametrize("kind", ["aws_role", "aws_policy", "aws_sso_role", "aws_access_point", None])
def test_no_action_but_a_grant_is_made_in_aws(action: str, kind: str | None) -> None:
    made = planned(granted("sales", "p1", type=kind, action=action))
    assert [row.operation for row in made.changes] == ["refuse"]
    assert "only 'grant'" in said(made)[0]


# -- names ----------------------------------------------------------------------------------------------------------


def test_roles_and_policies_have_names_of_their_own() -> None:
    """IAM tells them apart, so that the second needs no counter; the Raito CLI gives it one."""
    made = plan(control("a", naming_hint="same"), policy_control("b", naming_hint="same"))
    assert [target.actual_name for target in made.targets] == ["same", "same"]


def test_an_imported_name_that_is_its_hint_stays_as_it_is() -> None:
    named = {"external_id": "policy:a.b--c", "actual_name": "a.b--c", "naming_hint": "a.b--c"}
    made = plan(policy_control("p", **named), there=state((), (policy("a.b--c", plain_document("s3:Old")),)))
    assert (made.targets[0].actual_name, made.targets[0].errors) == ("a.b--c", ())


def test_a_permission_set_keeps_its_name_and_that_is_said() -> None:
    made = planned(set_of(name="Other", external_id="ssorole:Set"), there=with_center(center(permission_set("Set"))))
    assert (made.targets[0].actual_name, made.targets[0].external_id) == ("Set", "ssorole:Set")
    assert "permission sets cannot be renamed: it stays Set" in said(made)[1]


def test_prefix_and_suffix_of_a_permission_set_count_for_the_limit_of_aws() -> None:
    made = planned(set_of(name="x" * 13), aws_sso_role_prefix="p" * 8, aws_sso_role_suffix="_#account#")
    assert "has 34 characters, and AWS takes 32" in said(made)[0]
    assert planned(set_of(name="x" * 13), aws_sso_role_suffix="_#account#").targets[0].actual_name == (
        f"{'x' * 13}_{ACCOUNT}"
    )


# -- permission sets ------------------------------------------------------------------------------------------------


def test_a_permission_set_is_asked_for_with_description_and_tags_alone() -> None:
    """AWS gives it an hour, and no place where a session begins; what people set there later is left alone."""
    made = planned(set_of())
    assert request(made, "permission-set").keys() == {"Description", "Tags"}
    later = planned(
        set_of(description="new", external_id="ssorole:Set"), there=with_center(center(permission_set("Set")))
    )
    assert [row.after for row in later.changes if row.operation == "update"] == ["new"]


def test_another_description_needs_no_provisioning() -> None:
    there = planned(set_of())
    (inline,) = [row.after or "" for row in there.changes if row.kind == "permission-set-policy"]
    known = permission_set("Set", inline_policy=inline)
    made = planned(set_of(description="another", external_id="ssorole:Set"), there=with_center(center(known)))
    assert steps(made) == [("update", "permission-set", "Set")]


def test_a_policy_of_a_permission_set_is_of_characters_that_aws_takes() -> None:
    odd = DataObjectReference(f"{ACCOUNT}:eu-west-1:data/\u62a5\u544a \u20ac \u00e9", "folder")
    made = planned(set_of(WhatItem(odd, ("s3:GetObject",))))
    (text,) = [row.after or "" for row in made.changes if row.kind == "permission-set-policy"]
    assert set(text) <= {chr(code) for code in range(0x20, 0x100)}
    assert "\u62a5\u544a \u20ac" in json.loads(text)["Statement"][0]["Resource"][0]


def test_past_ten_thousand_characters_a_permission_set_gets_nothing_new_and_loses_what_was_taken() -> None:
    def items(count: int, name: str = "x") -> tuple[WhatItem, ...]:
        names = (f"{ACCOUNT}:eu-west-1:data/{name * 80}{number:04}" for number in range(count))
        return tuple(WhatItem(DataObjectReference(each, "folder"), ("s3:GetObject",)) for each in names)

    def inline(made: Plan) -> str:
        return next(row.after or "" for row in made.changes if row.kind == "permission-set-policy")

    had = inline(planned(set_of(*items(40), *items(20, "y"))))
    assert 0 < len(had) <= LONGEST_SET_POLICY
    made = planned(
        set_of(*items(200), external_id="ssorole:Set"),
        there=with_center(center(permission_set("Set", inline_policy=had))),
    )
    assert "a permission set has room for 10240" in said(made)[0]
    assert ("y" * 80 in inline(made), inline(made).count("x" * 80)) == (False, 40)
    assert "a permission set has room for 10240" in said(planned(set_of(*items(200))))[0]


def test_what_people_wrote_into_tags_stays() -> None:
    known = permission_set("Set", tags=(*BY_RAITO, Tag("raito_account", ACCOUNT), Tag("cost", "42")))
    made = planned(
        set_of(external_id="ssorole:Set"),
        there=with_center(center(known)),
        aws_permissionset_custom_tags=(("team", "data"),),
    )
    tagged = [json.loads(row.after or "")["Tags"] for row in made.changes if row.operation == "tag"]
    assert tagged == [[{"Key": "team", "Value": "data"}]]


def test_a_later_option_wins_where_two_set_one_tag() -> None:
    options = PushOptions(
        aws_permissionset_custom_tags=(("who", "me"), ("account", "none")),
        aws_permissionset_account_id_tag="account, who",
        aws_permissionset_owner_name_tag="who",
    )
    owner = json.dumps({"email": None, "accountName": "ann", "groupName": None})
    tags, _ = tags_of_permission_set(granted("a", owners=(owner,)), ACCOUNT, options)
    assert (tags["who"], tags["account"]) == ("ann", ACCOUNT)


def test_a_tag_holds_what_aws_takes() -> None:
    options = PushOptions(aws_permissionset_custom_tags=(("team", "data & (more)*" + "x" * 300),))
    tags, _ = tags_of_permission_set(granted("a"), ACCOUNT, options)
    assert len(tags["team"]) == 256
    assert not set(tags["team"]) & set("&()*")


def test_permission_sets_hold_no_access_providers_and_no_recipients() -> None:
    given = set_of()
    asking = replace(given, who=WhoEntry(("p1",), (), ("role:r",), ("a@example.com",)))
    errors, warnings = said(planned(asking))
    assert "a permission set cannot hold access providers in its who: role:r" in errors
    assert "recipients by e-mail address cannot be given access" in warnings


@pytest.mark.parametrize(
    ("tags", "accounts", "own", "part"),
    [
        ((), (), True, "was not made by Raito"),
        ((*BY_RAITO, Tag("raito_account", OTHER)), (OTHER,), True, f"is that of account {OTHER}"),
        (BY_RAITO, (OTHER,), False, f"is in use in {OTHER}"),
        (BY_RAITO, (ACCOUNT,), False, ""),
    ],
)
def test_a_permission_set_that_is_there_is_taken_only_where_it_serves_this_account(
    tags: tuple[Tag, ...], accounts: tuple[str, ...], own: bool, part: str
) -> None:
    known = permission_set("Set", tags=tags, account_ids=accounts)
    errors, _ = said(planned(set_of(external_id="ssorole:Set" if own else None), there=with_center(center(known))))
    assert part in errors if part else errors == ""


# -- where Identity Center is not known whole -----------------------------------------------------------------------


def test_without_identity_center_everything_else_is_planned() -> None:
    unknown = center(problems=("Identity Center was not read in this sync",))
    given = (
        set_of(),
        granted("P", "ada", "ssorole:Set", type="aws_policy"),
        granted("R", "ada", type="aws_role"),
    )
    made = planned(*given, there=with_center(unknown))
    refused, partly, whole = made.targets
    assert (refused.refused, whole.errors) == (True, ())
    assert "ssorole:Set in its who" in partly.errors[0]
    assert all("Identity Center was not read in this sync" in each.errors[0] for each in (refused, partly))
    assert [(row.operation, row.kind, row.resource) for row in made.changes if row.access_control_id == "P"] == [
        ("create", "policy", "P"), ("attach", "attachment", "user:ada"),
    ]  # fmt: skip


# -- policies on permission sets ------------------------------------------------------------------------------------


def referenced(count: int, entry: str = "ssorole:Set") -> Plan:
    """A further policy on a permission set that has so many."""
    known = permission_set("Set", references=tuple(f"/p{number:02}" for number in range(count)))
    return planned(granted("P", entry, type="aws_policy"), there=with_center(center(known)))


@pytest.mark.parametrize(
    ("count", "part"),
    [
        (9, ""),
        (10, "permission set Set comes to have 11 managed policies, and its role in an account takes 10 unless"),
        (20, "permission set Set comes to have 21 managed policies, and AWS takes 20"),
    ],
)
def test_policies_of_a_permission_set_beyond_what_aws_takes_are_said(count: int, part: str) -> None:
    errors, warnings = said(referenced(count))
    assert (errors, part in warnings, "managed policies" in warnings) == ("", True, bool(part))


def test_a_policy_of_aws_is_given_to_a_permission_set_by_its_arn() -> None:
    aws = policy("AmazonS3ReadOnlyAccess", plain_document("s3:Get*"), (), aws=True)
    found = with_center(center(permission_set("Set")), state((), (aws,)))
    named = {"external_id": f"policy:{aws.arn}", "actual_name": aws.arn, "type": "aws_policy"}
    made = planned(granted("P", "ssorole:Set", **named), there=found)
    attached = [(row.resource, row.after) for row in made.changes if row.kind == "permission-set-reference"]
    assert attached == [("Set", aws.arn)]


def test_a_policy_keeps_its_path_where_a_permission_set_references_it() -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:policy/team/P"
    known = replace(policy("P", plain_document("s3:GetObject")), arn=arn, path="/team/")
    having = permission_set("Has", references=("/team/P",))
    found = with_center(center(permission_set("Set"), having), state((), (known,)))
    made = planned(granted("P", "ssorole:Set", "ssorole:Has", type="aws_policy", external_id="policy:P"), there=found)
    attached = [(row.resource, row.after) for row in made.changes if row.kind == "permission-set-reference"]
    assert attached == [("Set", arn)]


# -- documents ------------------------------------------------------------------------------------------------------


def test_what_differs_in_upper_and_lower_case_alone_is_written() -> None:
    """Keys of S3 tell them apart; the Raito CLI compares documents in lower case."""
    there = state((), (policy("p", {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::data/A/*"]}]}),))  # fmt: skip
    made = plan(policy_control("p", external_id="policy:p", actual_name="p"), there=there)
    assert ("create", "policy-version", policy("p", {}).arn) in steps(made)


@pytest.mark.parametrize("kind", ["role-inline-policy", "policy", "permission-set-policy", "access-point-policy"])
def test_two_elements_for_one_object_are_both_granted(kind: str) -> None:
    twice = tuple(replace(FOLDER, permissions=(name,)) for name in ("s3:GetObject", "s3:PutObject"))
    given = {
        "role-inline-policy": control("a", what=twice),
        "policy": policy_control("a", what=twice),
        "permission-set-policy": set_of(*twice),
        "access-point-policy": point_control("sales", what=twice),
    }[kind]
    points = PointState.of([BUCKET], (), {"eu-west-1": None}, {})
    made = planned(given, there=replace(with_center(center()), points=points))
    actions = {action for each in documents(made, kind) for action in each["Action"]}
    assert actions == {"s3:GetObject", "s3:PutObject"}


def test_an_access_point_is_asked_for_with_bucket_and_tags_alone() -> None:
    """Without a network of its own, and with public access blocked, as AWS does where nothing is said."""
    points = PointState.of([BUCKET], (), {"eu-west-1": None}, {})
    made = planned(point_control("sales", what=(FOLDER,)), there=replace(state(), points=points))
    assert request(made, "access-point").keys() == {"Bucket", "Tags"}


# -- roles ----------------------------------------------------------------------------------------------------------


def test_a_role_names_its_users_by_path_and_the_members_of_its_groups() -> None:
    there = state()
    people = {**there.users, "ada": replace(there.users["ada"], arn=f"arn:aws:iam::{ACCOUNT}:user/team/ada")}
    made = plan(control("R", who=who("ada", groups=("staff",))), there=replace(there, users=people))
    trust = request(made, "role")["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["AWS"]
    assert trust == [f"arn:aws:iam::{ACCOUNT}:user/{name}" for name in ("bob", "cyd", "team/ada")]


@pytest.mark.parametrize("kind", ["aws_role", "aws_policy"])
def test_what_is_made_is_tagged_and_described_as_aws_takes_it(kind: str) -> None:
    made = plan(control("R", type=kind, description="it\u2019s \u2013 \u62a5"))
    (row,) = [row for row in made.changes if row.operation == "create" and row.kind in ("role", "policy")]
    asked = json.loads(row.after or "")
    assert asked["Tags"] == [{"Key": "creator", "Value": "RAITO"}]
    assert all(ord(character) < 0x100 for character in asked["Description"])
    assert (asked["Description"].startswith("it's - "), "Path" in asked) == (True, False)


def test_the_what_of_a_role_is_an_inline_policy_of_raitos_name() -> None:
    made = plan(control("R"))
    assert ("create", "role-inline-policy", "R/Raito_Inline_R") in steps(made)


def test_an_inherited_role_of_a_policy_is_one_of_the_account_or_of_the_export() -> None:
    entries: Iterable[str] = ("role:kept", "ID:a", "role:none", "ID:none", "policy:p")
    given = policy_control("P", who=who(inherit=tuple(entries)))
    made = plan(control("a", naming_hint="new"), given, there=state((role("kept", {}),)))
    attached = [row.resource for row in made.changes if row.kind == "attachment"]
    assert sorted(attached) == ["role:kept", "role:new"]
    assert len(made.targets[1].errors) == 3


# -- order ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lost", [(), ("ssorole:Set",)])
@pytest.mark.parametrize("renamed", [False, True])
@pytest.mark.parametrize("people", [("p1",), ("p2",), ("p1", "p2"), ()])
def test_no_plan_waits_in_a_circle(people: tuple[str, ...], renamed: bool, lost: tuple[str, ...]) -> None:
    """With one the order would be that of the types, and nothing would be taken away first."""
    old = plain_document("s3:GetObject")
    sets = [permission_set(name, references=("/P",), inline_policy=json.dumps(old)) for name in ("Set", "Kept")]
    attachment = IamAttachment("user", "ada", "managed", "P", policy("P", old).arn, None)
    there = with_center(
        center(*sets, permission_set("New")), state((role("r", {}),), (policy("P", old),), (attachment,))
    )
    entries = ("ssorole:Kept", "ssorole:New", *(() if lost else ("ssorole:Set",)))
    given = (
        granted("Set", *people, what=(FOLDER,), external_id="ssorole:Set"),
        granted("Kept", "p2", what=(), external_id="ssorole:Kept"),
        replace(
            granted("P", "bob", type="aws_policy", external_id="policy:P", naming_hint="Q" if renamed else "P"),
            who=WhoEntry(("bob",), (), entries, ()),
            deleted_who=WhoEntry((), (), lost, ()),
        ),
        granted("r", "ada", type="aws_role", external_id="role:r", delete=True),
    )
    changes = TYPES.changes(planned(*given, there=there).changes)
    waits = waits_of(changes)
    TopologicalSorter({position: each.all for position, each in enumerate(waits)}).prepare()
    assert [position for position, each in enumerate(waits) if any(other > position for other in each.all)] == []
    assert all(changes[position].revokes for position, each in enumerate(waits[:2]) if not each.all)
