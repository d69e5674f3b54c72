"""A plan as Markdown: whole on its page, and short enough for an event of Dagster."""

from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.push.account_plan import AccountPlan
from raito_pipeline.aws.push.wording import in_words
from raito_pipeline.orchestration.push.plan_pages import MOST_BYTES, counts_in_words, page_of, short_page
from tests.aws.push.exported import control, state
from tests.aws.push.planned import account_plan


def plan(count: int) -> AccountPlan:
    controls = [control(f"control-{number}", position=number) for number in range(count)]
    return account_plan(*controls, control("moon", type="aws_moon", position=count), there=state())


def test_a_page_holds_every_document() -> None:
    page = page_of(plan(2))
    assert page.count("## `+` role ") == 2
    assert page.count("```diff") == 4
    assert "## `!` aws\\_moon moon" in page
    assert "2 added, 1 refused" in page


def test_what_an_event_shows_is_short_and_says_what_is_left_out() -> None:
    few, many = (in_words(ACCESS_PROVIDER_TYPES.push, plan(count)) for count in (1, 300))
    assert "```diff" in short_page(few)
    assert len(short_page(many).encode()) <= MOST_BYTES + 100
    assert "more\n" in short_page(many)
    assert counts_in_words(many) == "300 added, 1 refused"
    assert short_page(()) == "nothing is to be changed"
