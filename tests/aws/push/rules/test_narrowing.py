"""The policy that `info --iam-policy push` prints with `aws-push-own-only` and a boundary, enforced as it is."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.aws.least_policy import least_policy
from raito_pipeline.aws.push.types.roles import with_boundary
from raito_pipeline.config import AccountTarget, load
from raito_pipeline.model import AccessControl, PushChange
from raito_pipeline.sandbox.aws.enforcement import create_limited_credentials, enforce_iam
from tests.aws.push.conftest import ACCOUNT, BY_RAITO, Story, World, arn, document, text, trust
from tests.aws.push.pushing import TYPES, Account, Options, Pushed, control, folder
from tests.aws.push.test_least_policy import FILE

BOUNDARY = arn("limits")
OPTIONS = f"""
    aws-push-own-only: true
    aws-role-boundary: {BOUNDARY}
    aws-role-prefix: raito-
    aws-policy-prefix: raito-
"""


def target(folder: Path, options: str = OPTIONS) -> AccountTarget:
    (folder / "raito.yml").write_text(FILE.rstrip() + options)
    (found,) = load(folder / "raito.yml").accounts
    return found


@pytest.fixture
def narrow(world: World, tmp_path: Path) -> Iterator[AwsClients]:
    """Clients that may do exactly what is printed, in an account with things of Raito and of others."""
    policy = least_policy(target(tmp_path), "push")
    key, secret = create_limited_credentials(ACCOUNT, {"push": policy})
    (tmp_path / "credentials").write_text(f"[there]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n")
    for name in ("raito-changed", "raito-gone"):
        world.tagged_role(name)
        world.tagged_policy(name)
    world.tagged_role("raito-by-hand", by_raito=False)
    world.tagged_role("others")
    for name in ("limits", "raito-by-hand", "administrators"):
        world.tagged_policy(name, by_raito=False)
    world.iam.attach_role_policy(RoleName="raito-gone", PolicyArn=arn("administrators"))
    enforce_iam(world.aws, True)
    try:
        yield AwsClients("there", attempts=2)
    finally:
        enforce_iam(world.aws, False)


def _story() -> Story:
    story = Story().role("a", "raito-new", "ada").policy("b", "raito-new", "user:bob", "group:staff", "role:raito-new")
    story.changes = [with_boundary(row, BOUNDARY) for row in story.changes]
    story.control("c", "raito-changed", external_id="role:raito-changed", was="role:raito-changed")
    story.change("update", "role-trust", "raito-changed", trust("bob"), before=text(trust("ada")))
    tags = [{"Key": "raito_data_source", "Value": "ds"}, *BY_RAITO]
    story.change("tag", "role", "raito-changed", {"Tags": tags}, before=text({"Tags": BY_RAITO}))
    story.change("update", "role-boundary", "raito-changed", BOUNDARY)
    story.control("d", "raito-changed", kind="aws_policy", external_id="policy:raito-changed")
    version = document("s3:PutObject")
    story.change("create", "policy-version", arn("raito-changed"), version, before=text(document("s3:ListBucket")))
    story.control("e").change("delete", "role", "raito-gone", before=text(trust("ada")))
    gone = text(document("s3:ListBucket"))
    return story.control("f", kind="aws_policy").change("delete", "policy", arn("raito-gone"), before=gone)


def test_an_honest_push_needs_no_more(world: World, narrow: AwsClients) -> None:
    mark = world.aws.calls.mark
    results = _story().apply(narrow).results
    assert [(result.access_control_id, result.errors) for result in results if result.errors] == []
    assert [call.operation for call in world.aws.calls.since(mark) if call.status == 403] == []


IN_A_PATH = """
    aws-push-own-only: true
    aws-iam-path: /raito/
"""


@pytest.fixture
def in_a_path(world: World, tmp_path: Path) -> AwsClients:
    """Clients that may do exactly what is printed for a path of IAM, where Raito made things elsewhere, too."""
    policy = least_policy(target(tmp_path, IN_A_PATH), "push")
    key, secret = create_limited_credentials(ACCOUNT, {"push": policy})
    (tmp_path / "credentials").write_text(f"[there]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n")
    world.tagged_role("elsewhere")
    world.tagged_policy("elsewhere")
    return AwsClients("there", attempts=2)


@contextmanager
def enforced(world: World) -> Iterator[None]:
    enforce_iam(world.aws, True)
    try:
        yield
    finally:
        enforce_iam(world.aws, False)


def test_a_push_in_a_path_is_made_changed_and_removed_with_the_rights_of_that_path(
    world: World, in_a_path: AwsClients
) -> None:
    account = Account(world, Options(aws_iam_path="/raito/", aws_push_own_only=True), in_a_path)

    def push(*controls: AccessControl) -> Pushed:
        plan, placed = account.plan(controls)
        with enforced(world):
            return account.apply(plan, placed)

    given = (
        control("r", "ada", type="aws_role", naming_hint="readers"),
        control("p", "ada", "group:staff", "ID:r", naming_hint="readers-too"),
    )

    made = push(*given)
    assert [result.errors for result in made.applied.results] == [(), ()]
    arns = [world.iam.get_role(RoleName="readers")["Role"]["Arn"]]
    arns += [one["Arn"] for one in world.iam.list_policies(Scope="Local", PathPrefix="/raito/")["Policies"]]
    assert arns == [f"arn:aws:iam::{ACCOUNT}:{each}" for each in ("role/raito/readers", "policy/raito/readers_too")]
    assert account.access()["policy:readers_too"] == ["group:staff", "role:readers", "user:ada"]
    assert {row.operation for row in account.push(*made.controls).plan.changes} == {"none"}

    less = [replace(one, what=(folder("b"),), who=replace(one.who, users=("bob",))) for one in made.controls]
    changed = push(*less)
    assert [result.errors for result in changed.applied.results] == [(), ()]
    assert account.access()["policy:readers_too"] == ["group:staff", "role:readers", "user:bob"]
    gone = push(*(replace(one, delete=True) for one in changed.controls))
    assert [result.errors for result in gone.applied.results] == [(), ()]
    assert not {"role:readers", "policy:readers_too"} & account.access().keys()


def test_aws_refuses_a_push_outside_of_its_path(world: World, in_a_path: AwsClients) -> None:
    iam = in_a_path.client("iam")
    attempts: dict[str, Callable[[], Any]] = {
        "a role without a path": lambda: iam.create_role(**_role("x", Tags=BY_RAITO)),
        "a role of another path": lambda: iam.create_role(**_role("x", Tags=BY_RAITO, Path="/other/")),
        "a policy without a path": lambda: iam.create_policy(
            PolicyName="x", PolicyDocument=text(document("s3:GetObject")), Tags=BY_RAITO
        ),
        "rights of a role elsewhere": lambda: iam.put_role_policy(RoleName="elsewhere", **INLINE),
        "a role elsewhere deleted": lambda: iam.delete_role(RoleName="elsewhere"),
        "a policy elsewhere attached": lambda: iam.attach_user_policy(UserName="ada", PolicyArn=arn("elsewhere")),
        "a policy elsewhere deleted": lambda: iam.delete_policy(PolicyArn=arn("elsewhere")),
    }
    for what, attempt in attempts.items():
        with enforced(world), pytest.raises(ClientError) as caught:
            attempt()
        assert caught.value.response["Error"]["Code"] == "AccessDenied", what

    account = Account(world, Options(aws_iam_path="/raito/"), in_a_path)
    plan, placed = account.plan([control("e", "ada", type="aws_role", external_id="role:elsewhere")])
    with enforced(world):
        errors = account.apply(plan, placed).errors("e")
    assert errors
    assert all("role/elsewhere" in error for error in errors)


def test_without_more_a_path_is_where_things_are_made_and_nothing_else(tmp_path: Path) -> None:
    found = least_policy(target(tmp_path, "\n    aws-iam-path: /raito/\n"), "push")["Statement"]
    places = {action: each["Resource"] for each in found for action in each["Action"]}
    account = f"arn:aws:iam::{ACCOUNT}"
    assert places["iam:CreateRole"] == [f"{account}:role/raito/*"]
    assert places["iam:CreatePolicy"] == [f"{account}:policy/raito/*"]
    assert places["iam:DeleteRole"] == [f"{account}:role/*"]


def _role(name: str, **more: Any) -> dict[str, Any]:
    return {"RoleName": name, "AssumeRolePolicyDocument": text(trust("ada")), **more}


INLINE = {"PolicyName": "x", "PolicyDocument": text(document("*"))}
ATTEMPTS: dict[str, Callable[[Any], Any]] = {
    "a role without a boundary": lambda iam: iam.create_role(**_role("raito-x", Tags=BY_RAITO)),
    "a role without the tag": lambda iam: iam.create_role(**_role("raito-x", PermissionsBoundary=BOUNDARY)),
    "a role of another name": lambda iam: iam.create_role(**_role("x", Tags=BY_RAITO, PermissionsBoundary=BOUNDARY)),
    "another boundary": lambda iam: iam.put_role_permissions_boundary(
        RoleName="raito-changed", PermissionsBoundary=arn("administrators")
    ),
    "the boundary of a role of others": lambda iam: iam.put_role_permissions_boundary(
        RoleName="raito-by-hand", PermissionsBoundary=BOUNDARY
    ),
    "no boundary": lambda iam: iam.delete_role_permissions_boundary(RoleName="raito-changed"),
    "rights of a role of others": lambda iam: iam.put_role_policy(RoleName="raito-by-hand", **INLINE),
    "rights of a role of Raito of another name": lambda iam: iam.put_role_policy(RoleName="others", **INLINE),
    "trust of a role of others": lambda iam: iam.update_assume_role_policy(
        RoleName="raito-by-hand", PolicyDocument=text(trust("bob"))
    ),
    "a role of others deleted": lambda iam: iam.delete_role(RoleName="raito-by-hand"),
    "a policy of others attached": lambda iam: iam.attach_user_policy(UserName="ada", PolicyArn=arn("administrators")),
    "a policy of others rewritten": lambda iam: iam.create_policy_version(
        PolicyArn=arn("raito-by-hand"), PolicyDocument=text(document("*")), SetAsDefault=True
    ),
    "a policy of others deleted": lambda iam: iam.delete_policy(PolicyArn=arn("raito-by-hand")),
}


def test_aws_refuses_what_the_pipeline_does_not_do(narrow: AwsClients) -> None:
    iam = narrow.client("iam")
    for what, attempt in ATTEMPTS.items():
        with pytest.raises(ClientError) as caught:
            attempt(iam)
        assert caught.value.response["Error"]["Code"] == "AccessDenied", what


def test_without_the_options_nothing_is_narrowed_but_with_a_boundary_its_roles_are(tmp_path: Path) -> None:
    plain = least_policy(target(tmp_path, "\n"), "push")["Statement"]
    assert [statement for statement in plain if "Condition" in statement] == []

    bounded = least_policy(target(tmp_path, f"\n    aws-role-boundary: {BOUNDARY}\n"), "push")["Statement"]
    found = [statement for statement in bounded if "Condition" in statement]
    assert [each["Action"] for each in found] == [["iam:CreateRole"], ["iam:PutRolePermissionsBoundary"]]
    for each in found:
        assert each["Condition"] == {"StringEquals": {"iam:PermissionsBoundary": BOUNDARY}}


def test_the_boundary_is_on_roles_that_are_created_and_on_nothing_else() -> None:
    def row(operation: str, kind: str) -> PushChange:
        return PushChange(0, "a", "A", operation, kind, "x", None, json.dumps({"Tags": []}), "")

    assert json.loads(with_boundary(row("create", "role"), BOUNDARY).after or "")["PermissionsBoundary"] == BOUNDARY
    for other in (row("create", "policy"), row("update", "role-trust"), row("tag", "role")):
        assert with_boundary(other, BOUNDARY) is other


def test_a_role_that_was_made_before_gets_the_boundary_and_one_of_others_keeps_its_own(world: World) -> None:
    world.tagged_policy("limits", by_raito=False)
    world.tagged_role("imported", by_raito=False)
    reads = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::data/a/*"}
    body = text({"Version": "2012-10-17", "Statement": [reads]})
    world.iam.put_role_policy(RoleName="imported", PolicyName="own", PolicyDocument=body)
    account = Account(world)
    first = account.push(pushed("made", "ada"))
    bound = replace(account, options=account.options.model_copy(update={"aws_role_boundary": BOUNDARY}))
    imported = pushed("imported", "ada", external_id="role:imported")

    second = bound.push(*first.controls, imported)
    third = bound.push(*second.controls)

    assert [row.after for row in second.plan.changes if row.kind == "role-boundary"] == [BOUNDARY]
    assert [row.operation for row in third.plan.changes] == ["none", "none"]
    having = {
        name: world.iam.get_role(RoleName=name)["Role"].get("PermissionsBoundary") for name in ("made", "imported")
    }
    assert (having["made"]["PermissionsBoundaryArn"], having["imported"]) == (BOUNDARY, None)


def test_a_boundary_that_somebody_changed_is_set_again_and_the_plan_shows_what_it_was(world: World) -> None:
    for name in ("limits", "wider"):
        world.tagged_policy(name, by_raito=False)
    account = Account(world, Options(aws_role_boundary=BOUNDARY))
    first = account.push(pushed("made", "ada"))
    world.iam.put_role_permissions_boundary(RoleName="made", PermissionsBoundary=arn("wider"))

    second = account.push(*first.controls)

    (row,) = [row for row in second.plan.changes if row.operation == "update"]
    assert (row.kind, row.before, row.after) == ("role-boundary", arn("wider"), BOUNDARY)
    assert [change.title for change in TYPES.changes([row])] == [
        f"update of role-boundary made, in the place of {arn('wider')}"
    ]
    assert second.errors("made") == ()


def pushed(name: str, *who: str, **changes: Any) -> AccessControl:
    return control(name, *who, **{"type": "aws_role", **changes})
