"""Conditions that together leave no call out."""

from typing import Any

import pytest

from raito_pipeline.aws.policy.documents import Condition
from raito_pipeline.aws.policy.one_holds import one_always_holds

MFA, ADDRESS, TAGS = "aws:MultiFactorAuthPresent", "aws:SourceIp", "aws:TagKeys"
Lines = tuple[tuple[str, str, Any], ...]


def statement(*lines: tuple[str, str, Any]) -> tuple[Condition, ...]:
    return tuple(
        Condition(name, key, tuple(values) if isinstance(values, list) else (values,)) for name, key, values in lines
    )


@pytest.mark.parametrize(
    "statements",
    [
        ([("Bool", MFA, "true")], [("BoolIfExists", MFA, "false")]),
        ([("Bool", MFA, "true")], [("Bool", MFA, "false")], [("Null", MFA, "true")]),
        ([("Null", MFA, "true")], [("Null", MFA.lower(), "false")]),
        ([("IpAddress", ADDRESS, "192.0.2.0/24")], [("NotIpAddress", ADDRESS, "192.0.2.0/24")]),
        ([("StringEquals", "k", ["a", "b"])], [("StringNotEquals", "k", "a")]),
        ([("ArnLike", "k", "arn:a")], [("ArnNotEquals", "k", "arn:a")]),
        ([("NumericLessThan", "k", "1")], [("NumericGreaterThanEquals", "k", "1")], [("Null", "k", "true")]),
        ([("DateLessThan", "k", "2020")], [("DateGreaterThan", "k", "2020")], [("Null", "k", "true")]),
        ([("DateLessThan", "aws:CurrentTime", "2020")], [("DateGreaterThan", "aws:CurrentTime", "2020")]),
        ([("ForAllValues:StringEquals", TAGS, ["a", "b"])], [("ForAnyValue:StringNotEquals", TAGS, ["b", "a"])]),
        ([("ForAnyValue:StringLike", TAGS, "a*")], [("ForAllValues:StringNotLike", TAGS, "a*")]),
        (
            [("Bool", MFA, "true"), ("IpAddress", ADDRESS, "192.0.2.0/24")],
            [("BoolIfExists", MFA, "false")],
            [("NotIpAddress", ADDRESS, "192.0.2.0/24")],
        ),
    ],
)
def test_one_holds_in_every_call(statements: tuple[Lines, ...]) -> None:
    assert one_always_holds([statement(*each) for each in statements])
    for left_out in range(len(statements)):
        assert not one_always_holds([statement(*each) for n, each in enumerate(statements) if n != left_out])


@pytest.mark.parametrize(
    "statements",
    [
        (),
        ([("Bool", MFA, "true")],),
        ([("Bool", MFA, "true")], [("Bool", MFA, "false")]),
        ([("Bool", MFA, "true")], [("Null", MFA, "true")]),
        ([("IpAddress", ADDRESS, "192.0.2.0/24")], [("NotIpAddress", ADDRESS, "192.0.3.0/24")]),
        ([("StringEquals", "k", "a")], [("StringNotEquals", "k", ["a", "b"])]),
        ([("StringEquals", "k", "a")], [("StringNotEquals", "other", "a")]),
        ([("NumericLessThan", "k", "1")], [("NumericGreaterThan", "k", "1")], [("Null", "k", "true")]),
        ([("ForAllValues:StringEquals", TAGS, "a")], [("ForAllValues:StringNotEquals", TAGS, "a")]),
        ([("ForAnyValue:StringEquals", TAGS, "a")], [("ForAnyValue:StringNotEquals", TAGS, "a")]),
        ([("StringSounds", "k", "a")], [("StringNotSounds", "k", "a")]),
        ([("ForAnyValue:StringEqualsIfExists", TAGS, "a")], [("ForAllValues:StringNotEquals", TAGS, "a")]),
        ([("StringEquals", "k", [])], [("StringNotEquals", "k", [])]),
        ([("Bool", "k", "maybe")], [("BoolIfExists", "k", "false")]),
    ],
)
def test_some_call_may_be_left_out(statements: tuple[Lines, ...]) -> None:
    assert not one_always_holds([statement(*each) for each in statements])


def test_of_very_many_conditions_it_is_not_known() -> None:
    many = [statement(("StringEquals", f"k{n}", "a")) for n in range(20)]
    pair = [statement(("Bool", MFA, "true")), statement(("BoolIfExists", MFA, "false"))]

    assert one_always_holds(pair)
    assert not one_always_holds([*many, *pair])
