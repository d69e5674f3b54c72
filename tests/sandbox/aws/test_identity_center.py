"""People of Identity Center in an account, by what is assigned to them."""

import json
from collections.abc import Callable, Iterator
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from raito_pipeline.sandbox.aws.enforcement import enforce_iam
from raito_pipeline.sandbox.aws.identity_center import NotAssigned, person_credentials
from tests.sandbox.aws.center import INSTANCE, STORE, Center
from tests.sandbox.aws.conftest import ACCOUNT, OTHER_ACCOUNT, REGION, ClientOf, code

BUCKET = "their-data"
Reads = Callable[[str, str], str]


def policy(folder: str) -> str:
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/{folder}/*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def arn(center: Center, client: ClientOf) -> Iterator[str]:
    """A permission set for the folder eu, and the bucket with two folders, while IAM is enforced."""
    s3 = client("s3", OTHER_ACCOUNT)
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    for key in ("eu/1.csv", "us/1.csv"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")
    arn = center.permission_set()
    place = {"InstanceArn": INSTANCE, "PermissionSetArn": arn}
    center.sso.put_inline_policy_to_permission_set(**place, InlinePolicy=policy("eu"))
    yield arn
    enforce_iam(center.aws, on=False)


@pytest.fixture
def reads(center: Center, client: ClientOf) -> Reads:
    """Whether a person can read a key, with new credentials, under enforcement."""

    def read(person: str, key: str) -> str:
        credentials = person_credentials(OTHER_ACCOUNT, "Analyst", person)
        enforce_iam(center.aws, on=True)
        answer = code(client("s3", credentials=credentials).get_object, Bucket=BUCKET, Key=key)
        enforce_iam(center.aws, on=False)
        return answer

    return read


def test_a_person_reads_through_the_reserved_role_what_is_granted_and_nothing_beside(
    center: Center, arn: str, reads: Reads
) -> None:
    center.assign(arn, center.user("ann"))
    assert (reads("ann", "eu/1.csv"), reads("ann", "us/1.csv")) == ("done", "AccessDenied")
    place = {"InstanceArn": INSTANCE, "PermissionSetArn": arn}
    center.sso.put_inline_policy_to_permission_set(**place, InlinePolicy=policy("us"))
    assert (reads("ann", "eu/1.csv"), reads("ann", "us/1.csv")) == ("done", "AccessDenied")
    center.provision(arn)
    assert (reads("ann", "eu/1.csv"), reads("ann", "us/1.csv")) == ("AccessDenied", "done")


def test_a_referenced_policy_grants_once_it_is_provisioned(center: Center, arn: str, reads: Reads) -> None:
    center.assign(arn, center.user("ann"))
    center.iam.create_policy(PolicyName="us", PolicyDocument=policy("us"))
    center.sso.attach_customer_managed_policy_reference_to_permission_set(
        InstanceArn=INSTANCE, PermissionSetArn=arn, CustomerManagedPolicyReference={"Name": "us"}
    )
    assert reads("ann", "us/1.csv") == "AccessDenied"
    center.provision(arn)
    assert (reads("ann", "us/1.csv"), reads("ann", "eu/1.csv")) == ("done", "done")


def test_a_group_stands_for_its_members(center: Center, arn: str, reads: Reads) -> None:
    ann, _bob = center.user("ann"), center.user("bob")
    group = center.store.create_group(IdentityStoreId=STORE, DisplayName="team")["GroupId"]
    center.store.create_group_membership(IdentityStoreId=STORE, GroupId=group, MemberId={"UserId": ann})
    center.sso.create_account_assignment(**center.assignment(arn, group) | {"PrincipalType": "GROUP"})
    center.aws_is_settled()
    assert reads("ann", "eu/1.csv") == "done"
    with pytest.raises(NotAssigned):
        reads("bob", "eu/1.csv")


def test_a_revocation_takes_the_portal_away_and_the_last_one_the_role(
    center: Center, client: ClientOf, arn: str
) -> None:
    ann = center.user("ann")
    center.assign(arn, ann)
    old = person_credentials(OTHER_ACCOUNT, "Analyst", "ann")
    center.sso.delete_account_assignment(**center.assignment(arn, ann))
    center.aws_is_settled()
    with pytest.raises(NotAssigned):
        person_credentials(OTHER_ACCOUNT, "Analyst", "ann")
    enforce_iam(center.aws, on=True)
    assert code(client("s3", credentials=old).get_object, Bucket=BUCKET, Key="eu/1.csv") == "AccessDenied"


def test_nobody_has_what_is_not_assigned_in_that_account(center: Center, arn: str) -> None:
    center.assign(arn, center.user("ann"))
    for account, name, person in ((ACCOUNT, "Analyst", "ann"), (OTHER_ACCOUNT, "Other", "ann"), (ACCOUNT, "A", "bob")):
        with pytest.raises(NotAssigned):
            person_credentials(account, name, person)


def test_other_processes_ask_over_http(center: Center, arn: str) -> None:
    center.assign(arn, center.user("ann"))
    address = f"{center.aws.endpoint_url}/sandbox-api/credentials?"
    asked = {"account": OTHER_ACCOUNT, "permission_set": "Analyst", "user": "ann"}
    with urlopen(address + urlencode(asked)) as answer:
        assert set(json.load(answer)) == {"access_key_id", "secret_access_key", "session_token"}
    for wrong, status in ((asked | {"user": "bob"}, 403), ({"account": ACCOUNT}, 400)):
        with pytest.raises(HTTPError) as caught:
            urlopen(address + urlencode(wrong))
        assert caught.value.code == status
