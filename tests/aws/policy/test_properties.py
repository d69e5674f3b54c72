"""The engine against the evaluator: it never claims what is denied, and misses only what it tells."""

import json
from collections.abc import Iterable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from raito_pipeline.aws.policy import Scope, read_document, what_of
from raito_pipeline.aws.policy.permissions import Permission, permissions
from raito_pipeline.aws.policy.reasons import Code, Reason
from raito_pipeline.aws.policy.resources import BucketResource
from tests.aws.evaluator import Caller, Limits, Owner, Policy, Request, Verdict, decide, parse
from tests.aws.evaluator.patterns import Context

BUCKETS = ("a", "ab", "data-1", "data-2")
KEYS = ("k", "x/k", "x/y/k", "x/y/z/k", "xy/k", "home/k", "x/k.csv")
SCOPE = Scope("aws", tuple(BucketResource.of_bucket(name) for name in BUCKETS))
WATCHED = [p for p in permissions() if p.name in ("s3:GetObject", "s3:PutObject", "s3:ListBucket", "s3:PutBucketAcl")]
_SOMEBODY, _OWNER = Caller("111122223333", "arn:aws:iam::111122223333:user/u", "AIDA"), Owner("111122223333")

_actions = st.sampled_from(
    ["*", "s3:*", "s3:Get*", "S3:getobject", "s3:?etObject", "s3:PutObject", "s3:List*", "s3:Put*", "ec2:*", "s3:X"]
)
_resources = st.one_of(
    st.sampled_from(["*", "arn:aws:s3:::*", "arn:aws:s3:::*/*", "arn:aws-cn:s3:::a", "arn:aws:sqs:::a"]),
    st.builds("arn:aws:s3:::{}".format, st.text("abdt-12*?", min_size=1, max_size=4)),
    st.builds(
        "arn:aws:s3:::{}/{}".format,
        st.sampled_from(["a", "a*", "data-?", "*", "ab", "zz"]),
        st.sampled_from(["*", "x/*", "x*", "x/y/*", "*/k", "k", "home/${aws:username}/*", "?/*", "*.csv", "x/*/*"]),
    ),
)


def _some(values: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    return st.one_of(values, st.lists(values, min_size=1, max_size=3))


@st.composite
def statements(draw: st.DrawFn) -> dict[str, Any]:
    statement: dict[str, Any] = {"Effect": draw(st.sampled_from(["Allow", "Allow", "Deny"]))}
    statement[draw(st.sampled_from(["Action", "Action", "Action", "NotAction"]))] = draw(_some(_actions))
    statement[draw(st.sampled_from(["Resource", "Resource", "Resource", "NotResource"]))] = draw(_some(_resources))
    if draw(st.integers(0, 3)) == 0:
        statement["Condition"] = draw(st.sampled_from(CONDITIONS))
    return statement


CONDITIONS: list[dict[str, Any]] = [
    {"Bool": {"aws:SecureTransport": "true"}},
    {"Bool": {"aws:SecureTransport": "false"}},
    {"StringEquals": {"aws:SourceVpc": "vpc-1"}},
    {"StringNotEquals": {"aws:SourceVpc": "vpc-1"}},
    {"StringNotEqualsIfExists": {"aws:SourceVpc": ["vpc-1", "vpc-2"]}, "Bool": {"aws:SecureTransport": "true"}},
]
ORDINARY: Context = {"aws:securetransport": ("true",)}
"""how calls are made that claims are about"""
CONTEXTS = (ORDINARY, {**ORDINARY, "aws:sourcevpc": ("vpc-1",)}, {**ORDINARY, "aws:sourcevpc": ("vpc-9",)})
"""ordinary calls that differ in what nobody knows beforehand"""


def decides(policy: Policy, action: str, resource: str, context: Context) -> bool:
    """Whether an Allow applies to a call and no Deny."""
    return decide(_SOMEBODY, Limits((policy,)), _OWNER, Request(action, resource, context)) is Verdict.ALLOWED


def held_to(document: list[dict[str, Any]], reasons: Iterable[Reason]) -> Policy:
    """What claims have to be given by: all statements, or the Allows where a reason says that a Deny may be met."""
    wider = any(reason.code is Code.WIDER for reason in reasons)
    listed = [statement for statement in document if not wider or statement["Effect"] == "Allow"]
    return parse(json.dumps({"Version": "2012-10-17", "Statement": listed}))


def _resources_of(permission: Permission, bucket: str, path: str) -> list[str]:
    """The ARNs that AWS checks a permission on a bucket or folder on: some keys stand for all."""
    if permission.on_bucket:
        return [] if path else [f"arn:aws:s3:::{bucket}"]
    prefix = f"{path}/" if path else ""
    return [f"arn:aws:s3:::{bucket}/{prefix}{key}" for key in KEYS]


@settings(max_examples=400, deadline=None)
@given(st.lists(statements(), min_size=1, max_size=4))
def test_nothing_is_claimed_that_is_not_given_and_nothing_is_missed_in_silence(document: list[dict[str, Any]]) -> None:
    read = read_document(json.dumps({"Version": "2012-10-17", "Statement": document}))
    assert read.problems == ()
    found = what_of([("p", read)], SCOPE)
    policy = held_to(document, found.reasons)
    for permission in WATCHED:
        for claim in found.claims:
            if claim.permission != permission.name:
                continue
            for bucket in [claim.target.bucket] if claim.target.bucket else BUCKETS:
                for resource in _resources_of(permission, bucket, claim.target.path):
                    assert all(decides(policy, permission.name, resource, call) for call in CONTEXTS), (claim, resource)

    if any(reason.code is Code.NARROWER for reason in found.reasons):
        return
    policy = parse(json.dumps({"Version": "2012-10-17", "Statement": document}))
    for permission in WATCHED:
        for bucket in BUCKETS:
            for resource in _resources_of(permission, bucket, ""):
                if any(decides(policy, permission.name, resource, call) for call in CONTEXTS):
                    below = [
                        c for c in found.claims if c.permission == permission.name and _is_below(resource, c.target)
                    ]
                    assert below, (permission.name, resource)


def _is_below(resource: str, target: Any) -> bool:
    bucket, _, key = resource.removeprefix("arn:aws:s3:::").partition("/")
    return target.bucket in ("", bucket) and (not target.path or key.startswith(f"{target.path}/"))


@settings(max_examples=300, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["Statement", "Effect", "Action", "Resource", "Version", "Principal", "Condition"]),
                inner,
                max_size=5,
            )
        ),
        max_leaves=20,
    )
)
def test_no_document_whatever_is_a_crash(content: Any) -> None:
    found = what_of([("p", read_document(json.dumps(content)))], SCOPE)
    assert found.claims == {} or isinstance(content, dict)
