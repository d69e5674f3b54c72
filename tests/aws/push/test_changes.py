"""What a change replaces is compared with AWS as it is at that moment: every class of change that there is."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.aws.connection.limits import ServiceLimits
from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.push.apply import Applied
from raito_pipeline.aws.push.calls.center_calls import Center
from raito_pipeline.aws.push.calls.iam_calls import Iam
from raito_pipeline.aws.push.calls.point_calls import Points
from raito_pipeline.aws.push.changes import Aws, Change
from raito_pipeline.aws.push.owners.ownership import Objects
from raito_pipeline.aws.push.types import access_point_changes as points
from raito_pipeline.aws.push.types import permission_set_changes as sets
from raito_pipeline.aws.push.types import policy_changes as policies
from raito_pipeline.aws.push.types import role_changes as roles
from raito_pipeline.sandbox.aws.faults import Fault
from tests.aws.push.center_push import BY_RAITO as TAGS
from tests.aws.push.center_push import INSTANCE, PLACE, WORKING, CenterAccount, granted
from tests.aws.push.conftest import ACCOUNT, BY_RAITO, Story, World, arn, document, text, trust

_KEPT: dict[str, AwsClients] = {}
"""clients by address: making them takes longer than most tests"""
REGION = "eu-central-1"
ADA, BOB, BOTH = trust("ada"), trust("bob"), trust("ada", "bob")
READ, WRITE, ALL = document("s3:GetObject"), document("s3:PutObject"), document("s3:*")
INLINE = "r/Raito_Inline_r"
POINT = f"arn:aws:s3:{REGION}:{ACCOUNT}:accesspoint/sales"
OWNER = {"Key": "raito_access_control", "Value": "a"}
TAGGED = {"Tags": [OWNER, *BY_RAITO]}
LIMITS, OTHER_LIMITS = arn("limits"), arn("other-limits")


@dataclass
class Place:
    """An account as the plan saw it: a role, a policy, a permission set and an access point of Raito, each in use."""

    world: World
    center: CenterAccount
    set_arn: str
    person: str

    @property
    def iam(self) -> Any:
        return self.world.iam

    @property
    def at(self) -> dict[str, str]:
        """The permission set, as its calls name it."""
        return {"InstanceArn": INSTANCE, "PermissionSetArn": self.set_arn}

    @property
    def s3control(self) -> Any:
        return self.world.clients.client("s3control", REGION)

    @property
    def s3(self) -> Any:
        return self.world.clients.client("s3", REGION)

    def who(self) -> str:
        return text({"PrincipalType": "USER", "PrincipalId": self.person})

    def put_point_policy(self, *actions: str) -> None:
        self.s3control.put_access_point_policy(AccountId=ACCOUNT, Name="sales", Policy=text(point_policy(*actions)))

    def remember(self) -> Any:
        """What AWS has, as far as changes are about it."""
        iam, account = self.iam, self.center
        details = iam.get_account_authorization_details()
        found = [details[key] for key in ("UserDetailList", "RoleDetailList", "Policies")]
        for one in account.sso.list_permission_sets(InstanceArn=INSTANCE, MaxResults=100)["PermissionSets"]:
            named = {"InstanceArn": INSTANCE, "PermissionSetArn": one}
            found.append(account.described(one) | {"tags": account.tags("", one)})
            found.append(account.sso.list_account_assignments(**named, AccountId=ACCOUNT)["AccountAssignments"])
            found.append(account.sso.get_inline_policy_for_permission_set(**named)["InlinePolicy"])
            found.append(account.sso.list_managed_policies_in_permission_set(**named)["AttachedManagedPolicies"])
        for point in self.s3control.list_access_points(AccountId=ACCOUNT)["AccessPointList"]:
            named = {"AccountId": ACCOUNT, "Name": point["Name"]}
            found.append(self.s3control.get_access_point(**named)["Bucket"])
            found.append(self.s3control.list_tags_for_resource(AccountId=ACCOUNT, ResourceArn=POINT)["Tags"])
            found.append(_policy_of(lambda named=named: self.s3control.get_access_point_policy(**named)))  # type: ignore[misc]
        found.append(_policy_of(lambda: self.s3.get_bucket_policy(Bucket="data")))
        return json.loads(json.dumps(found, default=str))

    def center_calls(self) -> Center:
        return Center(lambda: self.world.clients, PLACE, {"S": self.set_arn}, ServiceLimits({}), WORKING)

    def calls(self) -> Aws:
        """What changes ask AWS with."""
        clients = self.world.clients
        return Aws(Iam(clients, ACCOUNT), Objects(ACCOUNT, {}), Points(clients, ACCOUNT), self.center_calls())

    def apply(self, story: Story, *, again: bool = False) -> Applied:
        return story.apply(self.world.clients, center=self.center_calls(), again=again)


def _policy_of(ask: Callable[[], Mapping[str, Any]]) -> str:
    try:
        return str(ask()["Policy"])
    except Exception as error:
        if "NoSuch" not in str(error):
            raise
        return ""


def point_policy(*actions: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/ada"}, "Action": list(actions)}
    return {"Version": "2012-10-17", "Statement": [{**statement, "Resource": f"{POINT}/object/*"}]}


def bucket_policy(action: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/ada"}, "Action": action}
    return {"Version": "2012-10-17", "Statement": [{**statement, "Resource": "arn:aws:s3:::data/*"}]}


@pytest.fixture
def place(world: World) -> Place:
    world = replace(world, clients=_KEPT.setdefault(world.aws.endpoint_url, world.clients))
    world.tagged_role("r")
    world.iam.put_role_policy(RoleName="r", PolicyName="Raito_Inline_r", PolicyDocument=text(READ))
    for name, body in (("p", READ), ("limits", ALL), ("other-limits", ALL)):
        world.iam.create_policy(PolicyName=name, PolicyDocument=text(body), Tags=BY_RAITO)
    world.iam.put_user_policy(UserName="bob", PolicyName="mine", PolicyDocument=text(READ))
    center = CenterAccount(world)
    made = center.permission_set("S", *TAGS, inline=text(READ))
    found = Place(world, center, made, center.person("x"))
    found.s3.create_bucket(Bucket="data", CreateBucketConfiguration={"LocationConstraint": REGION})
    found.s3.put_bucket_policy(Bucket="data", Policy=text(bucket_policy("s3:GetObject")))
    found.s3control.create_access_point(AccountId=ACCOUNT, Name="sales", Bucket="data", Tags=BY_RAITO)
    found.put_point_policy("s3:GetObject")
    return found


@dataclass(frozen=True)
class Case:
    """One change: its row, what is there before, and what somebody does between plan and push."""

    resource: str
    after: Any
    meanwhile: Callable[[Place], object]
    before: Any = None
    was: str | None = None
    arranged: Callable[[Place], object] = bool
    """what the place lacks for it, as the plan saw it"""

    def story(self, change: type[Change], place: Place) -> Story:
        """It, and a role of another access control."""
        after, before = (each(place) if callable(each) else each for each in (self.after, self.before))
        named = self.was or "role:r"
        story = Story().control("a", "r", external_id=named, was=named)
        shown = before if before is None or isinstance(before, str) else text(before)
        return story.change(change.OPERATION, change.KIND, self.resource, after, shown).role("b", "other", "ada")


def _trust(place: Place) -> None:
    place.iam.update_assume_role_policy(RoleName="r", PolicyDocument=text(BOTH))


def _inline(name: str) -> Callable[[Place], None]:
    return lambda place: place.iam.put_role_policy(RoleName="r", PolicyName=name, PolicyDocument=text(ALL))


def _version(place: Place) -> None:
    place.iam.create_policy_version(PolicyArn=arn("p"), PolicyDocument=text(ALL), SetAsDefault=True)


def _set_policy(place: Place) -> None:
    place.center.sso.put_inline_policy_to_permission_set(**place.at, InlinePolicy=text(ALL))


def _no_set_policy(place: Place) -> None:
    place.center.sso.delete_inline_policy_from_permission_set(**place.at)


def _assigned(place: Place) -> None:
    place.center.assign(place.set_arn, "USER", place.person)


def _unassigned(place: Place) -> None:
    place.center.sso.delete_account_assignment(
        **place.at, TargetId=ACCOUNT, TargetType="AWS_ACCOUNT", PrincipalType="USER", PrincipalId=place.person
    )


def _tagged(value: str) -> dict[str, Any]:
    return {"Tags": [{**OWNER, "Value": value}]}


def _set_tagged(place: Place) -> None:
    place.center.sso.tag_resource(InstanceArn=INSTANCE, ResourceArn=place.set_arn, Tags=[{**OWNER, "Value": "z"}])


def _point_tagged(place: Place) -> None:
    place.s3control.tag_resource(AccountId=ACCOUNT, ResourceArn=POINT, Tags=[{**OWNER, "Value": "z"}])


def _point_policy(place: Place) -> None:
    place.put_point_policy("s3:GetObject", "s3:PutObject")


def _no_point_policy(place: Place) -> None:
    place.s3control.delete_access_point_policy(AccountId=ACCOUNT, Name="sales")


def _point_gone(place: Place) -> None:
    place.s3control.delete_access_point(AccountId=ACCOUNT, Name="sales")
    place.s3.create_bucket(Bucket="new", CreateBucketConfiguration={"LocationConstraint": REGION})


def _referenced(place: Place) -> None:
    place.center.sso.attach_managed_policy_to_permission_set(**place.at, ManagedPolicyArn=S3_READ)


def _not_referenced(place: Place) -> None:
    place.center.sso.detach_managed_policy_from_permission_set(**place.at, ManagedPolicyArn=S3_READ)


S3_READ = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
NEW_ROLE = {"AssumeRolePolicyDocument": BOB, "Tags": BY_RAITO}
NEW_POLICY = {"PolicyDocument": WRITE, "Tags": BY_RAITO}
WITH_CREATOR = {"Tags": BY_RAITO}
REPLACING: Mapping[type[Change], Case] = {
    roles.CreateRole: Case("new", NEW_ROLE, lambda place: place.world.tagged_role("new")),
    roles.DeleteRole: Case("r", None, _trust, ADA),
    roles.TagRole: Case("r", TAGGED, lambda place: place.iam.tag_role(RoleName="r", **_tagged("z")), WITH_CREATOR),
    roles.SetBoundary: Case(
        "r", LIMITS,
        lambda place: place.iam.put_role_permissions_boundary(RoleName="r", PermissionsBoundary=OTHER_LIMITS),
    ),
    roles.UpdateTrust: Case("r", BOB, _trust, ADA),
    roles.CreateInlinePolicy: Case("r/other", READ, _inline("other")),
    roles.UpdateInlinePolicy: Case(INLINE, WRITE, _inline("Raito_Inline_r"), READ),
    roles.DeleteInlinePolicy: Case(INLINE, None, _inline("Raito_Inline_r"), READ),
    policies.CreatePolicy: Case("new", NEW_POLICY, lambda place: place.world.tagged_policy("new")),
    policies.DeletePolicy: Case(arn("p"), None, _version, READ),
    policies.TagPolicy: Case(
        arn("p"), TAGGED, lambda place: place.iam.tag_policy(PolicyArn=arn("p"), **_tagged("z")), WITH_CREATOR
    ),
    policies.NewPolicyVersion: Case(arn("p"), WRITE, _version, READ),
    policies.DeleteReplacedInline: Case(
        "user:bob/mine", None,
        lambda place: place.iam.put_user_policy(UserName="bob", PolicyName="mine", PolicyDocument=text(ALL)),
        READ, was="user:bob|inline:mine|",
    ),
    policies.NarrowReplacedInline: Case(
        "user:bob/mine", WRITE,
        lambda place: place.iam.put_user_policy(UserName="bob", PolicyName="mine", PolicyDocument=text(ALL)),
        READ, was="user:bob|inline:mine|",
    ),
    policies.ReduceReplacedInline: Case(
        "user:bob/mine", WRITE,
        lambda place: place.iam.put_user_policy(UserName="bob", PolicyName="mine", PolicyDocument=text(ALL)),
        READ, was="user:bob|inline:mine|",
    ),
    sets.CreatePermissionSet: Case(
        "New", {"Description": "for them", **WITH_CREATOR}, lambda place: place.center.permission_set("New", *TAGS)
    ),
    sets.DeletePermissionSet: Case("S", None, _assigned, lambda place: place.set_arn),
    sets.DescribePermissionSet: Case(
        "S", "new",
        lambda place: place.center.sso.update_permission_set(**place.at, Description="by hand"), "why",
    ),
    sets.TagPermissionSet: Case("S", TAGGED, _set_tagged, WITH_CREATOR),
    sets.CreatePermissionSetPolicy: Case("S", WRITE, _set_policy, arranged=_no_set_policy),
    sets.UpdatePermissionSetPolicy: Case("S", WRITE, _set_policy, READ),
    sets.DeletePermissionSetPolicy: Case("S", None, _set_policy, READ),
    points.CreateAccessPoint: Case(
        POINT, {"Bucket": "new", **WITH_CREATOR},
        lambda place: place.s3control.create_access_point(
            AccountId=ACCOUNT, Name="sales", Bucket="data", Tags=BY_RAITO
        ),
        arranged=_point_gone,
    ),
    points.DeleteAccessPoint: Case(POINT, None, _point_policy, point_policy("s3:GetObject")),
    points.TagAccessPoint: Case(POINT, TAGGED, _point_tagged, WITH_CREATOR),
    points.CreatePointPolicy: Case(POINT, point_policy("s3:PutObject"), _point_policy, arranged=_no_point_policy),
    points.UpdatePointPolicy: Case(
        POINT, point_policy("s3:PutObject"), _point_policy, point_policy("s3:GetObject")
    ),
    points.DeletePointPolicy: Case(POINT, None, _point_policy, point_policy("s3:GetObject")),
    points.DelegateToAccessPoints: Case(
        "arn:aws:s3:::data", bucket_policy("s3:*"),
        lambda place: place.s3.put_bucket_policy(Bucket="data", Policy=text(bucket_policy("s3:PutObject"))),
        bucket_policy("s3:GetObject"),
    ),
}  # fmt: skip
"""each class of change that would overwrite something"""
EITHER_WAY: Mapping[type[Change], Case] = {
    policies.AttachPolicy: Case(
        "user:ada", arn("p"), lambda place: place.iam.attach_user_policy(UserName="ada", PolicyArn=arn("p"))
    ),
    policies.DetachPolicy: Case(
        "user:ada", None, lambda place: place.iam.detach_user_policy(UserName="ada", PolicyArn=arn("p")), arn("p"),
        arranged=lambda place: place.iam.attach_user_policy(UserName="ada", PolicyArn=arn("p")),
    ),
    sets.Assign: Case("S/user:x", Place.who, _assigned),
    sets.Unassign: Case("S/user:x", None, _unassigned, Place.who, arranged=_assigned),
    sets.AttachReference: Case("S", S3_READ, _referenced),
    sets.DetachReference: Case("S", None, _not_referenced, S3_READ, arranged=_referenced),
}  # fmt: skip
"""and each of those whose place is taken or is not: others can only have made the same"""
WITHOUT_PLACE = {sets.ProvisionPermissionSet}
"""brings into the account what the others have left"""


def _row(change: type[Change], resource: str, after: Any = None, before: Any = None) -> Callable[[Place], Change]:
    def made(place: Place) -> Change:
        given, had = (each(place) if callable(each) else each for each in (after, before))
        return change(Story().control("a").change(change.OPERATION, change.KIND, resource, given, had).changes[-1])

    return made


def _policy_attached(place: Place) -> None:
    place.iam.attach_role_policy(RoleName="r", PolicyArn=arn("limits"))


_ASSIGN, _DELETE_ROLE = _row(sets.Assign, "S/user:x", Place.who), _row(roles.DeleteRole, "r", None, text(ADA))
_TRUST = _row(roles.UpdateTrust, "r", text(BOTH), text(ADA))
_PROVISION = _row(sets.ProvisionPermissionSet, "S", "S")
_READ_AND_WRITE = document("s3:GetObject", "s3:PutObject")
_WIDER = _row(policies.NewPolicyVersion, arn("p"), text(_READ_AND_WRITE), text(READ))
_WIDER_ROLE = _row(roles.UpdateInlinePolicy, INLINE, text(_READ_AND_WRITE), text(READ))
_WIDER_SET = _row(sets.UpdatePermissionSetPolicy, "S", text(_READ_AND_WRITE), text(READ))
BESIDE: Mapping[str, tuple[Callable[[Place], Change], Callable[[Place], object]]] = {
    "a policy that is attached gives more": (_row(policies.AttachPolicy, "user:ada", arn("p")), _version),
    "a policy that is referenced gives more": (_row(sets.AttachReference, "S", arn("p")), _version),
    "a permission set that is assigned gives more": (_ASSIGN, _set_policy),
    "a permission set that is assigned has one policy more": (_ASSIGN, _referenced),
    "a role that more may assume gives more": (_TRUST, _inline("Raito_Inline_r")),
    "a role that more may assume has one inline policy more": (_TRUST, _inline("other")),
    "a role that more may assume has one policy more": (_TRUST, _policy_attached),
    "a permission set that is provisioned gives more": (_PROVISION, _set_policy),
    "a role that goes has one inline policy more": (_DELETE_ROLE, _inline("other")),
    "a role that goes has another inline policy": (_DELETE_ROLE, _inline("Raito_Inline_r")),
    "a role that goes has one policy more": (_DELETE_ROLE, _policy_attached),
    "a role that goes has other tags": (
        _DELETE_ROLE, lambda place: place.iam.tag_role(RoleName="r", **_tagged("somebody else"))
    ),
    "a policy that gives more has one holder more": (
        _WIDER, lambda place: place.iam.attach_group_policy(GroupName="staff", PolicyArn=arn("p"))
    ),
    "a role that gives more may be assumed by more": (_WIDER_ROLE, _trust),
    "a permission set that gives more is assigned to more": (_WIDER_SET, _assigned),
    "a permission set that gives more has one policy more": (_WIDER_SET, _referenced),
    "a policy that goes has one holder more": (
        _row(policies.DeletePolicy, arn("p"), None, text(READ)),
        lambda place: place.iam.attach_user_policy(UserName="bob", PolicyArn=arn("p")),
    ),
}  # fmt: skip
"""what nobody saw follow from a change, as somebody made it after the plan"""


@pytest.mark.parametrize("what", BESIDE)
def test_what_follows_from_a_change_and_was_not_shown_keeps_it_from_being_made(place: Place, what: str) -> None:
    given, meanwhile = BESIDE[what]
    change = given(place)
    planned = tuple(change.beside_now(place.calls()))
    story = Story().control("a", "r", external_id="role:r", was="role:r")
    story.changes = [replace(change.row, beside=planned)]
    meanwhile(place)
    before = place.remember()

    (result,) = place.apply(story).results

    (error,) = result.errors
    assert "it was changed since the plan" in error
    assert place.remember() == before


@pytest.mark.parametrize("given", [_ASSIGN, _DELETE_ROLE], ids=["assignment", "deletion of a role"])
def test_less_than_was_shown_is_no_harm(place: Place, given: Callable[[Place], Change]) -> None:
    _policy_attached(place)
    _referenced(place)
    change = given(place)
    story = Story().control("a", "r", external_id="role:r", was="role:r")
    story.changes = [replace(change.row, beside=tuple(change.beside_now(place.calls())))]
    place.iam.detach_role_policy(RoleName="r", PolicyArn=arn("limits"))
    _not_referenced(place)

    (result,) = place.apply(story).results

    assert (result.errors, result.changes_made) == ((), 1)


@pytest.mark.parametrize(("version", "denied", "errors"), [("v0", False, 1), ("now", False, 0), ("v0", True, 0)])
def test_a_policy_of_aws_is_compared_by_its_version_where_aws_says_it(
    place: Place, version: str, denied: bool, errors: int
) -> None:
    now = place.iam.get_policy(PolicyArn=S3_READ)["Policy"]["DefaultVersionId"]
    shown = now if version == "now" else version
    story = Story().control("a", "p", external_id="policy:p", was="policy:p")
    story.change("attach", "attachment", "user:ada", S3_READ)
    story.changes = [replace(story.changes[0], beside=(f"version {shown}",))]
    if denied:
        place.world.aws.faults.add(Fault(kind="deny", operation="GetPolicy"))

    (result,) = place.apply(story).results

    assert len(result.errors) == errors


def test_a_permission_set_of_others_is_compared_by_what_its_role_in_the_account_gives(world: World) -> None:
    account = CenterAccount(world)
    made = account.permission_set("Others", inline=text(READ))
    account.assign(made, "USER", account.person("ada"))
    account.person("bob")
    (reserved,) = (name for name in world.roles() if name.startswith("AWSReservedSSO_Others_"))
    control = granted("o", "ada", "bob", external_id=f"ssorole:{reserved}", actual_name=reserved)

    def more() -> None:
        at = {"InstanceArn": INSTANCE, "PermissionSetArn": made}
        account.sso.put_inline_policy_to_permission_set(**at, InlinePolicy=text(ALL))
        account.sso.provision_permission_set(**at, TargetType="AWS_ACCOUNT", TargetId=ACCOUNT)

    changed = account.push(control, meanwhile=more)
    again = account.push(control)

    assert "it was changed since the plan" in changed.errors("o")
    assert (again.errors("o"), len(account.assigned("Others"))) == ("", 2)


_NARROWED = _row(sets.ProvisionPermissionSet, "S", "S", "S")


@pytest.mark.parametrize(("given", "errors"), [(_NARROWED, 0), (_PROVISION, 1), (_DELETE_ROLE, 1)])
def test_what_only_takes_access_away_does_not_wait_for_what_aws_does_not_say(
    place: Place, given: Callable[[Place], Change], errors: int
) -> None:
    _assigned(place)
    change = given(place)
    story = Story().control("a", "r", external_id="role:r", was="role:r")
    story.changes = [replace(change.row, beside=tuple(change.beside_now(place.calls())))]
    for operation in ("ListManagedPoliciesInPermissionSet", "ListRolePolicies"):
        place.world.aws.faults.add(Fault(kind="deny", operation=operation))

    (result,) = place.apply(story).results

    assert len(result.errors) == errors


def test_every_class_of_change_is_in_this_file() -> None:
    classes = {change for kind in ACCESS_PROVIDER_TYPES.push.pushed.values() for change in kind.changes}
    assert {*REPLACING, *EITHER_WAY, *WITHOUT_PLACE} == classes
    assert {each for each in classes if not each.OVERWRITES} == {*EITHER_WAY, *WITHOUT_PLACE}


@pytest.mark.parametrize("change", REPLACING, ids=lambda change: change.__name__)
def test_what_changed_since_the_plan_is_not_overwritten(place: Place, change: type[Change]) -> None:
    case = REPLACING[change]
    case.arranged(place)
    story = case.story(change, place)
    case.meanwhile(place)
    before = place.remember()

    first, other = place.apply(story).results
    place.iam.delete_role_policy(RoleName="other", PolicyName="Raito_Inline_other")
    place.iam.delete_role(RoleName="other")

    (error,) = first.errors
    was_changed = f"{change.OPERATION} of {change.KIND} {case.resource}: it was changed since the plan"
    assert was_changed in error or (change is points.CreateAccessPoint and "opens bucket data" in error)
    assert (first.changes_made, first.changes_failed, other.errors, other.changes_made) == (0, 1, (), 2)
    assert place.remember() == before


@pytest.mark.parametrize("change", EITHER_WAY, ids=lambda change: change.__name__)
def test_what_others_have_made_meanwhile_counts_as_made(place: Place, change: type[Change]) -> None:
    case = EITHER_WAY[change]
    case.arranged(place)
    story = case.story(change, place)
    case.meanwhile(place)
    before = place.remember()

    applied = place.apply(story)
    place.iam.delete_role_policy(RoleName="other", PolicyName="Raito_Inline_other")
    place.iam.delete_role(RoleName="other")

    assert [result.errors for result in applied.results] == [(), ()]
    assert applied.differences == ()
    assert place.remember() == before


@pytest.mark.parametrize("change", {**REPLACING, **EITHER_WAY}, ids=lambda change: change.__name__)
def test_what_is_as_planned_is_made_and_the_second_time_left_alone(place: Place, change: type[Change]) -> None:
    case = (REPLACING | EITHER_WAY)[change]  # type: ignore[operator]
    case.arranged(place)
    story = case.story(change, place)
    before = place.remember()
    first = place.apply(story)
    made = place.remember()

    # A change that is compared anyway goes the same way both times.
    broken_off = place.apply(story) if change.NEW_OBJECT or not change.OVERWRITES else first
    mark = place.world.aws.calls.mark
    again = place.apply(story, again=True)

    assert [result.errors for result in (*first.results, *broken_off.results, *again.results)] == [()] * 6
    assert again.results == broken_off.results
    assert [call.operation for call in place.world.aws.calls.since(mark) if call.writes] == []
    assert first.differences == broken_off.differences == again.differences == ()
    assert made != before
    assert place.remember() == made
