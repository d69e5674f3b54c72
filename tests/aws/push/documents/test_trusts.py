"""Trust policies that Raito did not write: people come and go, conditions and other statements stay."""

import json
from typing import Any

import pytest

from raito_pipeline.aws.push.documents.trusts import edited
from tests.aws.push.conftest import ACCOUNT

USERS = {name: f"arn:aws:iam::{ACCOUNT}:user/{name}" for name in ("ada", "bob", "cyd")}
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
NOBODY = {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}
SERVICE = {"Effect": "Allow", "Principal": {"Service": "glue.amazonaws.com"}, "Action": "sts:AssumeRole"}


def lets(*users: str, action: Any = "sts:AssumeRole", **more: Any) -> dict[str, Any]:
    """A statement that lets users of the account in, sorted."""
    return {"Effect": "Allow", "Principal": {"AWS": [USERS[name] for name in users]}, "Action": action, **more}


def document(*statements: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


TAGGED = ["sts:AssumeRole", "sts:TagSession"]
ACCOUNT_ROOT = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
OTHER_MFA = {"NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}}

CASES = {
    "nobody edited": ([lets("ada"), SERVICE], {"ada"}, {"ada"}, [lets("ada"), SERVICE]),
    "somebody comes": ([lets("ada"), SERVICE], {"ada"}, {"ada", "bob"}, [lets("ada", "bob"), SERVICE]),
    "somebody goes": ([lets("ada", "bob")], {"ada", "bob"}, {"ada"}, [lets("ada")]),
    "the last one goes": ([lets("ada")], {"ada"}, set(), [NOBODY]),
    "the last one goes beside a service": ([SERVICE, lets("ada")], {"ada"}, set(), [SERVICE]),
    "the first one comes": ([NOBODY], set(), {"ada"}, [lets("ada")]),
    "a service alone": ([SERVICE], set(), {"ada"}, [SERVICE, lets("ada")]),
    "a condition holds for who comes": (
        [lets("ada", Condition=MFA)],
        set(),
        {"bob"},
        [lets("ada", "bob", Condition=MFA)],
    ),
    "who comes has it under a condition": ([lets("ada", Condition=MFA)], set(), {"ada"}, [lets("ada", Condition=MFA)]),
    "more than assuming stays with whom it was given": (
        [lets("ada", action=TAGGED)],
        {"ada"},
        {"ada", "bob"},
        [lets("ada", action=TAGGED), lets("bob")],
    ),
    "more than assuming goes too": ([lets("ada", "bob", action=TAGGED)], {"ada", "bob"}, {"bob"}, [
        lets("bob", action=TAGGED),
    ]),
    "who goes is in several statements": (
        [lets("ada", "bob"), lets("ada", Condition=MFA)],
        {"ada", "bob"},
        {"bob"},
        [lets("bob")],
    ),
    "the account with a condition": (
        [{**ACCOUNT_ROOT, "Condition": MFA}],
        set(),
        {"ada"},
        [{**ACCOUNT_ROOT, "Condition": MFA}, lets("ada", Condition=MFA)],
    ),
}  # fmt: skip


GONE = "AIDAQ3EGVQXAEXAMPLE12"
WITH_GONE = {**lets("ada", "bob"), "Principal": {"AWS": [*lets("ada", "bob")["Principal"]["AWS"], GONE]}}
CASES |= {
    "who was deleted stays where nobody edited": ([WITH_GONE], {"ada", "bob"}, {"ada", "bob"}, [WITH_GONE]),
    "who was deleted goes with who goes": ([WITH_GONE], {"ada", "bob"}, {"ada"}, [lets("ada")]),
    "who was deleted goes when somebody comes": (
        [{**lets(), "Principal": {"AWS": GONE}}, SERVICE],
        set(),
        {"ada"},
        [SERVICE, lets("ada")],
    ),
    "the last one goes beside who was deleted": ([WITH_GONE], {"ada", "bob"}, set(), [NOBODY]),
}


@pytest.mark.parametrize("name", CASES)
def test_people_come_and_go(name: str) -> None:
    before, shown, wanted, after = CASES[name]
    found = edited(document(*before), USERS, shown, wanted)
    assert json.loads(found.whole)["Statement"] == after
    assert found.problems == ()
    again = edited(found.whole, USERS, wanted, wanted)
    assert again.whole == again.narrowed == found.whole


def test_a_document_that_nobody_edited_stays_word_for_word() -> None:
    text = '{ "Version": "2008-10-17",\n "Statement": ' + json.dumps(lets("ada")) + "}"
    found = edited(text, USERS, {"ada"}, {"ada"})
    assert (found.narrowed, found.whole) == (text, text)


def test_who_goes_goes_before_who_comes_comes() -> None:
    found = edited(document(lets("ada", "bob")), USERS, {"ada", "bob"}, {"bob", "cyd"})
    assert json.loads(found.narrowed)["Statement"] == [lets("bob")]
    assert json.loads(found.whole)["Statement"] == [lets("bob", "cyd")]


def test_under_which_of_several_conditions_somebody_comes_is_for_people_to_say() -> None:
    before = document(lets("ada", Condition=MFA), lets("bob", Condition=OTHER_MFA))
    found = edited(before, USERS, {"ada", "bob"}, {"bob", "cyd"})
    assert json.loads(found.whole)["Statement"] == [lets("bob", "cyd", Condition=OTHER_MFA)]
    found = edited(before, USERS, {"ada", "bob"}, {"ada", "bob", "cyd"})
    assert found.whole == before
    assert "cyd" in found.problems[0]


def test_a_document_that_cannot_be_read_stays_and_is_said_where_it_matters() -> None:
    assert edited("{", USERS, {"ada"}, {"ada"}).problems == ()
    assert "cannot be read" in edited("{", USERS, {"ada"}, set()).problems[0]


ROOT = f"arn:aws:iam::{ACCOUNT}:root"


@pytest.mark.parametrize(
    ("principal", "said"),
    [
        ("*", "lets in everybody"),
        ({"AWS": ROOT}, "lets in the account"),
        ({"AWS": ACCOUNT}, "lets in the account"),
        ({"AWS": "444455556666"}, None),
        ({"AWS": "arn:aws:iam::444455556666:root"}, None),
        ({"Service": "ec2.amazonaws.com"}, None),
    ],
    ids=str,
)
def test_who_goes_and_is_let_in_all_the_same_is_said(principal: Any, said: str | None) -> None:
    whole = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    found = edited(document(lets("ada"), whole), USERS, {"ada", "bob"}, set())

    assert USERS["ada"] not in found.whole
    assert [said in problem for problem in found.problems if said] == ([True] if said else [])
    assert len(found.problems) == (said is not None)
    assert edited(document(lets("ada"), whole), USERS, {"ada"}, {"ada"}).problems == ()
