"""Access points: their names and ARNs belong to a region, and what AWS refuses of names, tags and policies.

The emulator keeps all of an account in one place, by name. Here they are kept by "REGION/NAME"; the region is that of
the bucket, as an access point always is where its bucket is.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/creating-access-points.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-restrictions-limitations-naming-rules.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
"""

import json
import re
import warnings
from typing import Any

import re2
from moto.core.responses import ActionResult, EmptyResult
from moto.s3.models import s3_backends
from moto.s3control.exceptions import AccessPointNotFound, AccessPointPolicyNotFound, S3ControlError
from moto.s3control.models import AccessPoint, S3ControlBackend
from moto.s3control.responses import S3ControlResponse

from raito_pipeline.sandbox.aws.patches.paging import page_of
from raito_pipeline.sandbox.aws.patches.principals import invalid_principals, is_public
from raito_pipeline.sandbox.aws.patches.replacing import Method, replace

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,48}[a-z0-9]")
_RESERVED_END = re.compile(r".*(-s3alias|--[a-z0-9]+-s3)")
_LONGEST_POLICY = 20_480
_MOST_TAGS = 50
_TAG = re2.compile(r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*")
_LONGEST_TAG = 256
_BLOCKED = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


class _Refused(S3ControlError):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def patch_s3control() -> None:
    """Mend access points."""
    # The service's model names hardly any of its errors, which the emulator would remark each time.
    warnings.filterwarnings("ignore", message="Exception.*does not match an error shape", category=UserWarning)
    _patch_backend()
    _patch_creation()
    _patch_reads()
    _patch_policies()
    _patch_tags()


def _bucket_region(name: str) -> str | None:
    partition, account_id = s3_backends.bucket_accounts.get(name, ("aws", ""))
    bucket = s3_backends[account_id][partition].buckets.get(name) if account_id else None
    return bucket.region_name if bucket is not None else None


def _patch_backend() -> None:
    @replace(S3ControlBackend, "create_access_point")
    def create_access_point(
        before: Method, self: S3ControlBackend, *args: Any, tags: list[dict[str, str]] | None = None, **kwargs: Any
    ) -> AccessPoint:
        made: AccessPoint = before(self, *args, **kwargs)
        points = self.access_points[self.account_id]
        region = _bucket_region(made.bucket) or "us-east-1"
        made.arn = f"arn:aws:s3:{region}:{self.account_id}:accesspoint/{made.name}"
        points[f"{region}/{made.name}"] = points.pop(made.name)
        if tags:
            self.tag_resource(made.arn, tags)
        return made

    @replace(S3ControlBackend, "get_access_point")
    def get_access_point(_before: Method, self: S3ControlBackend, account_id: str, name: str) -> AccessPoint:
        points = self.access_points[account_id]
        # Seeding in-process asks by the name alone, calls by region and name.
        points_of_name = [point for key, point in points.items() if name in (key, key.partition("/")[2])]
        if not points_of_name:
            raise AccessPointNotFound(name)
        return points_of_name[0]


def _patch_creation() -> None:
    @replace(S3ControlResponse, "create_access_point")
    def create_access_point(before: Method, self: S3ControlResponse) -> Any:
        name, bucket = self._get_param("Name"), self._get_param("Bucket")
        if _NAME.fullmatch(name) is None or _RESERVED_END.fullmatch(name):
            raise _Refused("InvalidRequest", "Your Access Point name is not valid.")
        region = _bucket_region(bucket)
        if region is None:
            raise _Refused("InvalidRequest", f"The bucket {bucket} does not exist.")
        if region != self.region:
            raise _Refused("InvalidRequest", f"The bucket {bucket} is not in region {self.region}.")
        if _key(self) in self.backend.access_points[self._get_param("AccountId")]:
            raise _Refused(
                "AccessPointAlreadyOwnedByYou", "Your previous request to create the access point succeeded."
            )
        _check_tags(self._get_param("Tags") or [])
        return before(self)

    @replace(S3ControlResponse, "delete_access_point")
    def delete_access_point(_before: Method, self: S3ControlResponse) -> Any:
        arn = _point(self).arn
        self.backend.untag_resource(arn, [tag["Key"] for tag in self.backend.list_tags_for_resource(arn)])
        del self.backend.access_points[self._get_param("AccountId")][_key(self)]
        return EmptyResult()


def _key(self: S3ControlResponse) -> str:
    return f"{self.region}/{self._get_param('Name')}"


def _point(self: S3ControlResponse) -> AccessPoint:
    return self.backend.get_access_point(self._get_param("AccountId"), _key(self))


def _described(point: AccessPoint) -> dict[str, Any]:
    return {
        "Name": point.name,
        "NetworkOrigin": point.network_origin,
        "VpcConfiguration": {"VpcId": point.vpc_id} if point.vpc_id else None,
        "Bucket": point.bucket,
        "AccessPointArn": point.arn,
        "Alias": point.alias,
        "BucketAccountId": s3_backends.bucket_accounts.get(point.bucket, ("aws", None))[1],
    }


def _patch_reads() -> None:
    @replace(S3ControlResponse, "list_access_points")
    def list_access_points(_before: Method, self: S3ControlResponse) -> Any:
        points = self.backend.access_points[self._get_param("AccountId")]
        bucket = self._get_param("Bucket")
        listed = [
            point
            for key, point in sorted(points.items())
            if key.startswith(f"{self.region}/") and bucket in (None, point.bucket)
        ]
        page, token = page_of(listed, self._get_param("NextToken"), self._get_param("MaxResults"), 1000)
        return ActionResult({"AccessPointList": [_described(point) for point in page], "NextToken": token})

    @replace(S3ControlResponse, "get_access_point")
    def get_access_point(_before: Method, self: S3ControlResponse) -> Any:
        point = _point(self)
        host = f"{self.region}.amazonaws.com"
        more = {
            "PublicAccessBlockConfiguration": {name: point.pubc[name] for name in _BLOCKED},
            "CreationDate": point.created,
            "Endpoints": {"ipv4": f"s3-accesspoint.{host}", "dualstack": f"s3-accesspoint.dualstack.{host}"},
        }
        return ActionResult(_described(point) | more)


def _patch_policies() -> None:
    @replace(S3ControlResponse, "put_access_point_policy")
    def put_policy(_before: Method, self: S3ControlResponse) -> Any:
        policy = self._get_param("Policy")
        point = _point(self)
        document = _checked_policy(policy, point)
        if str(point.pubc["BlockPublicPolicy"]).lower() == "true" and is_public(document):
            raise _Refused("AccessDenied", "The policy is public, which the access point's BlockPublicPolicy forbids.")
        point.set_policy(policy)
        return EmptyResult()

    @replace(S3ControlResponse, "get_access_point_policy")
    def get_policy(_before: Method, self: S3ControlResponse) -> Any:
        policy = _point(self).policy
        if policy is None:
            raise AccessPointPolicyNotFound(self._get_param("Name"))
        return ActionResult({"Policy": policy})

    @replace(S3ControlResponse, "delete_access_point_policy")
    def delete_policy(_before: Method, self: S3ControlResponse) -> Any:
        _point(self).delete_policy()
        return EmptyResult()

    @replace(S3ControlResponse, "get_access_point_policy_status")
    def policy_status(_before: Method, self: S3ControlResponse) -> Any:
        policy = _point(self).policy
        if policy is None:
            raise AccessPointPolicyNotFound(self._get_param("Name"))
        return ActionResult({"PolicyStatus": {"IsPublic": is_public(json.loads(policy))}})


def _patch_tags() -> None:
    def checked(name: str) -> None:
        @replace(S3ControlResponse, name)
        def of_access_point(before: Method, self: S3ControlResponse) -> Any:
            arn = str(self._get_param("ResourceArn"))
            points = self.backend.access_points[self._get_param("AccountId")].values()
            if ":accesspoint/" in arn and not any(point.arn == arn for point in points):
                raise AccessPointNotFound(arn.rpartition("/")[2])
            if name == "tag_resource":
                _check_tags([*self.backend.list_tags_for_resource(arn), *self._get_param("Tags")])
            return before(self)

    for name in ("tag_resource", "untag_resource", "list_tags_for_resource"):
        checked(name)


def _check_tags(tags: list[dict[str, str]]) -> None:
    if len({tag["Key"] for tag in tags}) > _MOST_TAGS:
        raise _Refused("InvalidTag", f"An access point may have {_MOST_TAGS} tags.")
    texts = [text for tag in tags for text in tag.values()]
    if any(len(text) > _LONGEST_TAG or _TAG.fullmatch(text) is None for text in texts):
        raise _Refused("InvalidTag", "A tag holds characters that are not allowed, or too many.")


def _checked_policy(text: str, point: AccessPoint) -> Any:
    if len(text.encode()) > _LONGEST_POLICY:
        raise _Refused("PolicyTooLarge", "The policy is larger than 20 KB.")
    try:
        document = json.loads(text)
        statements = document["Statement"]
        statements = statements if isinstance(statements, list) else [statements]
        resources = [one for statement in statements for one in _listed(statement.get("Resource"))]
        principals = [statement["Principal"] for statement in statements]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _Refused("MalformedPolicy", "Policies must be valid JSON with principals in each statement.") from None
    if not principals:
        raise _Refused("MalformedPolicy", "Missing required field Statement.")
    if not resources or not all(one == point.arn or one.startswith(f"{point.arn}/object/") for one in resources):
        raise _Refused("MalformedPolicy", "Policy has invalid resource.")
    if invalid_principals(document):
        raise _Refused("MalformedPolicy", "Invalid principal in policy")
    if not all(_has_actions(statement) for statement in statements):
        raise _Refused("MalformedPolicy", "Missing required field Action")
    return document


def _has_actions(statement: dict[str, Any]) -> bool:
    return bool(_listed(statement.get("Action")) or _listed(statement.get("NotAction")))


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or [])
