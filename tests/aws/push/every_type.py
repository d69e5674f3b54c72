"""An account to which access controls of all four types are pushed, at the same point again and again.

What is there before comes from a push, too: of each type one that is changed and one that is removed, besides what the
new export adds. The emulated AWS is brought back to that point by its journal, which makes the same ids again, so that
one plan is good for all pushes from there.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from raito_pipeline.aws.access import AccessInputs
from raito_pipeline.aws.access.external_ids import RESERVED_ROLE
from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.aws.connection.limits import ServiceLimits
from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.push.account.center_state import CenterState, center_questions
from raito_pipeline.aws.push.account.point_state import PointState
from raito_pipeline.aws.push.account.state import PushState
from raito_pipeline.aws.push.apply import Applied, apply_plan
from raito_pipeline.aws.push.calls.bucket_policies import read_bucket_policies
from raito_pipeline.aws.push.calls.center_calls import Center, Patience
from raito_pipeline.aws.push.calls.iam_calls import MOST_VERSIONS, Iam
from raito_pipeline.aws.push.calls.policy_tags import plan_with_tags
from raito_pipeline.aws.push.plan import Plan
from raito_pipeline.aws.push.rules.bounds import Bounds
from raito_pipeline.aws.readers.access_points import read_access_points
from raito_pipeline.aws.readers.iam import read_account
from raito_pipeline.aws.readers.push_center import read_push_center
from raito_pipeline.model import AccessControl, PushResult, S3Bucket, WhoEntry
from raito_pipeline.sandbox.aws.accounts import install_access_key
from raito_pipeline.sandbox.aws.call_log import Call
from raito_pipeline.sandbox.aws.identity_center import set_identity_center_home
from raito_pipeline.sandbox.aws.server import EmulatedAws
from tests.aws.push.center_push import INSTANCE, PLACE, REGION, STORE, CenterOptions, data, granted
from tests.aws.push.conftest import ACCOUNT, KEY, arn, document, text
from tests.aws.push.pushing import imported

TYPES = ACCESS_PROVIDER_TYPES.push
BUCKET = S3Bucket("data-00", REGION, datetime(2024, 1, 1, tzinfo=UTC), True, ())
OPTIONS = CenterOptions(aws_access_point_delegation=True)
AT_FIRST = CenterOptions()
WITHOUT_OWNERS = Bounds(buckets={BUCKET.name: REGION})
"""as the Raito CLI pushes: no tag says for which access control something was made"""
WITH_OWNERS = Bounds("source", None, {BUCKET.name: REGION}, whole_export=True)
WORKING = Patience(first=0.005, longest=0.02, conflict=0.3, in_all=0.5)
SET, POINT, ROLE, POLICY = "aws_sso_role", "aws_access_point", "aws_role", "aws_policy"
READS = data("s3:GetObject")
OTHER = data("s3:GetObject", path="hr")
NEW = data("s3:GetObject", "s3:PutObject", path="new")
PEOPLE = ("ada", "bob", "cyd")

_END_OF_RESERVED_ROLE = re.compile(r"(AWSReservedSSO_\w+)_[0-9a-f]{16}")
Facts = dict[str, Any]
"""What AWS has, by the names that `EveryType.facts` gives it."""


BEFORE = (
    granted("role_changed", "ada", "bob", type=ROLE, what=(READS, OTHER)),
    granted("role_emptied", "ada", type=ROLE),
    granted("role_gone", "ada", type=ROLE),
    granted("set_changed", "ada", "bob", what=(READS, OTHER)),
    granted("set_emptied", "ada"),
    granted("set_left", "ada"),
    granted("set_gone", "ada"),
    granted("policy_changed", "ada", "bob", "group:team", "ID:set_left", type=POLICY, what=(READS, OTHER)),
    granted("policy_renamed", "ada", "bob", type=POLICY),
    granted("policy_gone", "ada", type=POLICY),
    granted("point-changed", "ada", "bob", type=POINT, what=(READS, OTHER)),
    granted("point-emptied", "bob", type=POINT),
    granted("point-gone", "ada", type=POINT),
)
_LEFT = WhoEntry((), (), ("ssorole:set_left",), ())


def wanted(before: Iterable[AccessControl]) -> tuple[AccessControl, ...]:
    """The export that is pushed: of each type something new, something changed with a revocation, something removed."""
    there = {each.id: each for each in before}
    changes: dict[str, dict[str, Any]] = {
        "role_changed": {"who": _who("ada", "cyd"), "what": (READS, NEW)},
        "role_emptied": {"what": ()},
        "set_emptied": {"what": ()},
        "set_changed": {"who": _who("ada", "cyd"), "what": (READS, NEW), "description": "another"},
        "policy_changed": {"who": _who("ada", "cyd"), "what": (READS, NEW), "deleted_who": _LEFT},
        "policy_renamed": {"naming_hint": "policy_named_anew", "who": _who("ada", "cyd")},
        "point-changed": {"who": _who("ada", "cyd"), "what": (READS, NEW)},
        "point-emptied": {"who": _who()},
    }
    changed = [replace(there[name], **changes.get(name, {}), delete=name.endswith("gone")) for name in there]
    new = (
        granted("role_new", "ada", "cyd", type=ROLE),
        granted("set_new", "ada", "group:team"),
        granted("policy_new", "ada", "group:team", "ID:role_new", "ID:set_new", type=POLICY),
        granted("point-new", "ada", "ID:role_new", "ID:set_new", type=POINT),
        granted("policy_taken_over", "ada", type=POLICY, external_id="user:bob|inline:by-hand"),
    )
    return tuple(replace(each, position=position) for position, each in enumerate((*changed, *new)))


def _who(*users: str) -> WhoEntry:
    return WhoEntry(users, (), (), ())


UNITS: Mapping[str, tuple[str, ...]] = {
    "role_changed": ("role role_changed",),
    "role_emptied": ("role role_emptied",),
    "role_gone": ("role role_gone",),
    "role_new": ("role role_new",),
    "set_changed": ("set set_changed",),
    "set_emptied": ("set set_emptied",),
    "set_left": ("set set_left",),
    "set_gone": ("set set_gone",),
    "set_new": ("set set_new",),
    "policy_changed": ("policy policy_changed", "reference policy_changed"),
    "policy_renamed": ("policy policy_renamed", "policy policy_named_anew"),
    "policy_gone": ("policy policy_gone",),
    "policy_new": ("policy policy_new", "reference policy_new"),
    "policy_taken_over": ("policy policy_taken_over", "inline bob"),
    "point-changed": ("point point-changed", "bucket"),
    "point-emptied": ("point point-emptied",),
    "point-gone": ("point point-gone",),
    "point-new": ("point point-new", "bucket"),
}
"""which facts an access control stands for"""


@dataclass(frozen=True)
class Planned:
    """A plan, the export that it is of, and what was read for it."""

    plan: Plan
    controls: tuple[AccessControl, ...]
    state: PushState

    @property
    def writes_nothing(self) -> bool:
        return not TYPES.changes(self.plan.changes)

    @property
    def warnings(self) -> set[str]:
        return {warning for target in self.plan.targets for warning in target.warnings}


@dataclass
class EveryType:
    """The account in an emulated AWS that keeps a journal in `folder`."""

    aws: EmulatedAws
    journal: Path
    patient: AwsClients = field(init=False)
    """tries a call a second time"""
    once: AwsClients = field(init=False)
    start: bytes = b""
    planned: Planned = field(init=False)
    """the plan of what is wanted, from the point that `rewind` brings back"""

    def __post_init__(self) -> None:
        self._arrange()
        before = self.plan(BEFORE, WITHOUT_OWNERS, AT_FIRST)
        first = after(before.controls, self.apply(before))
        self._fill_versions()
        self.start = self.journal.read_bytes()
        self.planned = self.plan(wanted(first), WITH_OWNERS)

    def rewind(self) -> None:
        """Everything is as it was before the push."""
        self.aws.reset_state()
        self.journal.write_bytes(self.start)
        self._at_home()
        self.aws.replay_journal()

    def plan(
        self, controls: Sequence[AccessControl], bounds: Bounds = WITH_OWNERS, options: CenterOptions = OPTIONS
    ) -> Planned:
        """Read AWS, and plan."""
        state = self.read(controls)
        plan = plan_with_tags(lambda: self.patient, controls, state, options, TYPES, bounds)
        return Planned(plan, tuple(controls), state)

    def apply(self, planned: Planned, clients: AwsClients | None = None, concurrency: int = 3) -> Applied:
        """Make the changes of a plan."""
        used, plan = clients or self.patient, planned.plan
        known = {name: row.arn for name, row in planned.state.center.sets.items()}
        center = Center(lambda: used, PLACE, known, ServiceLimits({}), WORKING)
        return apply_plan(
            used, ACCOUNT, TYPES, plan.changes, plan.targets, planned.controls, concurrency, center=center
        )

    def calls(self, planned: Planned) -> list[Call]:
        """The calls of a push without fault."""
        mark = self.aws.calls.mark
        self.apply(planned)
        return self.aws.calls.since(mark)

    def read(self, controls: Sequence[AccessControl]) -> PushState:
        """What a sync stores of the account before a push of an export."""
        iam = read_account(self.patient, OPTIONS)
        rows = (iam.users.rows, iam.groups.rows, iam.roles.rows, iam.policies.rows, iam.attachments.rows)
        points = read_access_points(self.patient, ACCOUNT, REGION, 2).rows
        place = PointState.of([BUCKET], points, {REGION: None}, read_bucket_policies(self.patient, [BUCKET]))
        inputs = AccessInputs(ACCOUNT, *rows, (BUCKET,), ())
        return PushState.of_account(inputs, OPTIONS, imported(inputs, OPTIONS), self._center(controls), place)

    def facts(self, state: PushState) -> Facts:
        """What AWS has of each access control, as it was read: absent where there is nothing."""
        found: Facts = {}
        for name, role in state.roles.items():
            if RESERVED_ROLE.fullmatch(name) is None:
                inline = {key: json.loads(value) for key, value in state.inline.get(("role", name), {}).items()}
                found[f"role {name}"] = (json.loads(role.trust_policy), inline)
                found[f"tags of role {name}"] = sorted(role.tags)
        calls = Iam(self.patient, ACCOUNT)
        for name, policy in state.policies.items():
            having = state.attached.get(policy.arn, frozenset())
            found[f"policy {name}"] = (json.loads(policy.document), sorted(having))
            found[f"tags of policy {name}"] = sorted(calls.policy_tags(policy.arn) or ())
        for one in state.center.by_raito:
            reserved = [name for name in state.roles if (m := RESERVED_ROLE.fullmatch(name)) and m[1] == one.name]
            here = [json.loads(each) for name in reserved for each in state.inline.get(("role", name), {}).values()]
            inline = json.loads(one.inline_policy or "null")
            found[f"set {one.name}"] = (one.description, inline, here, one.assigned)
            found[f"tags of set {one.name}"] = sorted(one.tags)
            for reference in one.references:
                found.setdefault(f"reference {reference[1:]}", []).append(one.name)
            for policy_arn in sorted(policy_arn for name in reserved for policy_arn in state.reserved.get(name, ())):
                found.setdefault(f"reference {policy_arn.rpartition('/')[2]}", []).append(f"role of {one.name}")
        for point in state.points.points.values():
            # A reserved role has another end of its name each time that it is made.
            policy_text = _END_OF_RESERVED_ROLE.sub(r"\1", point.policy or "null")
            found[f"point {point.name}"] = (json.loads(policy_text),)
            found[f"tags of point {point.name}"] = sorted(point.tags or ())
        found["bucket"] = [json.loads(one.policy or "null") for one in state.points.policies.values()]
        found |= {f"inline {who}": sorted(held) for (kind, who), held in state.inline.items() if kind == "user"}
        return {key: sorted(value) if key.startswith("reference") else value for key, value in found.items()}

    # -- how it is arranged ------------------------------------------------------------------------------------------

    def _at_home(self) -> None:
        self.aws.pace.provisioning_seconds = self.aws.pace.new_role_seconds = 0.0
        install_access_key(ACCOUNT, KEY, "not-a-secret")
        set_identity_center_home(ACCOUNT, REGION, INSTANCE, STORE)

    def _arrange(self) -> None:
        """The account, to which nothing was pushed yet."""
        self._at_home()
        self.patient, self.once = (AwsClients("there", REGION, attempts=attempts) for attempts in (2, 1))
        iam, store = self.patient.client("iam"), self.patient.client("identitystore", REGION)
        s3 = self.patient.client("s3", REGION)
        for name in PEOPLE:
            iam.create_user(UserName=name)
            named: Any = {"FamilyName": name, "GivenName": name}
            store.create_user(IdentityStoreId=STORE, UserName=name, DisplayName=name, Name=named)
        iam.create_group(GroupName="team")
        store.create_group(IdentityStoreId=STORE, DisplayName="team")
        iam.put_user_policy(UserName="bob", PolicyName="by-hand", PolicyDocument=text(document("s3:GetObject")))
        s3.create_bucket(Bucket=BUCKET.name, CreateBucketConfiguration={"LocationConstraint": REGION})

    def _fill_versions(self) -> None:
        """A policy gets as many versions as AWS keeps, so that one has to go for the next."""
        iam, full = self.patient.client("iam"), arn("policy_changed")
        for _ in range(MOST_VERSIONS - 1):
            iam.create_policy_version(PolicyArn=full, PolicyDocument=text(document("s3:ListBucket")))

    def _center(self, controls: Sequence[AccessControl]) -> CenterState:
        questions = center_questions(controls, OPTIONS.aws_permissionset_dummy_user)
        assert questions is not None
        limits = ServiceLimits({})
        read = read_push_center(self.patient, PLACE, questions.permission_sets, questions.names, limits)
        return CenterState.of(read.permission_sets.rows, read.principals.rows, account_id=ACCOUNT, is_shared=False)


class NothingPushed(EveryType):
    """The account before the first push."""

    def __post_init__(self) -> None:
        self._arrange()
        self.start = self.journal.read_bytes()


def after(controls: Sequence[AccessControl], applied: Applied) -> tuple[AccessControl, ...]:
    """The export as Raito Cloud gives it after the feedback: what was removed is gone, what failed comes again."""
    results: Mapping[str, PushResult] = {one.access_control_id: one for one in applied.results}
    told = (
        replace(each, external_id=results[each.id].external_id, actual_name=results[each.id].actual_name or None)
        for each in controls
        if not each.delete or results[each.id].errors
    )
    return tuple(replace(each, position=position) for position, each in enumerate(told))
