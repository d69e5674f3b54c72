"""Whole pushes of an account with Identity Center, over the wire: read, planned and made in the emulated AWS."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from raito_pipeline.aws.access import AccessInputs
from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.aws.connection.limits import ServiceLimits
from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.push.account.center_state import CenterState, center_questions
from raito_pipeline.aws.push.account.state import PushState
from raito_pipeline.aws.push.apply import apply_plan
from raito_pipeline.aws.push.calls.center_calls import Center, Patience
from raito_pipeline.aws.push.calls.policy_tags import plan_with_tags
from raito_pipeline.aws.push.plan import Plan
from raito_pipeline.aws.push.rules.bounds import Bounds
from raito_pipeline.aws.readers.iam import read_account
from raito_pipeline.aws.readers.push_center import CenterPlace, kept_documents, read_push_center
from raito_pipeline.config import OrganizationLink
from raito_pipeline.config.groups import AccessOptions, PushOptions
from raito_pipeline.model import AccessControl, DataObjectReference, PushResult, S3Bucket, WhatItem
from raito_pipeline.sandbox.aws.identity_center import set_identity_center_home
from tests.aws.push.conftest import ACCOUNT, World
from tests.aws.push.pushing import WHEN, control, imported

REGION = "eu-central-1"
INSTANCE = "arn:aws:sso:::instance/ssoins-6804000000000001"
STORE = "d-9367000001"
PLACE = CenterPlace(REGION, INSTANCE, STORE, ACCOUNT)
BY_RAITO = ({"Key": "creator", "Value": "RAITO"},)
LINK = OrganizationLink(profile="there", region=REGION, instance_arn=INSTANCE, identity_store_id=STORE)
TYPES = ACCESS_PROVIDER_TYPES.push
WORKING = Patience(first=0.005, longest=0.02, conflict=1.0, in_all=2.0)


class CenterOptions(AccessOptions, PushOptions):
    """The options of a target that a push looks at, with an organization."""

    organization: OrganizationLink | None = LINK


def data(*permissions: str, path: str = "sales") -> WhatItem:
    """A folder of the bucket data-00, with permissions."""
    reference = DataObjectReference(f"{ACCOUNT}:{REGION}:data-00/{path}", "folder")
    return WhatItem(reference, permissions or ("s3:GetObject",))


def granted(identifier: str, *who: str, **changes: Any) -> AccessControl:
    """An access control that is a permission set; `who` are users, `group:NAME`, or entries of `inheritFrom`."""
    return control(identifier, *who, **{"type": "aws_sso_role", "what": (data(),), **changes})


@dataclass
class CenterPushed:
    """What came of one push."""

    plan: Plan
    results: Mapping[str, PushResult]
    controls: tuple[AccessControl, ...]
    """the export as Raito Cloud gives it after the feedback"""
    writes: list[str]
    """writing operations, in the order in which they were made"""

    def errors(self, identifier: str) -> str:
        return "; ".join(self.results[identifier].errors)

    def warnings(self, identifier: str) -> str:
        return "; ".join(self.results[identifier].warnings)

    @property
    def steps(self) -> list[str]:
        """The changes of the plan, in their order."""
        return [f"{row.operation} {row.kind} {row.resource}" for row in self.plan.changes]


@dataclass
class CenterAccount:
    """An account that is pushed to, whose organization is beside it in the emulated AWS."""

    world: World
    options: CenterOptions = field(default_factory=CenterOptions)
    patience: Patience = WORKING
    place: CenterPlace = PLACE
    sso: Any = None
    store: Any = None
    is_shared: bool = False
    bounds: Bounds | None = None

    def __post_init__(self) -> None:
        set_identity_center_home(ACCOUNT, REGION, INSTANCE, STORE)
        self.world.aws.pace.provisioning_seconds = 0.0
        self.world.aws.pace.new_role_seconds = 0.0
        clients = self.world.clients
        self.sso, self.store = clients.client("sso-admin", REGION), clients.client("identitystore", REGION)

    # -- to arrange ------------------------------------------------------------------------------------------------

    def person(self, name: str) -> str:
        created = self.store.create_user(
            IdentityStoreId=STORE, UserName=name, DisplayName=name, Name={"FamilyName": name, "GivenName": name}
        )
        return str(created["UserId"])

    def team(self, name: str) -> str:
        return str(self.store.create_group(IdentityStoreId=STORE, DisplayName=name)["GroupId"])

    def permission_set(self, name: str, *tags: Mapping[str, str], inline: str = "", **more: Any) -> str:
        more = {"Description": "why", **more}
        made = self.sso.create_permission_set(InstanceArn=INSTANCE, Name=name, Tags=list(tags), **more)
        arn = str(made["PermissionSet"]["PermissionSetArn"])
        if inline:
            self.sso.put_inline_policy_to_permission_set(
                InstanceArn=INSTANCE, PermissionSetArn=arn, InlinePolicy=inline
            )
        return arn

    def assign(self, arn: str, kind: str, principal: str, account: str = ACCOUNT) -> None:
        self.sso.create_account_assignment(
            InstanceArn=INSTANCE,
            TargetId=account,
            TargetType="AWS_ACCOUNT",
            PermissionSetArn=arn,
            PrincipalType=kind,
            PrincipalId=principal,
        )

    # -- to push ---------------------------------------------------------------------------------------------------

    def center_state(self, controls: Iterable[AccessControl], clients: AwsClients) -> CenterState:
        questions = center_questions(controls, self.options.aws_permissionset_dummy_user)
        if questions is None:
            return CenterState()
        limits = ServiceLimits({})
        read = read_push_center(clients, self.place, questions.permission_sets, questions.names, limits)
        rows = (read.permission_sets.rows, read.principals.rows)
        documents = kept_documents(rows[0])
        return CenterState.of(*rows, account_id=ACCOUNT, is_shared=self.is_shared, documents=documents)

    def state(self, controls: Iterable[AccessControl], clients: AwsClients) -> PushState:
        read = read_account(clients, self.options)
        rows = (read.users.rows, read.groups.rows, read.roles.rows, read.policies.rows, read.attachments.rows)
        inputs = AccessInputs(ACCOUNT, *rows, (S3Bucket("data-00", REGION, WHEN, True, ()),), ())
        center = self.center_state(controls, clients)
        return PushState.of_account(inputs, self.options, imported(inputs, self.options), center)

    def push(
        self, *controls: AccessControl, clients: AwsClients | None = None, meanwhile: Callable[[], object] = bool
    ) -> CenterPushed:
        """Read, plan and apply; `meanwhile` is what others do between plan and apply."""
        placed = tuple(replace(each, position=position) for position, each in enumerate(controls))
        used = clients or self.world.clients
        state = self.state(placed, used)
        plan = plan_with_tags(lambda: used, placed, state, self.options, TYPES, self.bounds)
        meanwhile()
        mark = self.world.aws.calls.mark
        known = {name: row.arn for name, row in state.center.sets.items()}
        center = Center(lambda: used, self.place, known, ServiceLimits({}), self.patience)
        applied = apply_plan(used, ACCOUNT, TYPES, plan.changes, plan.targets, placed, 3, center=center)
        results = {one.access_control_id: one for one in applied.results}
        after = tuple(
            replace(each, external_id=results[each.id].external_id, actual_name=results[each.id].actual_name or None)
            for each in placed
            if not each.delete
        )
        return CenterPushed(plan, results, after, self.world.writes(mark))

    # -- to look ---------------------------------------------------------------------------------------------------

    def sets(self) -> dict[str, str]:
        """ARNs by name."""
        arns = self.sso.list_permission_sets(InstanceArn=INSTANCE, MaxResults=100)["PermissionSets"]
        return {self.described(arn)["Name"]: arn for arn in arns}

    def described(self, arn: str) -> Mapping[str, Any]:
        found = self.sso.describe_permission_set(InstanceArn=INSTANCE, PermissionSetArn=arn)["PermissionSet"]
        return dict(found)

    def tags(self, name: str, arn: str = "") -> dict[str, str]:
        found = self.sso.list_tags_for_resource(InstanceArn=INSTANCE, ResourceArn=arn or self.sets()[name])["Tags"]
        return {tag["Key"]: tag["Value"] for tag in found}

    def inline(self, name: str) -> Any:
        at = {"InstanceArn": INSTANCE, "PermissionSetArn": self.sets()[name]}
        text = self.sso.get_inline_policy_for_permission_set(**at)["InlinePolicy"]
        return json.loads(text) if text else None

    def assigned(self, name: str, arn: str = "") -> set[str]:
        """Who has a permission set in the account: `user:NAME` and `group:NAME`."""
        at = {"InstanceArn": INSTANCE, "PermissionSetArn": arn or self.sets()[name], "AccountId": ACCOUNT}
        found = self.sso.list_account_assignments(**at)["AccountAssignments"]
        people = {one["UserId"]: one["UserName"] for one in self.store.list_users(IdentityStoreId=STORE)["Users"]}
        people |= {
            one["GroupId"]: one["DisplayName"] for one in self.store.list_groups(IdentityStoreId=STORE)["Groups"]
        }
        return {f"{one['PrincipalType'].lower()}:{people.get(one['PrincipalId'], '?')}" for one in found}

    def references(self, name: str) -> set[str]:
        at = {"InstanceArn": INSTANCE, "PermissionSetArn": self.sets()[name]}
        found = self.sso.list_customer_managed_policy_references_in_permission_set(**at)
        return {f"{one.get('Path', '/')}{one['Name']}" for one in found["CustomerManagedPolicyReferences"]}

    def role(self, name: str) -> str | None:
        """The role of a permission set in the account."""
        roles = self.world.iam.list_roles(PathPrefix="/aws-reserved/")["Roles"]
        return next((one["RoleName"] for one in roles if one["RoleName"].startswith(f"AWSReservedSSO_{name}_")), None)

    def role_policies(self, name: str) -> tuple[Any, set[str]]:
        """What the role of a permission set has: its inline policy, and names of managed ones."""
        role, iam = self.role(name), self.world.iam
        inline = iam.list_role_policies(RoleName=role)["PolicyNames"]
        document = iam.get_role_policy(RoleName=role, PolicyName=inline[0])["PolicyDocument"] if inline else None
        attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
        return document, {one["PolicyName"] for one in attached}
