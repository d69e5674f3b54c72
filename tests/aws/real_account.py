"""The account of the real export as stored tables; tests that use it skip where the export is absent."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from raito_pipeline.aws.access import AccessInputs
from raito_pipeline.aws.readers.iam_rows import (
    group_row,
    inline_attachment,
    managed_attachment,
    policy_row,
    policy_text,
    role_row,
    user_row,
)
from raito_pipeline.model import IamAttachment, S3Bucket
from tests.shared_data import EXPORT


def real_account(buckets: Sequence[S3Bucket]) -> AccessInputs:
    """The rows of the exported account, with some buckets: the export has none."""
    if not EXPORT.is_file():
        pytest.skip(f"the real export is not there: {EXPORT}")
    found = json.loads(EXPORT.read_text("utf-8"), object_hook=_with_dates)
    return AccessInputs(
        account_id=found["UserDetailList"][0]["Arn"].split(":")[4],
        users=[user_row(each, each.get("GroupList") or (), with_tags=True) for each in found["UserDetailList"]],
        groups=[group_row(each) for each in found["GroupDetailList"]],
        roles=[role_row(each) for each in found["RoleDetailList"]],
        policies=[
            replace(policy_row(each, policy_text(version["Document"])), tags=())
            for each in found["Policies"]
            for version in each["PolicyVersionList"]
            if version["VersionId"] == each["DefaultVersionId"]
        ],
        attachments=[
            row
            for kind in ("user", "group", "role")
            for each in found[f"{kind.title()}DetailList"]
            for row in _attachments(kind, each)
        ],
        buckets=buckets,
        access_points=(),
    )


def _with_dates(value: dict[str, Any]) -> dict[str, Any]:
    if isinstance(value.get("CreateDate"), str):
        value["CreateDate"] = datetime.fromisoformat(value["CreateDate"].replace("Z", "+00:00"))
    return value


def _attachments(kind: Any, principal: dict[str, Any]) -> Iterator[IamAttachment]:
    name = principal[f"{kind.title()}Name"]
    for each in principal.get("AttachedManagedPolicies") or ():
        yield managed_attachment(kind, name, each["PolicyName"], each["PolicyArn"])
    for each in principal.get(f"{kind.title()}PolicyList") or ():
        yield inline_attachment(kind, name, each["PolicyName"], each["PolicyDocument"])
