"""What answers in the place of AWS, over the wire: every operation of every protocol that a sync uses."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import botocore.session
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

import raito_pipeline
from raito_pipeline.aws.connection.answers import MEMBERS, UndeclaredOperation, is_reading
from raito_pipeline.aws.connection.clients import AwsClients, ServiceName, aws_call
from raito_pipeline.aws.connection.errors import AwsDenied, AwsUnreachable
from raito_pipeline.sandbox.aws import pace
from raito_pipeline.sandbox.aws.accounts import install_access_key
from raito_pipeline.sandbox.aws.faults import Fault, Kind
from raito_pipeline.sandbox.aws.server import EmulatedAws
from tests.aws.conftest import READ_ACCOUNT
from tests.aws_profile import use_profile, write_profile

POLICY = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*",'
    '"Resource":"arn:aws:s3:::data/*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}'
)
CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("iam", "list_users", {}),
    ("sts", "get_caller_identity", {}),
    ("s3", "list_buckets", {}),
    ("s3", "list_objects_v2", {"Bucket": "data"}),
    ("s3", "get_bucket_location", {"Bucket": "data"}),
    ("s3", "get_bucket_policy", {"Bucket": "data"}),
    ("s3", "get_public_access_block", {"Bucket": "data"}),
    ("s3", "get_bucket_ownership_controls", {"Bucket": "data"}),
    ("s3", "get_object", {"Bucket": "data", "Key": "a/b"}),
    ("s3control", "get_public_access_block", {"AccountId": READ_ACCOUNT}),
    ("s3control", "list_access_points", {"AccountId": READ_ACCOUNT}),
    ("glue", "get_databases", {}),
    ("sso-admin", "list_instances", {}),
    ("sso-admin", "list_permission_sets_provisioned_to_account", {"InstanceArn": "", "AccountId": READ_ACCOUNT}),
]
FOREIGN: dict[str, tuple[Kind, int]] = {
    "a page": ("page", 0),
    "a page with 403": ("page", 403),
    "a page with 407": ("page", 407),
    "a page with 302": ("page", 302),
    "a page with 503": ("page", 503),
    "an empty body": ("empty", 0),
    "an empty body with 403": ("empty", 403),
    "a stub": ("stub", 0),
    "a stub with 404": ("stub", 404),
    "half the text": ("half", 0),
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[EmulatedAws, dict[int, AwsClients]]]:
    """An account with a bucket and an object, and clients by the number of attempts: made once, as they take long."""
    with EmulatedAws() as aws, pytest.MonkeyPatch.context() as patch:
        key = "AKIAREADREADREADREAD"
        install_access_key(READ_ACCOUNT, key, "not-a-secret")
        use_profile(patch, write_profile(tmp_path_factory.mktemp("profile"), aws.endpoint_url, key=key))
        clients = {attempts: AwsClients("there", attempts=attempts) for attempts in (1, 2)}
        s3 = clients[1].client("s3")
        s3.create_bucket(Bucket="data")
        s3.put_object(Bucket="data", Key="a/b", Body=b"0123456789")
        s3.put_bucket_policy(Bucket="data", Policy=POLICY)
        _close(clients[1])
        yield aws, clients


@pytest.fixture
def aws(running: tuple[EmulatedAws, dict[int, AwsClients]]) -> Iterator[EmulatedAws]:
    yield running[0]
    running[0].faults.clear()


@pytest.fixture
def clients(running: tuple[EmulatedAws, dict[int, AwsClients]]) -> AwsClients:
    return running[1][1]


@pytest.fixture
def trying_twice(running: tuple[EmulatedAws, dict[int, AwsClients]]) -> AwsClients:
    return running[1][2]


def call(clients: AwsClients, service: Any, method: str, request: dict[str, Any]) -> Any:
    if request.get("InstanceArn") == "":
        arn = clients.client("sso-admin").list_instances()["Instances"][0]["InstanceArn"]
        request = {**request, "InstanceArn": arn}
    with aws_call(f"{service}:{method}", "it"):
        return getattr(clients.client(service), method)(**request)


@pytest.mark.parametrize("foreign", FOREIGN)
@pytest.mark.parametrize(("service", "method", "request_"), CALLS, ids=[f"{row[0]}-{row[1]}" for row in CALLS])
def test_what_is_not_aws_is_an_error_that_says_so(
    aws: EmulatedAws, clients: AwsClients, service: Any, method: str, request_: dict[str, Any], foreign: str
) -> None:
    kind, status = FOREIGN[foreign]
    if method in ("get_object", "get_bucket_location") and kind == "half":
        pytest.skip("half a file is found by whoever reads it, half an empty element is none")
    operation = "".join(word.title() for word in method.split("_"))
    aws.faults.add(Fault(kind=kind, status=status, operation=operation))
    with pytest.raises(AwsUnreachable, match=r"what answered was not AWS.*proxy") as caught:
        call(clients, service, method, request_)
    assert caught.value.retryable
    assert "Web gateway" not in str(caught.value)


@pytest.mark.parametrize(("service", "method", "request_"), CALLS, ids=[f"{row[0]}-{row[1]}" for row in CALLS])
def test_what_is_not_aws_is_tried_again_as_a_server_error_is(
    aws: EmulatedAws, trying_twice: AwsClients, service: Any, method: str, request_: dict[str, Any]
) -> None:
    clean = call(trying_twice, service, method, request_)
    operation = "".join(word.title() for word in method.split("_"))
    aws.faults.add(Fault(kind="page", operation=operation, times=1))
    again = call(trying_twice, service, method, request_)
    for answer in (clean, again):
        answer.pop("ResponseMetadata")
        answer.pop("Body", None)
    assert again == clean


def test_what_aws_refuses_is_still_refused_by_aws(aws: EmulatedAws, clients: AwsClients) -> None:
    aws.faults.add(Fault(kind="deny"))
    for service, method, request in CALLS[:-1]:
        with pytest.raises(AwsDenied):
            call(clients, service, method, request)


def test_an_error_of_s3_with_status_200_is_the_error_that_it_names(aws: EmulatedAws, clients: AwsClients) -> None:
    aws.faults.add(Fault(kind="error", status=200, operation="ListBuckets"))
    with pytest.raises(AwsUnreachable, match="InternalError"):
        call(clients, "s3", "list_buckets", {})


def test_changes_are_asked_as_well(aws: EmulatedAws, clients: AwsClients) -> None:
    iam = clients.client("iam")
    iam.create_user(UserName="bob")
    aws.faults.add(Fault(kind="page", operation="DeleteUser"))
    with pytest.raises(ClientError, match="HTML page"):
        iam.delete_user(UserName="bob")


def test_an_operation_that_nobody_declared_is_not_called(aws: EmulatedAws, clients: AwsClients) -> None:
    with pytest.raises(UndeclaredOperation, match="iam:ListServerCertificates"):
        clients.client("iam").list_server_certificates()
    assert aws.calls.count("iam", "ListServerCertificates") == 0


SIGN_IN = ("sso:GetRoleCredentials", "sso-oidc:CreateToken", "sts:AssumeRoleWithWebIdentity")
"""what the emulated AWS is not asked for: the SDK's own ways to credentials"""


@pytest.mark.parametrize("operation", [name for name in MEMBERS if name not in SIGN_IN])
def test_the_emulated_aws_answers_with_all_that_aws_sends(
    clients: AwsClients, filled: dict[str, dict[str, Any]], operation: str
) -> None:
    """Also where a list is empty: what the emulator leaves out would look like no answer."""
    service, name = operation.split(":")
    call(clients, service, xform_name(name), filled[operation])


OF_A_PERMISSION_SET = (
    "GetInlinePolicyForPermissionSet",
    "ListAccountsForProvisionedPermissionSet",
    "ListCustomerManagedPolicyReferencesInPermissionSet",
    "ListManagedPoliciesInPermissionSet",
)


def _asynchronous(sso: Any, permission_set: dict[str, str], user: str) -> dict[str, tuple[str, str]]:
    """Requests that Identity Center works on: how each is asked about, and its id."""
    whom = permission_set | {"PrincipalType": "USER", "PrincipalId": user}
    target = {"TargetType": "AWS_ACCOUNT", "TargetId": READ_ACCOUNT}
    with pace.instantly():
        made = sso.create_account_assignment(**whom, **target)["AccountAssignmentCreationStatus"]["RequestId"]
        brought = sso.provision_permission_set(**permission_set, **target)["PermissionSetProvisioningStatus"]
        gone = sso.delete_account_assignment(**whom, **target)["AccountAssignmentDeletionStatus"]["RequestId"]
    return {
        "DescribeAccountAssignmentCreationStatus": ("AccountAssignmentCreationRequestId", made),
        "DescribeAccountAssignmentDeletionStatus": ("AccountAssignmentDeletionRequestId", gone),
        "DescribePermissionSetProvisioningStatus": ("ProvisionPermissionSetRequestId", brought["RequestId"]),
    }


def _close(clients: AwsClients) -> None:
    """Public access blocks of the bucket and of the account, and ACLs off."""
    s3, block = clients.client("s3"), {"RestrictPublicBuckets": True}
    s3.put_public_access_block(Bucket="data", PublicAccessBlockConfiguration=block)  # type: ignore[arg-type]
    rules: Any = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    s3.put_bucket_ownership_controls(Bucket="data", OwnershipControls=rules)
    control = clients.client("s3control")
    control.put_public_access_block(AccountId=READ_ACCOUNT, PublicAccessBlockConfiguration=block)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def filled(running: tuple[EmulatedAws, dict[int, AwsClients]]) -> dict[str, dict[str, Any]]:
    """One of each thing that can be asked for, and the arguments of each operation to ask for it."""
    clients = running[1][1]
    iam, everything = clients.client("iam"), {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": READ_ACCOUNT}}
    document = json.dumps({"Version": "2012-10-17", "Statement": [everything]})
    names = {"User": "ann", "Group": "team", "Role": "reader"}
    iam.create_user(UserName=names["User"])
    iam.create_group(GroupName=names["Group"])
    trusting = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam.create_role(RoleName=names["Role"], AssumeRolePolicyDocument=trusting)
    iam.create_instance_profile(InstanceProfileName="profile")
    arn = iam.create_policy(PolicyName="p", PolicyDocument=document)["Policy"]["Arn"]
    clients.client("s3").put_bucket_tagging(Bucket="data", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    clients.client("glue").create_database(DatabaseInput={"Name": "d"})
    control = clients.client("s3control")
    control.create_access_point(AccountId=READ_ACCOUNT, Name="point", Bucket="data")
    point = f"arn:aws:s3:us-east-1:{READ_ACCOUNT}:accesspoint/point"
    owner = {"AWS": f"arn:aws:iam::{READ_ACCOUNT}:root"}
    allowing = {"Effect": "Allow", "Principal": owner, "Action": "s3:GetObject", "Resource": f"{point}/object/*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowing]})
    control.put_access_point_policy(AccountId=READ_ACCOUNT, Name="point", Policy=policy)
    sso = clients.client("sso-admin")
    instance = sso.list_instances()["Instances"][0]
    here = {"InstanceArn": instance["InstanceArn"]}
    made = sso.create_permission_set(Name="set", **here)["PermissionSet"]["PermissionSetArn"]
    store = {"IdentityStoreId": instance["IdentityStoreId"]}
    people = clients.client("identitystore")
    name = {"Name": {"FamilyName": "a", "GivenName": "b"}, "DisplayName": "ann"}
    user = people.create_user(UserName="ann", **name, **store)["UserId"]
    group = people.create_group(DisplayName="team", **store)["GroupId"]
    clients.client("s3").put_bucket_policy(Bucket="data", Policy=policy.replace(f"{point}/object", "arn:aws:s3:::data"))
    organizations = clients.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    (root,) = organizations.list_roots()["Roots"]
    asked = _asynchronous(sso, here | {"PermissionSetArn": made}, user)
    arguments: dict[str, dict[str, Any]] = {operation: {} for operation in MEMBERS}
    for kind, one in names.items():
        arguments |= {f"iam:{verb}": {f"{kind}Name": one} for verb in (f"Get{kind}", f"List{kind}Policies")}
        arguments[f"iam:ListAttached{kind}Policies"] = {f"{kind}Name": one}
        getattr(iam, f"put_{kind.lower()}_policy")(PolicyName="in", PolicyDocument=document, **{f"{kind}Name": one})
        arguments[f"iam:Get{kind}Policy"] = {f"{kind}Name": one, "PolicyName": "in"}
    for operation in ("ListAccountsForParent", "ListOrganizationalUnitsForParent"):
        arguments[f"organizations:{operation}"] = {"ParentId": root["Id"]}
    arguments["organizations:ListTagsForResource"] = {"ResourceId": root["Id"]}
    for operation in ("GetPolicy", "ListPolicyVersions", "ListPolicyTags", "ListEntitiesForPolicy"):
        arguments[f"iam:{operation}"] = {"PolicyArn": arn}
    arguments |= {
        "glue:GetTables": {"DatabaseName": "d"},
        "iam:GetInstanceProfile": {"InstanceProfileName": "profile"},
        "iam:GetPolicyVersion": {"PolicyArn": arn, "VersionId": "v1"},
        "iam:ListInstanceProfilesForRole": {"RoleName": names["Role"]},
        "identitystore:ListGroupMemberships": {**store, "GroupId": group},
        "identitystore:ListGroupMembershipsForMember": {**store, "MemberId": {"UserId": user}},
        "identitystore:ListGroups": store,
        "identitystore:ListUsers": store,
        "organizations:DescribePolicy": {"PolicyId": "p-FullAWSAccess"},
        "organizations:ListParents": {"ChildId": READ_ACCOUNT},
        "organizations:ListPoliciesForTarget": {"TargetId": root["Id"], "Filter": "RESOURCE_CONTROL_POLICY"},
        "s3:GetObject": {"Bucket": "data", "Key": "a/b"},
        "s3:GetBucketPolicy": {"Bucket": "data"},
        "s3:GetBucketOwnershipControls": {"Bucket": "data"},
        "s3:GetPublicAccessBlock": {"Bucket": "data"},
        "s3control:GetPublicAccessBlock": {"AccountId": READ_ACCOUNT},
        "s3control:GetAccessPoint": {"AccountId": READ_ACCOUNT, "Name": "point"},
        "s3control:ListTagsForResource": {"AccountId": READ_ACCOUNT, "ResourceArn": point},
        **{f"sso-admin:{status}": here | {id_: of} for status, (id_, of) in asked.items()},
        **{f"sso-admin:{name}": {**here, "PermissionSetArn": made} for name in OF_A_PERMISSION_SET},
        "s3control:GetAccessPointPolicy": {"AccountId": READ_ACCOUNT, "Name": "point"},
        "s3control:ListAccessPoints": {"AccountId": READ_ACCOUNT},
        "sso-admin:DescribePermissionSet": {**here, "PermissionSetArn": made},
        "sso-admin:ListAccountAssignments": {**here, "PermissionSetArn": made, "AccountId": READ_ACCOUNT},
        "sso-admin:ListPermissionSets": here,
        "sso-admin:ListPermissionSetsProvisionedToAccount": {**here, "AccountId": READ_ACCOUNT},
        "sso-admin:ListTagsForResource": {**here, "ResourceArn": made},
        "sts:AssumeRole": {"RoleArn": f"arn:aws:iam::{READ_ACCOUNT}:role/reader", "RoleSessionName": "reader"},
    }
    for operation in ("GetBucketLocation", "GetBucketTagging", "HeadBucket", "ListObjectsV2"):
        arguments[f"s3:{operation}"] = {"Bucket": "data"}
    return arguments


_CALLED = re.compile(r"""client\([^()]*\)\.([a-z][a-z0-9_]+)\(|\.(?:get|items|pages|_call|_tags)\(\s*"([A-Z]\w+)\"""")
_CALLED_ANYHOW = re.compile(r"""client\([^()]*\)\.([a-z][a-z0-9_]+)\(|\w\(\s*"([A-Z]\w+)\"""")


def sources() -> Iterator[tuple[str, str]]:
    """The folder (below `raito_pipeline/aws`) and the text of each module about AWS."""
    root = Path(raito_pipeline.__file__).parent / "aws"
    for file in root.rglob("*.py"):
        yield file.parent.relative_to(root).as_posix(), file.read_text("utf-8")


def test_every_reading_operation_that_the_sources_name_is_declared() -> None:
    """Those whose names are put together, and those of a library, are refused when they are called."""
    called = {xform_name(name) or method for _, text in sources() for method, name in _CALLED.findall(text)}
    reading = {name for name in called if is_reading("".join(word.title() for word in name.split("_")))}
    declared = {xform_name(name.partition(":")[2]) for name in MEMBERS}
    assert reading - declared == set()
    assert len(reading) > 20


def test_only_what_a_push_calls_changes_something_in_aws() -> None:
    session = botocore.session.get_session()
    models = (session.get_service_model(service) for service in get_args(ServiceName))
    writing = {name for model in models for name in model.operation_names if not is_reading(name)}
    methods = {xform_name(name) for name in writing}
    named = {
        name or method: folder
        for folder, text in sources()
        for method, name in _CALLED_ANYHOW.findall(text)
        if name in writing or method in methods
    }

    assert set(named.values()) == {"push/calls"}
    assert len(named) > 15


@pytest.mark.parametrize("operation", MEMBERS)
def test_what_an_answer_carries_is_in_the_model_of_its_service(operation: str) -> None:
    service, name = operation.split(":")
    shape = botocore.session.get_session().get_service_model(service).operation_model(name).output_shape
    assert shape is not None
    assert set(MEMBERS[operation]) <= set(shape.members)
