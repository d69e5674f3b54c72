"""What one Allow gives where that depends on the data objects that are known, and on who calls."""

import json
from dataclasses import replace
from typing import Any

import pytest

from raito_pipeline.aws.policy import Scope, read_document
from raito_pipeline.aws.policy.allows import allowed
from raito_pipeline.aws.policy.claims import KnownPaths
from raito_pipeline.aws.policy.facts import Facts
from raito_pipeline.aws.policy.reasons import Code
from raito_pipeline.aws.policy.resources import BucketResource, PermissionTarget
from tests.aws.policy.test_facts import ACCOUNT, ALICE, READER

GET = "s3:GetObject"
PATHS = KnownPaths(
    frozenset({PermissionTarget("data", "a/c.csv", file=True), PermissionTarget("data", "top.csv", file=True)}),
    {"data": ("a", "team1", "team1/x", "team10", "x/team1")},
)
SCOPE = Scope("aws", tuple(map(BucketResource.of_bucket, ("data", "logs"))), facts=Facts(ACCOUNT), paths=PATHS)


def given(resource: str, scope: Scope = SCOPE, **more: Any) -> tuple[set[str], list[tuple[Code, str]]]:
    content = {"Effect": "Allow", "Action": GET, "Resource": resource, **more}
    (statement,) = read_document(json.dumps({"Version": "2012-10-17", "Statement": content})).statements
    claims, reasons = allowed(statement, scope)
    return {f"{c.target.bucket}/{c.target.path}" for c in claims}, [(each.code, each.text) for each in reasons]


@pytest.mark.parametrize(
    ("key", "paths"),
    [("a/c.csv", {"data/a/c.csv"}), ("top.csv", {"data/top.csv"})],
)
def test_a_key_that_is_a_file_is_the_file(key: str, paths: set[str]) -> None:
    assert given(f"arn:aws:s3:::data/{key}") == (paths, [])


@pytest.mark.parametrize("key", ["gone.csv", "a", "team1", "a/"])
def test_a_key_that_is_no_file_is_a_reason(key: str) -> None:
    """A key that has the name of a folder is not what lies in the folder."""
    paths, ((code, text),) = given(f"arn:aws:s3:::data/{key}")

    assert (paths, code) == (set(), Code.NARROWER)
    assert "no file among the data objects" in text


def test_the_beginning_of_a_key_is_the_folders_that_begin_so_at_that_level() -> None:
    paths, ((code, text),) = given("arn:aws:s3:::data/team1*")

    assert (paths, code) == ({"data/team1", "data/team10"}, Code.NARROWER)
    assert text.endswith("the folders among it are shown, files and later folders are not")
    assert given("arn:aws:s3:::data/x/t*")[0] == {"data/x/team1"}
    assert given("arn:aws:s3:::logs/team1*")[0] == set()


def test_the_home_of_one_user_is_a_folder_and_a_role_has_none() -> None:
    home = "arn:aws:s3:::data/home/${aws:username}/*"

    assert given(home, SCOPE.called_by(ALICE)) == ({"data/home/alice"}, [])
    assert given(home)[1][0][0] is Code.NARROWER
    nothing, ((code, text),) = given(home, SCOPE.called_by(READER))
    assert (nothing, code) == (set(), Code.ELSEWHERE)
    assert text.endswith("has a variable without a value for whoever has it, and gives nothing")
    tagged = "arn:aws:s3:::data/${aws:PrincipalTag/site, 'none'}/*"
    assert given(tagged, SCOPE.called_by(ALICE)) == ({"data/none"}, [])


@pytest.mark.parametrize("action", ["s3:ListBucket", GET, "s3:*"])
@pytest.mark.parametrize("name", ["data${aws:username}", "d${aws:PrincipalTag/site}*", "${aws:PrincipalTag/site}"])
def test_a_bucket_by_the_name_of_whoever_calls_is_a_reason_where_that_is_not_known(name: str, action: str) -> None:
    """A group may list `home-${aws:username}`: each of its members a bucket that the policy does not name."""
    nothing, ((code, _),) = given(f"arn:aws:s3:::{name}", Action=action)

    assert (nothing, code) == (set(), Code.NARROWER)


@pytest.mark.parametrize(
    ("condition", "paths", "codes"),
    [
        ({"StringEquals": {"aws:ResourceAccount": ACCOUNT}}, {"data/"}, []),
        ({"StringEquals": {"aws:ResourceAccount": "1"}}, set(), []),
        ({"Bool": {"aws:SecureTransport": "true"}}, {"data/"}, [Code.NOTE]),
        ({"Bool": {"aws:SecureTransport": "false"}}, set(), [Code.NARROWER]),
        ({"StringEquals": {"aws:SourceVpc": "v"}}, set(), [Code.NARROWER]),
    ],
)
def test_conditions(condition: dict[str, Any], paths: set[str], codes: list[Code]) -> None:
    found, reasons = given("arn:aws:s3:::data/*", Condition=condition)

    assert found == paths
    assert [code for code, _ in reasons] == codes


POINT = "arn:aws:s3:eu-west-1:111122223333:accesspoint/p"
BEHIND = Scope("aws", SCOPE.places, facts=Facts(ACCOUNT), points=(BucketResource.of_access_point(POINT, "data"),))


@pytest.mark.parametrize(
    ("elements", "is_said"),
    [
        ({"NotResource": "arn:aws:s3:::*"}, True),
        ({"NotResource": "arn:aws:s3:::*/*"}, True),
        ({"NotResource": ["arn:aws:s3:::*", f"{POINT}/object/x/*"]}, True),
        ({"NotResource": ["arn:aws:s3:::*", f"{POINT}/object/*"]}, False),
        ({"NotResource": ["arn:aws:s3:::*", "arn:aws:s3:*:*:accesspoint/*"]}, False),
        ({"NotResource": "*"}, False),
        ({"NotResource": "arn:aws:s3:::logs/*"}, False),
        ({"Resource": "arn:aws:s3:*:*:*/x/*"}, True),
        ({"Resource": "arn:aws:s3:*:*:a*"}, True),
        ({"Resource": "arn:aws:s3:*"}, False),
        ({"Resource": "arn:aws:s3:*:*:data*/*"}, False),
        ({"NotResource": "arn:aws:s3:::*", "Action": "s3:PutBucketPolicy"}, False),
    ],
)
def test_access_points_that_a_statement_is_about_without_naming_them_are_a_reason(
    elements: dict[str, Any], is_said: bool
) -> None:
    content = {"Effect": "Allow", "Action": GET, **elements}
    (statement,) = read_document(json.dumps({"Version": "2012-10-17", "Statement": content})).statements
    said = [each.text for each in allowed(statement, BEHIND)[1] if "access point" in each.text]

    assert bool(said) is is_said
    assert all(POINT in text for text in said)


def test_a_statement_that_never_applies_has_no_reasons_at_all() -> None:
    never = {"StringEquals": {"aws:PrincipalAccount": "1"}}

    assert given("arn:aws:s3:::elsewhere/*", Action=[GET, "ec2:*"], Condition=never) == (set(), [])


def test_what_is_asked_of_another_account_leaves_the_buckets_of_others_that_are_named() -> None:
    theirs = {"StringEquals": {"aws:ResourceAccount": "1"}}

    for nothing in ("arn:aws:s3:::data/*", "*", "arn:aws:s3:::else*", "arn:aws:sqs:::elsewhere"):
        assert given(nothing, Condition=theirs) == (set(), [])
    paths, ((code, text),) = given("arn:aws:s3:::elsewhere/*", Action=[GET, "ec2:*"], Condition=theirs)
    assert (paths, code) == (set(), Code.NARROWER)
    assert text == "resource arn:aws:s3:::elsewhere/* matches no bucket of the account"


MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


def test_a_condition_on_what_is_of_others_is_no_reason_and_on_anything_else_it_is() -> None:
    assert [code for code, _ in given("arn:aws:s3:::gone-*", Condition=MFA)[1]] == [Code.ELSEWHERE]
    for resource in ("arn:aws:s3:::data/*", "arn:aws:s3:::d*/*.csv", "arn:aws:s3:::elsewhere/*", "no-arn"):
        (reason,) = given(resource, Condition=MFA)[1]
        assert reason[0] is Code.NARROWER
        assert reason[1].startswith("Condition (Bool aws:MultiFactorAuthPresent)")


def test_a_bucket_that_aws_names_to_everybody_is_aws_own_and_one_that_somebody_else_names_may_not_be() -> None:
    by_aws = replace(SCOPE, written_by_aws=True)

    assert given("arn:aws:s3:::redshift-downloads/*", by_aws)[1][0][0] is Code.ELSEWHERE
    assert given("arn:aws:s3:::redshift-downloads/*")[1][0][0] is Code.NARROWER
    assert given("arn:aws:s3:::b-${aws:PrincipalTag/b}/*", by_aws)[1][0][0] is Code.NARROWER
    assert given("arn:aws:s3:::data/*", by_aws) == ({"data/"}, [])
