"""What people really get: IAM is enforced, and they read what a push gave them, nothing beside, and nothing afterwards.

The emulated AWS decides as AWS does, by identity policies, trust policies, sessions, and the policies of access points
and buckets. Users read with keys of their own, roles are assumed, permission sets are had through the access portal.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from raito_pipeline.aws.connection.limits import ServiceLimits
from raito_pipeline.aws.push.account.state import PushState
from raito_pipeline.aws.push.apply import apply_plan
from raito_pipeline.aws.push.calls.center_calls import Center
from raito_pipeline.aws.push.calls.policy_tags import plan_with_tags
from raito_pipeline.aws.push.rules.bounds import Bounds
from raito_pipeline.model import AccessControl, PushResult
from raito_pipeline.sandbox.aws.access_points import keep_access_point_host
from raito_pipeline.sandbox.aws.accounts import install_access_key
from raito_pipeline.sandbox.aws.enforcement import enforce_iam
from raito_pipeline.sandbox.aws.identity_center import NotAssigned, person_credentials
from tests.aws.push.center_push import PLACE, STORE, TYPES, WORKING, CenterAccount
from tests.aws.push.conftest import ACCOUNT, World
from tests.aws.push.points import HERE, SECRET, THERE, PointWorld, arrange, item, point_arn, point_control, who

KEYS = ("eu/1", "eu/2", "us/1")
EU = ["eu/1", "eu/2"]
Client = Any
_KEPT: dict[tuple[str, str, str], Client] = {}
"""clients by address, service and key: making them takes longer than most tests"""


@dataclass
class Estate:
    """An account with users, a group, a bucket and an organization, pushed to as a sync does it."""

    world: World
    points: PointWorld
    center: CenterAccount
    controls: tuple[AccessControl, ...] = ()
    results: dict[str, PushResult] = field(default_factory=dict)

    def state(self) -> PushState:
        """The tables of a sync."""
        state = self.points.state(self.controls)
        return replace(state, center=self.center.center_state(self.controls, self.world.clients))

    def push(self, *controls: AccessControl) -> list[str]:
        """Push an export with the external ids of the last feedback; gives the writing operations. Nothing fails."""
        known = self.results
        self.controls = tuple(
            replace(each, position=position, external_id=had.external_id, actual_name=had.actual_name)
            if (had := known.get(each.id)) is not None
            else replace(each, position=position)
            for position, each in enumerate(controls)
        )
        state, clients = self.state(), self.world.clients
        mark = self.world.aws.calls.mark
        bounds = Bounds(buckets={"data": HERE, "far": THERE})
        options = self.center.options
        plan = plan_with_tags(lambda: clients, self.controls, state, options, TYPES, bounds)
        sets = {name: row.arn for name, row in state.center.sets.items()}
        center = Center(lambda: clients, PLACE, sets, ServiceLimits({}), WORKING)
        applied = apply_plan(clients, ACCOUNT, TYPES, plan.changes, plan.targets, self.controls, 2, center=center)
        self.results = {result.access_control_id: result for result in applied.results}
        assert [result.errors for result in applied.results if result.errors] == []
        return self.world.writes(mark)

    # -- who reads -------------------------------------------------------------------------------------------------

    def user(self, name: str) -> Client:
        """S3 as a user of IAM."""
        return self._client("s3", self._key(name), SECRET, None)

    def _key(self, user: str) -> str:
        """The access key of a user."""
        key = f"AKIA{user.upper():A<16}"
        install_access_key(ACCOUNT, key, SECRET, user)
        return key

    def session(self, user: str, role: str) -> Client:
        """S3 in a role that a user assumes; None where that is denied."""
        sts = self._client("sts", self._key(user), SECRET, None)
        assume = partial(sts.assume_role, RoleArn=f"arn:aws:iam::{ACCOUNT}:role/{role}", RoleSessionName=user)
        answer = self._answer(assume)
        if answer is None:
            return None
        made = answer["Credentials"]
        return self._client("s3", made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])

    def portal(self, person: str, permission_set: str) -> Client:
        """S3 as a person of Identity Center; None where the portal does not show the permission set."""
        try:
            made = person_credentials(ACCOUNT, permission_set, person)
        except NotAssigned:
            return None
        return self._client("s3", made.access_key_id, made.secret_access_key, made.session_token)

    def _client(self, service: str, key: str, secret: str, token: str | None) -> Client:
        place = (self.world.aws.endpoint_url, service, key)
        if place not in _KEPT:
            session = boto3.Session(key, secret, token, HERE)
            config = Config(retries={"total_max_attempts": 1}, s3={"use_arn_region": True})
            url = self.world.aws.endpoint_url
            made = _KEPT[place] = session.client(service, endpoint_url=url, config=config)  # type: ignore[call-overload]
            made.meta.events.register("before-call.s3", keep_access_point_host)
        return _KEPT[place]

    def reads(self, s3: Client, place: str = "data") -> list[str]:
        """Which keys somebody reads in a bucket, or through an access point."""
        return [key for key in KEYS if self._may(s3.get_object, Bucket=place, Key=key)] if s3 else []

    def lists(self, s3: Client, place: str = "data") -> list[str]:
        """Which folders somebody lists."""
        folders = ("eu/", "us/", "")
        return [each for each in folders if self._may(s3.list_objects_v2, Bucket=place, Prefix=each)]

    def writes(self, s3: Client, place: str = "data") -> bool:
        return self._may(s3.put_object, Bucket=place, Key="eu/new", Body=b"x")

    def _may(self, call: Callable[..., Any], **request: Any) -> bool:
        return self._answer(partial(call, **request)) is not None

    def _answer(self, call: Callable[[], Any]) -> Any:
        """The answer under enforcement; None where it is denied, also because the credentials are no good any more."""
        with self.points.enforced():
            try:
                return call()
            except ClientError as error:
                if error.response["Error"]["Code"] not in ("AccessDenied", "InvalidAccessKeyId"):
                    raise
                return None


@pytest.fixture
def estate(world: World) -> Iterator[Estate]:
    points = arrange(world)
    center = CenterAccount(points.world)
    center.person("ann")
    ben, team = center.person("ben"), center.team("analysts")
    center.store.create_group_membership(IdentityStoreId=STORE, GroupId=team, MemberId={"UserId": ben})
    points.delegate()
    yield Estate(points.world, points, center)
    enforce_iam(world.aws, on=False)


READ = (item("data/eu", "s3:GetObject", "s3:ListBucket"),)


def policy(*names: str, **changes: Any) -> AccessControl:
    return point_control("readers", type="aws_policy", **{"who": who(*names), "what": READ, **changes})


def role(*names: str, **changes: Any) -> AccessControl:
    return point_control("job", type="aws_role", **{"who": who(*names), "what": READ, **changes})


def permission_set(*names: str, **changes: Any) -> AccessControl:
    return point_control("analyst", type="aws_sso_role", **{"who": who(*names), "what": READ, **changes})


def point(*names: str, **changes: Any) -> AccessControl:
    return point_control("sales", **{"who": who(*names), "what": READ, **changes})


# -- managed policies --------------------------------------------------------------------------------------------------


def test_users_and_members_of_groups_read_by_a_policy_what_was_granted(estate: Estate) -> None:
    estate.push(policy("ada", who=who("ada", groups=["staff"])))

    for name in ("ada", "bob", "cyd"):
        user = estate.user(name)
        assert (estate.reads(user), estate.lists(user), estate.writes(user)) == (EU, ["eu/"], False), name

    estate.push(policy("bob"))
    assert [estate.reads(estate.user(name)) for name in ("ada", "bob", "cyd")] == [[], EU, []]
    estate.push(policy("bob", what=(item("data/us"),)))
    assert (estate.reads(estate.user("bob")), estate.lists(estate.user("bob"))) == (["us/1"], [])
    estate.push(policy(delete=True))
    assert estate.reads(estate.user("bob")) == []


def test_who_may_assume_a_role_reads_by_its_policies_as_long_as_they_have_them(estate: Estate) -> None:
    controls = (role("ada", what=()), policy(who=who(inherit=["ID:job"])))
    estate.push(*controls)

    assert estate.reads(estate.user("ada")) == []
    assert estate.reads(estate.session("ada", "job")) == EU
    assert estate.push(*controls) == []
    estate.push(controls[0], policy())
    assert estate.reads(estate.session("ada", "job")) == []


# -- roles -------------------------------------------------------------------------------------------------------------


def test_in_a_role_people_read_what_was_granted_and_others_do_not_get_in(estate: Estate) -> None:
    estate.push(role("ada"))

    session = estate.session("ada", "job")
    assert (estate.reads(session), estate.lists(session), estate.writes(session)) == (EU, ["eu/"], False)
    assert estate.reads(estate.user("ada")) == []
    assert estate.session("bob", "job") is None

    estate.push(role(who=who(groups=["staff"])))
    assert estate.session("ada", "job") is None
    assert estate.reads(estate.session("cyd", "job")) == EU
    estate.push(role())
    assert estate.session("cyd", "job") is None


def test_a_session_reads_nothing_once_the_what_or_the_role_is_gone(estate: Estate) -> None:
    estate.push(role("ada"))
    session = estate.session("ada", "job")
    assert estate.reads(session) == EU

    estate.push(role("ada", what=(item("data/us"),)))
    assert estate.reads(session) == ["us/1"]
    estate.push(role("ada", what=()))
    assert estate.reads(session) == []
    estate.push(role("ada"))
    assert estate.reads(session) == EU
    estate.push(role(delete=True))
    assert estate.reads(session) == []


# -- permission sets ---------------------------------------------------------------------------------------------------


def test_people_of_identity_center_read_through_the_reserved_role_what_was_granted(estate: Estate) -> None:
    control = permission_set(who=who("ann", groups=["analysts"]))
    estate.push(control)

    for person in ("ann", "ben"):
        session = estate.portal(person, "analyst")
        assert (estate.reads(session), estate.lists(session), estate.writes(session)) == (EU, ["eu/"], False), person
    assert estate.push(control) == []

    estate.push(permission_set("ann"))
    assert estate.portal("ben", "analyst") is None
    assert estate.reads(estate.portal("ann", "analyst")) == EU
    had = estate.portal("ann", "analyst")
    estate.push(permission_set("ann", what=(item("data/us"),)))
    assert estate.reads(had) == ["us/1"]
    estate.push(permission_set("ann", what=()))
    assert estate.reads(had) == []


@pytest.mark.parametrize("changes", [{"who": who()}, {"delete": True}])
def test_the_last_revocation_of_a_permission_set_ends_its_sessions(estate: Estate, changes: dict[str, Any]) -> None:
    estate.push(permission_set("ann"))
    had = estate.portal("ann", "analyst")
    assert estate.reads(had) == EU

    estate.push(permission_set("ann", **changes))

    assert estate.portal("ann", "analyst") is None
    assert estate.reads(had) == []


def test_a_policy_on_a_permission_set_gives_and_is_taken_away(estate: Estate) -> None:
    whole = permission_set("ann", what=())
    estate.push(whole, policy(who=who(inherit=["ID:analyst"])))
    had = estate.portal("ann", "analyst")
    assert estate.reads(had) == EU
    assert estate.push(whole, policy(who=who(inherit=["ID:analyst"]))) == []

    estate.push(whole, policy(deleted_who=who(inherit=["ID:analyst"])))

    assert estate.reads(had) == []
    estate.push(whole, policy(who=who(inherit=["ssorole:analyst"])))
    assert estate.reads(had) == EU
    estate.push(whole, policy(delete=True))
    assert estate.reads(had) == []


# -- access points -----------------------------------------------------------------------------------------------------


def test_through_an_access_point_users_and_roles_read_what_was_granted_and_nothing_in_the_bucket(
    estate: Estate,
) -> None:
    controls = (role("ada", what=()), point("bob", who=who("bob", inherit=["ID:job"])))
    estate.push(*controls)

    arn = point_arn("sales")
    session = estate.session("ada", "job")
    for somebody in (estate.user("bob"), session):
        assert (estate.reads(somebody, arn), estate.lists(somebody, arn)) == (EU, ["eu/"])
        assert (estate.reads(somebody), estate.writes(somebody, arn)) == ([], False)
    assert estate.reads(estate.user("ada"), arn) == []
    assert estate.push(*controls) == []

    estate.push(controls[0], point("bob"))
    assert (estate.reads(session, arn), estate.reads(estate.user("bob"), arn)) == ([], EU)
    estate.push(controls[0], point("bob", delete=True))
    assert estate.world.roles() == {"job", "reader"}
    assert estate.points.names() == []


def test_through_an_access_point_the_people_of_a_permission_set_read_until_it_is_taken_from_either(
    estate: Estate,
) -> None:
    controls = (permission_set("ann", what=()), point(who=who(inherit=["ID:analyst"])))
    estate.push(*controls)

    arn, had = point_arn("sales"), estate.portal("ann", "analyst")
    assert (estate.reads(had, arn), estate.lists(had, arn), estate.reads(had)) == (EU, ["eu/"], [])
    assert estate.push(*controls) == []

    estate.push(controls[0], point())
    assert estate.reads(had, arn) == []
    estate.push(*controls)
    assert estate.reads(had, arn) == EU
    estate.push(permission_set("ben", what=()), controls[1])
    assert estate.portal("ann", "analyst") is None
    assert estate.reads(estate.portal("ben", "analyst"), arn) == EU


def test_all_four_types_at_once_give_what_each_of_them_grants_and_all_of_it_goes(estate: Estate) -> None:
    controls = (
        policy("ada"), role("bob", what=(item("data/us"),)), permission_set("ann"), point("cyd"),
    )  # fmt: skip
    estate.push(*controls)

    def read() -> dict[str, list[str]]:
        return {
            "policy": estate.reads(estate.user("ada")),
            "role": estate.reads(estate.session("bob", "job")),
            "set": estate.reads(estate.portal("ann", "analyst")),
            "point": estate.reads(estate.user("cyd"), point_arn("sales")),
        }

    assert read() == {"policy": EU, "role": ["us/1"], "set": EU, "point": EU}
    assert estate.push(*controls) == []
    estate.push(*(replace(each, who=who()) for each in controls))
    assert read() == {"policy": [], "role": [], "set": [], "point": []}
    estate.push(*(replace(each, delete=True) for each in controls))
    assert (estate.world.policies(), estate.world.roles(), estate.center.sets()) == (set(), {"reader"}, {})
    assert estate.points.names() == []


# -- Glue tables from Athena -------------------------------------------------------------------------------------------


def asks(estate: Estate, user: str, service: str, operation: str, **request: Any) -> bool:
    """Whether AWS lets a user make a call; what it is about need not be there."""
    client = estate._client(service, estate._key(user), SECRET, None)
    with estate.points.enforced():
        try:
            getattr(client, operation)(**request)
        except ClientError as error:
            return error.response["Error"]["Code"] not in ("AccessDenied", "AccessDeniedException")
        return True


def test_a_table_can_be_queried_from_athena_in_the_workgroups_that_an_option_names(estate: Estate) -> None:
    table = policy("ada", what=(item("data/eu", "s3:GetObject", "s3:ListBucket", kind="glue-table"),))

    def queries(user: str) -> list[bool]:
        start = {"QueryString": "select 1", "ResultConfiguration": {"OutputLocation": "s3://results/"}}
        return [
            asks(estate, user, "glue", "get_table", DatabaseName="db", Name="sales"),
            asks(estate, user, "athena", "start_query_execution", WorkGroup="primary", **start),
            asks(estate, user, "athena", "start_query_execution", WorkGroup="other", **start),
            asks(estate, user, "glue", "delete_table", DatabaseName="db", Name="sales"),
        ]

    estate.push(table)
    assert (estate.reads(estate.user("ada")), queries("ada")) == (EU, [False] * 4), "without the option"

    estate.center.options = estate.center.options.model_copy(update={"aws_athena_workgroups": ("primary",)})
    assert "CreatePolicyVersion" in estate.push(table)
    assert estate.push(table) == []
    assert (estate.reads(estate.user("ada")), queries("ada")) == (EU, [True, True, False, False])
    assert queries("bob") == [False] * 4

    estate.push(replace(table, who=who("ada", "bob"))), "what the policy gives now is no more than data"
    assert queries("bob") == [True, True, False, False]
    estate.push(replace(table, what=READ))
    assert (estate.reads(estate.user("ada")), queries("ada")) == (EU, [False] * 4), "a folder is no table"
