"""Denies taken together: what they leave of claims, statement by statement."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from raito_pipeline.aws.policy import Scope, read_document, what_of
from raito_pipeline.aws.policy.claims import Claim, KnownPaths
from raito_pipeline.aws.policy.denies import after_denies, after_deny
from raito_pipeline.aws.policy.facts import Facts
from raito_pipeline.aws.policy.reasons import Code, Reason
from raito_pipeline.aws.policy.resources import ACCOUNT, BucketResource, PermissionTarget
from tests.aws.policy.test_facts import ALICE

GET, LIST = "s3:GetObject", "s3:ListBucket"
SCOPE = Scope("aws", tuple(map(BucketResource.of_bucket, ("a", "b"))), (BucketResource.of_bucket("hidden"),))
BASIS = frozenset({("p", "statement 1")})
TLS = {"Bool": {"aws:SecureTransport": "false"}}


def deny(resource: Any, action: Any = "s3:*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


def after(*denials: dict[str, Any], of: Claim, scope: Scope = SCOPE) -> tuple[set[tuple[str, str]], list[Reason]]:
    document = read_document(json.dumps({"Version": "2012-10-17", "Statement": denials}))
    assert document.problems == ()
    left, reasons = after_denies({of: BASIS}, [("no", document)], scope)
    assert set(left.values()) <= {BASIS}
    return {(claim.target.bucket, claim.target.path) for claim in left}, reasons


WHOLE = Claim(ACCOUNT, GET)
OF_A = Claim(PermissionTarget("a"), GET)


def test_denies_of_different_statements_count_together() -> None:
    objects = [deny("arn:aws:s3:::a/*"), deny("arn:aws:s3:::b/*"), deny("arn:aws:s3:::hidden/*")]

    assert after(*objects, of=WHOLE) == (set(), [])
    assert after(*objects[::2], of=WHOLE) == ({("b", "")}, [])
    assert after(*objects[:1], of=OF_A) == (set(), [])


def test_a_reason_is_at_its_statement_and_names_each_part_once() -> None:
    parts = deny(["arn:aws:s3:::*/x/*", "arn:aws:s3:::b/y/*"])
    left, reasons = after(deny("arn:aws:s3:::elsewhere/*"), parts, of=WHOLE)

    assert left == {("", "")}
    text = "no, statement 2: Deny on arn:aws:s3:::*/x/*, arn:aws:s3:::b/y/*: that part of what is shown is refused"
    assert reasons == [Reason(Code.WIDER, text)]


def test_conditions_are_about_whoever_calls() -> None:
    not_alice = deny("*", Condition={"StringNotEquals": {"aws:username": "alice"}})

    assert after(not_alice, of=OF_A, scope=SCOPE.called_by(ALICE)) == ({("a", "")}, [])
    assert after(not_alice, of=OF_A)[1][0].code is Code.WIDER


def test_how_calls_are_made_is_a_note_where_it_is_about_the_claim() -> None:
    ((left, reasons), (_, elsewhere)) = (after(deny(each, Condition=TLS), of=OF_A) for each in ("*", "arn:aws:s3:::b"))

    assert (left, [reason.code for reason in reasons], elsewhere) == ({("a", "")}, [Code.NOTE], [])


@pytest.mark.parametrize("of", [OF_A, WHOLE, Claim(ACCOUNT, "s3:ListAllMyBuckets")])
@pytest.mark.parametrize(
    "condition",
    [
        {"Bool": {"aws:SecureTransport": "true"}},
        {"Null": {"aws:SecureTransport": "false"}},
        {"NumericGreaterThanEquals": {"s3:TlsVersion": "1.2"}},
        {"BoolIfExists": {"aws:ViaAWSService": "false"}},
        {"StringNotEquals": {"s3:DataAccessPointAccount": "111122223333"}},
    ],
)
def test_a_deny_of_ordinary_calls_takes_away_and_says_what_it_leaves_to_others(condition: Any, of: Claim) -> None:
    left, (reason,) = after(deny("*", Condition=condition), of=of)

    assert (left, reason.code) == (set(), Code.NARROWER)
    assert "as they usually are" in reason.text


def test_a_deny_of_ordinary_calls_on_a_part_and_on_all_but_a_part() -> None:
    tls = {"Bool": {"aws:SecureTransport": "true"}}
    part = after(deny("arn:aws:s3:::a/x/*", Condition=tls), of=OF_A)
    rest = after({"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::a/x/*", "Condition": tls}, of=OF_A)

    assert (part[0], [each.code for each in part[1]]) == ({("a", "")}, [Code.WIDER])
    assert (rest[0], [each.code for each in rest[1]]) == ({("a", "x")}, [Code.NARROWER])


MFA, NO_MFA = (
    {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
)


@pytest.mark.parametrize("of", [OF_A, WHOLE, Claim(ACCOUNT, "s3:ListAllMyBuckets")])
def test_denies_of_which_one_always_holds_take_away_together(of: Claim) -> None:
    with_it, without = deny("*", Condition=MFA), deny("*", Condition=NO_MFA)

    assert after(with_it, without, of=of) == (set(), [])
    assert [each.code for each in after(with_it, of=of)[1]] == [Code.WIDER]
    assert after(with_it, deny("arn:aws:s3:::a/x/*", Condition=NO_MFA), of=of)[0] == {(of.target.bucket, "")}


def test_what_not_resource_leaves_can_be_denied_by_the_next_statement() -> None:
    only_x_and_y = {"Effect": "Deny", "Action": "*", "NotResource": ["arn:aws:s3:::a/x/*", "arn:aws:s3:::a/y/*"]}

    assert after(only_x_and_y, of=WHOLE) == ({("a", "x"), ("a", "y")}, [])
    assert after(only_x_and_y, deny("arn:aws:s3:::a/x*"), of=WHOLE) == ({("a", "y")}, [])
    assert after(only_x_and_y, of=Claim(PermissionTarget("a", "x/deep"), GET)) == ({("a", "x/deep")}, [])


@pytest.mark.parametrize("unknown", ["arn:aws:s3:::${aws:PrincipalTag/team}*/k", "no ARN"])
def test_what_not_resource_surely_spares_is_spared_whatever_else_it_names(unknown: str) -> None:
    all_but = {"Effect": "Deny", "Action": "*", "NotResource": ["arn:aws:s3:::a*", unknown]}
    others = Claim(PermissionTarget("b", "x"), GET)

    assert after(all_but, of=Claim(PermissionTarget("a", "x"), GET)) == ({("a", "x")}, [])
    assert after(all_but, of=Claim(PermissionTarget("a"), LIST)) == ({("a", "")}, [])
    assert [each.code for each in after(all_but, of=others)[1]] == [Code.NARROWER]


def test_permissions_of_the_account_itself() -> None:
    buckets, jobs, points = (Claim(ACCOUNT, f"s3:{name}") for name in ("ListAllMyBuckets", "ListJobs", "GetJobTagging"))
    everywhere = [{("", "")}, []]

    for claim in (buckets, jobs, points):
        assert after(deny("*"), of=claim) == (set(), [])
        assert list(after(deny("arn:aws:s3:::a"), of=claim)) == everywhere
    assert after(deny("arn:aws:s3:::*"), of=buckets) == (set(), [])
    assert after(deny("arn:aws:s3:*"), of=points) == (set(), [])
    assert after(deny("arn:aws:s3:*:*:job/1"), of=points)[1][0].code is Code.WIDER
    assert after({"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::a"}, of=jobs) == (set(), [])


def test_a_file_is_denied_by_its_key_and_not_by_what_is_below_it() -> None:
    target = PermissionTarget("a", "x/k.csv", file=True)
    scope = Scope("aws", SCOPE.places, paths=KnownPaths(frozenset({target})))
    file = Claim(target, GET)

    assert after(deny("arn:aws:s3:::a/x/k.csv"), of=file, scope=scope) == (set(), [])
    assert after(deny("arn:aws:s3:::a/*.csv"), of=file, scope=scope) == (set(), [])
    assert after(deny("arn:aws:s3:::a/x/k.csv/*"), of=file, scope=scope) == ({("a", "x/k.csv")}, [])


def test_one_deny_alone_is_said_without_a_place() -> None:
    (statement,) = read_document(json.dumps({"Statement": deny("arn:aws:s3:::a/x/*")})).statements
    left, reasons = after_deny({OF_A: BASIS}, statement, SCOPE)

    assert left == {OF_A: BASIS}
    assert [reason.text for reason in reasons] == [
        "Deny on arn:aws:s3:::a/x/*: that part of what is shown is refused",
    ]


def test_what_the_account_decides_is_decided_for_a_whole_document() -> None:
    def statements() -> Iterator[dict[str, Any]]:
        yield {"Effect": "Allow", "Action": [GET, LIST], "Resource": "*"}
        yield deny("*", Condition={"StringNotEquals": {"aws:ResourceAccount": "111122223333"}})
        yield deny("*", LIST, Condition={"StringEquals": {"aws:PrincipalAccount": "111122223333"}})

    document = read_document(json.dumps({"Version": "2012-10-17", "Statement": list(statements())}))
    found = what_of([("p", document)], Scope("aws", SCOPE.places, facts=Facts("111122223333")))

    assert set(found.claims) == {WHOLE}
    assert found.reasons == ()


@pytest.mark.parametrize("part", ["arn:aws:s3:::a/x/*", "arn:aws:s3:::?/x/*"])
@pytest.mark.parametrize("first", [True, False])
def test_what_one_deny_leaves_alone_may_be_all_that_another_one_denies(part: str, first: bool) -> None:
    """In either order: of the part that `NotResource` leaves, a Deny of a part of the bucket is asked again."""
    only_x = {"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::a/x/*"}
    denials = [deny(part), only_x] if first else [only_x, deny(part)]

    assert after(*denials, of=OF_A) == (set(), [])
