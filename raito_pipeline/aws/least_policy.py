"""The least IAM policy that the options of a target need, to read or to push: what `info --iam-policy` prints.

Actions of access provider types stand with their type, all others here, each once, beside the option that makes it
necessary. `sts:GetCallerIdentity` is missing on purpose: AWS allows it to everybody. AWS's own list of actions and the
resources that they take:
https://docs.aws.amazon.com/service-authorization/latest/reference/
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from raito_pipeline.aws.policy.rights import Right, merged
from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES, ProviderTypes
from raito_pipeline.aws.provider_types.declaration import Target
from raito_pipeline.aws.provider_types.iam_rights import READ_IAM
from raito_pipeline.aws.push.rules.narrowing import narrowed
from raito_pipeline.config import AccountTarget
from raito_pipeline.config.discovery import ACCOUNT, Discovery

Mode = Literal["read", "push"]

# AWS names the region of each bucket in the list; where a store of its own kind does not, GetBucketLocation is asked.
_BUCKETS = ("s3:GetBucketTagging",)
READ_CONTROL_POLICIES = Right(
    "OptionalReadControlPolicies",
    (
        "organizations:DescribePolicy",
        "organizations:ListParents",
        "organizations:ListPoliciesForTarget",
        "organizations:ListRoots",
    ),
    ("*",),
)
"""What a sync does without where it is not granted: it says then, once an account, that they are not known."""
_BUCKET_POLICIES = ("s3:GetBucketOwnershipControls", "s3:GetBucketPolicy", "s3:GetBucketPublicAccessBlock")
_IDENTITY_STORE = (
    "identitystore:ListGroupMemberships",
    "identitystore:ListGroupMembershipsForMember",
    "identitystore:ListGroups",
    "identitystore:ListUsers",
)


def least_policy(
    target: Target,
    mode: Mode,
    inventories: Iterable[str] = (),
    types: ProviderTypes = ACCESS_PROVIDER_TYPES,
    *,
    bucket_policies: bool = True,
    discovery: Discovery | None = None,
) -> Mapping[str, Any]:
    """The policy document, as JSON values. `push` holds what reading needs, too: a push reads before it writes.

    `inventories` are the addresses of the S3 Inventories that are read in place of listing buckets; `bucket_policies`
    says whether bucket policies are read at all; `discovery` is what the organization's accounts are discovered by.
    """
    rights = list(types.read_rights(target))
    if isinstance(target, AccountTarget):
        rights += _account_read(target)
        rights += _bucket_policies(target) if bucket_policies else ()
        rights += [] if target.aws_glue_enabled else _inventories(inventories)
        rights += types.push_rights(target) if mode == "push" and not target.skip_data_access_sync else ()
    else:
        rights.append(Right("ReadPeople", _IDENTITY_STORE, ("*",)))
        rights.append(READ_CONTROL_POLICIES)
        rights += () if discovery is None else _discovery(discovery)
        rights += types.push_rights_in_organization(target) if mode == "push" else ()
    statements: Iterable[Mapping[str, Any]] = [_statement(right, target) for right in merged(rights)]
    if isinstance(target, AccountTarget) and mode == "push":
        statements = narrowed(statements, target)
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _statement(right: Right, target: Target) -> Mapping[str, Any]:
    """The statement of a right, with ARNs of China or GovCloud, where the target is there."""
    arns = [arn.replace("arn:aws:", f"arn:{target.aws_partition}:", 1) for arn in right.resources]
    statement: dict[str, Any] = {"Sid": right.name, "Effect": "Allow", "Action": list(right.actions), "Resource": arns}
    if right.condition is not None:
        key, value = right.condition
        statement["Condition"] = {"StringEquals": {key: value}}
    return statement


def _discovery(discovery: Discovery) -> Iterator[Right]:
    """Listing the accounts, asking what a filter needs, and assuming the role in each."""
    units = ("organizations:ListAccountsForParent", "organizations:ListOrganizationalUnitsForParent")
    actions = [*units, "organizations:ListRoots"] if discovery.asks_units else ["organizations:ListAccounts"]
    actions += ["organizations:ListTagsForResource"] if discovery.asks_tags else []
    yield Right("DiscoverAccounts", tuple(actions), ("*",))
    role = discovery.role.replace(ACCOUNT, "*")
    yield Right("AssumeDiscoveredRole", ("sts:AssumeRole",), (f"arn:aws:iam::*:role/{role}",))


def _account_read(target: AccountTarget) -> Iterator[Right]:
    if not target.skip_identity_store_sync:
        yield READ_IAM
    yield Right("ListAccount", ("s3:ListAllMyBuckets",), ("*",))
    yield Right("ReadBuckets", _BUCKETS, ("arn:aws:s3:::*",))
    yield from _objects(target)
    bucket = target.aws_s3_cloudtrail_bucket
    if bucket and not target.skip_data_usage_sync:
        yield Right("ListCloudTrailLogs", ("s3:ListBucket",), (f"arn:aws:s3:::{bucket}",))
        yield Right("ReadCloudTrailLogs", ("s3:GetObject",), (f"arn:aws:s3:::{bucket}/*",))


def _bucket_policies(target: AccountTarget) -> Iterator[Right]:
    if not target.skip_data_access_sync:
        yield Right("ReadBuckets", _BUCKET_POLICIES, ("arn:aws:s3:::*",))
        # It is about the account and takes no resource.
        yield Right("ListAccount", ("s3:GetAccountPublicAccessBlock",), ("*",))


def _objects(target: AccountTarget) -> Iterator[Right]:
    if target.skip_data_source_sync and target.skip_data_usage_sync:
        return
    if target.aws_glue_enabled:
        kinds = ("catalog", "database/*", "table/*/*")
        places = (f"arn:aws:glue:{region}:{target.account_id}:{kind}" for region in target.regions for kind in kinds)
        yield Right("ReadGlue", ("glue:GetDatabases", "glue:GetTables"), tuple(places))
    else:
        yield Right("ListBuckets", ("s3:ListBucket",), ("arn:aws:s3:::*",))


def _inventories(addresses: Iterable[str]) -> Iterator[Right]:
    places = sorted({address.removeprefix("s3://").rstrip("/") for address in addresses})
    if places:
        holders = sorted({f"arn:aws:s3:::{place.partition('/')[0]}" for place in places})
        yield Right("FindInventories", ("s3:ListBucket",), tuple(holders))
        yield Right("ReadInventories", ("s3:GetObject",), tuple(f"arn:aws:s3:::{place}/*" for place in places))
