"""The access provider types that there are."""

import pytest

from raito_pipeline.aws.access import build_access_providers
from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES, AccessProviderType, SameAs
from raito_pipeline.aws.push.pushed_types import NotPushedYet, PushedType
from raito_pipeline.config.groups import AccessOptions
from raito_pipeline.model import AccessProvider
from raito_pipeline.raito.metadata import access_provider_types
from tests.aws.access.conftest import LINK, READ, Told, allow, trust, user_arn


def account() -> Told:
    """An account with something of every type."""
    told = Told().user("ada").group("staff").role("jobs", trust({"AWS": "*"}))
    told.role("AWSReservedSSO_Analysts_0123456789abcdef").inline("role:jobs", "own", READ)
    told.inline("role:AWSReservedSSO_Analysts_0123456789abcdef", "own", READ).inline("user:ada", "own", READ)
    told.inline("group:staff", "own", READ).policy("readers", READ, "user:ada")
    told.bucket_policy("data", allow("s3:GetObject", "arn:aws:s3:::data/*", Principal={"AWS": user_arn("ada")}))
    return told.point("door", allow("s3:GetObject", "*", Principal="*"))


@pytest.fixture(scope="module")
def rows() -> tuple[AccessProvider, ...]:
    settings = AccessOptions(organization=LINK)
    return build_access_providers(account().inputs(), settings, ACCESS_PROVIDER_TYPES.imported)


@pytest.mark.parametrize("each", ACCESS_PROVIDER_TYPES.types, ids=lambda each: each.name)
def test_its_access_providers_have_its_prefix_and_its_type(
    each: AccessProviderType, rows: tuple[AccessProvider, ...]
) -> None:
    own = [row for row in rows if row.external_id.startswith(each.external_id_prefix)]
    assert len(own) == 1
    assert own[0].type == each.description.type


def test_every_access_provider_is_of_one_type(rows: tuple[AccessProvider, ...]) -> None:
    prefixes = [each.external_id_prefix for each in ACCESS_PROVIDER_TYPES]
    assert all(sum(map(row.external_id.startswith, prefixes)) == 1 for row in rows)
    assert len(rows) == len(prefixes)


def test_a_role_that_only_an_access_point_names_is_not_kept() -> None:
    role = {"AWS": "arn:aws:iam::111122223333:role/jobs"}
    told = Told().delegates().role("jobs").point("door", allow("s3:GetObject", "*", Principal=role))
    (door,) = build_access_providers(told.inputs(), AccessOptions(), ACCESS_PROVIDER_TYPES.imported)
    assert door.who_access_providers == ("role:jobs",)


def test_what_can_be_pushed_and_what_cannot_yet() -> None:
    able = {each.name: type(each.push) for each in ACCESS_PROVIDER_TYPES}
    assert able == {
        "role": PushedType,
        "managed policy": PushedType,
        "inline policies of a user": SameAs,
        "inline policies of a group": SameAs,
        "access point": PushedType,
        "permission set": PushedType,
        "bucket policy": NotPushedYet,
    }


NAMED = {"isNamedEntity": True, "canBeCreated": True}
ASSUMABLE = ["aws_role", "aws_sso_role"]
RECORDED = [
    {"type": "aws_role", "label": "AWS Role", **NAMED, "canBeAssumed": True},
    {"type": "aws_policy", "label": "AWS Policy", **NAMED, "allowedWhoAccessProviderTypes": ASSUMABLE},
    {
        "type": "aws_access_point",
        "label": "AWS S3 Access Point",
        **NAMED,
        "allowedWhoAccessProviderTypes": ASSUMABLE,
        "commonParentType": "bucket",
    },
    {
        "type": "aws_sso_role",
        "label": "AWS Permission Set",
        **NAMED,
        "canBeAssumed": True,
        "identityStoreTypeForWho": "aws-organization",
    },
]
"""as recorded from the Raito CLI"""
BUCKET_POLICY = {
    "type": "aws_bucket_policy",
    "label": "AWS S3 Bucket Policy",
    "isNamedEntity": True,
    "canBeCreated": False,
    "allowedWhoAccessProviderTypes": ASSUMABLE,
}
"""what the Raito CLI does not know"""


def test_raito_cloud_is_told_what_the_raito_cli_tells_it() -> None:
    assert access_provider_types(ACCESS_PROVIDER_TYPES.descriptions, organization=True) == [*RECORDED, BUCKET_POLICY]


def test_permission_sets_are_left_out_without_an_organization() -> None:
    told = access_provider_types(ACCESS_PROVIDER_TYPES.descriptions, organization=False)
    assert [each["type"] for each in told] == ["aws_role", "aws_policy", "aws_access_point", "aws_bucket_policy"]
    assert {tuple(each["allowedWhoAccessProviderTypes"]) for each in told if "Policy" in each["label"]} == {
        ("aws_role",)
    }
