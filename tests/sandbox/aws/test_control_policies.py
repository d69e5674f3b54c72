"""Control policies of the emulated organization are enforced: what people have is what is left of it."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.organizations.models import organizations_backends

from raito_pipeline.sandbox.aws.enforcement import create_limited_credentials, enforce_iam
from raito_pipeline.sandbox.aws.estate.organization import RESOURCE, SERVICE, seed_organization
from raito_pipeline.sandbox.aws.server import EmulatedAws
from tests.sandbox.aws.conftest import ACCOUNT, OTHER_ACCOUNT, REGION, ClientOf

BUCKET = "bucket-one"
ALL = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}


@pytest.fixture
def s3(aws: EmulatedAws, client: ClientOf) -> Iterator[Any]:
    """S3 of somebody who may do everything in a member account, as far as the organization lets anybody."""
    client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    seed_organization(OTHER_ACCOUNT, [ACCOUNT])
    key, secret = create_limited_credentials(ACCOUNT, {"all": ALL})
    enforce_iam(aws, on=True)
    config = Config(retries={"total_max_attempts": 1})
    yield boto3.Session(key, secret, region_name=REGION).client("s3", endpoint_url=aws.endpoint_url, config=config)
    enforce_iam(aws, on=False)


def attach(effect: str, action: str, kind: str, *, instead: bool = False) -> None:
    """A policy on the account, beside what is there or instead of it."""
    backend = organizations_backends[OTHER_ACCOUNT]["aws"]
    statement = {"Effect": effect, "Action": action, "Resource": "*"}
    if kind == RESOURCE:
        statement["Principal"] = "*"
    content = json.dumps({"Version": "2012-10-17", "Statement": statement})
    made = backend.create_policy(Name=f"{effect}-{action}", Description="", Type=kind, Content=content)
    if instead:
        backend.detach_policy(PolicyId="p-FullAWSAccess", TargetId=ACCOUNT)
    backend.attach_policy(PolicyId=made["Policy"]["PolicySummary"]["Id"], TargetId=ACCOUNT)


def code(call: Any, **arguments: Any) -> str:
    try:
        call(**arguments)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "allowed"


def test_a_denial_of_a_unit_above_denies_and_the_rest_stays(s3: Any) -> None:
    assert code(s3.put_object, Bucket=BUCKET, Key="a", Body=b"x") == "allowed"
    assert code(s3.delete_object, Bucket=BUCKET, Key="a") == "allowed"
    assert code(s3.delete_bucket, Bucket=BUCKET) == "AccessDenied"


def test_what_no_policy_of_a_level_allows_is_denied(s3: Any) -> None:
    attach("Allow", "s3:Put*", SERVICE, instead=True)
    assert code(s3.put_object, Bucket=BUCKET, Key="a", Body=b"x") == "allowed"
    assert code(s3.get_object, Bucket=BUCKET, Key="a") == "AccessDenied"


def test_a_resource_control_policy_denies_what_is_done_to_the_account(s3: Any) -> None:
    attach("Deny", "s3:GetObject", RESOURCE)
    assert code(s3.put_object, Bucket=BUCKET, Key="a", Body=b"x") == "allowed"
    assert code(s3.get_object, Bucket=BUCKET, Key="a") == "AccessDenied"
