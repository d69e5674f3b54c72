"""What stays of a user or role that is deleted in policies that named it: its unique id, which nobody has any more.

One that is made anew under the same name has another id, and gets nothing from those policies.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-users
"""

from typing import Any

from moto.iam.models import iam_backends
from moto.iam.responses import IamResponse
from moto.s3.models import s3_backends
from moto.s3control.models import s3control_backends

from raito_pipeline.sandbox.aws.patches.replacing import Method, replace


def patch_stale_principals() -> None:
    """Let policies name a deleted user or role by its id."""

    @replace(IamResponse, "delete_user")
    def delete_user(before: Method, self: IamResponse) -> Any:
        user = self.backend.users.get(self._get_param("UserName"))
        answer = before(self)
        make_stale(user)
        return answer

    @replace(IamResponse, "delete_role")
    def delete_role(before: Method, self: IamResponse) -> Any:
        name = self._get_param("RoleName")
        role = next((role for role in self.backend.roles.values() if role.name == name), None)
        answer = before(self)
        make_stale(role)
        return answer


def make_stale(entity: Any) -> None:
    """Put the id of a user or role that is gone in the place of its ARN: in trust, bucket and access point policies."""
    arn, unique_id = f'"{entity.arn}"', f'"{entity.id}"'
    for account in list(iam_backends.values()):
        for role in account["aws"].roles.values():
            if arn in (role.assume_role_policy_document or ""):
                role.assume_role_policy_document = role.assume_role_policy_document.replace(arn, unique_id)
    for account_id, control in list(s3control_backends.items()):
        for point in control["aws"].access_points[account_id].values():
            if point.policy and arn in point.policy:
                point.set_policy(point.policy.replace(arn, unique_id))
    for buckets in list(s3_backends.values()):
        for bucket in buckets["aws"].buckets.values():
            if bucket.policy and arn.encode() in bucket.policy:
                bucket.policy = bucket.policy.replace(arn.encode(), unique_id.encode())
