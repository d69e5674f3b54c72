"""Who trust policies and resource policies name, and why somebody cannot be named."""

import json
from typing import Any

import pytest

from raito_pipeline.aws.policy.documents import read_document
from raito_pipeline.aws.policy.facts import Facts, PrincipalFacts
from raito_pipeline.aws.policy.principals import Directory, openings, who_of_trust

ACCOUNT, OTHER = "111122223333", "444455556666"
ANN, BOB, JOB = (f"arn:aws:iam::{ACCOUNT}:{name}" for name in ("user/ann", "user/x/bob", "role/job"))
PEOPLE = Directory(ACCOUNT, {ANN: "ann", BOB: "bob"}, {JOB: "job"})


def trust(principal: Any, effect: str = "Allow", action: Any = "sts:AssumeRole", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Principal": principal, "Action": action, **more}


def who(*statements: dict[str, Any]) -> tuple[set[str], set[str], str]:
    trusted = who_of_trust(read_document(json.dumps({"Version": "2012-10-17", "Statement": statements})), PEOPLE)
    return trusted.users, trusted.roles, "\n".join(reason.text for reason in trusted.reasons)


def test_users_and_roles_of_the_account_are_named() -> None:
    assert who(trust({"AWS": [ANN, JOB]}), trust({"AWS": BOB}, action="sts:*")) == ({"ann", "bob"}, {"job"}, "")


def test_who_was_deleted_is_nobody_and_no_reason() -> None:
    """https://github.com/cloud-custodian/cloud-custodian/issues/9879: AWS shows the unique id from then on."""
    assert who(trust({"AWS": ["AROA1234567123456D", ANN]})) == ({"ann"}, set(), "")


NOBODY = {
    "another account": (trust({"AWS": f"arn:aws:iam::{OTHER}:user/ann"}), "of another account"),
    "another account by its number": (trust({"AWS": OTHER}), "of another account"),
    "what is no principal": (trust({"AWS": "AIDAEXAMPLE"}), "is not known (deleted"),
    "a user who is not there": (trust({"AWS": f"arn:aws:iam::{ACCOUNT}:user/eve"}), "is not known in the account"),
    "everybody": (trust("*"), "wildcard principal *"),
    "a service": (trust({"Service": "ec2.amazonaws.com"}), "principal Service ec2.amazonaws.com"),
    "under a condition": (trust({"AWS": ANN}, Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}), "Condition"),
    "all but one": ({"Effect": "Allow", "NotPrincipal": {"AWS": ANN}, "Action": "sts:AssumeRole"}, "NotPrincipal"),
    "by SAML": (trust({"Federated": "idp"}, action="sts:AssumeRoleWithSAML"), "may use sts:AssumeRoleWithSAML"),
}


@pytest.mark.parametrize("name", NOBODY)
def test_who_cannot_be_named_is_a_reason(name: str) -> None:
    statement, reason = NOBODY[name]

    users, roles, reasons = who(statement)

    assert (users, roles) == (set(), set())
    assert reason in reasons


@pytest.mark.parametrize("principal", [{"AWS": ANN}, {"AWS": ACCOUNT}, "*"], ids=str)
def test_a_deny_takes_away_also_where_it_comes_first(principal: Any) -> None:
    assert who(trust(principal, "Deny"), trust({"AWS": ANN})) == (set(), set(), "")


def test_a_deny_of_somebody_else_or_of_something_else_takes_nobody_away() -> None:
    assert who(trust({"AWS": BOB}, "Deny"), trust({"AWS": ANN}))[0] == {"ann"}
    assert who(trust({"AWS": ANN}, "Deny", "sts:TagSession"), trust({"AWS": ANN})) == ({"ann"}, set(), "")


def test_a_deny_under_a_condition_is_said_and_takes_nobody_away() -> None:
    condition = {"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}

    users, _, reasons = who(trust({"AWS": ANN}), trust({"AWS": ANN}, "Deny", Condition=condition))

    assert users == {"ann"}
    assert "Deny under a condition (StringNotEquals aws:SourceVpc)" in reasons


FACTS = {ANN: PrincipalFacts("user", "ann", ANN, "AIDA1"), JOB: PrincipalFacts("role", "job", JOB, "AROA1")}
KNOWN = Directory(ACCOUNT, PEOPLE.users, PEOPLE.roles, Facts(ACCOUNT, "o-1"), FACTS)


def known(*statements: dict[str, Any]) -> tuple[set[str], set[str], list[str]]:
    trusted = who_of_trust(read_document(json.dumps({"Version": "2012-10-17", "Statement": statements})), KNOWN)
    return trusted.users, trusted.roles, [reason.text for reason in trusted.reasons]


def test_a_condition_that_the_account_decides_lets_in_or_keeps_out_without_a_reason() -> None:
    own, other = ({"StringEquals": {"aws:PrincipalOrgID": one}} for one in ("o-1", "o-2"))
    only_ann = {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/ann"}}

    assert known(trust({"AWS": [ANN, JOB]}, Condition=own)) == ({"ann"}, {"job"}, [])
    assert known(trust({"AWS": [ANN, JOB]}, Condition=other)) == (set(), set(), [])
    assert known(trust({"AWS": [ANN, JOB]}, Condition=only_ann)) == ({"ann"}, set(), [])
    assert known(trust({"AWS": [ANN, JOB]}), trust("*", "Deny", Condition=only_ann)) == (set(), {"job"}, [])


def test_a_condition_that_is_not_decided_names_whom_it_is_about() -> None:
    mfa = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    users, roles, reasons = known(trust({"AWS": [ANN, OTHER]}, Condition=mfa))

    assert (users, roles) == (set(), set())
    assert reasons == [
        "trust policy, statement 1: principal 444455556666 is of another account, under a condition "
        "(Bool aws:MultiFactorAuthPresent)",
        "trust policy, statement 1: Condition (Bool aws:MultiFactorAuthPresent): it lets some calls of ann only",
    ]


@pytest.mark.parametrize(
    ("principal", "everybody"),
    [("*", [True]), ({"AWS": ["*", ACCOUNT]}, [True, False]), ({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, [False])],
    ids=str,
)
def test_a_trust_policy_may_open_to_more_than_it_names(principal: Any, everybody: list[bool]) -> None:
    document = read_document(
        json.dumps({"Version": "2012-10-17", "Statement": [trust(principal), trust({"AWS": ANN})]})
    )

    assert [opening.everybody for opening in openings(document, PEOPLE)] == everybody


@pytest.mark.parametrize(
    "statement",
    [
        trust({"AWS": OTHER}),
        trust({"AWS": f"arn:aws:iam::{OTHER}:root"}),
        trust({"AWS": ANN}),
        trust({"Service": "*"}),
        trust("*", "Deny"),
        trust("*", action="sts:TagSession"),
    ],
    ids=str,
)
def test_what_opens_to_nobody_else(statement: dict[str, Any]) -> None:
    document = read_document(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))

    assert openings(document, PEOPLE) == []
