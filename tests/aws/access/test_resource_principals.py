"""Whom an Allow in the policy of a resource gives something, and who else is named."""

from typing import Any

from raito_pipeline.aws.access.account import Account
from raito_pipeline.aws.access.resource_principals import GivenTo, LeftOutside, ResourcePolicy, given_to, is_public
from raito_pipeline.aws.policy import read_document
from raito_pipeline.aws.policy.reasons import Code
from raito_pipeline.config.groups import AccessOptions

from .conftest import ACCOUNT, Told, allow, document, role_arn, user_arn

ROOT = f"arn:aws:iam::{ACCOUNT}:root"


def given(principal: Any, *, blocked: bool = False, **more: Any) -> GivenTo:
    account = Account(Told().user("ann").user("bob").role("jobs").inputs(), AccessOptions())
    (statement,) = read_document(document(allow("s3:GetObject", "*", Principal=principal, **more))).statements
    return given_to(account, statement, ResourcePolicy("policy", public_is_blocked=blocked))


def test_who_is_named_by_arn_is_kept_apart_from_who_is_everybody() -> None:
    to = given({"AWS": [user_arn("ann"), "*"]})

    assert (to.by_arn.users, to.by_arn.roles) == ({"ann"}, set())
    assert (to.as_everybody.users, to.as_everybody.roles) == ({"ann", "bob"}, {"jobs"})
    assert [reason.code for reason in to.reasons] == [Code.WHO]


def test_the_account_itself_is_a_note() -> None:
    for name in (ROOT, ACCOUNT):
        to = given({"AWS": name})
        assert (to.by_arn.users, to.as_everybody.users) == (set(), set())
        assert [reason.code for reason in to.reasons] == [Code.NOTE]


def test_a_public_access_block_makes_everybody_the_account() -> None:
    to = given("*", blocked=True)

    assert to.as_everybody.users == {"ann", "bob"}
    assert [reason.code for reason in to.reasons] == [Code.NOTE]


def test_a_condition_on_who_calls_picks_out_of_everybody() -> None:
    to = given("*", Condition={"StringLike": {"aws:PrincipalArn": [user_arn("b*"), role_arn("x")]}})

    assert (to.as_everybody.users, to.as_everybody.roles) == ({"bob"}, set())


def test_a_condition_that_nobody_knows_is_one_reason_however_many_it_is_about() -> None:
    to = given("*", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})

    assert to.as_everybody.users == set()
    assert [reason.code for reason in to.reasons] == [Code.WHO, Code.WHO]
    assert "it lets some calls of ann, bob, jobs only" in to.reasons[0].text


def test_what_is_left_to_access_points_names_nobody() -> None:
    to = given("*", Condition={"StringEquals": {"s3:DataAccessPointAccount": ACCOUNT}})

    assert (to.by_arn.users, to.as_everybody.users) == (set(), set())
    assert [reason.code for reason in to.reasons] == [Code.NOTE]


def test_whom_no_deny_leaves_anything_outside_is_kept_out() -> None:
    nothing = LeftOutside(anything=False, kept_out_by=("resource control policy p",))
    account = Account(Told().user("ann").inputs(), AccessOptions())

    def said(principal: Any, left: LeftOutside) -> list[tuple[Code, str]]:
        (statement,) = read_document(document(allow("s3:GetObject", "*", Principal=principal))).statements
        to = given_to(account, statement, ResourcePolicy("policy"), lambda _: left)
        assert to.by_arn.users | to.as_everybody.users == {"ann"}
        return [(reason.code, reason.text.partition(": ")[2]) for reason in to.reasons]

    other = "arn:aws:iam::444455556666:role/etl"
    out = "is named, but kept out (resource control policy p)"
    assert said("*", nothing) == [(Code.NOTE, f"everybody (*), also outside of the account, {out}")]
    assert said({"AWS": [user_arn("ann"), other]}, nothing) == [(Code.NOTE, f"principal {other} {out}")]
    doubted = said({"AWS": [user_arn("ann"), other]}, LeftOutside(doubts=("it may be denied",)))
    assert doubted == [(Code.WHO, f"principal {other} is of another account; it may be denied")]


def test_public_is_an_allow_to_everybody_without_condition() -> None:
    def public(*statements: dict[str, Any]) -> list[bool]:
        return [is_public(statement) for statement in read_document(document(*statements)).statements]

    open_to_all = allow("s3:GetObject", "*", Principal={"AWS": "*"})
    condition = {"Bool": {"aws:SecureTransport": "true"}}
    assert public(open_to_all, open_to_all | {"Condition": condition}, open_to_all | {"Effect": "Deny"}) == [
        *(True, False, False)
    ]
