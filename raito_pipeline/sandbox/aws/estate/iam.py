"""IAM of one account of the estate."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from moto.iam.models import IAMBackend

from raito_pipeline.sandbox.aws.accounts import iam_of
from raito_pipeline.sandbox.aws.estate.documents import INVALID, allow, deny, documents, text, trust
from raito_pipeline.sandbox.aws.estate.model import EstateSettings
from raito_pipeline.sandbox.aws.estate.names import group_names, user_names

AWS_MANAGED = (
    "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess",
    "arn:aws:iam::aws:policy/AmazonS3FullAccess",
    "arn:aws:iam::aws:policy/AdministratorAccess",
    "arn:aws:iam::aws:policy/AmazonEC2ReadOnlyAccess",
)
BOUNDARY = "policy-00"
_REGION = "us-east-1"


@dataclass(frozen=True)
class SeededIam:
    """Names of what was made."""

    users: tuple[str, ...]
    groups: tuple[str, ...]
    roles: tuple[str, ...]
    retired_role: str


def seed_iam(account_id: str, other_account_id: str, buckets: Sequence[str], settings: EstateSettings) -> SeededIam:
    """Users, groups, policies and roles; `buckets` are what they have access to."""
    iam = iam_of(account_id)
    users = _users(iam, settings.users)
    groups = _groups(iam, settings.groups, users)
    policies = _policies(iam, settings.policies, buckets)
    _inline(iam, users, groups, buckets)
    roles = _roles(iam, settings.roles, users, other_account_id, buckets)
    _attach(iam, users, groups, roles, policies)
    retired = _retired_role(iam, users[0])
    return SeededIam(users, groups, roles, retired)


def _users(iam: IAMBackend, count: int) -> tuple[str, ...]:
    names = user_names(count)
    for number, name in enumerate(names):
        tags = [{"Key": "team", "Value": name.partition(".")[0]}]
        if number % 2 == 0:
            tags.append({"Key": "email", "Value": f"{name}@example.com"})
        if name.startswith("svc-"):
            tags.append({"Key": "kind", "Value": "machine"})
        iam.create_user(_REGION, name, "/people/" if number % 7 == 0 else "/", tags)
    return names


def _groups(iam: IAMBackend, count: int, users: Sequence[str]) -> tuple[str, ...]:
    names = group_names(count)
    for name in names:
        iam.create_group(name)
    for number, user in enumerate(users):
        iam.add_user_to_group(names[number % count], user)
        if number % 5 == 0:
            iam.add_user_to_group(names[(number + 3) % count], user)
    return names


def _policies(iam: IAMBackend, count: int, buckets: Sequence[str]) -> tuple[str, ...]:
    arns = []
    for number in range(count):
        offset = number % (len(buckets) - 2)
        catalogue = documents(buckets[offset:])
        tags = [{"Key": "owner", "Value": "data-platform"}] if number % 4 == 0 else []
        document = catalogue[number % len(catalogue)]
        policy = iam.create_policy(f"Policy number {number}", "/", document, f"policy-{number:02}", tags)
        if number % 6 == 5:
            iam.create_policy_version(policy.arn, catalogue[(number + 1) % len(catalogue)], True)
        if number == count - 1:
            # AWS checks documents, moto's front door too; an old account may hold one from before.
            policy.versions[-1].document = INVALID
        arns.append(policy.arn)
    return tuple(arns)


def _inline(iam: IAMBackend, users: Sequence[str], groups: Sequence[str], buckets: Sequence[str]) -> None:
    catalogue = documents(buckets)
    for number, user in enumerate(users[::4]):
        iam.put_user_policy(user, "own-data", catalogue[number % len(catalogue)])
        if number % 3 == 0:
            iam.put_user_policy(user, "more-data", catalogue[(number + 5) % len(catalogue)])
    for number, group in enumerate(groups[::2]):
        iam.put_group_policy(group, "team-data", catalogue[(number + 1) % len(catalogue)])
    iam.put_user_policy(users[1], "no-deletes", text(deny("s3:Delete*", "*")))


def _roles(iam: IAMBackend, count: int, users: Sequence[str], other: str, buckets: Sequence[str]) -> tuple[str, ...]:
    names: list[str] = []
    for number in range(count):
        name = f"{('reader', 'writer', 'job', 'partner', 'admin')[number % 5]}-role-{number:02}"
        boundary = f"arn:aws:iam::{iam.account_id}:policy/{BOUNDARY}" if number % 20 == 7 else None
        tags = [{"Key": "env", "Value": "prod"}] if number % 3 == 0 else []
        document = _trust(iam.account_id, number, users, other, names)
        iam.create_role(name, document, "/", boundary, f"Role number {number}", tags, "3600")
        catalogue = documents(buckets[number % (len(buckets) - 2) :])
        if number % 3 != 1:
            iam.put_role_policy(name, "data", catalogue[number % len(catalogue)])
        if number % 9 == 0:
            iam.put_role_policy(name, "more", catalogue[(number + 2) % len(catalogue)])
        names.append(name)
    iam.get_role(names[2]).policies["old"] = INVALID
    return tuple(names)


def _trust(account: str, number: int, users: Sequence[str], other: str, roles: Sequence[str]) -> str:
    """Trust policies in turn: users most of all, and everything else that may stand there."""
    arns = [
        f"arn:aws:iam::{account}:user/{_path(users, n)}" for n in (number % len(users), (number * 7 + 3) % len(users))
    ]
    kinds: tuple[str, ...] = (
        trust({"AWS": arns}),
        trust({"AWS": arns[0]}),
        trust({"Service": "glue.amazonaws.com"}),
        trust({"AWS": arns}, ["sts:AssumeRole", "sts:TagSession"]),
        trust({"AWS": f"arn:aws:iam::{other}:root"}, Condition={"StringEquals": {"sts:ExternalId": "partner"}}),
        trust({"AWS": f"arn:aws:iam::{account}:root"}),
        trust({"AWS": [*arns, f"arn:aws:iam::{other}:root"]}),
        trust({"AWS": arns}, Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}),
        trust({"Service": ["lambda.amazonaws.com"], "AWS": arns[0]}),
        trust({"Federated": "accounts.google.com"}, "sts:AssumeRoleWithWebIdentity"),
        trust({"AWS": f"arn:aws:iam::{account}:role/{roles[0]}" if roles else arns[0]}),
        text(
            _trusting({"AWS": arns}),
            {"Effect": "Deny", "Principal": {"AWS": arns[0]}, "Action": "sts:AssumeRole"},
        ),
    )
    return kinds[number % len(kinds)]


def _trusting(principal: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}


def _path(users: Sequence[str], number: int) -> str:
    return f"people/{users[number]}" if number % 7 == 0 else users[number]


def _attach(
    iam: IAMBackend, users: Sequence[str], groups: Sequence[str], roles: Sequence[str], policies: Sequence[str]
) -> None:
    for number, arn in enumerate(policies[:-4]):
        iam.attach_user_policy(arn, users[(number * 3) % len(users)])
        if number % 2 == 0:
            iam.attach_group_policy(arn, groups[number % len(groups)])
        if number % 3 == 0:
            iam.attach_role_policy(arn, roles[(number * 2 + 1) % len(roles)])
    iam.attach_role_policy(policies[-1], roles[4])
    for number, arn in enumerate(AWS_MANAGED):
        iam.attach_role_policy(arn, roles[number * 5 + 1])
        iam.attach_group_policy(arn, groups[-1 - number % 2])


def _retired_role(iam: IAMBackend, user: str) -> str:
    """A role that an earlier push made; Raito Cloud asks to remove it."""
    name = "retired-readers"
    arn = iam.get_user(user).arn
    tags = [{"Key": "creator", "Value": "RAITO"}]
    iam.create_role(name, trust({"AWS": [arn]}), "/", None, "Made by an earlier push", tags, "3600")
    iam.put_role_policy(name, f"Raito_Inline_{name}", text(allow("s3:ListBucket", "*")))
    return name
