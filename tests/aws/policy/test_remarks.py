"""Remarks on single elements, told in one reason a code."""

from raito_pipeline.aws.policy.reasons import Code, Reason
from raito_pipeline.aws.policy.remarks import Remark, listed, told


def unknown(action: str) -> Remark:
    return Remark(Code.NARROWER, action, "action {} is not known", "actions {} are not known")


def test_what_is_alike_is_said_together_and_one_reason_a_code() -> None:
    elsewhere = Remark(Code.ELSEWHERE, "ec2:*", "action {} is elsewhere", "actions {} are elsewhere")
    whole = Remark(Code.NARROWER, "", "it has no Resource")

    assert told([unknown("s3:A"), elsewhere, whole, unknown("s3:B"), unknown("s3:A")]) == [
        Reason(Code.NARROWER, "actions s3:A, s3:B are not known; it has no Resource"),
        Reason(Code.ELSEWHERE, "action ec2:* is elsewhere"),
    ]
    assert told([]) == []


def test_elements_past_a_sensible_length_are_counted() -> None:
    many = [f"s3:Action{number:04}" for number in range(2_424)]
    (reason,) = told(map(unknown, many))

    assert len(reason.text) < 1_100
    assert reason.text.startswith("actions s3:Action0000, s3:Action0001, ")
    shown = reason.text.count("s3:")
    assert reason.text.endswith(f" and {2_424 - shown:,} more are not known")


def test_a_long_element_is_shown_whole() -> None:
    assert listed(["x" * 2_000]) == "x" * 2_000
