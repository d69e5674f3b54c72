"""The least IAM policy that the options of a target need, to read or to push: what `info --iam-policy` prints.

Every action stands here once, beside the option that makes it necessary. `sts:GetCallerIdentity` is missing on purpose:
AWS allows it to everybody. AWS's own list of actions and the resources that they take:
https://docs.aws.amazon.com/service-authorization/latest/reference/
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from raito_pipeline.config import AccountTarget, OrganizationTarget

Mode = Literal["read", "push"]

_IAM_READ = ("iam:GetAccountAuthorizationDetails",)
_POLICY_TAGS = ("iam:ListPolicyTags",)
# AWS names the region of each bucket in the list; where a store of its own kind does not, GetBucketLocation is asked.
_BUCKETS = ("s3:GetBucketTagging",)
_ROLES_PUSH = (
    "iam:CreateRole",
    "iam:DeleteRole",
    "iam:DeleteRolePolicy",
    "iam:GetRole",
    "iam:ListAttachedRolePolicies",
    "iam:ListInstanceProfilesForRole",
    "iam:ListRolePolicies",
    "iam:PutRolePolicy",
    "iam:RemoveRoleFromInstanceProfile",
    "iam:TagRole",
    "iam:UpdateAssumeRolePolicy",
)
_POLICIES_PUSH = (
    "iam:CreatePolicy",
    "iam:CreatePolicyVersion",
    "iam:DeletePolicy",
    "iam:DeletePolicyVersion",
    "iam:GetPolicy",
    "iam:GetPolicyVersion",
    "iam:ListEntitiesForPolicy",
    "iam:ListPolicyVersions",
    "iam:TagPolicy",
)
_ATTACH = {
    "user": ("iam:AttachUserPolicy", "iam:DetachUserPolicy"),
    "group": ("iam:AttachGroupPolicy", "iam:DetachGroupPolicy"),
    "role": ("iam:AttachRolePolicy", "iam:DetachRolePolicy"),
}
_IDENTITY_STORE = (
    "identitystore:ListGroupMemberships",
    "identitystore:ListGroupMembershipsForMember",
    "identitystore:ListGroups",
    "identitystore:ListUsers",
)
_SSO = (
    "sso:DescribePermissionSet",
    "sso:ListAccountAssignments",
    "sso:ListPermissionSetsProvisionedToAccount",
    "sso:ListTagsForResource",
)

Statement = dict[str, Any]


def least_policy(
    target: AccountTarget | OrganizationTarget, mode: Mode, inventories: Iterable[str] = ()
) -> Mapping[str, Any]:
    """The policy document, as JSON values. `push` holds what reading needs, too: a push reads before it writes.

    `inventories` are the addresses of the S3 Inventories that are read in place of listing buckets.
    """
    if isinstance(target, OrganizationTarget):
        statements = list(_organization())
    else:
        statements = [*_account_read(target), *(_account_push(target) if mode == "push" else ())]
        statements += [] if target.aws_glue_enabled else _inventories(inventories)
    kept = [_in_partition(statement, target) for statement in statements if statement["Action"]]
    return {"Version": "2012-10-17", "Statement": kept}


def _in_partition(statement: Statement, target: AccountTarget | OrganizationTarget) -> Statement:
    """The statement with ARNs of China or GovCloud, where the target is there."""
    arns = [arn.replace("arn:aws:", f"arn:{target.aws_partition}:", 1) for arn in statement["Resource"]]
    return {**statement, "Resource": arns}


def _account_read(target: AccountTarget) -> Iterator[Statement]:
    account = target.account_id
    access = not (target.aws_access_skip_iam or target.skip_data_access_sync)
    if access or not target.skip_identity_store_sync:
        # The one call for everything does not take a resource.
        yield _statement("ReadIam", _IAM_READ, ["*"])
    if access and not target.aws_access_skip_managed_policies:
        yield _statement("ReadPolicyTags", _POLICY_TAGS, [f"arn:aws:iam::{account}:policy/*"])
    access_points = not (target.skip_data_access_sync or target.aws_access_skip_s3_access_points)
    listed = ["s3:ListAllMyBuckets", *(["s3:ListAccessPoints"] if access_points else [])]
    yield _statement("ListAccount", listed, ["*"])
    yield _statement("ReadBuckets", _BUCKETS, ["arn:aws:s3:::*"])
    if access_points:
        places = [f"arn:aws:s3:{region}:{account}:accesspoint/*" for region in target.regions]
        yield _statement("ReadAccessPoints", ["s3:GetAccessPointPolicy"], places)
    yield from _objects(target)
    bucket = target.aws_s3_cloudtrail_bucket
    if bucket and not target.skip_data_usage_sync:
        yield _statement("ListCloudTrailLogs", ["s3:ListBucket"], [f"arn:aws:s3:::{bucket}"])
        yield _statement("ReadCloudTrailLogs", ["s3:GetObject"], [f"arn:aws:s3:::{bucket}/*"])


def _objects(target: AccountTarget) -> Iterator[Statement]:
    if target.skip_data_source_sync and target.skip_data_usage_sync:
        return
    if target.aws_glue_enabled:
        kinds = ("catalog", "database/*", "table/*/*")
        places = [f"arn:aws:glue:{region}:{target.account_id}:{kind}" for region in target.regions for kind in kinds]
        yield _statement("ReadGlue", ["glue:GetDatabases", "glue:GetTables"], places)
    else:
        yield _statement("ListBuckets", ["s3:ListBucket"], ["arn:aws:s3:::*"])


def _inventories(addresses: Iterable[str]) -> Iterator[Statement]:
    places = sorted({address.removeprefix("s3://").rstrip("/") for address in addresses})
    if places:
        arns = [f"arn:aws:s3:::{place}/*" for place in places]
        holders = sorted({f"arn:aws:s3:::{place.partition('/')[0]}" for place in places})
        yield _statement("FindInventories", ["s3:ListBucket"], holders)
        yield _statement("ReadInventories", ["s3:GetObject"], arns)


def _account_push(target: AccountTarget) -> Iterator[Statement]:
    if target.skip_data_access_sync:
        return
    account = target.account_id
    yield _statement("PushRoles", _ROLES_PUSH, [f"arn:aws:iam::{account}:role/*"])
    yield _statement("PushPolicies", _POLICIES_PUSH, [f"arn:aws:iam::{account}:policy/*"])
    for kind, actions in _ATTACH.items():
        yield _statement(f"Attach{kind.title()}", actions, [f"arn:aws:iam::{account}:{kind}/*"])


def _organization() -> Iterator[Statement]:
    yield _statement("FindIdentityCenter", ["sso:ListInstances"], ["*"])
    yield _statement(
        "ReadPermissionSets",
        _SSO,
        ["arn:aws:sso:::instance/*", "arn:aws:sso:::permissionSet/*/*", "arn:aws:sso:::account/*"],
    )
    yield _statement("ReadPeople", _IDENTITY_STORE, ["*"])


def _statement(name: str, actions: Sequence[str], resources: Sequence[str]) -> Statement:
    return {"Sid": name, "Effect": "Allow", "Action": sorted(actions), "Resource": list(resources)}
