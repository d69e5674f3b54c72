"""A plan on a terminal of any width: nothing is cut, and lines have no blanks at their end."""

import io
from dataclasses import replace
from datetime import timedelta

import pytest
from rich.console import Console

from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.push.wording import in_words
from raito_pipeline.cli.show_plan import ages, show_plan
from tests.aws.push.exported import control, state, who
from tests.aws.push.planned import WHEN, account_plan

PLAN = account_plan(control("a", name="Sales readers", who=who("ada", "nobody")), there=state())


@pytest.mark.parametrize("width", [40, 80, 200])
def test_every_word_is_there_at_any_width(width: int) -> None:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    show_plan(console, PLAN, in_words(ACCESS_PROVIDER_TYPES.push, PLAN), WHEN)
    assert isinstance(console.file, io.StringIO)
    said = console.file.getvalue()
    assert [line for line in said.splitlines() if len(line) > width or line != line.rstrip()] == []
    joined = "".join(said.split())
    for text in (
        "+ role Sales_readers: 2 users get s3:GetObject on data/a, less what is not made",
        "not made: user nobody is not in IAM",
        '"arn:aws:iam::111122223333:',
    ):
        assert "".join(text.split()) in joined


@pytest.mark.parametrize("width", [40, 80])
def test_json_stays_whole_so_that_it_can_be_copied(width: int) -> None:
    statement = '{"Sid":"RaitoDelegateToAccessPoints","Resource":["arn:aws:s3:::data","arn:aws:s3:::data/*"]}'
    (target,) = PLAN.targets
    warning = f"add this statement: {statement}, or set aws-access-point-delegation {{not JSON}}"
    plan = replace(PLAN, targets=(replace(target, warnings=(warning,)),))
    console = Console(file=io.StringIO(), width=width, highlight=False)

    show_plan(console, plan, in_words(ACCESS_PROVIDER_TYPES.push, plan), WHEN)

    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    assert statement in lines
    assert [line for line in lines if len(line) > width] == [statement]
    assert "".join(warning.split()) in "".join("".join(lines).split())


@pytest.mark.parametrize(
    ("age", "said"),
    [
        (timedelta(), "0 min ago"),
        (timedelta(minutes=59), "59 min ago"),
        (timedelta(hours=5, minutes=3), "5 h 3 min ago"),
        (timedelta(days=3, hours=2), "3 d 2 h ago"),
    ],
)
def test_the_age_is_said(age: timedelta, said: str) -> None:
    assert [said in line for line in ages(PLAN, WHEN + age)] == [True, True]
