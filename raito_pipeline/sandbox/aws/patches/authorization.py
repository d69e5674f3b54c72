"""IAM enforced: who calls, by which policies, and what stands on the resource.

The emulator's own reading of policies knows neither principals nor most conditions nor access points; this replaces it.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-policies.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
"""

import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, unquote

from moto import settings
from moto.core.authorization import ActionAuthenticatorMixin
from moto.iam.access_control import AssumedRoleAccessKey, IAMRequestBase, IAMUserAccessKey, PermissionResult
from moto.iam.exceptions import NotFoundException
from moto.iam.models import IAMBackend, ManagedPolicy, Role, User
from moto.s3.models import FakeBucket, s3_backends
from moto.s3.responses import ACTION_MAP, S3Response
from moto.s3control.models import AccessPoint
from moto.s3control.responses import S3ControlResponse
from moto.sts.models import sts_backends

from raito_pipeline.sandbox.aws.access_points import SIGNED_HOST, SIGNED_PATH, access_point_of_alias
from raito_pipeline.sandbox.aws.accounts import iam_of
from raito_pipeline.sandbox.aws.control_policies import resource_controls, service_levels
from raito_pipeline.sandbox.aws.patches.replacing import Method, replace
from raito_pipeline.sandbox.aws.patches.request_facts import context_of, resources_of
from raito_pipeline.sandbox.aws.policy_conditions import Context
from raito_pipeline.sandbox.aws.policy_decisions import (
    CallerPolicies,
    Document,
    Question,
    is_allowed,
    is_denied_by,
    read_document,
)

_ACTIONS = {
    "s3:HeadBucket": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
}
_OF_A_BUCKET = {
    "publicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "ownershipControls": "s3:GetBucketOwnershipControls",
}
"""what the emulator takes for a listing of the bucket, by the parameter of the call"""
_CONTROL_ACTIONS = {"s3:GetPublicAccessBlock": "s3:GetAccountPublicAccessBlock"}
"""the same of S3 Control, which has operations of the same name"""
_LISTINGS = frozenset({"s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"})
_LISTING_KEYS = ("prefix", "delimiter", "max-keys")
_ROLE_ARN = re.compile(r"arn:aws:iam::(\d{12}):role/.+")
_ASSUMING = re.compile(r"sts:(AssumeRole|TagSession)")
_TAGS = "/v20180820/tags/"
_ALWAYS = "sts:GetCallerIdentity"


_UNNAMED = {"publicAccessBlock": "PublicAccessBlock", "ownershipControls": "OwnershipControls"}
"""parts of a bucket, by their name in the query, whose actions the emulator takes for listing the bucket"""


def patch_authorization() -> None:
    """Decide as AWS does, while IAM is enforced."""
    for method, verb in (("GET", "Get"), ("PUT", "Put")):
        for query, name in _UNNAMED.items():
            ACTION_MAP["BUCKET"][method][query] = f"{verb}Bucket{name}"

    @replace(ActionAuthenticatorMixin, "_authenticate_and_authorize_action")
    def authorize(_before: Method, self: Any, request_class: Any, resource: str = "*") -> None:
        if ActionAuthenticatorMixin.request_count < settings.INITIAL_NO_AUTH_ACTION_COUNT:
            ActionAuthenticatorMixin.request_count += 1
        elif self.headers.get("X-Amz-Target") not in ActionAuthenticatorMixin.PUBLIC_OPERATIONS:
            request = _signed_request(self, request_class)
            request.check_signature()
            request._action = _action_of(self, request)
            if not _is_permitted(self, request, resource):
                request._raise_access_denied()

    @replace(FakeBucket, "get_permission")
    def get_permission(_before: Method, _self: FakeBucket, _action: str, _resource: str) -> PermissionResult:
        # The emulator asks this without knowing who calls; the bucket's policy is part of the decision above.
        return PermissionResult.NEUTRAL

    @replace(S3Response, "parse_bucket_name_from_url")
    def parse_bucket_name(before: Method, self: S3Response, request: Any, url: str) -> str:
        name = str(before(self, request, url) or "")
        point = access_point_of_alias(name)
        vars(self)["sandbox_access_point"] = point
        return point.bucket if point is not None else name


def _signed_request(self: Any, request_class: Any) -> IAMRequestBase:
    environ = getattr(getattr(self, "request", None), "environ", {})
    query = self.parsed_url.query if hasattr(self, "parsed_url") else ""
    path = environ.get(SIGNED_PATH) or self.raw_path + (f"?{query}" if query else "")
    if path.startswith(_TAGS):
        # moto escapes the path once more than S3 Control's signature has it.
        path = unquote(path)
    headers: Any = dict(self.headers)
    if SIGNED_HOST in environ:
        headers["Host"] = environ[SIGNED_HOST]
    request: IAMRequestBase = request_class(
        account_id=self.current_account,
        method=self.method,
        path=path,
        data=self.data,
        body=self.raw_body,
        headers=headers,
        action=self._get_action(),
    )
    return request


def _action_of(self: Any, request: IAMRequestBase) -> str:
    """The action of a call as AWS names it."""
    if isinstance(self, S3ControlResponse):
        return _CONTROL_ACTIONS.get(request._action, request._action)
    if isinstance(self, S3Response) and self.method == "GET":
        asked = parse_qs(self.parsed_url.query, keep_blank_values=True) if hasattr(self, "parsed_url") else {}
        named_action = next((action for name, action in _OF_A_BUCKET.items() if name in asked), None)
        if named_action is not None:
            return named_action
    return _ACTIONS.get(request._action, request._action)


def _is_permitted(self: Any, request: IAMRequestBase, resource: str) -> bool:
    action = request._action
    if action == _ALWAYS:
        return True
    try:
        principals, identity, context = _caller(request._access_key)
    except NotFoundException:
        # A session outlives its role, and may do nothing then.
        return False
    context |= {**_call_context(self, action), **context_of(self)}
    point: AccessPoint | None = vars(self).get("sandbox_access_point")
    account = self.current_account

    def allowed(on: str, policy: Document | None, owner: str) -> bool:
        return is_allowed(Question(principals, account, action, on, context), identity, policy, owner)

    if _ASSUMING.fullmatch(action):
        question = Question(principals, account, action, resource, context)
        return is_allowed(question, identity, *_trust(resource, account), is_trust=True)
    if not resource.startswith("arn:aws:s3:::"):
        return all(allowed(one, None, account) for one in resources_of(self, resource))
    bucket, _, key = resource.removeprefix("arn:aws:s3:::").partition("/")
    policy, owner = _bucket_policy(bucket, account)
    if is_denied_by(resource_controls(owner), Question(principals, account, action, resource, context)):
        return False
    if point is None:
        return allowed(resource, policy, owner)
    # Through an access point both have to allow: the access point, and the bucket behind it.
    context |= {"s3:dataaccesspointarn": (point.arn,), "s3:dataaccesspointaccount": (point.arn.split(":")[4],)}
    context |= {"s3:accesspointnetworkorigin": (point.network_origin,)}
    through = f"{point.arn}/object/{key}" if key else point.arn
    own = read_document(point.policy) if point.policy else None
    return allowed(through, own, point.arn.split(":")[4]) and allowed(resource, policy, owner)


def _bucket_policy(name: str, account: str) -> tuple[Document | None, str]:
    """The bucket's policy and its account; the caller's account for a bucket that is not there."""
    partition, owner = s3_backends.bucket_accounts.get(name, ("aws", account))
    bucket = s3_backends[owner][partition].buckets.get(name)
    policy = getattr(bucket, "policy", None)
    return (read_document(policy.decode() if isinstance(policy, bytes) else policy) if policy else None), owner


def _trust(role_arn: str, account: str) -> tuple[Document | None, str]:
    match = _ROLE_ARN.fullmatch(role_arn)
    try:
        role = iam_of(match[1]).get_role_by_arn(role_arn) if match else None
    except NotFoundException:
        role = None
    return (read_document(role.assume_role_policy_document), role.account_id) if role else (None, account)


def _caller(key: Any) -> tuple[frozenset[str], CallerPolicies, dict[str, tuple[str, ...]]]:
    """The ARNs of the caller, its policies, and what conditions can ask of it."""
    iam: IAMBackend = key.backend
    if isinstance(key, IAMUserAccessKey):
        user = iam.get_user(key._owner_user_name)
        groups = iam.get_groups_for_user(user.name)
        policies = [document for entity in (user, *groups) for document in _documents(entity)]
        context = {"aws:username": (user.name,), "aws:userid": (user.id,), "aws:principaltype": ("User",)}
        return _described(frozenset({user.arn}), user.arn, CallerPolicies(policies, _boundary(iam, user)), iam, context)
    role = iam.get_role(key._owner_role_name)
    limits = [*_boundary(iam, role), *_session_policy(key)]
    context = {"aws:userid": (f"{role.id}:{key._session_name}",), "aws:principaltype": ("AssumedRole",)}
    identity = CallerPolicies(list(_documents(role)), limits)
    return _described(frozenset({role.arn, key.arn}), role.arn, identity, iam, context)


def _described(
    principals: frozenset[str], arn: str, identity: CallerPolicies, iam: IAMBackend, context: Context
) -> tuple[frozenset[str], CallerPolicies, dict[str, tuple[str, ...]]]:
    linked = ":role/aws-service-role/" in arn
    identity = dataclasses.replace(identity, controls=() if linked else service_levels(iam.account_id))
    more = {"aws:principalarn": (arn,), "aws:principalaccount": (iam.account_id,)}
    return principals, identity, {**context, **more}


def _documents(entity: Any) -> Iterator[Document]:
    """Inline and attached policies of a user, group or role."""
    for inline in entity.policies.values():
        yield read_document(inline)
    for managed in entity.managed_policies.values():
        yield _managed(managed)


def _managed(policy: ManagedPolicy) -> Document:
    default = next((version for version in policy.versions if version.is_default), policy.versions[-1])
    return read_document(default.document)


def _boundary(iam: IAMBackend, entity: User | Role) -> list[list[Document]]:
    arn = getattr(entity, "permissions_boundary_arn", None)
    if not arn:
        return []
    return [[_managed(iam.managed_policies[arn])] if arn in iam.managed_policies else []]


def _session_policy(key: AssumedRoleAccessKey) -> list[list[Document]]:
    sessions = sts_backends[key.account_id][key.partition].assumed_roles
    policy = next((one.policy for one in sessions if one.access_key_id == key._access_key_id), None)
    return [[read_document(policy)]] if policy else []


def _call_context(self: Any, action: str) -> Context:
    """What conditions can ask of the call. The emulator stands for an address with TLS."""
    context: dict[str, tuple[str, ...]] = {
        "aws:securetransport": ("true",),
        "aws:requestedregion": (self.region,),
        "aws:sourceip": (str(getattr(getattr(self, "request", None), "remote_addr", None) or "127.0.0.1"),),
    }
    if action in _LISTINGS:
        query: Mapping[str, Any] = self._get_querystring(self.request, self.uri)
        context |= {f"s3:{name}": (_first(query[name]),) for name in _LISTING_KEYS if name in query}
    if _ASSUMING.fullmatch(action):
        names = {"ExternalId": "sts:externalid", "RoleSessionName": "sts:rolesessionname"}
        context |= {key: (_first(self.data[name]),) for name, key in names.items() if name in self.data}
        if "TokenCode" in self.data:
            context["aws:multifactorauthpresent"] = ("true",)
    return context


def _first(value: Any) -> str:
    one = value[0] if isinstance(value, list) else value
    return one.decode() if isinstance(one, bytes) else str(one)
