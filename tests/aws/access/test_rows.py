"""The row of an access provider: which reasons make it incomplete, and what is locked."""

import pytest

from raito_pipeline.aws.access.rows import access_provider
from raito_pipeline.aws.access.who import WhoNames
from raito_pipeline.aws.policy.reasons import Code, Reason
from raito_pipeline.model import AccessProvider


def row(*reasons: Reason, who: WhoNames = WhoNames(), fixed: str | None = None) -> AccessProvider:  # noqa: B008
    made = access_provider(
        external_id="role:a", name="a", type="aws_role", policy="{}", who=who, reasons=reasons, fixed=fixed
    )
    return made.row


@pytest.mark.parametrize("code", Code)
def test_a_reason_stands_with_its_code_and_those_about_s3_make_it_incomplete(code: Code) -> None:
    made = row(Reason(code, "why"))

    assert made.incomplete == code.is_incomplete
    assert made.incomplete_reasons == (("why",) if code.is_incomplete else ())
    columns = {Code.WIDER: made.reasons_wider, Code.NARROWER: made.reasons_narrower, Code.WHO: made.reasons_who}
    assert {each: texts for each, texts in columns.items() if texts} == ({code: ("why",)} if code in columns else {})


def test_a_reason_is_said_once_whoever_gives_it() -> None:
    twice = Reason(Code.WHO, "nobody knows them")
    made = row(twice, Reason(Code.WIDER, "a condition"), who=WhoNames(None, None, None, (twice,)))

    assert made.incomplete_reasons == ("nobody knows them", "a condition")
    assert (made.who_users, made.who_groups) == (None, None)


def test_what_is_fixed_in_aws_locks_what_name_and_existence_and_leaves_the_who() -> None:
    made = row(fixed="managed by AWS")
    assert {made.what_locked, made.name_locked, made.delete_locked} == {"managed by AWS"}
    assert (made.who_locked, made.inheritance_locked, made.owners_locked) == (None, None, None)
