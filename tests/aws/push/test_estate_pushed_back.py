"""The embedded estate: what the import says of its accounts, pushed back as nobody edited it, changes nothing.

All access providers that Raito Cloud can take over are exported as they were imported, those of the organization and
the access points with them, whatever types there are.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import pytest

from raito_pipeline.aws.access import AccessInputs
from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.aws.connection.limits import ServiceLimits
from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.push.access_points import buckets_behind
from raito_pipeline.aws.push.bounds import Bounds
from raito_pipeline.aws.push.bucket_policies import read_bucket_policies
from raito_pipeline.aws.push.center_state import CenterState, center_questions
from raito_pipeline.aws.push.plan import Plan
from raito_pipeline.aws.push.point_state import PointState
from raito_pipeline.aws.push.policy_tags import plan_with_tags
from raito_pipeline.aws.push.state import PushState
from raito_pipeline.aws.push.statements import same
from raito_pipeline.aws.readers.access_points import read_access_points
from raito_pipeline.aws.readers.iam import read_account
from raito_pipeline.aws.readers.organization import read_organization
from raito_pipeline.aws.readers.push_center import CenterPlace, read_push_center
from raito_pipeline.aws.readers.s3 import read_buckets
from raito_pipeline.config import OrganizationLink
from raito_pipeline.config.groups import AccessOptions, PushOptions, S3Options
from raito_pipeline.model import AccessControl, AccessPoint
from raito_pipeline.sandbox.aws.estate import Estate, EstateAccount, EstateSettings, build_estate
from raito_pipeline.sandbox.aws.profiles import write_aws_profiles
from raito_pipeline.sandbox.aws.server import EmulatedAws

from .pushing import TYPES
from .test_nothing_edited import as_imported, changed

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
        return AccessInputs(
            account_id=account.account_id,
            users=iam.users.rows,
            groups=iam.groups.rows,
            roles=iam.roles.rows,
            policies=iam.policies.rows,
            attachments=iam.attachments.rows,
            buckets=read_buckets(clients, S3Options()).rows,
            access_points=points,
            permission_sets=org.permission_sets.rows,
            assignments=org.assignments.rows,
        )

    def _points(self, account: EstateAccount, region: str) -> list[AccessPoint]:
        return list(read_access_points(AwsClients(account.profile), account.account_id, region, 2).rows)

    def pushed_back(self, account: EstateAccount) -> "PushedBack":
        """Everything that was imported of an account as it would be exported, and what a plan of it knows."""
        inputs, clients, options = self.inputs(account), AwsClients(account.profile), self._options()
        imported = PushState.of_account(inputs, options, ACCESS_PROVIDER_TYPES.imported).view.providers
        names = {bucket.name: bucket for bucket in inputs.buckets}
        offered = [row for row in imported.values() if not row.not_internalizable]
        controls = tuple(as_imported(position, row) for position, row in enumerate(offered))
        points = PointState.of(
            inputs.buckets, inputs.access_points, dict.fromkeys(account.regions),
            read_bucket_policies(clients, buckets_behind(controls, names)),
        )  # fmt: skip
        center = self._center(account, controls)
        state = PushState.of_account(inputs, options, ACCESS_PROVIDER_TYPES.imported, center, points)
        buckets = {name: one.region for name, one in names.items()}
        return PushedBack(
            controls, state, options, clients, Bounds("source", None, buckets, imported, whole_export=True)
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


def test_who_is_not_shown_keeps_his_access_through_an_access_point(running: Running) -> None:
    """Two people have different access through it: the import shows one of them, who loses it in Raito Cloud."""
    export = running.pushed_back(running.estate.members[1])
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
