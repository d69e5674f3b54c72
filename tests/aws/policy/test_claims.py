"""Scopes: which buckets a pattern may be about, and who calls."""

import json

from raito_pipeline.aws.policy.claims import Claim, Scope, by_target
from raito_pipeline.aws.policy.documents import read_document
from raito_pipeline.aws.policy.facts import Facts
from raito_pipeline.aws.policy.resources import ACCOUNT, BucketResource, PermissionTarget, read_pattern
from tests.aws.policy.test_facts import ALICE

POINT = BucketResource.of_access_point("arn:aws:s3:eu-west-1:111122223333:accesspoint/p", "data")
SCOPE = Scope("aws", (BucketResource.of_bucket("data"), BucketResource.of_bucket("logs")), facts=Facts("111122223333"))


def test_a_pattern_is_looked_up_by_the_bucket_that_it_names() -> None:
    def near(text: str, scope: Scope = SCOPE) -> list[str]:
        return [place.bucket for place in scope.named_by(read_pattern(text, "aws", variables=True))]

    assert near("arn:aws:s3:::logs/a/*") == ["logs"]
    assert near("arn:aws:s3:::logs") == ["logs"]
    assert near("arn:aws:s3:::elsewhere/*") == []
    assert near("arn:aws:s3:::lo*/a") == ["data", "logs"]
    assert near("arn:aws:s3:::${aws:PrincipalTag/a/b}/*") == ["data", "logs"]
    assert near("*") == ["data", "logs"]
    assert near("arn:aws:s3:*:*:accesspoint/p/object/*", Scope("aws", (POINT,), account_wide=False)) == ["data"]


def test_the_variables_of_a_statement_are_those_of_whoever_calls() -> None:
    content = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    (statement,) = read_document(json.dumps({"Version": "2012-10-17", "Statement": content})).statements
    home = "arn:aws:s3:::data/${aws:username}/*"

    assert SCOPE.called_by(ALICE).pattern(home, statement).text == "arn:aws:s3:::data/alice/*"
    assert SCOPE.pattern(home, statement).has_variable
    assert SCOPE.called_by(ALICE).by_bucket is SCOPE.by_bucket


def test_claims_by_target_are_sorted() -> None:
    folder = PermissionTarget("data", "a")
    claims = [Claim(folder, "s3:B"), Claim(ACCOUNT, "s3:A"), Claim(folder, "s3:A")]

    assert by_target(claims) == [(ACCOUNT, ("s3:A",)), (folder, ("s3:A", "s3:B"))]
