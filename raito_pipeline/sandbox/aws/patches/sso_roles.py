"""What Identity Center does in the accounts: the `AWSReservedSSO_` role of every permission set that is used there.

https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
"""

import hashlib
import json
from typing import Any

from moto.iam.exceptions import NotFoundException
from moto.iam.models import IAMBackend, Role
from moto.ssoadmin.models import PermissionSet, SSOAdminBackend

from raito_pipeline.sandbox.aws.accounts import iam_of
from raito_pipeline.sandbox.aws.pace import current_pace
from raito_pipeline.sandbox.aws.patches.principals import known_from
from raito_pipeline.sandbox.aws.patches.stale_principals import make_stale

_PATH = "/aws-reserved/sso.amazonaws.com/"
_INLINE_POLICY = "AwsSSOInlinePolicy"
# Identity Center's roles allow twelve hours; the permission set's own limit is kept by Identity Center.
_SESSION_SECONDS = 43_200
# A permission set may have 20 policies; a role of an account may have 10 unless its quota was raised.
_MOST_ATTACHED = 10


class ProvisioningFailed(Exception):
    """Identity Center could not bring a permission set into an account; the text is its failure reason."""


def role_name(permission_set: PermissionSet, account_id: str) -> str:
    """The name of the permission set's role in the account, the same each time."""
    permission_set_id = permission_set.permission_set_arn.rpartition("/")[2]
    return (
        f"AWSReservedSSO_{permission_set.name}_{_hex(f'{permission_set.instance_arn}/{permission_set_id}{account_id}')}"
    )


def role_path(region: str) -> str:
    """The path of all such roles; the home region stands in it, except for us-east-1."""
    return _PATH if region == "us-east-1" else f"{_PATH}{region}/"


def provision_role(sso: SSOAdminBackend, permission_set: PermissionSet, account_id: str) -> None:
    """Create the role or bring it up to date. ProvisioningFailed if a customer-managed policy is missing there."""
    iam = iam_of(account_id)
    arns = _policy_arns(iam, permission_set)
    role = find_role(permission_set, account_id) or _create_role(sso, iam, permission_set)
    for arn in set(role.managed_policies) - set(arns):
        role.managed_policies[arn].detach_from(role)
    for arn in arns:
        iam.attach_role_policy(arn, role.name)
    role.policies = {_INLINE_POLICY: permission_set.inline_policy} if permission_set.inline_policy else {}
    role.description = permission_set.description
    role.permissions_boundary_arn = _boundary_arn(account_id, getattr(permission_set, "boundary", None))


def remove_role(permission_set: PermissionSet, account_id: str) -> None:
    """Take the role out of the account; does nothing where there is none."""
    role = find_role(permission_set, account_id)
    if role is None:
        return
    for policy in list(role.managed_policies.values()):
        policy.detach_from(role)
    del iam_of(account_id).roles[role.id]
    make_stale(role)


def find_role(permission_set: PermissionSet, account_id: str) -> Role | None:
    """The permission set's role in the account, if it was provisioned."""
    try:
        return iam_of(account_id).get_role(role_name(permission_set, account_id))
    except NotFoundException:
        return None


def role_known_from(permission_set: PermissionSet, account_id: str, provisioned_at: float) -> None:
    """The role was made at this time of `time.monotonic`; it is a valid principal only some time later."""
    role = find_role(permission_set, account_id)
    if role is not None:
        known_from(role, provisioned_at + current_pace().new_role_seconds)


def _create_role(sso: SSOAdminBackend, iam: IAMBackend, permission_set: PermissionSet) -> Role:
    provider = f"AWSSSO_{_hex(sso.instances[0].instance_arn + iam.account_id)}_DO_NOT_DELETE"
    if provider not in iam.saml_providers:
        iam.create_saml_provider(provider, "<EntityDescriptor/>")
    return iam.create_role(
        role_name=role_name(permission_set, iam.account_id),
        assume_role_policy_document=json.dumps(_trust(iam.account_id, provider)),
        path=role_path(sso.region_name),
        permissions_boundary=None,
        description=permission_set.description,
        tags=[],
        max_session_duration=str(_SESSION_SECONDS),
    )


def _trust(account_id: str, provider: str) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Federated": f"arn:aws:iam::{account_id}:saml-provider/{provider}"},
                "Action": ["sts:AssumeRoleWithSAML", "sts:TagSession"],
                "Condition": {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}},
            }
        ],
    }


def _policy_arns(iam: IAMBackend, permission_set: PermissionSet) -> list[str]:
    arns = [policy.arn for policy in permission_set.managed_policies]
    for policy in permission_set.customer_managed_policies:
        arn = f"arn:aws:iam::{iam.account_id}:policy{policy.path}{policy.name}"
        if arn not in iam.managed_policies:
            raise ProvisioningFailed(f"Received a 404 status error: Policy {arn} does not exist or is not attachable.")
        arns.append(arn)
    if len(arns) > _MOST_ATTACHED:
        raise ProvisioningFailed(
            f"Received a 409 status error: Cannot exceed quota for PoliciesPerRole: {_MOST_ATTACHED}"
        )
    return arns


def _boundary_arn(account_id: str, boundary: dict[str, Any] | None) -> str | None:
    if not boundary:
        return None
    if "ManagedPolicyArn" in boundary:
        return str(boundary["ManagedPolicyArn"])
    reference = boundary["CustomerManagedPolicyReference"]
    return f"arn:aws:iam::{account_id}:policy{reference.get('Path', '/')}{reference['Name']}"


def _hex(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
