"""Whole pushes of one account over the wire: IAM is read, planned and changed in the emulated AWS, once and again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from raito_pipeline.aws.access import AccessInputs, build_access_providers
from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.push.account.state import PushState
from raito_pipeline.aws.push.apply import Applied, apply_plan
from raito_pipeline.aws.push.calls.policy_tags import plan_with_tags
from raito_pipeline.aws.push.plan import Plan
from raito_pipeline.aws.push.rules.bounds import Bounds, by_external_id
from raito_pipeline.aws.readers.iam import read_account
from raito_pipeline.config.groups import AccessOptions, PushOptions
from raito_pipeline.model import AccessControl, AccessProvider, DataObjectReference, S3Bucket, WhatItem, WhoEntry
from tests.aws.push.conftest import ACCOUNT, World

WHEN = datetime(2024, 1, 1, tzinfo=UTC)
BUCKETS = tuple(S3Bucket(name, "eu-west-1", WHEN, True, ()) for name in ("data", "data-2", "other"))
TYPES = ACCESS_PROVIDER_TYPES.push


class Options(AccessOptions, PushOptions):
    """The options of a target that reading and pushing access look at."""


def imported(inputs: AccessInputs, options: AccessOptions) -> dict[str, AccessProvider]:
    """What an import says of an account, by external id."""
    return by_external_id(build_access_providers(inputs, options, ACCESS_PROVIDER_TYPES.imported))


def folder(path: str, *permissions: str, bucket: str = "data") -> WhatItem:
    """A bucket or a folder of one, with permissions (`s3:GetObject`)."""
    name = f"{ACCOUNT}:eu-west-1:{bucket}" + (f"/{path}" if path else "")
    return WhatItem(DataObjectReference(name, "folder" if path else "bucket"), permissions or ("s3:GetObject",))


def control(identifier: str, *who: str, **changes: Any) -> AccessControl:
    """An access control of type `aws_policy`; `who` are users, `group:NAME`, or entries of `inheritFrom`."""
    inherited = tuple(each for each in who if each.startswith(("role:", "ssorole:", "ID:")))
    groups = tuple(each.removeprefix("group:") for each in who if each.startswith("group:"))
    users = tuple(each for each in who if ":" not in each)
    values: dict[str, Any] = {
        "position": 0, "id": identifier, "name": identifier, "description": "why", "naming_hint": "",
        "type": "aws_policy", "external_id": None, "action": "grant", "delete": False, "actual_name": None,
        "who": WhoEntry(users, groups, inherited, ()), "deleted_who": None, "what": (folder("a"),), "delete_what": (),
        "who_locked": False, "inheritance_locked": False, "what_locked": False, "delete_locked": False, "owners": (),
    }  # fmt: skip
    found = AccessControl(**{**values, **changes})
    if found.external_id and found.actual_name is None:
        found = replace(found, actual_name=found.external_id.partition(":")[2])
    return found


@dataclass
class Pushed:
    """What came of a push."""

    plan: Plan
    applied: Applied
    controls: tuple[AccessControl, ...]
    """the export as Raito Cloud would give it after the feedback"""

    def errors(self, identifier: str) -> tuple[str, ...]:
        return next(one.errors for one in self.applied.results if one.access_control_id == identifier)

    def external_id(self, identifier: str) -> str | None:
        return next(one.external_id for one in self.applied.results if one.access_control_id == identifier)


@dataclass
class Account:
    """An account that is pushed to."""

    world: World
    options: Options = field(default_factory=Options)
    pushing: AwsClients | None = None
    """who changes it, where that is not the one who reads it"""

    def state(self) -> PushState:
        """IAM as it is stored when it is read now."""
        read = read_account(self.world.clients, self.options)
        inputs = AccessInputs(
            ACCOUNT,
            read.users.rows,
            read.groups.rows,
            read.roles.rows,
            read.policies.rows,
            read.attachments.rows,
            BUCKETS,
            (),
        )
        return PushState.of_account(inputs, self.options, imported(inputs, self.options))

    def plan(self, controls: Iterable[AccessControl]) -> tuple[Plan, tuple[AccessControl, ...]]:
        placed = tuple(replace(each, position=position) for position, each in enumerate(controls))
        state = self.state()
        bounds = Bounds("source", None, {one.name: one.region for one in BUCKETS}, state.view.providers)
        return plan_with_tags(lambda: self.world.clients, placed, state, self.options, TYPES, bounds), placed

    def apply(self, plan: Plan, controls: Sequence[AccessControl]) -> Pushed:
        applied = apply_plan(
            self.pushing or self.world.clients, ACCOUNT, TYPES, plan.changes, plan.targets, controls, 3
        )
        results = {one.access_control_id: one for one in applied.results}
        after = tuple(
            replace(each, external_id=results[each.id].external_id, actual_name=results[each.id].actual_name or None)
            for each in controls
            if not (each.delete and results[each.id].external_id is None)
        )
        return Pushed(plan, applied, after)

    def push(self, *controls: AccessControl) -> Pushed:
        return self.apply(*self.plan(controls))

    def access(self) -> dict[str, Any]:
        """Who has what: principals by managed policy, users and inline policies by role, inline policies of users."""
        iam, found = self.world.iam, {}
        details = iam.get_account_authorization_details(Filter=["User", "Group", "Role", "LocalManagedPolicy"])
        for policy in details["Policies"]:
            found[f"policy:{policy['PolicyName']}"] = []
        for kind in ("User", "Group", "Role"):
            for one in details[f"{kind}DetailList"]:
                name = f"{kind.lower()}:{one[f'{kind}Name']}"
                for policy in one["AttachedManagedPolicies"]:
                    found.setdefault(f"policy:{policy['PolicyName']}", []).append(name)
                inline = sorted(policy["PolicyName"] for policy in one.get(f"{kind}PolicyList", ()))
                if inline or kind == "Role":
                    found[name] = inline
        return {key: sorted(value) for key, value in found.items()}


VIEW = PushState.of_account(AccessInputs(ACCOUNT, (), (), (), (), (), BUCKETS, ()), Options(), {}).view
"""What an import says of an account with buckets and nothing in IAM."""
