"""What is known of a call before it is made, and what that makes of policy variables."""

from dataclasses import replace
from typing import Any

import pytest

from raito_pipeline.aws.policy.facts import Facts, PrincipalFacts, Value

ACCOUNT = "111122223333"
ALICE = PrincipalFacts("user", "alice", f"arn:aws:iam::{ACCOUNT}:user/team/alice", "AIDAALICE", {"team": "red*"})
READER = PrincipalFacts("role", "reader", f"arn:aws:iam::{ACCOUNT}:role/reader", "AROAREADER")
OF_ALICE = Facts(ACCOUNT, "o-1", ALICE)
OF_READER = Facts(ACCOUNT, "o-1", READER)
OF_SOMEBODY = Facts(ACCOUNT, "o-1", PrincipalFacts.any_user(ACCOUNT, "aws"))


@pytest.mark.parametrize(
    ("facts", "key", "values"),
    [
        (OF_ALICE, "aws:PrincipalAccount", (Value(ACCOUNT),)),
        (OF_ALICE, "AWS:USERNAME", (Value("alice"),)),
        (OF_ALICE, "aws:PrincipalArn", (Value(ALICE.arn),)),
        (OF_ALICE, "aws:PrincipalOrgID", (Value("o-1"),)),
        (OF_ALICE, "aws:PrincipalTag/Team", (Value("red*"),)),
        (OF_ALICE, "aws:PrincipalTag/site", ()),
        (OF_ALICE, "aws:userid", (Value("AIDAALICE"),)),
        (OF_READER, "aws:username", ()),
        (OF_READER, "aws:userid", (Value("AROAREADER:", open=True),)),
        (OF_READER, "aws:PrincipalTag/team", None),
        (OF_SOMEBODY, "aws:username", (Value("", open=True),)),
        (OF_SOMEBODY, "aws:userid", (Value("AIDA", open=True),)),
        (OF_SOMEBODY, "aws:PrincipalArn", (Value(f"arn:aws:iam::{ACCOUNT}:user/", open=True),)),
        (OF_SOMEBODY, "aws:PrincipalAccount", (Value(ACCOUNT),)),
        (OF_SOMEBODY, "aws:PrincipalType", (Value("User"),)),
        (OF_SOMEBODY, "aws:PrincipalTag/team", None),
        (Facts(ACCOUNT), "aws:PrincipalOrgID", None),
        (Facts(ACCOUNT), "aws:username", None),
        (Facts(ACCOUNT), "s3:ResourceAccount", (Value(ACCOUNT),)),
        (Facts(ACCOUNT, identity=False), "aws:PrincipalAccount", None),
        (Facts("999988887777", "o-1", ALICE), "aws:PrincipalOrgID", None),
        (Facts("999988887777", "o-1", ALICE), "aws:PrincipalAccount", (Value(ACCOUNT),)),
        (Facts(), "aws:ResourceAccount", None),
        (Facts(ACCOUNT, "o-1", elsewhere=True), "aws:ResourceAccount", (Value(ACCOUNT, unlike=True),)),
        (Facts(ACCOUNT, "o-1", elsewhere=True), "aws:ResourceOrgID", None),
        (Facts(ACCOUNT, "o-1", elsewhere=True), "aws:PrincipalOrgID", (Value("o-1"),)),
        (Facts(ACCOUNT), "aws:SourceIp", None),
        (Facts(ACCOUNT), "aws:SecureTransport", None),
    ],
)
def test_what_the_account_and_the_principal_decide(facts: Facts, key: str, values: tuple[Value, ...] | None) -> None:
    assert facts.values(key) == values


def test_a_call_through_an_access_point_says_so_and_an_ordinary_one_goes_through_none() -> None:
    point = "arn:aws:s3:us-east-1:111122223333:accesspoint/p"

    assert Facts(ACCOUNT, access_point=point).values("s3:DataAccessPointAccount") == (Value(ACCOUNT),)
    assert Facts(ACCOUNT).values("s3:DataAccessPointAccount") is None
    assert Facts(ACCOUNT).usual_values("s3:DataAccessPointAccount") == ()
    assert Facts(ACCOUNT, access_point=point).usual_values("s3:DataAccessPointAccount") is None


@pytest.mark.parametrize(
    ("origin", "values"), [("VPC", (Value("VPC"),)), ("Internet", (Value("Internet"),)), (None, None)]
)
def test_a_call_through_an_access_point_has_the_network_of_that(origin: str | None, values: Any) -> None:
    through = Facts(ACCOUNT).through("arn:aws:s3:us-east-1:111122223333:accesspoint/p", origin)

    assert through.values("s3:AccessPointNetworkOrigin") == values
    assert through.usual_values("s3:AccessPointNetworkOrigin") is None
    assert Facts(ACCOUNT).usual_values("s3:AccessPointNetworkOrigin") == ()


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("arn:aws:s3:::home/${aws:username}/*", "arn:aws:s3:::home/alice/*"),
        ("home/${ aws:userName }/*", "home/alice/*"),
        ("${aws:PrincipalTag/team}/*", "red${*}/*"),
        ("${aws:PrincipalTag/site, 'none'}/*", "none/*"),
        ("${aws:PrincipalTag/site}/*", "${aws:PrincipalTag/site}/*"),
        ("${aws:SourceIp}/${aws:username}", "${aws:SourceIp}/alice"),
        ("${aws:SourceIp, 'here'}", "${aws:SourceIp, 'here'}"),
        ("${*}/a", "${*}/a"),
        ("plain", "plain"),
    ],
)
def test_variables_that_are_known_become_their_values(pattern: str, text: str) -> None:
    assert OF_ALICE.substituted(pattern) == text


def test_what_is_only_known_to_begin_so_is_no_value_of_a_variable() -> None:
    assert OF_READER.substituted("home/${aws:userid}/*") == "home/${aws:userid}/*"
    assert OF_SOMEBODY.substituted("home/${aws:username}/*") == "home/${aws:username}/*"


def test_a_key_of_several_values_is_no_value_of_a_variable() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html"""
    placed = replace(OF_ALICE, organization_path="o-1/r-1/", service="athena.amazonaws.com")

    for text in ("data/${aws:PrincipalOrgPaths}/*", "${aws:ResourceOrgPaths, 'none'}", "${aws:CalledVia}"):
        assert placed.substituted(text) == text
    assert placed.substituted("${aws:PrincipalOrgID}/${aws:CalledViaFirst}") == "o-1/athena.amazonaws.com"


def test_a_variable_that_no_call_has_is_known_to_be_missing() -> None:
    reader, nobody = Facts(ACCOUNT, principal=READER), Facts(ACCOUNT)

    assert reader.lacks("data/${aws:username}/*")
    assert not reader.lacks("data/${aws:username, 'all'}/*")
    assert not reader.lacks("data/${aws:PrincipalTag/team}/*"), "a session may have tags"
    assert not reader.lacks("data/${*}/*")
    assert not nobody.lacks("data/${aws:username}/*")
    assert Facts(ACCOUNT, principal=replace(ALICE, tags={})).lacks("data/${aws:PrincipalTag/team}/*")
    assert not Facts(ACCOUNT, principal=replace(ALICE, tags=None)).lacks("data/${aws:PrincipalTag/team}/*")


def test_a_service_that_calls_for_somebody_is_known_in_all_keys() -> None:
    through = Facts(ACCOUNT, service="athena.amazonaws.com")

    assert through.values("aws:ViaAWSService") == (Value("true"),)
    for key in ("aws:CalledVia", "aws:CalledViaFirst", "aws:CalledViaLast"):
        assert through.values(key) == (Value("athena.amazonaws.com"),)
        assert Facts(ACCOUNT).values(key) is None
