"""The IAM actions that calls of AWS need, and policies as the emulated AWS can enforce them."""

import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from raito_pipeline.sandbox.aws.call_log import Call

_DOCUMENTED = Path(__file__).parent / "documented"
_SERVICES = {"s3control": "s3"}
_OPERATIONS = {
    ("s3", "ListBuckets"): ("s3:ListAllMyBuckets",),
    ("s3", "ListObjectsV2"): ("s3:ListBucket",),
    ("s3", "ListMultipartUploads"): ("s3:ListBucketMultipartUploads",),
    ("s3", "CreateMultipartUpload"): ("s3:PutObject",),
    ("s3", "UploadPart"): ("s3:PutObject",),
    ("s3", "CompleteMultipartUpload"): ("s3:PutObject",),
    ("s3", "GetPublicAccessBlock"): ("s3:GetBucketPublicAccessBlock",),
    ("s3control", "GetPublicAccessBlock"): ("s3:GetAccountPublicAccessBlock",),
    # What is tagged while it is made needs the right to tag, too.
    ("iam", "CreateRole"): ("iam:CreateRole", "iam:TagRole"),
    ("s3control", "CreateAccessPoint"): ("s3:CreateAccessPoint", "s3:TagResource"),
    ("iam", "CreatePolicy"): ("iam:CreatePolicy", "iam:TagPolicy"),
}
_FREE = frozenset({"sts:GetCallerIdentity", "cognito-idp:InitiateAuth"})


def actions_of(calls: Iterable[Call]) -> set[str]:
    """The actions that the calls needed. What needs no permission is left out."""
    found: set[str] = set()
    for call in calls:
        plain = f"{_SERVICES.get(call.service, call.service)}:{call.operation}"
        found.update(_OPERATIONS.get((call.service, call.operation), (plain,)))
    return found - _FREE


def actions_in(policy: Mapping[str, Any]) -> set[str]:
    """The actions that a policy allows."""
    return {action for statement in policy["Statement"] for action in statement["Action"]}


@cache
def documented(name: str) -> Mapping[str, Any]:
    """The policy that Raito's guide tells users to attach: `account` or `organization`."""
    policy: Mapping[str, Any] = json.loads((_DOCUMENTED / f"{name}.json").read_text("utf-8"))
    return policy


def enforceable(policy: Mapping[str, Any], without: str = "") -> dict[str, Any]:
    """The policy, less one action, as the emulated AWS can enforce it.

    It knows the resources of S3 buckets and objects only, and no conditions.
    """
    statements = []
    for statement in policy["Statement"]:
        actions = [action for action in statement["Action"] if action != without]
        exact = all(a.startswith("s3:") and "AccessPoint" not in a for a in statement["Action"])
        if actions:
            resource = statement["Resource"] if exact else "*"
            statements.append({"Effect": "Allow", "Action": actions, "Resource": resource})
    return {"Version": "2012-10-17", "Statement": statements}
