"""Identity Center of the estate: people, groups, permission sets, and who has which in which account."""

from collections.abc import Sequence
from typing import Any

from moto.identitystore.models import identitystore_backends

from raito_pipeline.sandbox.aws.estate.documents import READ, WRITE, allow, text
from raito_pipeline.sandbox.aws.estate.model import EstateSettings
from raito_pipeline.sandbox.aws.estate.names import organization_group_names, people_names
from raito_pipeline.sandbox.aws.identity_center import set_identity_center_home

REGION = "eu-west-1"
INSTANCE_ARN = "arn:aws:sso:::instance/ssoins-6804c7e1a2b3d4f5"
STORE_ID = "d-9367a1b2c3"
_KINDS = ("DataReader", "DataWriter", "Administrator", "Auditor", "Billing")


def seed_identity_center(
    master: str, members: Sequence[tuple[str, Sequence[str]]], settings: EstateSettings
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Fill Identity Center; `members` are account ids with some buckets. Gives the names of people and groups."""
    sso = set_identity_center_home(master, REGION, INSTANCE_ARN, STORE_ID)
    users, groups = _people(master, settings)
    for number in range(settings.permission_sets):
        arn = _permission_set(sso, number, members[number % len(members)][1])
        for at, (account_id, _) in enumerate(members):
            if (number + at) % 3 == 2:
                continue
            _assign(sso, arn, account_id, "GROUP", groups[(number + at) % len(groups)])
            _assign(sso, arn, account_id, "USER", users[(number * 11 + at * 5) % len(users)])
    return people_names(settings.people), organization_group_names(settings.organization_groups)


def _people(master: str, settings: EstateSettings) -> tuple[list[str], list[str]]:
    """Ids of people and groups."""
    store = identitystore_backends[master][REGION]
    groups = [
        store.create_group(STORE_ID, name, f"The group {name}")[0]
        for name in organization_group_names(settings.organization_groups)
    ]
    users = []
    for number, name in enumerate(people_names(settings.people)):
        given = {"GivenName": name.partition(".")[0], "FamilyName": f"{number:03}"}
        emails = [{"Value": f"work.{name}", "Type": "work", "Primary": True}] if number % 4 else []
        user = store.create_user(STORE_ID, name, given, name, "", "", emails, [], [], "", "", "", "", "")[0]
        store.create_group_membership(STORE_ID, groups[number % len(groups)], {"UserId": user})
        users.append(user)
    return users, groups


def _permission_set(sso: Any, number: int, buckets: Sequence[str]) -> str:
    name = f"{_KINDS[number % len(_KINDS)]}{number:02}"
    tags = [{"Key": "team", "Value": "platform"}] if number % 2 else []
    made = sso.create_permission_set(name, f"Permission set {name}", INSTANCE_ARN, "PT4H", "", tags)
    arn = str(made["PermissionSetArn"] if isinstance(made, dict) else made.permission_set_arn)
    bucket = f"arn:aws:s3:::{buckets[number % len(buckets)]}"
    if number % 5 == 2:
        sso.attach_managed_policy_to_permission_set(INSTANCE_ARN, arn, "arn:aws:iam::aws:policy/AmazonS3FullAccess")
    else:
        document = text(allow("s3:ListBucket", bucket), allow(WRITE if number % 2 else READ, f"{bucket}/2024/*"))
        sso.put_inline_policy_to_permission_set(INSTANCE_ARN, arn, document)
    return arn


def _assign(sso: Any, arn: str, account_id: str, kind: str, principal: str) -> None:
    sso.create_account_assignment(INSTANCE_ARN, account_id, "AWS_ACCOUNT", arn, kind, principal)
