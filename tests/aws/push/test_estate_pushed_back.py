"""The embedded estate: what the import says of its accounts, pushed back as nobody edited it, changes nothing.

All access providers that Raito Cloud can take over are exported as they were imported, those of the organization and
the access points with them, whatever types there are.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from raito_pipeline.aws.access import AccessInputs
from raito_pipeline.aws.access.external_ids import permission_set_name
from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.aws.connection.limits import ServiceLimits
from raito_pipeline.aws.push.account.center_state import CenterState, center_questions
from raito_pipeline.aws.push.account.point_state import PointState
from raito_pipeline.aws.push.account.state import PushState
from raito_pipeline.aws.push.calls.bucket_policies import read_bucket_policies
from raito_pipeline.aws.push.calls.policy_tags import plan_with_tags
from raito_pipeline.aws.push.documents.statements import same
from raito_pipeline.aws.push.plan import Plan
from raito_pipeline.aws.push.rules.bounds import Bounds
from raito_pipeline.aws.push.types.access_points import buckets_behind
from raito_pipeline.aws.readers.access_points import read_access_points
from raito_pipeline.aws.readers.bucket_policies import read_bucket_policies as read_all_bucket_policies
from raito_pipeline.aws.readers.iam import read_account
from raito_pipeline.aws.readers.organization import read_organization
from raito_pipeline.aws.readers.push_center import CenterPlace, read_push_center
from raito_pipeline.aws.readers.s3 import read_buckets
from raito_pipeline.config import OrganizationLink
from raito_pipeline.config.groups import AccessOptions, PushOptions, S3Options
from raito_pipeline.model import AccessControl, AccessPoint, DataObjectReference, WhatItem, WhoEntry
from raito_pipeline.sandbox.aws.estate import Estate, EstateAccount, EstateSettings, build_estate
from raito_pipeline.sandbox.aws.profiles import write_aws_profiles
from raito_pipeline.sandbox.aws.server import EmulatedAws
from tests.aws.push.pushing import TYPES, imported
from tests.aws.push.test_nothing_edited import as_imported, changed

SIZES = EstateSettings(users=24, roles=36, policies=30, keys=30, tables=6, people=20, log_days=0)
"""every kind of thing that there is with `make run`, fewer of each, and little data"""
LIMITS = ServiceLimits({})


class EstateOptions(AccessOptions, PushOptions):
    """The options of an account of the estate."""

    organization: OrganizationLink | None = None


@dataclass(frozen=True)
class Running:
    """The estate in an emulated AWS."""

    estate: Estate
    aws: EmulatedAws

    def inputs(self, account: EstateAccount) -> AccessInputs:
        """The rows that the access providers of an account are made of, read over the wire."""
        clients, options = AwsClients(account.profile), EstateOptions()
        iam = read_account(clients, options)
        points = [row for each in account.regions for row in self._points(account, each)]
        org = read_organization(
            AwsClients(self.estate.master.profile), self.estate.identity_center_region,
            frozenset({account.account_id}), LIMITS,
        )  # fmt: skip
        buckets = read_buckets(clients, S3Options()).rows
        policies = read_all_bucket_policies(clients, account.account_id, options, buckets).rows
        return AccessInputs(
            account_id=account.account_id,
            users=iam.users.rows,
            groups=iam.groups.rows,
            roles=iam.roles.rows,
            policies=iam.policies.rows,
            attachments=iam.attachments.rows,
            buckets=buckets,
            access_points=points,
            bucket_policies=policies,
            permission_sets=org.permission_sets.rows,
            assignments=org.assignments.rows,
        )

    def _points(self, account: EstateAccount, region: str) -> list[AccessPoint]:
        return list(read_access_points(AwsClients(account.profile), account.account_id, region, 2).rows)

    def pushed_back(self, account: EstateAccount) -> "PushedBack":
        """Everything that was imported of an account as it would be exported, and what a plan of it knows."""
        inputs, clients, options = self.inputs(account), AwsClients(account.profile), self._options()
        offered = imported(inputs, options)
        names = {bucket.name: bucket for bucket in inputs.buckets}
        internalizable = [row for row in offered.values() if not row.not_internalizable]
        controls = tuple(as_imported(position, row) for position, row in enumerate(internalizable))
        points = PointState.of(
            inputs.buckets, inputs.access_points, dict.fromkeys(account.regions),
            read_bucket_policies(clients, buckets_behind(controls, names)),
        )  # fmt: skip
        center = self._center(account, controls)
        state = PushState.of_account(inputs, options, offered, center, points)
        buckets = {name: one.region for name, one in names.items()}
        return PushedBack(
            controls, state, options, clients, Bounds("source", None, buckets, offered, whole_export=True)
        )

    def _options(self) -> EstateOptions:
        estate = self.estate
        link = OrganizationLink(
            profile=estate.master.profile, region=estate.identity_center_region,
            instance_arn=estate.instance_arn, identity_store_id=estate.identity_store_id,
        )  # fmt: skip
        return EstateOptions(organization=link, aws_sso_role_suffix="_#account#")

    def _center(self, account: EstateAccount, controls: Iterable[AccessControl]) -> CenterState:
        estate, questions = self.estate, center_questions(controls, None)
        assert questions is not None
        place = CenterPlace(
            estate.identity_center_region, estate.instance_arn, estate.identity_store_id, account.account_id
        )
        clients = AwsClients(estate.master.profile)
        read = read_push_center(clients, place, questions.permission_sets, questions.names, LIMITS)
        return CenterState.of(read.permission_sets.rows, read.principals.rows, account_id=account.account_id)


@dataclass(frozen=True)
class PushedBack:
    """An export of what was imported of an account."""

    controls: tuple[AccessControl, ...]
    state: PushState
    options: EstateOptions
    clients: AwsClients
    bounds: Bounds

    def plan(self, controls: Sequence[AccessControl]) -> Plan:
        return plan_with_tags(lambda: self.clients, controls, self.state, self.options, TYPES, self.bounds)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with EmulatedAws() as aws, pytest.MonkeyPatch.context() as patch:
        estate = build_estate(SIZES)
        files = write_aws_profiles(tmp_path_factory.mktemp("estate"), estate, aws.endpoint_url)
        patch.setenv("AWS_CONFIG_FILE", str(files.config))
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(files.credentials))
        patch.setenv("AWS_ENDPOINT_URL_S3_CONTROL", f"http://localhost:{aws.port}")
        patch.delenv("AWS_PROFILE", raising=False)
        yield Running(estate, aws)


@pytest.mark.parametrize("number", range(3))
def test_an_account_of_the_estate_is_pushed_back_without_a_change(running: Running, number: int) -> None:
    account = running.estate.members[number]
    export = running.pushed_back(account)

    plan = export.plan(export.controls)

    kinds = {control.type for control in export.controls}
    assert kinds >= {"aws_role", "aws_policy", "aws_sso_role", "aws_access_point"}
    assert len(export.controls) > 60
    assert changed(plan) == []
    # It was made by Raito, so that no import offers it.
    assert [(orphan.resource, orphan.removed) for orphan in plan.orphans] == [(account.retired_role, False)]


def _leave_to_access_points(running: Running, account: EstateAccount, name: str) -> None:
    """Have the bucket behind an access point permit whatever its access points permit."""
    (point,) = [each for each in running.inputs(account).access_points if each.name == name]
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": "*",
        "Resource": [f"arn:aws:s3:::{point.bucket}", f"arn:aws:s3:::{point.bucket}/*"],
        "Condition": {"StringEquals": {"s3:DataAccessPointAccount": account.account_id}},
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    AwsClients(account.profile).client("s3").put_bucket_policy(Bucket=point.bucket, Policy=document)


def test_who_is_given_something_as_everybody_keeps_it_and_that_is_said(running: Running) -> None:
    """Nobody is named: a push of what was imported changes nothing, and nobody can be taken out of everybody."""
    export = running.pushed_back(running.estate.members[0])
    (point,) = [each for each in export.controls if each.id.endswith("accesspoint/point-4")]
    assert len(point.who.users) > 1
    taken_out, *rest = point.who.users
    fewer = replace(point, who=replace(point.who, users=tuple(rest)))

    plan = export.plan([fewer if each is point else each for each in export.controls])

    (target,) = [row for row in plan.targets if row.external_id == point.external_id]
    assert {row.operation for row in plan.changes} <= {"none"}
    assert [taken_out in error for error in target.errors] == [True]
    assert "everybody" in target.errors[0]


def test_who_is_not_shown_keeps_his_access_through_an_access_point(running: Running) -> None:
    """Two people have different access through it: the import shows one of them, who loses it in Raito Cloud."""
    account = running.estate.members[1]
    _leave_to_access_points(running, account, "point-3")
    export = running.pushed_back(account)
    (point,) = [each for each in export.controls if each.id.endswith("accesspoint/point-3")]
    (shown,) = point.who.users
    nobody = replace(point, who=replace(point.who, users=()))

    plan = export.plan([nobody if each is point else each for each in export.controls])

    (row,) = [row for row in plan.changes if row.kind == "access-point-policy" and row.operation == "update"]
    before = json.loads(row.before or "")
    theirs, other = before["Statement"]
    assert shown in theirs["Principal"]["AWS"]
    assert same(row.after or "", json.dumps({**before, "Statement": [other]}))
    assert [each for each in changed(plan) if each[1] != row.resource] == []


def tampered(export: PushedBack, account: EstateAccount, pusher: str) -> list[AccessControl]:
    """What somebody with an editor could try with access points and permission sets."""
    state, other = export.state, account.users[3]
    points = {each.actual_name: each for each in export.controls if each.type == "aws_access_point"}
    sets = [each for each in export.controls if each.type == "aws_sso_role"]
    beyond = next(each for each in sets if any("Administrator" in arn for arn in state.reserved.get(_own(each), ())))
    (person,) = (name for name in sorted(state.center.principals) if name == ("USER", _somebody(export)))
    point, bucket = points["point-0"], next(each for each in state.points.buckets.values() if each.region)
    place, region = f"{account.account_id}:{bucket.region}:{bucket.name}", bucket.region
    arn = point.id.removeprefix("accesspoint:")
    without = next(each.arn for each in state.points.points.values() if each.name == "point-5")

    def of_point(identifier: str, **changes: Any) -> AccessControl:
        return replace(point, id=identifier, name=identifier, **changes)

    def new_point(identifier: str, where: str, *users: str, roles: tuple[str, ...] = ()) -> AccessControl:
        item = WhatItem(DataObjectReference(where, "bucket"), ("s3:GetObject",))
        who = WhoEntry(users, (), roles, ())
        return of_point(identifier, external_id=None, actual_name=None, naming_hint=identifier, what=(item,), who=who)

    def of_set(identifier: str, **changes: Any) -> AccessControl:
        return replace(beyond, **{"id": identifier, "name": identifier, **changes})

    return [
        of_point("point of another account", external_id=f"accesspoint:{arn.replace(account.account_id, '9' * 12)}"),
        of_point("point without a policy", external_id=f"accesspoint:{without}"),
        of_point("deleted point of nobody's", external_id=f"accesspoint:{arn}-x", delete=True, what=()),
        new_point("to the pusher", place, pusher),
        new_point("to everybody", place, "*"),
        new_point("to a root user", place, roles=(f"arn:aws:iam::{account.account_id}:root",)),
        new_point("elsewhere", f"999988887777:{region}:{bucket.name}", other),
        new_point("a bucket by a pattern", f"{account.account_id}:{region}:{account.name}-*", other),
        new_point("a bucket that nobody has", f"{place}-not-there", other),
        of_set("people of an administrator", who=replace(beyond.who, users=(*beyond.who.users, person[1]))),
        of_set("deleted set", delete=True),
        of_set("a set under another name", external_id=f"ssorole:{permission_set_name(_own(beyond))}"),
        replace(point, id="policy on a set", name="policy on a set", type="aws_policy", external_id=None,
                actual_name=None, who=WhoEntry((), (), (beyond.external_id or "",), ())),
    ]  # fmt: skip


def _own(control: AccessControl) -> str:
    return (control.external_id or "").removeprefix("ssorole:")


def _somebody(export: PushedBack) -> str:
    """A person of the identity store."""
    return next(name for kind, name in sorted(export.state.center.principals) if kind == "USER")


def with_an_administrator(export: PushedBack) -> PushedBack:
    """The same where the role of a permission set may do everything."""
    role = next(_own(each) for each in export.controls if each.type == "aws_sso_role")
    administrator = frozenset({"arn:aws:iam::aws:policy/AdministratorAccess"})
    return replace(export, state=replace(export.state, reserved={**export.state.reserved, role: administrator}))


def test_of_tampered_access_points_and_permission_sets_nothing_is_carried_out(running: Running) -> None:
    account = running.estate.members[1]
    export = with_an_administrator(running.pushed_back(account))
    pusher = account.users[0]
    caller = f"arn:aws:iam::{account.account_id}:user/{pusher}"
    held = replace(export, bounds=replace(export.bounds, caller=caller))
    attempts = tampered(export, account, pusher)

    plans = {attempt.id: held.plan([replace(attempt, position=0)]) for attempt in attempts}

    # An access point or a policy that nobody has may be left: what was asked of it honestly.
    effects = {
        name: [each.title for each in TYPES.changes(plan.changes) if each.effect] for name, plan in plans.items()
    }
    assert {name: found for name, found in effects.items() if found} == {}
    # What nobody has is deleted already.
    assert [name for name, plan in plans.items() if not plan.targets[0].errors] == ["deleted point of nobody's"]
