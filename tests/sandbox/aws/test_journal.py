import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from raito_pipeline.sandbox.aws.accounts import iam_of, install_access_key
from raito_pipeline.sandbox.aws.faults import Fault
from raito_pipeline.sandbox.aws.identity_center import set_identity_center_home
from raito_pipeline.sandbox.aws.journal import UnreadableJournal
from raito_pipeline.sandbox.aws.server import EmulatedAws, ReplayFailed
from tests.sandbox.aws.conftest import ACCOUNT, KEYS, OTHER_ACCOUNT, REGION, client_factory

INSTANCE = "arn:aws:sso:::instance/ssoins-1111222233334444"
STORE = "d-1234567890"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "glue.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
)
ALLOW = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})


class Runs:
    """Starts the emulated AWS again and again on one journal, seeded alike."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.aws: EmulatedAws | None = None

    def start(self) -> Any:
        self.stop()
        self.aws = EmulatedAws(journal=self.path)
        for account, key in KEYS.items():
            install_access_key(account, key, "a very secret key")
        set_identity_center_home(ACCOUNT, REGION, INSTANCE, STORE)
        iam_of(ACCOUNT).create_user("aws", "seeded")
        self.aws.replay_journal()
        return client_factory(self.aws)

    def stop(self) -> None:
        if self.aws is not None:
            self.aws.stop()


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    runs = Runs(tmp_path / "aws-changes.jsonl")
    yield runs
    runs.stop()


def change_much(client: Any) -> None:
    iam, sso, store, s3 = client("iam"), client("sso-admin"), client("identitystore"), client("s3")
    iam.create_role(RoleName="reader", AssumeRolePolicyDocument=TRUST)
    arn = iam.create_policy(PolicyName="read", PolicyDocument=ALLOW)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="reader", PolicyArn=arn)
    iam.create_user(UserName="gone")
    iam.delete_user(UserName="gone")
    user = store.create_user(
        IdentityStoreId=STORE, UserName="ann", DisplayName="Ann", Name={"FamilyName": "A", "GivenName": "A"}
    )["UserId"]
    permission_set = sso.create_permission_set(InstanceArn=INSTANCE, Name="Analyst")["PermissionSet"]
    sso.create_account_assignment(
        InstanceArn=INSTANCE,
        TargetId=OTHER_ACCOUNT,
        TargetType="AWS_ACCOUNT",
        PermissionSetArn=permission_set["PermissionSetArn"],
        PrincipalType="USER",
        PrincipalId=user,
    )
    s3.create_bucket(Bucket="bucket-one", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(
        Bucket="bucket-one", Key="ä/key +1", Body=bytes(range(256)), ContentType="text/x", Metadata={"a": "b"}
    )
    client("s3control").create_access_point(AccountId=ACCOUNT, Name="point", Bucket="bucket-one")
    client("glue").create_database(DatabaseInput={"Name": "db"})


def state(client: Any) -> dict[str, Any]:
    """Everything that the tests change, ids and ARNs with it, but for the times."""
    iam, sso, s3 = client("iam"), client("sso-admin"), client("s3")
    (permission_set,) = sso.list_permission_sets(InstanceArn=INSTANCE)["PermissionSets"]
    key = s3.get_object(Bucket="bucket-one", Key="ä/key +1")
    return {
        "users": [(user["UserName"], user["UserId"]) for user in iam.list_users()["Users"]],
        "roles": [(role["RoleName"], role["RoleId"]) for role in iam.list_roles()["Roles"]],
        "attached": iam.list_attached_role_policies(RoleName="reader")["AttachedPolicies"],
        "policies": [policy["PolicyId"] for policy in iam.list_policies(Scope="Local")["Policies"]],
        "permission set": permission_set,
        "people": client("identitystore").list_users(IdentityStoreId=STORE)["Users"],
        "assignments": sso.list_account_assignments(
            InstanceArn=INSTANCE, AccountId=OTHER_ACCOUNT, PermissionSetArn=permission_set
        )["AccountAssignments"],
        "provisioned": [(role["Arn"], role["RoleId"]) for role in client("iam", OTHER_ACCOUNT).list_roles()["Roles"]],
        "key": (key["Body"].read(), key["ContentType"], key["Metadata"]),
        "points": client("s3control").list_access_points(AccountId=ACCOUNT)["AccessPointList"],
        "databases": [database["Name"] for database in client("glue").get_databases()["DatabaseList"]],
    }


def test_changes_are_there_after_a_restart_with_the_same_ids(runs: Runs) -> None:
    client = runs.start()
    change_much(client)
    assert runs.aws is not None
    # The assignment is under way for a while; made again it has its effect at once.
    time.sleep(runs.aws.pace.provisioning_seconds + 0.01)
    before = state(client)
    assert before["assignments"]
    assert len(before["provisioned"]) == 1
    assert state(runs.start()) == before
    client = runs.start()
    client("iam").create_user(UserName="later")
    assert {name for name, _ in state(runs.start())["users"]} == {"seeded", "later"}


def test_ids_are_the_same_also_where_somebody_had_only_looked_before_the_first_change(runs: Runs) -> None:
    client = runs.start()
    for account in (ACCOUNT, OTHER_ACCOUNT):
        client("sso-admin", account).list_permission_sets(InstanceArn=INSTANCE)
    change_much(client)

    assert runs.aws is not None
    time.sleep(runs.aws.pace.provisioning_seconds + 0.01)
    before = state(client)
    assert state(runs.start()) == before


def test_only_changes_that_were_made_are_kept(runs: Runs) -> None:
    client = runs.start()
    assert runs.aws is not None
    client("iam").list_users()
    with pytest.raises(ClientError):
        client("iam").delete_user(UserName="nobody")
    runs.aws.faults.add(Fault(kind="error", operation="CreateUser", times=1))
    with pytest.raises(ClientError):
        client("iam").create_user(UserName="failed")
    runs.aws.faults.add(Fault(kind="drop", operation="CreateUser", times=1, after=True))
    with pytest.raises(Exception, match=r"closed|aborted"):
        client("iam").create_user(UserName="made")
    assert [json.loads(line)["operation"] for line in runs.path.read_text().splitlines()] == ["CreateUser"]
    assert [user["UserName"] for user in runs.start()("iam").list_users()["Users"]] == ["made", "seeded"]


def test_the_journal_holds_no_credentials(runs: Runs) -> None:
    change_much(runs.start())
    text = runs.path.read_text()
    assert "AKIA" not in text
    assert "Signature" not in text
    assert "secret" not in text


def test_replaying_does_not_write_the_journal_again(runs: Runs) -> None:
    change_much(runs.start())
    before = runs.path.read_bytes()
    runs.start()
    assert runs.path.read_bytes() == before


def test_a_torn_last_line_is_left_out(runs: Runs) -> None:
    runs.start()("iam").create_user(UserName="ann")
    runs.stop()
    whole = runs.path.read_bytes()
    runs.path.write_bytes(whole + whole[:50])
    client = runs.start()
    client("iam").create_user(UserName="bob")
    assert [user["UserName"] for user in runs.start()("iam").list_users()["Users"]] == ["ann", "bob", "seeded"]


def test_an_unreadable_line_is_told(runs: Runs) -> None:
    runs.path.write_text("{}\n")
    with pytest.raises(UnreadableJournal, match="line 1"):
        runs.start()


def test_a_change_that_no_longer_succeeds_is_told(runs: Runs) -> None:
    runs.start()("iam").create_user(UserName="ann")
    runs.path.write_bytes(runs.path.read_bytes() * 2)
    with pytest.raises(ReplayFailed, match=r"change 2 .*CreateUser.*EntityAlreadyExists"):
        runs.start()
