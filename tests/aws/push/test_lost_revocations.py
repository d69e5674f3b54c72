"""Access that was taken away is gone, whatever else of the same push goes wrong: the ways in which it once stayed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from raito_pipeline.config.groups import OptionGroup
from raito_pipeline.model import AccessControl
from raito_pipeline.sandbox.aws.faults import Fault
from tests.aws.push.conftest import BY_RAITO, World, arn, text, trust
from tests.aws.push.pushing import Account, Options, control, folder

GETS = {"Effect": "Allow", "Action": ["s3:GetObject"]}
TRUSTS = "aws_role"


def gets(*resources: str) -> dict[str, Any]:
    """The document of a what: objects of folders can be read."""
    return {"Version": "2012-10-17", "Statement": [{**GETS, "Resource": [f"arn:aws:s3:::{one}" for one in resources]}]}


def policy(world: World, name: str, *whom: str, content: Any = None, by_raito: bool = True) -> None:
    """A managed policy that principals (`user:NAME`) have."""
    tags = BY_RAITO if by_raito else []
    world.iam.create_policy(PolicyName=name, PolicyDocument=text(content or gets("data/a/*")), Tags=tags)
    for principal in whom:
        kind, _, named = principal.partition(":")
        getattr(world.iam, f"attach_{kind}_policy")(**{f"{kind.title()}Name": named, "PolicyArn": arn(name)})


def role(world: World, name: str, *users: str, content: Any = None, by_raito: bool = True, trusts: Any = None) -> None:
    """A role that users may assume, with the inline policy that a push writes."""
    body = trusts or trust(*users)
    world.iam.create_role(RoleName=name, AssumeRolePolicyDocument=text(body), Tags=BY_RAITO if by_raito else [])
    if content is not None:
        inline = f"Raito_Inline_{name}" if by_raito else "inline"
        world.iam.put_role_policy(RoleName=name, PolicyName=inline, PolicyDocument=text(content))


def users(world: World, *names: str) -> None:
    for name in names:
        world.iam.create_user(UserName=name)


def trusted(world: World, name: str) -> Any:
    return world.iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]["Statement"]


def allowed(world: World, name: str) -> list[str]:
    """The ARNs that a trust policy allows, or nobody where it denies."""
    found: list[str] = []
    for statement in trusted(world, name):
        if statement["Effect"] == "Deny" and statement["Principal"] == "*":
            return []
        who = statement["Principal"]["AWS"] if statement["Effect"] == "Allow" else []
        found += [who] if isinstance(who, str) else who
    return sorted(one.rpartition("/")[2] for one in found)


def in_force(world: World, name: str) -> Any:
    version = world.iam.get_policy(PolicyArn=arn(name))["Policy"]["DefaultVersionId"]
    return world.iam.get_policy_version(PolicyArn=arn(name), VersionId=version)["PolicyVersion"]["Document"]


def inline(world: World, name: str, policy_name: str = "") -> Any:
    return world.iam.get_role_policy(RoleName=name, PolicyName=policy_name or f"Raito_Inline_{name}")["PolicyDocument"]


@dataclass(frozen=True)
class Case:
    """One way in which access that was taken away could stay."""

    name: str
    before: Callable[[World], None]
    export: tuple[AccessControl, ...]
    after: dict[str, Any]
    """who has what afterwards, as `Account.access` gives it; what is not named is not looked at"""
    errors: tuple[str, ...] = ()
    """a part of each error, of all access controls together"""
    documents: Callable[[World], bool] = lambda _: True
    faults: tuple[Fault, ...] = ()
    options: OptionGroup | None = None
    writes_again: int = 0
    """calls that change something of a second push: what was refused is tried again"""

    def __str__(self) -> str:
        return self.name.replace(" ", "-")


def deny(operation: str, resource: str = "", **more: Any) -> Fault:
    return Fault(kind="deny", service="iam", operation=operation, resource=resource, **more)


def _full(world: World) -> None:
    """Ada has as many managed policies as AWS takes."""
    for number in range(10):
        policy(world, f"other-{number}", "user:ada")
    users(world, "cyd")
    policy(world, "p", "user:bob")


def _many(world: World) -> None:
    policy(world, "p", "user:ada", "user:bob", content=gets("data/a/*", "data/gone/*"))


LONG = tuple(folder("a" + "x" * 200 + str(number)) for number in range(300))
P = "policy:p"
R = "role:r"

CASES = [
    Case(
        "the last user of a role",
        lambda world: role(world, "r", "ada", content=gets("data/a/*")),
        (control("r", type=TRUSTS, external_id=R),),
        {},
        documents=lambda world: allowed(world, "r") == [] and inline(world, "r") == gets("data/a/*"),
    ),
    Case(
        "the last known user of a role beside an unknown one",
        lambda world: role(world, "r", "ada"),
        (control("r", "nobody", type=TRUSTS, external_id=R),),
        {},
        errors=("user nobody is not in IAM",),
        documents=lambda world: allowed(world, "r") == [],
    ),
    Case(
        "the last one who has a policy",
        lambda world: policy(world, "p", "user:ada"),
        (control("p", external_id=P),),
        {P: []},
    ),
    Case(
        "an unknown permission beside a detachment and a narrower what",
        lambda world: policy(world, "p", "user:ada", "user:bob", content=gets("data/a/*", "data/b/*")),
        (control("p", "ada", external_id=P, what=(folder("a", "s3:Fly", "s3:GetObject"),)),),
        {P: ["user:ada"]},
        errors=("permission s3:Fly",),
        documents=lambda world: in_force(world, "p") == gets("data/a/*"),
    ),
    Case(
        "a data object of another account beside a narrower what of a role",
        lambda world: role(world, "r", "ada", "bob", content=gets("data/a/*", "data/b/*")),
        (control("r", "ada", type=TRUSTS, external_id=R, what=(folder("a"), folder("", bucket="x/y"))),),
        {},
        errors=(),
        documents=lambda world: allowed(world, "r") == ["ada"],
    ),
    Case(
        "an unknown role beside a detachment",
        lambda world: policy(world, "p", "user:ada", "user:bob"),
        (control("p", "ada", "role:nowhere", "ID:nothing", external_id=P),),
        {P: ["user:ada"]},
        errors=("role:nowhere", "ID:nothing"),
    ),
    Case(
        "an unknown user and group beside a detachment",
        lambda world: policy(world, "p", "user:ada", "user:bob"),
        (control("p", "ada", "nobody", "group:nowhere", external_id=P),),
        {P: ["user:ada"]},
        errors=("user nobody", "group nowhere"),
    ),
    Case(
        "an access provider in the who of a role",
        lambda world: role(world, "r", "ada", "bob"),
        (control("r", "ada", "role:other", type=TRUSTS, external_id=R),),
        {},
        errors=("role:other",),
        documents=lambda world: allowed(world, "r") == ["ada"],
    ),
    Case(
        "a grant that meets a limit beside another one and a detachment",
        _full,
        (control("p", "ada", "cyd", external_id=P),),
        {P: ["user:cyd"]},
        errors=("AttachUserPolicy",),
        writes_again=1,
    ),
    Case(
        "a what that is too long beside a detachment and a narrower what",
        _many,
        (control("p", "ada", external_id=P, what=(folder("a"), *LONG)),),
        {P: ["user:ada"]},
        errors=("AWS attaches 10", "AWS takes 6144"),
        documents=lambda world: in_force(world, "p") == gets("data/a/*"),
    ),
    Case(
        "a what that is too long for a role",
        lambda world: role(world, "r", "ada", "bob", content=gets("data/a/*", "data/gone/*")),
        (control("r", "ada", type=TRUSTS, external_id=R, what=(folder("a"), *LONG, *LONG[:1])),),
        {},
        documents=lambda world: allowed(world, "r") == ["ada"],
        errors=(),
    ),
    Case(
        "a role that becomes a policy, which AWS does not make",
        lambda world: role(world, "r", "ada", "bob", content=gets("data/a/*", "data/gone/*")),
        (control("r", "ada", external_id=R),),
        {"role:r": ["Raito_Inline_r"]},
        errors=("CreatePolicy",),
        documents=lambda world: allowed(world, "r") == ["ada"] and inline(world, "r") == gets("data/a/*"),
        faults=(deny("CreatePolicy"),),
        writes_again=1,
    ),
    Case(
        "a policy that becomes a role, which AWS does not make",
        lambda world: policy(world, "p", "user:ada", "user:bob", content=gets("data/a/*", "data/gone/*")),
        (control("p", "ada", type=TRUSTS, external_id=P),),
        {P: ["user:ada"]},
        errors=("CreateRole",),
        documents=lambda world: in_force(world, "p") == gets("data/a/*"),
        faults=(deny("CreateRole"),),
        writes_again=1,
    ),
    Case(
        "a policy with another name, which AWS does not make",
        lambda world: policy(world, "p", "user:ada", "user:bob", content=gets("data/a/*", "data/gone/*")),
        (control("q", "ada", external_id=P),),
        {P: ["user:ada"]},
        errors=("CreatePolicy",),
        documents=lambda world: in_force(world, "p") == gets("data/a/*"),
        faults=(deny("CreatePolicy"),),
        writes_again=1,
    ),
    Case(
        "a role that becomes a policy",
        lambda world: role(world, "r", "ada", "bob", content=gets("data/a/*", "data/gone/*")),
        (control("r", "ada", external_id=R),),
        {"role:r": None, "policy:r": ["user:ada"]},
    ),
    Case(
        "a policy that becomes a role",
        lambda world: policy(world, "p", "user:ada", "user:bob", content=gets("data/a/*", "data/gone/*")),
        (control("p", "ada", type=TRUSTS, external_id=P),),
        {P: None},
        documents=lambda world: allowed(world, "p") == ["ada"] and inline(world, "p") == gets("data/a/*"),
    ),
    Case(
        "a policy with another name",
        lambda world: policy(world, "p", "user:ada", "user:bob", content=gets("data/a/*", "data/gone/*")),
        (control("q", "ada", external_id=P),),
        {P: None, "policy:q": ["user:ada"]},
    ),
    Case(
        "a detachment that AWS denies before others",
        lambda world: policy(world, "p", "user:ada", "user:bob", "group:staff"),
        (control("p", external_id=P),),
        {P: ["user:bob"]},
        errors=("DetachUserPolicy",),
        faults=(deny("DetachUserPolicy", "bob"),),
        writes_again=1,
    ),
    Case(
        "a trust policy that AWS denies beside a narrower what",
        lambda world: role(world, "r", "ada", content=gets("data/a/*", "data/b/*")),
        (control("r", "bob", type=TRUSTS, external_id=R),),
        {},
        errors=("UpdateAssumeRolePolicy",),
        documents=lambda world: inline(world, "r") == gets("data/a/*"),
        faults=(deny("UpdateAssumeRolePolicy"),),
        writes_again=1,
    ),
    Case(
        "a new name whose policy AWS denies",
        lambda world: policy(world, "p", "user:ada", "user:bob"),
        (control("q", "ada", external_id=P),),
        {P: ["user:ada"]},
        errors=("CreatePolicy",),
        faults=(deny("CreatePolicy"),),
        writes_again=1,
    ),
    Case(
        "a policy that nobody has",
        lambda world: policy(world, "p", content=gets("data/a/*", "data/b/*")),
        (control("p", external_id=P),),
        {P: []},
        documents=lambda world: in_force(world, "p") == gets("data/a/*"),
    ),
    Case(
        "a policy of no type",
        lambda world: policy(world, "p", "user:ada", "user:bob"),
        (control("p", "ada", type=None, external_id=P),),
        {P: ["user:ada"]},
    ),
    Case(
        "a policy of no type that is deleted",
        lambda world: policy(world, "p", "user:ada"),
        (control("p", type=None, external_id=P, delete=True),),
        {},
        documents=lambda world: world.policies() == set(),
    ),
]


MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
WITH_MFA = {"Version": "2012-10-17", "Statement": [{**trust("ada")["Statement"][0], "Condition": MFA}]}
EC2 = {"Effect": "Allow", "Action": ["ec2:StartInstances"], "Resource": ["*"]}


def _reserved(world: World) -> None:
    """A policy that the role of a permission set has."""
    policy(world, "p", "user:ada", "user:bob")
    world.iam.create_role(RoleName=RESERVED, AssumeRolePolicyDocument=text(trust("ada")))
    world.iam.attach_role_policy(RoleName=RESERVED, PolicyArn=arn("p"))


RESERVED = "AWSReservedSSO_Readers_0123456789abcdef"


def _of_all(world: World) -> None:
    role(world, "r", "ada")
    policy(world, "p", "user:ada", "group:staff", "role:r", content=gets("data/a/*", "data/b/*"))


def locked(name: str) -> tuple[AccessControl, ...]:
    return (control("p", external_id=P, **{name: True}),)


NARROWED, AS_IT_WAS = gets("data/a/*"), gets("data/a/*", "data/b/*")

CASES += [
    Case(
        "the role of a permission set is left to Identity Center",
        _reserved,
        (control("p", "ada", external_id=P),),
        {P: [f"role:{RESERVED}", "user:ada"]},
    ),
    Case(
        "nothing is said of what an option leaves out",
        lambda world: policy(world, "p", "user:ada"),
        (control("p", external_id=P, delete=True),),
        {P: ["user:ada"]},
        errors=("aws-access-skip-managed-policies",),
        options=Options(aws_access_skip_managed_policies=True),
    ),
    Case(
        "a policy that may be one of AWS is not called gone",
        lambda _: None,
        (control("p", external_id="policy:AmazonS3ReadOnlyAccess", delete=True),),
        {},
        errors=("aws-access-skip-aws-managed-policies",),
        options=Options(aws_access_skip_aws_managed_policies=True),
    ),
    Case(
        "a type that changed",
        lambda world: role(world, "r", "ada", content=gets("data/a/*")),
        (control("r", "ada", external_id=R),),
        {"policy:r": ["user:ada"]},
        documents=lambda world: world.roles() == set(),
    ),
    Case(
        "a type that changed of what Raito did not make",
        lambda world: role(world, "r", "ada", content=gets("data/a/*"), by_raito=False),
        (control("r", "ada", external_id=R),),
        {"policy:r": None},
        errors=("Raito did not make it",),
        documents=lambda world: world.roles() == {"r"},
    ),
    Case(
        "a trust policy with a condition that was taken over",
        lambda world: role(world, "r", by_raito=False, content=gets("data/a/*"), trusts=WITH_MFA),
        (control("r", "bob", type=TRUSTS, external_id=R),),
        {},
        documents=lambda world: trusted(world, "r")[0]["Condition"] == MFA and allowed(world, "r") == ["ada", "bob"],
    ),
    Case(
        "other services in a policy that was taken over",
        lambda world: policy(
            world, "p", "user:ada", "user:bob", by_raito=False,
            content={"Version": "2012-10-17", "Statement": [EC2, *gets("data/a/*", "data/b/*")["Statement"]]},
        ),
        (control("p", "ada", external_id=P),),
        {P: ["user:ada"]},
        documents=lambda world: in_force(world, "p")["Statement"] == [EC2, *gets("data/a/*")["Statement"]],
    ),
    *(
        Case(
            f"a role that cannot be deleted because {operation} is refused",
            lambda world: role(world, "r", "ada", content=gets("data/a/*")),
            (control("r", "ada", type=TRUSTS, external_id=R, delete=True),),
            {},
            errors=(f"iam:{operation}",),
            documents=lambda world: allowed(world, "r") == [],
            faults=(deny(operation),),
            writes_again=writes_again,
        )
        for operation, writes_again in (
            ("ListInstanceProfilesForRole", 0), ("ListRolePolicies", 0), ("ListAttachedRolePolicies", 0),
            ("DeleteRolePolicy", 1), ("DeleteRole", 1),
        )
    ),
    Case(
        "a locked who",
        _of_all,
        locked("who_locked"),
        {P: ["group:staff", "user:ada"]},
        documents=lambda world: in_force(world, "p") == NARROWED,
    ),
    Case(
        "a locked inheritance",
        _of_all,
        locked("inheritance_locked"),
        {P: ["role:r"]},
        documents=lambda world: in_force(world, "p") == NARROWED,
    ),
    Case(
        "a locked what", _of_all, locked("what_locked"), {P: []}, documents=lambda w: in_force(w, "p") == AS_IT_WAS,
    ),
    Case(
        "a locked deletion",
        _of_all,
        (control("p", external_id=P, delete=True, delete_locked=True),),
        {P: ["group:staff", "role:r", "user:ada"]},
        errors=("its deletion is locked",),
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_was_taken_away_is_gone(world: World, case: Case) -> None:
    case.before(world)
    for fault in case.faults:
        world.aws.faults.add(fault)
    account = Account(world, case.options or Options())

    first = account.push(*case.export)
    mark = world.aws.calls.mark
    second = account.push(*first.controls)

    errors = [error for result in first.applied.results for error in result.errors]
    assert len(errors) >= len(case.errors), errors
    for part, error in zip(case.errors, errors, strict=True) if case.errors else ():
        assert part in error
    access = account.access()
    assert {key: access.get(key) for key in case.after} == case.after
    assert case.documents(world)
    assert len(world.writes(mark)) == case.writes_again
    again = {one.access_control_id: one.errors for one in second.applied.results}
    assert again == {
        one.access_control_id: one.errors for one in first.applied.results if one.access_control_id in again
    }
