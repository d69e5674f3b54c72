"""Identity Center of the emulated AWS, and what tests do with it over and over."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from raito_pipeline.sandbox.aws.server import EmulatedAws

OTHER_ACCOUNT = "222222222222"
INSTANCE = "arn:aws:sso:::instance/ssoins-1111222233334444"
STORE = "d-1234567890"
READ = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]})
ADMIN = "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"


@dataclass
class Center:
    """Clients of the home account and what tests do over and over."""

    aws: EmulatedAws
    sso: Any
    store: Any
    iam: Any

    def user(self, name: str) -> str:
        created = self.store.create_user(
            IdentityStoreId=STORE, UserName=name, DisplayName=name, Name={"FamilyName": name, "GivenName": name}
        )
        return str(created["UserId"])

    def permission_set(self, name: str = "Analyst", **more: Any) -> str:
        created = self.sso.create_permission_set(InstanceArn=INSTANCE, Name=name, **more)
        return str(created["PermissionSet"]["PermissionSetArn"])

    def assignment(self, arn: str, principal_id: str, account: str = OTHER_ACCOUNT) -> dict[str, str]:
        return {
            "InstanceArn": INSTANCE,
            "TargetId": account,
            "TargetType": "AWS_ACCOUNT",
            "PermissionSetArn": arn,
            "PrincipalType": "USER",
            "PrincipalId": principal_id,
        }

    def assign(self, arn: str, principal_id: str, account: str = OTHER_ACCOUNT) -> Mapping[str, Any]:
        answer = self.sso.create_account_assignment(**self.assignment(arn, principal_id, account))
        started = answer["AccountAssignmentCreationStatus"]
        assert started["Status"] == "IN_PROGRESS"
        self.aws_is_settled()
        found = self.sso.describe_account_assignment_creation_status(
            InstanceArn=INSTANCE, AccountAssignmentCreationRequestId=started["RequestId"]
        )
        status: Mapping[str, Any] = found["AccountAssignmentCreationStatus"]
        return status

    def provision(self, arn: str) -> Mapping[str, Any]:
        answer = self.sso.provision_permission_set(
            InstanceArn=INSTANCE, PermissionSetArn=arn, TargetType="ALL_PROVISIONED_ACCOUNTS"
        )
        request = answer["PermissionSetProvisioningStatus"]["RequestId"]
        self.aws_is_settled()
        found = self.sso.describe_permission_set_provisioning_status(
            InstanceArn=INSTANCE, ProvisionPermissionSetRequestId=request
        )
        status: Mapping[str, Any] = found["PermissionSetProvisioningStatus"]
        return status

    def roles(self) -> list[Mapping[str, Any]]:
        return list(self.iam.list_roles(PathPrefix="/aws-reserved/")["Roles"])

    def aws_is_settled(self) -> None:
        """Wait until what AWS does in the background is done."""
        time.sleep(max(self.aws.pace.provisioning_seconds, self.aws.pace.new_role_seconds) + 0.01)
        self.aws.settle()
