"""An export that somebody tampered with, on the IAM of the embedded estate: nothing of it is carried out but the honest
access controls, and what only takes access away."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from raito_pipeline.aws.access import AccessInputs, build_access_providers
from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.push.account.state import PushState
from raito_pipeline.aws.push.apply import Applied, apply_plan
from raito_pipeline.aws.push.draft import IDLE
from raito_pipeline.aws.push.plan import Plan, plan_push
from raito_pipeline.aws.push.rules.bounds import Bounds, by_external_id
from raito_pipeline.aws.readers.iam import AccountIam, read_account
from raito_pipeline.aws.readers.s3 import read_buckets
from raito_pipeline.config.groups import AccessOptions, PushOptions
from raito_pipeline.config.patterns import NamePattern
from raito_pipeline.model import AccessControl, DataObjectReference, S3Bucket, Tag, WhatItem, WhoEntry
from raito_pipeline.sandbox.aws.accounts import iam_of
from raito_pipeline.sandbox.aws.estate import Estate, EstateSettings, build_estate
from raito_pipeline.sandbox.aws.profiles import write_aws_profiles
from raito_pipeline.sandbox.aws.server import EmulatedAws
from tests.aws.access.conftest import ACCOUNT as IMPORTED
from tests.aws.access.conftest import Told, allow, document, policy_arn, trust, user_arn
from tests.aws.push.exported import BY_RAITO, control, who
from tests.aws.push.pushing import TYPES
from tests.aws.push.test_nothing_edited import imported_of, plan_of

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
SMALL = EstateSettings(keys=20, tables=4, log_days=0, people=12)
ORGANIZATION_ROLE, BREAK_GLASS, SYNC_ROLE = "OrganizationAccountAccessRole", "break-glass", "raito-sync"
SERVICE_LINKED = "AWSServiceRoleForSupport"


@dataclass
class Account:
    """One member account of the estate, as a sync has read it."""

    aws: EmulatedAws
    clients: AwsClients
    estate: Estate
    iam_rows: AccountIam
    buckets: tuple[S3Bucket, ...]
    applied: list[Applied] = field(default_factory=list)

    @property
    def id(self) -> str:
        return self.estate.members[0].account_id

    @property
    def iam(self) -> Any:
        return self.clients.client("iam")

    def read_again(self) -> None:
        self.iam_rows = read_account(self.clients, AccessOptions())

    def what(self, *names: str, permissions: tuple[str, ...] = ("s3:GetObject",)) -> tuple[WhatItem, ...]:
        kinds = {name: "folder" if "/" in name else "bucket" for name in names}
        return tuple(
            WhatItem(DataObjectReference(f"{self.id}:{name}", kind), permissions) for name, kind in kinds.items()
        )

    @property
    def folder(self) -> str:
        bucket = self.known[0]
        return f"{bucket.region}:{bucket.name}/daily"

    @property
    def known(self) -> list[S3Bucket]:
        return [bucket for bucket in self.buckets if bucket.region]

    def state(self) -> PushState:
        rows = self.iam_rows
        return PushState.of(
            self.id, rows.users.rows, rows.groups.rows, rows.roles.rows, rows.policies.rows, rows.attachments.rows
        )

    def bounds(self, options: AccessOptions | None = None) -> Bounds:
        rows = self.iam_rows
        inputs = AccessInputs(
            self.id, rows.users.rows, rows.groups.rows, rows.roles.rows, rows.policies.rows, rows.attachments.rows,
            self.buckets, (),
        )  # fmt: skip
        providers = build_access_providers(inputs, options or AccessOptions(), ACCESS_PROVIDER_TYPES.imported)
        return Bounds(
            data_source="ds-marketing",
            caller=f"arn:aws:sts::{self.id}:assumed-role/{SYNC_ROLE}/session",
            buckets={bucket.name: bucket.region for bucket in self.buckets},
            imported=by_external_id(providers),
        )

    def plan(self, *controls: AccessControl, options: PushOptions | None = None, bounds: Bounds | None = None) -> Plan:
        placed = [replace(each, position=position) for position, each in enumerate(controls)]
        types = ACCESS_PROVIDER_TYPES.push
        return plan_push(placed, self.state(), options or PushOptions(), types, bounds or self.bounds())

    def push(self, *controls: AccessControl) -> tuple[Plan, Applied]:
        made = self.plan(*controls)
        types = ACCESS_PROVIDER_TYPES.push
        return made, apply_plan(self.clients, self.id, types, made.changes, made.targets, controls)


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """The estate, with the roles that every account has and no push may touch. Its tests change only their own."""
    folder = tmp_path_factory.mktemp("tampered")
    with EmulatedAws() as aws, pytest.MonkeyPatch.context() as patch:
        estate = build_estate(SMALL)
        profiles = write_aws_profiles(folder, estate, aws.endpoint_url)
        patch.setenv("AWS_CONFIG_FILE", str(profiles.config))
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(profiles.credentials))
        member = estate.members[0]
        clients = AwsClients(member.profile, attempts=2)
        _people_of_every_account(clients.client("iam"), member.account_id)
        buckets = read_buckets(clients, AccessOptions()).rows
        yield Account(aws, clients, estate, read_account(clients, AccessOptions()), tuple(buckets))


def _people_of_every_account(iam: Any, account_id: str) -> None:
    def trust(principal: Any) -> str:
        statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    def allow(*actions: str) -> str:
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    root = {"AWS": f"arn:aws:iam::{account_id}:root"}
    iam.create_role(RoleName=ORGANIZATION_ROLE, AssumeRolePolicyDocument=trust(root))
    iam.attach_role_policy(RoleName=ORGANIZATION_ROLE, PolicyArn=ADMINISTRATOR)
    iam.create_role(RoleName=BREAK_GLASS, AssumeRolePolicyDocument=trust(root))
    iam.put_role_policy(RoleName=BREAK_GLASS, PolicyName="all", PolicyDocument=allow("s3:*", "iam:*"))
    iam.create_role(RoleName=SYNC_ROLE, AssumeRolePolicyDocument=trust(root))
    iam.put_role_policy(RoleName=SYNC_ROLE, PolicyName="sync", PolicyDocument=allow("s3:ListBucket"))
    service = trust({"Service": "support.amazonaws.com"})
    path = "/aws-service-role/support.amazonaws.com/"
    iam_of(account_id).create_role(SERVICE_LINKED, service, path, None, "", [], "3600")


def reserved_role(account: Account) -> str:
    return next(r.role_name for r in account.iam_rows.roles.rows if r.role_name.startswith("AWSReservedSSO_"))


def tampered(account: Account) -> list[AccessControl]:
    """One access control for each thing that somebody with an editor could try."""
    user, other = account.estate.members[0].users[:2]
    groups = tuple(n for kind, n in account.state().attached[ADMINISTRATOR] if kind == "group")
    reserved, folder = reserved_role(account), account.what(account.folder)
    bucket = account.known[0]
    elsewhere = (WhatItem(DataObjectReference("999988887777", ""), ("s3:GetObject",)),)

    def role(identifier: str, name: str, **more: Any) -> AccessControl:
        given = {"external_id": f"role:{name}", "actual_name": name, "who": who(user), "what": folder}
        return control(identifier, **{**given, **more})

    def policy(identifier: str, name: str, **more: Any) -> AccessControl:
        return role(identifier, name, **{"type": "aws_policy", "external_id": f"policy:{name}", **more})

    def new(identifier: str, *names: str, **more: Any) -> AccessControl:
        return control(identifier, **{"who": who(other), "what": account.what(*names), **more})

    return [
        role("trust of an administrator", ORGANIZATION_ROLE),
        role("trust of a reserved role", reserved),
        role("deleted break-glass", BREAK_GLASS, delete=True),
        role("deleted service-linked", SERVICE_LINKED, delete=True),
        policy("administrators", "AdministratorAccess", who=who(user, other, groups=groups)),
        policy("administrators by ARN", "x", external_id=f"policy:{ADMINISTRATOR}"),
        role("what of the sync", SYNC_ROLE),
        new("to the sync", account.folder, type="aws_policy", who=who(inherit=(f"role:{SYNC_ROLE}",))),
        new("all buckets", "eu-west-1:*"),
        new("buckets by a pattern", "us-east-1:m*/x"),
        new("a bucket of another account", "us-east-1:finance-data-01", type="aws_policy"),
        new("a bucket that nobody has", f"{bucket.region}:not-there-at-all"),
        new("a region that it is not in", f"sa-east-1:{bucket.name}"),
        control("another account", who=who(user), what=elsewhere),
        policy("a type that hides it", ORGANIZATION_ROLE, type="aws_policy", external_id=f"role:{ORGANIZATION_ROLE}"),
    ]  # fmt: skip


def honest(account: Account) -> list[AccessControl]:
    users, what = account.estate.members[0].users, account.what(account.folder)
    return [
        control("Readers", who=who(*users[:2]), what=what),
        control("Shared", type="aws_policy", who=who(users[2], inherit=("ID:Readers",)), what=what),
    ]


def everything(account: Account) -> dict[str, Any]:
    """All of IAM, as AWS gives it."""
    account.read_again()
    rows = account.iam_rows
    parts = (rows.users, rows.groups, rows.roles, rows.policies, rows.attachments)
    return {str(row): row for part in parts for row in part.rows}


def test_of_a_tampered_export_only_the_honest_access_controls_are_carried_out(account: Account) -> None:
    before = everything(account)
    controls = [*tampered(account), *honest(account)]

    made, applied = account.push(*controls)

    errors = {result.access_control_id: result.errors for result in applied.results}
    assert {identifier for identifier, found in errors.items() if not found} == {"Readers", "Shared"}
    after = everything(account)
    gone = {text: row for text, row in before.items() if text not in after}
    new = [text for text in after if text not in before]
    assert [row for row in gone.values() if getattr(row, "policy_name", "") != "Shared"] == []
    assert new
    assert [text for text in new if "Readers" not in text and "Shared" not in text] == []
    assert {c.access_control_id for c in made.changes if c.operation not in ("refuse", "none")} == {"Readers", "Shared"}

    own = {target.access_control_id: target for target in made.targets}
    again = [
        replace(each, external_id=own[each.id].external_id, actual_name=own[each.id].actual_name)
        for each in honest(account)
    ]
    mark = account.aws.calls.mark
    _, second = account.push(*tampered(account), *again)
    assert [call.operation for call in account.aws.calls.since(mark) if call.writes] == []
    assert {r.access_control_id for r in second.results if not r.errors} == {"Readers", "Shared"}


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("trust of an administrator", "gets no new people"),
        ("trust of a reserved role", "reserved by AWS"),
        ("deleted break-glass", "gives more than data (iam:*)"),
        ("deleted service-linked", "neither made by Raito"),
        ("administrators", "gives more than data (*)"),
        ("all buckets", "wildcards are not expanded"),
        ("a bucket of another account", "not among the buckets"),
        ("a region that it is not in", "not in sa-east-1"),
        ("another account", "not in the account"),
        ("to the sync", "the identity that pushes"),
        ("what of the sync", "the identity that pushes"),
    ],
)
def test_each_refusal_says_why(account: Account, name: str, part: str) -> None:
    made = account.plan(*(each for each in tampered(account) if each.id == name))

    (target,) = made.targets
    assert part in " ".join(target.errors), target.errors
    assert target.refused
    assert {change.operation for change in made.changes if change.access_control_id == name} == {"refuse"}


LIMIT = document(allow("s3:GetObject", "arn:aws:s3:::data/a/*"))
A_READ = WhatItem(DataObjectReference(f"{IMPORTED}:eu-west-1:data/a", "folder"), ("s3:GetObject",))
B_READ = WhatItem(DataObjectReference(f"{IMPORTED}:eu-west-1:data/b", "folder"), ("s3:GetObject",))


@pytest.mark.parametrize("tags", [(), BY_RAITO], ids=["of others", "of Raito"])
@pytest.mark.parametrize("whose", ["user:eve", "role:r"])
def test_a_policy_that_limits_others_gives_no_more_and_stays(whose: str, tags: tuple[Tag, ...]) -> None:
    """Whoever has it as permissions boundary would get by it what their other policies give."""
    limit = policy_arn("limit")
    told = Told().user("ada").user("eve", boundary=limit if whose == "user:eve" else None)
    told.role("r", trust({"AWS": user_arn("eve")}), boundary=limit if whose == "role:r" else None)
    inputs = told.policy("limit", LIMIT, "user:ada", tags=tags).inputs()
    state, _ = imported_of(inputs)
    named = {"type": "aws_policy", "external_id": "policy:limit", "actual_name": "limit"}
    held = control("limit", **named, who=who("ada"), what=(A_READ, B_READ))

    def planned(**changes: Any) -> tuple[list[tuple[str, str]], tuple[str, ...]]:
        plan = plan_of(inputs, state, [replace(held, **changes)])
        rows = [row for row in plan.changes if row.operation not in (*IDLE, "tag")]
        return [(row.operation, row.kind) for row in rows], plan.targets[0].errors

    changes, errors = planned()
    assert changes == []
    assert f"policy:limit is the permissions boundary of {whose}" in errors[0]
    # Who is in it may change, and what it gives may get less, for those whom it limits, too; that is said.
    assert planned(who=who("ada", "eve"), what=(A_READ,)) == ([("attach", "attachment")], ())
    taking = plan_of(inputs, state, [replace(held, what=())])
    assert [row.kind for row in taking.changes if row.operation == "create"] == ["policy-version"]
    assert f"also as the permissions boundary of {whose}" in " ".join(taking.targets[0].warnings)
    changes, errors = planned(delete=True)
    assert changes == [("detach", "attachment")]
    assert f"policy:limit is the permissions boundary of {whose}" in errors[0]


@pytest.mark.parametrize("limits", [True, False], ids=["its boundary", "its policy"])
def test_what_the_identity_that_pushes_has_does_not_lose_anything(limits: bool) -> None:
    told = Told().user("ada").user("sync", boundary=policy_arn("limit") if limits else None)
    inputs = told.policy("limit", LIMIT, "user:ada", *([] if limits else ["user:sync"])).inputs()
    state, _ = imported_of(inputs)
    held = control("limit", type="aws_policy", external_id="policy:limit", actual_name="limit", who=who("ada"), what=())

    plan = plan_push([held], state, PushOptions(), TYPES, Bounds(caller=user_arn("sync")))

    assert [row.kind for row in plan.changes if row.operation not in (*IDLE, "refuse")] == []
    assert "the identity that pushes is never changed by a push" in plan.targets[0].errors[0]


def test_what_an_option_names_may_get_new_people(account: Account) -> None:
    (attempt,) = (each for each in tampered(account) if each.id == "administrators")
    options = PushOptions(aws_push_allow_beyond_data=(NamePattern("Administrator.*"),))

    made = account.plan(attempt, options=options)

    assert {change.operation for change in made.changes} >= {"attach"}
    assert made.targets[0].errors == ()


def test_refused_grants_leave_the_revocations(account: Account) -> None:
    """An imported role that also starts machines: nobody is added to it, and whoever is to lose it loses it."""
    user, other = account.estate.members[0].users[:2]
    arn = {name: account.iam.get_user(UserName=name)["User"]["Arn"] for name in (user, other)}
    statement = {"Effect": "Allow", "Principal": {"AWS": [arn[other]]}, "Action": "sts:AssumeRole"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    account.iam.create_role(RoleName="machines", AssumeRolePolicyDocument=json.dumps(document))
    more = {"Effect": "Allow", "Action": ["s3:GetObject", "ec2:StartInstances"], "Resource": "*"}
    inline = json.dumps({"Version": "2012-10-17", "Statement": [more]})
    account.iam.put_role_policy(RoleName="machines", PolicyName="more", PolicyDocument=inline)
    account.read_again()
    changed = control(
        "m", external_id="role:machines", actual_name="machines", who=who(user), what=(), what_locked=True
    )

    try:
        made, applied = account.push(changed)
        (result,) = applied.results
        assert "gets no new people" in " ".join(result.errors)
        (change,) = (c for c in made.changes if c.kind == "role-trust")
        assert json.loads(change.after or "")["Statement"][0]["Effect"] == "Deny"
        found = account.iam.get_role(RoleName="machines")["Role"]["AssumeRolePolicyDocument"]["Statement"]
        assert not any(each in json.dumps(found) for each in arn.values())
    finally:
        account.iam.delete_role_policy(RoleName="machines", PolicyName="more")
        account.iam.delete_role(RoleName="machines")


def test_what_the_import_locks_stays_locked_where_the_export_leaves_the_lock_out(account: Account) -> None:
    bounds = account.bounds()
    provider = next(p for p in (bounds.imported or {}).values() if p.type == "aws_role" and not p.incomplete)
    locked = replace(provider, who_locked="locked", what_locked="locked", delete_locked="locked")
    held = replace(bounds, imported={**(bounds.imported or {}), provider.external_id: locked})
    changed = control("r", external_id=provider.external_id, actual_name=provider.actual_name, who=who("nobody"))

    assert {c.operation for c in account.plan(changed, bounds=held).changes} == {"none"}
    deleted = account.plan(replace(changed, delete=True), bounds=held)
    assert "locked" in deleted.targets[0].errors[0]
    kept = replace(locked, not_internalizable=True)
    closed = replace(bounds, imported={**(bounds.imported or {}), provider.external_id: kept})
    assert "keeps it from being taken over" in account.plan(changed, bounds=closed).targets[0].errors[0]


def test_a_who_of_nobody_but_the_pusher_is_refused(account: Account) -> None:
    """The user that pushes is in nobody's who: a push gives nothing to itself."""
    user = account.estate.members[0].users[0]
    bounds = replace(account.bounds(), caller=account.iam.get_user(UserName=user)["User"]["Arn"])
    attempt = control("mine", who=WhoEntry((user,), (), (), ()), what=account.what(account.folder))

    made = account.plan(attempt, replace(attempt, id="p", name="p", type="aws_policy"), bounds=bounds)

    errors = [" ".join(target.errors) for target in made.targets]
    assert all("the identity that pushes" in text for text in errors), errors
