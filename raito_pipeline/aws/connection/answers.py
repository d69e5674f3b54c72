"""Is it AWS that answered, and is the answer whole? Asked of every call of a session, before anybody reads it.

A proxy's page with status 200, an empty body, `{}` or half a text are read by botocore as "nothing there". Here they
become failures of the call: tried again as a server error is, and then an error that says so. Each reading operation
stands in `MEMBERS` with what every real answer to it carries, however little there is to tell.
"""

import json
import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

from botocore.exceptions import ClientError
from botocore.model import OperationModel

NOT_AWS = "RaitoNotAnAnswer"
"""Member of an error response that says why the answer was not one of AWS."""
LISTED = "RaitoListed"
"""Member that stands for a page of keys which `readers.s3_listing` read without botocore's parser."""

MEMBERS: Mapping[str, tuple[str, ...]] = {
    "glue:GetDatabases": ("DatabaseList",),
    "glue:GetTables": ("TableList",),
    "iam:GetAccountAuthorizationDetails": ("IsTruncated",),
    "iam:GetGroup": ("Group", "IsTruncated", "Users"),
    "iam:GetGroupPolicy": ("GroupName", "PolicyDocument", "PolicyName"),
    "iam:GetInstanceProfile": ("InstanceProfile",),
    "iam:GetPolicy": ("Policy",),
    "iam:GetPolicyVersion": ("PolicyVersion",),
    "iam:GetRole": ("Role",),
    "iam:GetRolePolicy": ("PolicyDocument", "PolicyName", "RoleName"),
    "iam:GetUser": ("User",),
    "iam:GetUserPolicy": ("PolicyDocument", "PolicyName", "UserName"),
    "iam:ListAttachedGroupPolicies": ("AttachedPolicies", "IsTruncated"),
    "iam:ListAttachedRolePolicies": ("AttachedPolicies", "IsTruncated"),
    "iam:ListAttachedUserPolicies": ("AttachedPolicies", "IsTruncated"),
    "iam:ListEntitiesForPolicy": ("IsTruncated", "PolicyGroups", "PolicyRoles", "PolicyUsers"),
    "iam:ListGroupPolicies": ("IsTruncated", "PolicyNames"),
    "iam:ListGroups": ("Groups", "IsTruncated"),
    "iam:ListInstanceProfilesForRole": ("InstanceProfiles", "IsTruncated"),
    "iam:ListPolicies": ("IsTruncated", "Policies"),
    "iam:ListPolicyTags": ("IsTruncated", "Tags"),
    "iam:ListPolicyVersions": ("IsTruncated", "Versions"),
    "iam:ListRolePolicies": ("IsTruncated", "PolicyNames"),
    "iam:ListRoles": ("IsTruncated", "Roles"),
    "iam:ListUserPolicies": ("IsTruncated", "PolicyNames"),
    "iam:ListUsers": ("IsTruncated", "Users"),
    "identitystore:ListGroupMemberships": ("GroupMemberships",),
    "identitystore:ListGroupMembershipsForMember": ("GroupMemberships",),
    "identitystore:ListGroups": ("Groups",),
    "identitystore:ListUsers": ("Users",),
    "organizations:DescribePolicy": ("Policy",),
    "organizations:ListAccounts": ("Accounts",),
    "organizations:ListAccountsForParent": ("Accounts",),
    "organizations:ListOrganizationalUnitsForParent": ("OrganizationalUnits",),
    "organizations:ListParents": ("Parents",),
    "organizations:ListPoliciesForTarget": ("Policies",),
    "organizations:ListRoots": ("Roots",),
    "organizations:ListTagsForResource": ("Tags",),
    "s3:GetBucketLocation": (),
    "s3:GetBucketOwnershipControls": ("OwnershipControls",),
    "s3:GetBucketPolicy": ("Policy",),
    "s3:GetBucketTagging": ("TagSet",),
    "s3:GetObject": ("ETag",),
    "s3:GetPublicAccessBlock": ("PublicAccessBlockConfiguration",),
    "s3:HeadBucket": (),
    "s3:ListBuckets": ("Buckets",),
    "s3:ListObjectsV2": ("IsTruncated", "KeyCount"),
    "s3control:GetAccessPoint": ("Bucket", "Name"),
    "s3control:GetAccessPointPolicy": ("Policy",),
    "s3control:GetPublicAccessBlock": ("PublicAccessBlockConfiguration",),
    "s3control:ListAccessPoints": ("AccessPointList",),
    "s3control:ListTagsForResource": ("Tags",),
    "sso-oidc:CreateToken": ("accessToken",),
    "sso:GetRoleCredentials": ("roleCredentials",),
    "sso-admin:DescribePermissionSet": ("PermissionSet",),
    "sso-admin:DescribeAccountAssignmentCreationStatus": ("AccountAssignmentCreationStatus",),
    "sso-admin:DescribeAccountAssignmentDeletionStatus": ("AccountAssignmentDeletionStatus",),
    "sso-admin:DescribePermissionSetProvisioningStatus": ("PermissionSetProvisioningStatus",),
    "sso-admin:GetInlinePolicyForPermissionSet": ("InlinePolicy",),
    "sso-admin:ListAccountAssignments": ("AccountAssignments",),
    "sso-admin:ListAccountsForProvisionedPermissionSet": ("AccountIds",),
    "sso-admin:ListCustomerManagedPolicyReferencesInPermissionSet": ("CustomerManagedPolicyReferences",),
    "sso-admin:ListInstances": ("Instances",),
    "sso-admin:ListManagedPoliciesInPermissionSet": ("AttachedManagedPolicies",),
    "sso-admin:ListPermissionSets": ("PermissionSets",),
    "sso-admin:ListPermissionSetsProvisionedToAccount": ("PermissionSets",),
    "sso-admin:ListTagsForResource": ("Tags",),
    "sts:AssumeRole": ("Credentials",),
    "sts:AssumeRoleWithWebIdentity": ("Credentials",),
    "sts:GetCallerIdentity": ("Account", "Arn"),
}
"""What every answer to a reading operation carries, by `service:Operation` as boto3 names the service."""
ROOTS: Mapping[str, str] = {
    "s3:GetBucketLocation": "LocationConstraint",
    "s3:GetBucketOwnershipControls": "OwnershipControls",
    "s3:GetPublicAccessBlock": "PublicAccessBlockConfiguration",
    "s3control:GetPublicAccessBlock": "PublicAccessBlockConfiguration",
}
"""Root elements, where the answer is nothing else: a bucket of us-east-1 has an empty one."""
JSON_PAYLOADS = frozenset({"s3:GetBucketPolicy"})
"""Operations of XML protocols whose answer is a JSON object and nothing else."""
LEFT_OUT_WHERE_EMPTY = frozenset(
    {
        "sso-admin:GetInlinePolicyForPermissionSet",
        "sso-admin:ListAccountsForProvisionedPermissionSet",
        "sso-admin:ListCustomerManagedPolicyReferencesInPermissionSet",
        "sso-admin:ListManagedPoliciesInPermissionSet",
        "sso-admin:ListPermissionSetsProvisionedToAccount",
    }
)
"""Operations whose list AWS leaves out where it is empty; AWS's request id shows then that it was AWS.

An account without permission sets is answered so: https://github.com/aws-samples/iam-identity-center-team/issues/12
"""
_READING = re.compile(r"(?:BatchGet|Describe|Get|Head|List|Search)[A-Z]")
_BAD_GATEWAY = 502
_JSON = frozenset({"json", "rest-json"})
_XML = frozenset({"query", "rest-xml"})
_REQUEST_ID = "x-amzn-requestid"


class UndeclaredOperation(LookupError):
    """A reading operation is called of which `MEMBERS` does not say what a whole answer carries."""


def name_of(operation: OperationModel) -> str:
    """An operation as `MEMBERS` names it: `iam:ListUsers`."""
    return f"{operation.service_model.service_name}:{operation.name}"


def is_reading(operation: str) -> bool:
    """Whether an operation asks for something, going by its name, as AWS's names are regular in this."""
    return _READING.match(operation) is not None


def check_answers(events: Any) -> None:
    """Let every client that a session makes from now on ask both questions. `events` is the session's emitter."""
    # Specific names come first: the fast listing has done its part by then, and the parser gets what is left here.
    events.register("before-parse", _before_parse)
    # Two stars are asked before the handler of the service that decides about another attempt.
    events.register("needs-retry.*.*", _needs_retry)
    # Before the handlers of botocore that read the body once more (`GetBucketLocation`) and would fail at it.
    events.register("after-call.*.*", _after_call)


def require_declared(model: OperationModel, **_: Any) -> None:
    """Handler of `before-call`. Raises `UndeclaredOperation`."""
    if is_reading(model.name) and name_of(model) not in MEMBERS:
        raise UndeclaredOperation(
            f"{name_of(model)} is called, and raito_pipeline.aws.connection.answers.MEMBERS does not say what every "
            "answer to it carries: without it, an answer that is none would be read as nothing there."
        )


def _before_parse(
    operation_model: OperationModel,
    response_dict: dict[str, Any],
    customized_response_dict: dict[str, Any],
    **_: Any,
) -> None:
    reason = why_not_aws(operation_model, response_dict)
    if reason is not None:
        customized_response_dict[NOT_AWS] = reason
        # The parser makes an error of this, which `_needs_retry` completes.
        response_dict.update(status_code=_BAD_GATEWAY, body=b"")


def _needs_retry(operation: OperationModel, response: tuple[Any, dict[str, Any]] | None = None, **_: Any) -> None:
    if response is None:
        return
    http, parsed = response
    reason = parsed.get(NOT_AWS)
    if reason is None and http.status_code < 300 and "Error" not in parsed:
        reason = why_not_whole(name_of(operation), parsed)
    if reason is None:
        return
    parsed[NOT_AWS] = reason
    parsed["Error"] = {"Code": str(_BAD_GATEWAY), "Message": reason}
    parsed.setdefault("ResponseMetadata", {})["HTTPStatusCode"] = _BAD_GATEWAY
    # By this botocore's own rules take it for a server error: tried again, and raised in the end.
    http.status_code = _BAD_GATEWAY


def _after_call(parsed: dict[str, Any], model: OperationModel, **_: Any) -> None:
    if NOT_AWS in parsed:
        raise ClientError(parsed, model.name)  # type: ignore[arg-type]  # the stubs know the members of AWS alone


def why_not_whole(operation: str, parsed: Mapping[str, Any]) -> str | None:
    """What a parsed answer with a good status lacks, in words; null where it is whole or nothing is known of it."""
    if LISTED in parsed:
        return None
    missing = [member for member in MEMBERS.get(operation, ()) if member not in parsed]
    headers = parsed.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    if missing and not (operation in LEFT_OUT_WHERE_EMPTY and _REQUEST_ID in headers):
        return f"the answer has no {' and no '.join(missing)}"
    return None


def why_not_aws(operation: OperationModel, answer: Mapping[str, Any]) -> str | None:
    """Why an answer (status, headers, raw body) cannot be one of AWS, in words; null where it may be."""
    status, body = answer["status_code"], answer["body"]
    if not isinstance(body, bytes) or operation.http.get("method") == "HEAD":
        return None
    protocol = operation.service_model.resolved_protocol
    if protocol in _XML:
        problem = _xml_error(body) if status >= 300 else _xml_problem(operation, protocol, body)
    elif protocol in _JSON:
        problem = _json_error(body, answer["headers"]) if status >= 300 else _json_problem(operation, body)
    else:
        return None
    return f"status {status} with {problem}" if problem else None


def _xml_problem(operation: OperationModel, protocol: str, body: bytes) -> str | None:
    if name_of(operation) in JSON_PAYLOADS:
        return None if isinstance(_json_of(body), dict) else _kind_of(body)
    if protocol == "rest-xml" and not body.strip():
        # Right for changes, whose answers are headers alone; what an answer to a reading call lacks is seen later.
        return "an empty body" if name_of(operation) in ROOTS else None
    if protocol == "rest-xml" and _has_raw_payload(operation):
        return None
    root = _root_of(body)
    if root is None:
        return _kind_of(body)
    wanted = f"{operation.name}Response" if protocol == "query" else ROOTS.get(name_of(operation))
    tag = _local(root.tag)
    return _kind_of(body) if tag.lower() == "html" or (wanted is not None and tag != wanted) else None


def _xml_error(body: bytes) -> str | None:
    root = _root_of(body)
    if root is not None and _local(root.tag) in ("Error", "ErrorResponse"):
        codes = (element for element in root.iter() if _local(element.tag) == "Code")
        if any(element.text and element.text.strip() for element in codes):
            return None
    return _kind_of(body)


def _json_problem(operation: OperationModel, body: bytes) -> str | None:
    shape = operation.output_shape
    if shape is None or not shape.members or _has_raw_payload(operation):
        return None
    return None if isinstance(_json_of(body), dict) else _kind_of(body)


def _json_error(body: bytes, headers: Mapping[str, str]) -> str | None:
    if "x-amzn-errortype" in headers:
        return None
    answered = _json_of(body)
    if isinstance(answered, dict) and any(answered.get(name) for name in ("__type", "code", "error")):
        return None
    return _kind_of(body)


def _has_raw_payload(operation: OperationModel) -> bool:
    shape = operation.output_shape
    if shape is None or "payload" not in shape.serialization:
        return False
    return shape.members[shape.serialization["payload"]].type_name in ("blob", "string")


def _root_of(body: bytes) -> ElementTree.Element | None:
    try:
        return ElementTree.fromstring(body)
    except (ElementTree.ParseError, LookupError, ValueError):
        # Also an encoding that nobody knows.
        return None


def _json_of(body: bytes) -> object:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _kind_of(body: bytes) -> str:
    """What a body looks like. Its own words are not repeated: they may hold anything."""
    start = body.lstrip()[:512].lower()
    if not start:
        return "an empty body"
    if b"<html" in start or b"<!doctype" in start:
        return "an HTML page"
    return "a body that is no answer to this call, or only a part of one"
