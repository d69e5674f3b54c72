"""Access points as they are pushed: the place, the who, the what, and what of an existing one stays."""

import json
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from raito_pipeline.aws.policy.permissions import permissions
from raito_pipeline.model import made_by_raito
from raito_pipeline.sandbox.aws.faults import Fault
from tests.aws.push.conftest import ACCOUNT, BY_RAITO, World
from tests.aws.push.points import (
    DELEGATION,
    HERE,
    THERE,
    PointWorld,
    arrange,
    exported,
    item,
    point_arn,
    point_control,
    role_control,
    who,
)

ADA, BOB = f"arn:aws:iam::{ACCOUNT}:user/ada", f"arn:aws:iam::{ACCOUNT}:user/bob"
CYD = f"arn:aws:iam::{ACCOUNT}:user/people/cyd"
READER = f"arn:aws:iam::{ACCOUNT}:role/data/reader"


@pytest.fixture
def there(world: World) -> PointWorld:
    return arrange(world)


def allow(principals: list[str], actions: list[str], resources: list[str], **more: object) -> dict[str, object]:
    return {"Effect": "Allow", "Principal": {"AWS": principals}, "Action": actions, "Resource": resources} | more


def test_a_new_access_point_gives_what_was_granted_and_a_second_push_changes_nothing(there: PointWorld) -> None:
    control = point_control("p", name="Sales EU", who=who("ada", groups=["staff"], inherit=["role:reader"]))

    pushed = there.push(control)

    arn = point_arn("sales-eu")
    assert pushed.steps() == [("create", "access-point", "sales-eu"), ("create", "access-point-policy", "sales-eu")]
    result = pushed.results["p"]
    assert (result.actual_name, result.external_id, result.errors) == ("sales-eu", f"accesspoint:{arn}", ())
    assert there.policy("sales-eu")["Statement"] == [
        allow([READER, ADA, BOB, CYD], ["s3:GetObject"], [f"{arn}/object/eu/*"])
    ]
    assert there.tags("sales-eu") == BY_RAITO
    mark = there.world.aws.calls.mark
    again = there.push(exported(control, result))
    assert again.steps() == [("none", "access-point", "sales-eu")]
    assert there.world.writes(mark) == []
    assert again.results["p"].external_id == result.external_id


def test_the_grantee_reads_through_the_point_what_was_granted_and_nothing_beside_and_nothing_afterwards(
    there: PointWorld,
) -> None:
    there.delegate()
    arn = point_arn("p-point")
    control = point_control("p", naming_hint="p point")
    pushed = there.push(control)
    assert pushed.errors() == pushed.warnings() == ()
    assert there.reads("ada", arn, "eu/1", "eu/2", "us/1") == ["eu/1", "eu/2"]
    assert there.reads("bob", arn, "eu/1") == []
    assert there.reads("ada", "data", "eu/1") == []
    control = exported(control, pushed.results["p"], who=who("bob"))
    pushed = there.push(control)
    assert pushed.errors() == ()
    assert (there.reads("ada", arn, "eu/1"), there.reads("bob", arn, "eu/1")) == ([], ["eu/1"])
    there.push(exported(control, pushed.results["p"], who=who()))
    assert there.reads("bob", arn, "eu/1") == []
    assert there.names() == ["p-point"]


def test_an_access_point_is_deleted_and_one_that_is_gone_is_a_success(there: PointWorld) -> None:
    pushed = there.push(point_control("sales"))
    control = exported(point_control("sales"), pushed.results["sales"], delete=True)

    deleted = there.push(control)

    assert deleted.steps() == [("delete", "access-point", "sales")]
    assert there.names() == []
    for _ in range(2):
        again = there.push(control)
        result = again.results["sales"]
        assert (again.steps(), result.actual_name, result.external_id, result.errors) == (
            [("none", "access-point", "sales")],
            "",
            None,
            (),
        )


def test_one_that_cannot_be_deleted_gives_nobody_access(there: PointWorld) -> None:
    pushed = there.push(point_control("sales"))
    there.world.aws.faults.add(Fault(kind="deny", operation="DeleteAccessPoint"))
    deleted = there.push(exported(point_control("sales"), pushed.results["sales"], delete=True))
    there.world.aws.faults.clear()
    assert "s3:DeleteAccessPoint" in deleted.errors("sales")[0]
    assert (there.names(), there.policy("sales")) == (["sales"], None)


def test_a_bucket_in_another_region_has_its_access_point_there(there: PointWorld) -> None:
    pushed = there.push(point_control("sales", what=(item("far/a", region=THERE),)))

    assert pushed.results["sales"].external_id == f"accesspoint:{point_arn('sales', THERE)}"
    assert there.names(THERE) == ["sales"]


REFUSED_WHATS = [
    (
        (item("data/a"), item("far/a", region=THERE)),
        "an access point opens one bucket, and its what is in 2: data, far",
    ),
    ((), "its what names no bucket"),
    ((item("nowhere/a"),), "bucket nowhere is not among the buckets"),
    ((item("*"),), "wildcards are not expanded"),
    ((item("data/a", "s3:GetBucketLocation"),), "access points do not know it"),
    ((item("data/a", "s3:Nonsense"),), "permission s3:Nonsense on"),
]


def test_what_is_not_in_one_known_bucket_makes_nothing(there: PointWorld) -> None:
    mark = there.world.aws.calls.mark
    pushed = there.push(*(point_control(f"p-{n}", what=what) for n, (what, _) in enumerate(REFUSED_WHATS)))
    for number, (_, reason) in enumerate(REFUSED_WHATS):
        result = pushed.results[f"p-{number}"]
        assert any(reason in error for error in result.errors), result.errors
        assert (result.actual_name, result.external_id) == ("", None)
    assert there.world.writes(mark) == []


def test_each_bad_element_is_an_error_of_its_own_and_the_rest_is_made(there: PointWorld) -> None:
    what = (item("data/eu"), item("data/eu", "s3:Nonsense"), item("data/us", "s3:GetBucketLocation"))
    control = point_control("p", who=who("ada", "nobody", inherit=["policy:x"]), what=what, naming_hint="sales")

    pushed = there.push(control)

    assert len(pushed.errors()) == 3
    assert pushed.results["p"].external_id == f"accesspoint:{point_arn('sales')}"
    assert any("access points do not know it" in warning for warning in pushed.warnings())
    assert there.policy("sales")["Statement"] == [allow([ADA], ["s3:GetObject"], [f"{point_arn('sales')}/object/eu/*"])]
    # The errors stay, and nothing is written again.
    mark = there.world.aws.calls.mark
    again = there.push(exported(control, pushed.results["p"]))
    assert (again.errors(), there.world.writes(mark)) == (pushed.errors(), [])


def test_nobody_is_a_state_and_a_bad_name_alone_still_takes_the_access_away(there: PointWorld) -> None:
    pushed = there.push(point_control("sales"))
    control = exported(point_control("sales"), pushed.results["sales"], who=who("nobody"))

    pushed = there.push(control)

    assert pushed.steps() == [("delete", "access-point-policy", "sales")]
    assert len(pushed.errors("sales")) == 1
    assert (there.policy("sales"), there.names()) == (None, ["sales"])
    mark = there.world.aws.calls.mark
    assert there.push(control).steps() == [("none", "access-point", "sales")]
    assert there.world.writes(mark) == []
    there.push(exported(control, pushed.results["sales"], who=who("bob")))
    assert there.policy("sales")["Statement"][0]["Principal"] == {"AWS": [BOB]}


def test_a_what_that_moved_to_another_bucket_gives_nothing_in_the_old_one(there: PointWorld) -> None:
    pushed = there.push(point_control("sales"))
    control = exported(point_control("sales"), pushed.results["sales"], what=(item("far/a", region=THERE),))

    pushed = there.push(control)

    assert pushed.steps() == [("delete", "access-point-policy", "sales")]
    (error,) = pushed.errors("sales")
    assert "not in bucket data, which access point sales opens for ever: delete this access control" in error
    assert there.policy("sales") is None


def test_one_that_is_gone_is_made_anew_with_a_warning(there: PointWorld) -> None:
    pushed = there.push(point_control("sales"))
    there.client("s3control").delete_access_point(AccountId=ACCOUNT, Name="sales")

    again = there.push(exported(point_control("sales"), pushed.results["sales"]))

    assert any("was gone from AWS, and is made anew" in warning for warning in again.warnings("sales"))
    assert again.errors("sales") == ()
    assert there.policy("sales") is not None


def test_a_name_stays_and_one_of_another_owner_is_refused(there: PointWorld) -> None:
    there.create("taken")
    pushed = there.push(point_control("a", naming_hint="taken"), point_control("sales"))
    assert "was not made by Raito (no tag creator=RAITO)" in pushed.errors("a")[0]
    renamed = exported(point_control("sales"), pushed.results["sales"], naming_hint="Marketing")
    assert there.push(renamed).results["sales"].actual_name == "sales"
    assert there.names() == ["sales", "taken"]


def test_prefix_suffix_lengths_and_reserved_endings(there: PointWorld) -> None:
    controls = [point_control("a", name="Sales"), point_control("b", name="A name of more than twenty-four letters")]
    pushed = there.push(*controls, aws_access_point_prefix="raito-", aws_access_point_suffix="-x")
    named = [pushed.results[one].actual_name for one in ("a", "b")]
    assert named == [
        "raito-sales-x",
        "raito-a-name-of-more-than-twen-x",
    ]
    refused = {"ab": "at least 3", "my-s3alias": "keeps for itself"}
    pushed = there.push(*(point_control(name) for name in refused))
    assert all(reason in pushed.errors(name)[0] for name, reason in refused.items())
    pushed = there.push(point_control("Sales"), aws_access_point_suffix="-")
    assert "begins or ends" in pushed.errors("Sales")[0]


def test_taking_one_over_keeps_what_raito_does_not_show_and_a_deny_goes_on_denying(there: PointWorld) -> None:
    there.create("theirs")
    arn = point_arn("theirs")
    deny = {"Effect": "Deny", "Principal": {"AWS": ADA}, "Action": "s3:*", "Resource": f"{arn}/object/us/*"}
    mfa = allow(
        [BOB], ["s3:PutObject"], [f"{arn}/object/*"], Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    )
    there.put_policy("theirs", allow([ADA], ["s3:GetObject"], [f"{arn}/object/eu/*"]), deny, mfa)
    control = point_control("p", external_id=f"accesspoint:{arn}", actual_name="theirs", naming_hint="theirs")
    # What was imported so and nobody edited is no change.
    assert there.push(control).steps() == [("none", "access-point", "theirs")]

    pushed = there.push(replace(control, who=who("bob")))

    assert pushed.errors() == ()
    assert there.policy("theirs")["Statement"] == [
        allow([BOB], ["s3:GetObject"], [f"{arn}/object/eu/*"]),
        deny,
        mfa,
    ]


def test_the_same_in_other_words_is_no_change_until_somebody_edits_it(there: PointWorld) -> None:
    there.create("theirs")
    arn = point_arn("theirs")
    there.put_policy("theirs", allow([ADA], ["s3:GetObject*"], [f"{arn}/object/eu/*"]))
    names = [each.name for each in permissions() if each.name.startswith("s3:GetObject") and each.access_point]
    control = point_control("p", external_id=f"accesspoint:{arn}", what=(item("data/eu", *names),))
    assert there.push(control).steps() == [("none", "access-point", "theirs")]


@pytest.mark.parametrize(
    ("locked", "principals", "action"),
    [
        ({"who_locked": True}, [ADA], "s3:PutObject"),
        ({"inheritance_locked": True}, [READER, BOB], "s3:PutObject"),
        ({"what_locked": True}, [BOB], "s3:GetObject"),
        ({}, [BOB], "s3:PutObject"),
    ],
)
def test_each_lock_keeps_its_part(
    there: PointWorld, locked: dict[str, bool], principals: list[str], action: str
) -> None:
    first = point_control("sales", who=who("ada", inherit=["role:reader"]))
    if "who_locked" in locked:
        first = point_control("sales")
    pushed = there.push(first)
    edited = exported(first, pushed.results["sales"], who=who("bob"), what=(item("data/eu", "s3:PutObject"),), **locked)

    there.push(edited)

    (statement,) = there.policy("sales")["Statement"]
    assert (statement["Principal"]["AWS"], statement["Action"]) == (principals, [action])


def test_a_deletion_that_is_locked_is_refused(there: PointWorld) -> None:
    pushed = there.push(point_control("sales"))
    control = exported(point_control("sales"), pushed.results["sales"], delete=True, delete_locked=True)
    assert "locked" in there.push(control).errors("sales")[0]
    assert there.names() == ["sales"]


def test_a_user_who_is_gone_is_dropped_by_the_next_write(there: PointWorld) -> None:
    control = point_control("sales", who=who("ada", "bob"))
    pushed = there.push(control)
    there.world.iam.remove_user_from_group(GroupName="staff", UserName="bob")
    there.world.iam.delete_user(UserName="bob")
    assert any(":" not in one for one in there.policy("sales")["Statement"][0]["Principal"]["AWS"])

    again = there.push(exported(control, pushed.results["sales"], who=who("ada")))

    assert again.errors("sales") == ()
    assert there.policy("sales")["Statement"][0]["Principal"] == {"AWS": [ADA]}


def test_a_role_of_the_same_push_gets_its_access_although_s3_knows_it_seconds_later(there: PointWorld) -> None:
    role = role_control("r", name="Sales readers", what=())
    point = point_control("sales", who=who(inherit=["ID:r"]))
    pushed = there.push(point, role)
    assert (pushed.errors("r"), pushed.errors("sales")) == ((), ())
    made = f"arn:aws:iam::{ACCOUNT}:role/Sales_readers"
    assert there.policy("sales")["Statement"][0]["Principal"] == {"AWS": [made]}
    second = [exported(each, pushed.results[each.id]) for each in (point, role)]
    mark = there.world.aws.calls.mark
    there.push(*second)
    assert there.world.writes(mark) == []
    # Who is to lose the role loses it, although the role goes with the same push.
    pushed = there.push(replace(second[0], who=who("bob")), replace(second[1], delete=True))
    assert pushed.errors("sales") == ()
    assert there.policy("sales")["Statement"][0]["Principal"] == {"AWS": [BOB]}


def test_an_access_point_that_becomes_a_role_opens_at_once_what_is_still_granted_and_no_more(there: PointWorld) -> None:
    control = point_control("sales", who=who("ada", "bob"), what=(item("data/eu"), item("data/us")))
    made = exported(control, there.push(control).results["sales"], who=who("ada"), what=(item("data/eu"),))
    as_role = replace(made, type="aws_role")
    fault = there.world.aws.faults.add(Fault(kind="deny", service="iam", operation="CreateRole"))

    first = there.push(as_role)

    assert "CreateRole" in first.errors("sales")[0]
    (statement,) = there.policy("sales")["Statement"]
    assert (statement["Principal"]["AWS"], [each.rpartition("/object/")[2] for each in statement["Resource"]]) == (
        [ADA], ["eu/*"],
    )  # fmt: skip
    there.world.aws.faults.remove(fault)
    assert there.push(as_role).errors("sales") == ()
    assert (there.names(), there.world.roles()) == ([], {"reader", "sales"})


def test_past_twenty_kilobytes_nobody_gets_anything_and_what_was_taken_away_is_gone(there: PointWorld) -> None:
    long = tuple(item(f"data/{'x' * 200}{number:03}") for number in range(120))
    pushed = there.push(point_control("new", what=long), point_control("sales", who=who("ada", "bob")))
    assert "AWS takes 20480 for an access point" in pushed.errors("new")[0]
    assert pushed.results["new"].external_id is None
    edited = exported(point_control("sales"), pushed.results["sales"], who=who("ada"), what=(item("data/eu"), *long))

    pushed = there.push(edited)

    assert "Nobody gets anything new" in pushed.errors("sales")[0]
    (statement,) = there.policy("sales")["Statement"]
    assert (statement["Principal"]["AWS"], len(statement["Resource"])) == ([ADA], 1)


def test_a_bucket_that_does_not_delegate_is_said_with_the_statement_to_add(there: PointWorld) -> None:
    pushed = there.push(point_control("sales"))
    (warning,) = pushed.warnings("sales")
    assert "bucket data does not delegate to access points: this grant gives nothing by itself" in warning
    assert '"s3:DataAccessPointAccount":"111122223333"' in warning
    assert there.reads("ada", point_arn("sales"), "eu/1") == []


def test_a_bucket_policy_that_may_not_be_read_is_said(there: PointWorld) -> None:
    there.world.aws.faults.add(Fault(kind="deny", operation="GetBucketPolicy"))
    pushed = there.push(point_control("sales"))
    assert "s3:GetBucketPolicy" in pushed.warnings("sales")[0]
    assert pushed.errors("sales") == ()


def test_the_option_adds_that_one_statement_once_and_the_grant_is_real(there: PointWorld) -> None:
    tls = {"Sid": "tls", "Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "arn:aws:s3:::data/*",
           "Condition": {"Bool": {"aws:SecureTransport": "false"}}}  # fmt: skip
    there.client("s3").put_bucket_policy(
        Bucket="data", Policy=json.dumps({"Version": "2012-10-17", "Statement": [tls]})
    )
    controls = [point_control("sales"), point_control("more", who=who("bob"))]
    start = there.world.aws.calls.mark

    pushed = there.push(*controls, aws_access_point_delegation=True)

    assert there.world.writes(start).count("PutBucketPolicy") == 1
    assert (pushed.errors("sales"), pushed.errors("more")) == ((), ())
    found = json.loads(there.client("s3").get_bucket_policy(Bucket="data")["Policy"])["Statement"]
    assert (found[0], found[1]["Sid"], len(found)) == (tls, "RaitoDelegateToAccessPoints", 2)
    assert there.reads("ada", point_arn("sales"), "eu/1", "us/1") == ["eu/1"]
    mark = there.world.aws.calls.mark
    second = [exported(each, pushed.results[each.id]) for each in controls]
    assert there.push(*second, aws_access_point_delegation=True).warnings("sales") == ()
    assert there.world.writes(mark) == []


def test_without_the_consent_of_the_bucket_no_grant_through_it_is_called_made(there: PointWorld) -> None:
    """One statement serves all access points of the bucket: where it cannot be added, each of them is told so."""
    there.world.aws.faults.add(Fault(kind="deny", operation="PutBucketPolicy"))
    pushed = there.push(point_control("sales"), point_control("more", who=who("bob")), aws_access_point_delegation=True)
    assert all("s3:PutBucketPolicy" in pushed.errors(name)[0] for name in ("sales", "more"))
    assert there.policy("sales") is not None


def test_the_option_leaves_a_policy_with_a_deny_on_it_alone(there: PointWorld) -> None:
    deny = {**DELEGATION, "Sid": "NoPoints", "Effect": "Deny"}
    there.client("s3").put_bucket_policy(
        Bucket="data", Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    )
    pushed = there.push(point_control("sales"), aws_access_point_delegation=True)
    assert "has a Deny that is about it: NoPoints" in pushed.warnings("sales")[0]
    assert json.loads(there.client("s3").get_bucket_policy(Bucket="data")["Policy"])["Statement"] == [deny]


def test_the_option_makes_no_access_point_of_others_give_what_it_says(there: PointWorld) -> None:
    """Nobody granted that in Raito Cloud."""
    arn, control = point_arn("by-hand"), there.client("s3control")
    says = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/bob"}, "Action": "s3:GetObject"}
    policy = {"Version": "2012-10-17", "Statement": [{**says, "Resource": f"{arn}/object/*"}]}
    control.create_access_point(AccountId=ACCOUNT, Name="by-hand", Bucket="data")
    control.put_access_point_policy(AccountId=ACCOUNT, Name="by-hand", Policy=json.dumps(policy))

    pushed = there.push(point_control("sales"), aws_access_point_delegation=True)

    assert "which would give what their policies say: by-hand" in pushed.warnings("sales")[0]
    with pytest.raises(ClientError, match="NoSuchBucketPolicy"):
        there.client("s3").get_bucket_policy(Bucket="data")


def test_a_push_without_access_points_asks_s3_nothing(there: PointWorld) -> None:
    state = there.state(())
    mark = there.world.aws.calls.mark
    there.push(role_control("r"), state=state)
    assert {call.service for call in there.world.aws.calls.since(mark)} == {"iam"}


def test_where_a_region_is_not_known_nothing_new_is_made_there_and_what_is_known_is_revoked(there: PointWorld) -> None:
    pushed = there.push(point_control("sales"))
    whole = there.state(())
    unread = replace(whole, points=replace(whole.points, unread={HERE: "access_points was never read"}))
    controls = [
        exported(point_control("sales"), pushed.results["sales"], who=who()),
        point_control("new"),
        point_control("far", what=(item("far/a", region=THERE),)),
        point_control("gone", external_id=f"accesspoint:{point_arn('gone')}", delete=True),
    ]

    pushed = there.push(*controls, state=unread)

    assert pushed.steps()[0] == ("delete", "access-point-policy", "sales")
    assert "not known: access_points was never read" in pushed.errors("new")[0]
    assert "region eu-west-1 is not in aws-regions" in pushed.errors("far")[0]
    # Whether it is gone, AWS says.
    assert (pushed.errors("gone"), pushed.results["gone"].external_id) == ((), None)
    assert there.policy("sales") is None


def test_what_raito_made_is_not_imported_again(there: PointWorld) -> None:
    there.push(point_control("sales"))
    there.create("theirs")
    state = there.state(())
    made = {point.name: made_by_raito(point.tags) for point in state.points.points.values()}
    assert made == {"sales": True, "theirs": False}


def test_one_that_nobody_grants_any_more_is_an_orphan_and_one_that_is_granted_anew_is_not(there: PointWorld) -> None:
    there.push(point_control("sales"), point_control("more"))
    pushed = there.push(point_control("sales"))
    assert [orphan.resource for orphan in pushed.plan.orphans] == [point_arn("more")]
