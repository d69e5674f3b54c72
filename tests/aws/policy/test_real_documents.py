"""Every policy of a real account against the evaluator: no crash, and nothing claimed that is not given."""

import json
from typing import Any

import pytest

from raito_pipeline.aws.policy import Scope, read_document, what_of
from raito_pipeline.aws.policy.permissions import permission
from raito_pipeline.aws.policy.resources import BucketResource
from tests.shared_data import EXPORT

from .test_properties import KEYS, ORDINARY, decides, held_to

BUCKETS = ("data", "logs", "elasticbeanstalk-us-east-1")


def _documents() -> list[tuple[str, Any]]:
    if not EXPORT.is_file():
        pytest.skip(f"the real export is not there: {EXPORT}")
    account = json.loads(EXPORT.read_text("utf-8"))
    found = [(p["Arn"], v["Document"]) for p in account["Policies"] for v in p["PolicyVersionList"]]
    for kind, key in (("User", "UserPolicyList"), ("Group", "GroupPolicyList"), ("Role", "RolePolicyList")):
        for principal in account[f"{kind}DetailList"]:
            found += [(principal["Arn"], policy["PolicyDocument"]) for policy in principal.get(key) or ()]
    return found


def _resources(bucket: str, path: str, name: str) -> list[str]:
    known = permission(name)
    assert known is not None
    if not known.on_bucket and not known.on_object:
        return ["*"]
    if known.on_bucket:
        return [f"arn:aws:s3:::{bucket}"]
    prefix = f"{path}/" if path else ""
    return [f"arn:aws:s3:::{bucket}/{prefix}{key}" for key in KEYS]


def test_nothing_of_a_real_account_is_over_claimed() -> None:
    documents = _documents()
    assert len(documents) > 100
    scope = Scope("aws", tuple(BucketResource.of_bucket(name) for name in BUCKETS))
    claims = 0
    for label, content in documents:
        read = read_document(json.dumps(content))
        assert read.problems == (), label
        listed = content["Statement"] if isinstance(content["Statement"], list) else [content["Statement"]]
        found = what_of([(label, read)], scope)
        policy = held_to(listed, found.reasons)
        for claim in found.claims:
            claims += 1
            for bucket in [claim.target.bucket] if claim.target.bucket else BUCKETS:
                for resource in _resources(bucket, claim.target.path, claim.permission):
                    assert decides(policy, claim.permission, resource, ORDINARY), (label, claim, resource)
    assert claims > 100
