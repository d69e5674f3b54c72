"""The emulated AWS with one account, and short ways to build the rows that a push works with."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.push.apply import Applied, apply_plan
from raito_pipeline.aws.push.calls.iam_calls import Iam
from raito_pipeline.aws.push.calls.point_calls import Points
from raito_pipeline.aws.push.changes import Aws, CenterCalls
from raito_pipeline.aws.push.owners.ownership import Objects
from raito_pipeline.model import AccessControl, PushChange, PushTarget, WhoEntry
from raito_pipeline.sandbox.aws.accounts import install_access_key
from raito_pipeline.sandbox.aws.server import EmulatedAws
from tests.aws_profile import use_profile, write_profile

ACCOUNT = "111122223333"
KEY = "AKIAPUSHPUSHPUSHPUSH"
BY_RAITO = [{"Key": "creator", "Value": "RAITO"}]
NOBODY = WhoEntry((), (), (), ())


def arn(name: str) -> str:
    """The ARN of a managed policy of the account."""
    return f"arn:aws:iam::{ACCOUNT}:policy/{name}"


def trust(*users: str) -> dict[str, Any]:
    """A trust policy for IAM users."""
    who = {"AWS": [f"arn:aws:iam::{ACCOUNT}:user/{user}" for user in users]}
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": who, "Action": "sts:AssumeRole"}],
    }


def document(*actions: str) -> dict[str, Any]:
    """A policy that allows actions on everything."""
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]}


def text(value: Any) -> str:
    return json.dumps(value)


def change_row(resource: str, before: Any = None, after: Any = None) -> PushChange:
    """A planned change of access control `a`; documents are given as they are or as text."""
    shown = [each if each is None or isinstance(each, str) else text(each) for each in (before, after)]
    return PushChange(0, "a", "A", "", "", resource, shown[0], shown[1], "")


@dataclass
class Story:
    """Changes, targets and access controls of one push, numbered in the order in which they are told."""

    changes: list[PushChange] = field(default_factory=list)
    targets: list[PushTarget] = field(default_factory=list)
    controls: list[AccessControl] = field(default_factory=list)

    def control(
        self,
        control: str,
        name: str = "",
        *,
        kind: str = "aws_role",
        external_id: str | None = None,
        was: str | None = None,
        errors: tuple[str, ...] = (),
        refused: bool = True,
    ) -> "Story":
        """An access control: `name` and `external_id` are what it becomes, `was` the external id in the export.

        With `errors` it is refused, or made but for what they name.
        """
        position = len(self.controls)
        old_name = was.split(":", 1)[1] if was else None
        self.controls.append(
            AccessControl(
                position, control, control.title(), "", name, kind, was, "grant", not name, old_name,
                NOBODY, None, (), (), False, False, False, False, (),
            )
        )  # fmt: skip
        refused = refused and bool(errors)
        self.targets.append(
            PushTarget(position, control, control.title(), kind, name, external_id, errors, (), refused)
        )
        return self

    def change(
        self, operation: str, kind: str, resource: str, after: Any = None, before: str | None = None, of: str = ""
    ) -> "Story":
        """A change that the last access control (or `of`) asks for."""
        control = of or self.controls[-1].id
        shown = after if after is None or isinstance(after, str) else text(after)
        row = PushChange(len(self.changes), control, control.title(), operation, kind, resource, before, shown, "")
        self.changes.append(row)
        return self

    def role(self, control: str, name: str, *users: str, was: str | None = None) -> "Story":
        """A new role with a trust policy and an inline policy."""
        self.control(control, name, external_id=f"role:{name}", was=was)
        self.change("create", "role", name, {"AssumeRolePolicyDocument": trust(*users), "Tags": BY_RAITO})
        return self.change("create", "role-inline-policy", f"{name}/Raito_Inline_{name}", document("s3:GetObject"))

    def policy(self, control: str, name: str, *principals: str, was: str | None = None) -> "Story":
        """A new managed policy that is attached to principals (`user:NAME`)."""
        self.control(control, name, kind="aws_policy", external_id=f"policy:{name}", was=was)
        body = {"PolicyDocument": document("s3:GetObject"), "Description": "d", "Tags": BY_RAITO}
        self.change("create", "policy", name, body)
        for principal in principals:
            self.change("attach", "attachment", principal, arn(name))
        return self

    def seen(self, clients: AwsClients) -> "Story":
        """The same with what AWS has now as what each change finds, as a plan that was made of it has it."""
        own_ids = {control.id: control.external_id for control in self.controls if control.external_id}
        aws = Aws(Iam(clients, ACCOUNT), Objects(ACCOUNT, own_ids), Points(clients, ACCOUNT))
        for number, change in enumerate(ACCESS_PROVIDER_TYPES.push.changes(self.changes)):
            if change.row.before is None and not change.NEW_OBJECT:
                now = change.current(aws)
                self.changes[number] = replace(change.row, before=None if now is None else now.document)
        return self

    def apply(
        self, clients: AwsClients, concurrency: int = 3, center: CenterCalls | None = None, *, again: bool = False
    ) -> Applied:
        types, rows = ACCESS_PROVIDER_TYPES.push, (self.changes, self.targets, self.controls)
        return apply_plan(clients, ACCOUNT, types, *rows, concurrency, center=center, again=again)


@dataclass
class World:
    """The emulated AWS, clients of the account, and plain IAM to arrange and look."""

    aws: EmulatedAws
    clients: AwsClients
    iam: Any

    def tagged_role(self, name: str, *, by_raito: bool = True) -> None:
        self.iam.create_role(
            RoleName=name, AssumeRolePolicyDocument=text(trust("ada")), Tags=BY_RAITO if by_raito else []
        )

    def tagged_policy(self, name: str, *, by_raito: bool = True) -> None:
        tags = BY_RAITO if by_raito else []
        self.iam.create_policy(PolicyName=name, PolicyDocument=text(document("s3:ListBucket")), Tags=tags)

    def roles(self) -> set[str]:
        return {role["RoleName"] for role in self.iam.list_roles()["Roles"]}

    def policies(self) -> set[str]:
        return {policy["PolicyName"] for policy in self.iam.list_policies(Scope="Local")["Policies"]}

    def actions(self, policy: str) -> list[str]:
        """The actions of the default version of a managed policy."""
        version = self.iam.get_policy(PolicyArn=arn(policy))["Policy"]["DefaultVersionId"]
        found = self.iam.get_policy_version(PolicyArn=arn(policy), VersionId=version)["PolicyVersion"]["Document"]
        return list(found["Statement"][0]["Action"])

    def attached(self, kind: str, name: str) -> set[str]:
        answer = getattr(self.iam, f"list_attached_{kind}_policies")(**{f"{kind.title()}Name": name})
        return {found["PolicyName"] for found in answer["AttachedPolicies"]}

    def writes(self, mark: int = 0) -> list[str]:
        """The operations that changed something since a mark of the call log, those that failed included."""
        return [call.operation for call in self.aws.calls.since(mark) if call.writes]


@pytest.fixture(scope="session")
def emulated_aws() -> Iterator[EmulatedAws]:
    with EmulatedAws() as aws:
        yield aws


_PLAIN: dict[str, Any] = {}
"""IAM to arrange and look with, by address: making clients takes its time, and no test asks what it was called for"""


@pytest.fixture
def world(emulated_aws: EmulatedAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """An account with the users ada and bob and the group staff, reached by a profile as the product does."""
    emulated_aws.reset_state()
    install_access_key(ACCOUNT, KEY, "not-a-secret")
    use_profile(monkeypatch, write_profile(tmp_path, emulated_aws.endpoint_url, key=KEY))
    clients = AwsClients("there", attempts=2)
    if emulated_aws.endpoint_url not in _PLAIN:
        _PLAIN[emulated_aws.endpoint_url] = AwsClients("there").client("iam")
    iam = _PLAIN[emulated_aws.endpoint_url]
    for user in ("ada", "bob"):
        iam.create_user(UserName=user)
    iam.create_group(GroupName="staff")
    return World(emulated_aws, clients, iam)
