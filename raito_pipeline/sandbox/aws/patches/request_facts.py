"""On what a call of IAM, Identity Center, S3 Control, Glue or Athena acts, and what conditions can ask of that.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsiamidentitycenter.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from moto.athena.responses import AthenaResponse
from moto.glue.responses import GlueResponse
from moto.iam.models import IAMBackend
from moto.iam.responses import IamResponse
from moto.s3control.responses import S3ControlResponse
from moto.ssoadmin.responses import SSOAdminResponse

from raito_pipeline.sandbox.aws.policy_conditions import Context

Tags = Iterable[Mapping[str, str]]
_KINDS = ("Role", "Group", "User")


def resources_of(self: Any, unknown: str) -> tuple[str, ...]:
    """The ARNs that the call acts on, all of which have to be allowed; `unknown` where there is none known here."""
    if isinstance(self, IamResponse):
        return (_iam_resource(self) or unknown,)
    if isinstance(self, S3ControlResponse):
        return (_access_point(self) or unknown,)
    if isinstance(self, SSOAdminResponse):
        return _identity_center(json.loads(self.body or "{}")) or (unknown,)
    if isinstance(self, GlueResponse):
        return tuple(_catalog(self, json.loads(self.body or "{}")))
    if isinstance(self, AthenaResponse):
        group = json.loads(self.body or "{}").get("WorkGroup")
        place = f"arn:aws:athena:{self.region}:{self.current_account}"
        return (f"{place}:workgroup/{group}",) if group else (unknown,)
    return (unknown,)


def _catalog(self: GlueResponse, parameters: Mapping[str, Any]) -> Iterator[str]:
    """The catalog, and the database and table that a call names: all of them have to be allowed."""
    place, database = f"arn:aws:glue:{self.region}:{self.current_account}", parameters.get("DatabaseName")
    yield f"{place}:catalog"
    if database:
        yield f"{place}:database/{database}"
        table = parameters.get("TableName") or parameters.get("Name")
        yield from [f"{place}:table/{database}/{table}"] if table else []


def context_of(self: Any) -> Context:
    """Condition keys of tags in the call, of tags of what it acts on, and of permissions boundaries."""
    if isinstance(self, IamResponse):
        entity = _iam_entity(self)
        context = _tag_context(self._get_param("Tags"), _iam_tags(entity), "iam")
        boundary = self._get_param("PermissionsBoundary") or getattr(entity, "permissions_boundary_arn", None)
        context |= {"iam:permissionsboundary": (str(boundary),)} if boundary else {}
        return context | ({"iam:policyarn": (self._get_param("PolicyArn"),)} if self._get_param("PolicyArn") else {})
    if isinstance(self, S3ControlResponse):
        arn = _access_point(self)
        return _tag_context(self._get_param("Tags"), self.backend.list_tags_for_resource(arn) if arn else (), "s3")
    if isinstance(self, SSOAdminResponse):
        parameters = json.loads(self.body or "{}")
        arns = (parameters.get("PermissionSetArn"), parameters.get("ResourceArn"))
        known = next((one for one in self.ssoadmin_backend.permission_sets if one.permission_set_arn in arns), None)
        return _tag_context(parameters.get("Tags"), known.tags if known is not None else (), "sso")
    return {}


def _tag_context(requested: Tags | None, existing: Tags | None, service: str) -> dict[str, tuple[str, ...]]:
    context: dict[str, tuple[str, ...]] = {}
    for tag in requested or ():
        context[f"aws:requesttag/{tag['Key'].lower()}"] = (tag["Value"],)
    if requested:
        context["aws:tagkeys"] = tuple(tag["Key"] for tag in requested)
    for tag in existing or ():
        for prefix in ("aws", service):
            context[f"{prefix}:resourcetag/{tag['Key'].lower()}"] = (tag["Value"],)
    return context


def _iam_resource(self: IamResponse) -> str | None:
    entity = _iam_entity(self)
    if entity is not None:
        return str(entity.arn)
    path = self._get_param("Path") or "/"
    for kind in (*_KINDS, "Policy"):
        name = self._get_param(f"{kind}Name")
        if name:
            return f"arn:aws:iam::{self.current_account}:{kind.lower()}{path}{name}"
    arn = self._get_param("PolicyArn")
    return str(arn) if arn else None


def _iam_entity(self: IamResponse) -> Any:
    """The role, group, user or policy that is there; a policy only where none of the others is named."""
    iam: IAMBackend = self.backend
    if self._get_param("RoleName"):
        return next((role for role in iam.roles.values() if role.name == self._get_param("RoleName")), None)
    if self._get_param("GroupName"):
        return iam.groups.get(self._get_param("GroupName"))
    if self._get_param("UserName"):
        return iam.users.get(self._get_param("UserName"))
    return iam.managed_policies.get(self._get_param("PolicyArn") or "")


def _iam_tags(entity: Any) -> Tags:
    tags: Any = getattr(entity, "tags", None) or ()
    return list(tags.values()) if isinstance(tags, dict) else list(tags)


def _access_point(self: S3ControlResponse) -> str | None:
    named, arn = self._get_param("Name"), self._get_param("ResourceArn")
    account = self._get_param("AccountId")
    return f"arn:aws:s3:{self.region}:{account}:accesspoint/{named}" if named else arn


def _identity_center(parameters: Mapping[str, Any]) -> tuple[str, ...]:
    arns = [parameters.get(name) for name in ("InstanceArn", "PermissionSetArn", "ResourceArn")]
    if parameters.get("TargetType") == "AWS_ACCOUNT":
        arns.append(f"arn:aws:sso:::account/{parameters.get('TargetId')}")
    return tuple(arn for arn in arns if arn)
