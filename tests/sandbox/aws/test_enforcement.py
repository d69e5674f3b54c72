import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from raito_pipeline.sandbox.aws.accounts import iam_of
from raito_pipeline.sandbox.aws.enforcement import create_limited_credentials, enforce_iam
from raito_pipeline.sandbox.aws.server import EmulatedAws
from tests.sandbox.aws.conftest import ACCOUNT, REGION, ClientOf, without_account_in_host

BUCKET = "bucket-one"


def allow(action: str, resource: str = "*") -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource}]}


@pytest.fixture
def limited(aws: EmulatedAws, client: ClientOf) -> Iterator[Any]:
    """Clients that may list users and read one folder of one bucket."""
    s3 = client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    for key in ("open/key", "closed/key"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")
    policies = {"users": allow("iam:ListUsers"), "open": allow("s3:GetObject", f"arn:aws:s3:::{BUCKET}/open/*")}
    key, secret = create_limited_credentials(ACCOUNT, policies)
    enforce_iam(aws, on=True)

    def client_of(service: str, own_secret: str = secret) -> Any:
        session = boto3.Session(key, own_secret, region_name=REGION)
        config = Config(retries={"total_max_attempts": 1})
        made = session.client(service, endpoint_url=aws.endpoint_url, config=config)  # type: ignore[call-overload]
        made.meta.events.register("before-call.s3-control", without_account_in_host)
        return made

    yield client_of
    enforce_iam(aws, on=False)


def code(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return str(caught.value.response["Error"]["Code"])


def test_what_is_allowed_works_and_nothing_else(limited: Any) -> None:
    assert [user["UserName"] for user in limited("iam").list_users()["Users"]] == ["limited"]
    assert code(limited("iam").list_roles) == "AccessDenied"
    assert limited("s3").get_object(Bucket=BUCKET, Key="open/key")["Body"].read() == b"x"
    assert code(limited("s3").get_object, Bucket=BUCKET, Key="closed/key") == "AccessDenied"
    assert code(limited("s3").put_object, Bucket=BUCKET, Key="open/key") == "AccessDenied"
    assert code(limited("s3").list_objects_v2, Bucket=BUCKET) == "AccessDenied"
    assert code(limited("s3").list_buckets) == "AccessDenied"
    assert code(limited("glue").get_databases) == "AccessDeniedException"
    assert code(limited("s3control").list_access_points, AccountId=ACCOUNT) == "AccessDenied"
    assert code(limited("sso-admin").list_instances) == "AccessDeniedException"


def test_a_wrong_secret_is_refused(limited: Any) -> None:
    assert code(limited("iam", "wrong").list_users) == "SignatureDoesNotMatch"


def test_everything_is_allowed_again_afterwards(limited: Any, aws: EmulatedAws) -> None:
    enforce_iam(aws, on=False)
    assert limited("iam").list_roles()["Roles"] == []


def test_parts_of_a_bucket_need_rights_of_their_own(limited: Any) -> None:
    """Whoever may not list a bucket may still read its ownership controls and its public access block."""
    statement = allow("s3:GetBucketOwnershipControls", f"arn:aws:s3:::{BUCKET}")["Statement"][0]
    block = allow("s3:GetBucketPublicAccessBlock", f"arn:aws:s3:::{BUCKET}")["Statement"][0]
    s3 = limited("s3")
    assert code(s3.get_bucket_ownership_controls, Bucket=BUCKET) == "AccessDenied"
    iam = iam_of(ACCOUNT)
    iam.put_user_policy("limited", "parts", json.dumps({"Version": "2012-10-17", "Statement": [statement, block]}))
    assert code(s3.get_bucket_ownership_controls, Bucket=BUCKET) == "OwnershipControlsNotFoundError"
    assert code(s3.get_public_access_block, Bucket=BUCKET) == "NoSuchPublicAccessBlockConfiguration"
