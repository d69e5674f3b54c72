"""The options explained to people: each once, in its place, with what it is without being set."""

from collections import Counter

from raito_pipeline.config.describe import ACCOUNT, ORGANIZATION, PIPELINE, WHOLE_FILE, describe, render_markdown

OPTIONS = describe()


def test_an_option_is_explained_once_where_it_stands() -> None:
    places = [(option.where, option.name) for option in OPTIONS]
    assert len(places) == len(set(places))
    spellings = [name for option in OPTIONS if option.where == ACCOUNT for name in option.spellings]
    assert len(spellings) == len(set(spellings)), "the same word for two options"


def test_what_is_required_comes_first_in_its_place() -> None:
    for where in (WHOLE_FILE, ACCOUNT, ORGANIZATION):
        required = [
            option.default == "required" for option in OPTIONS if option.where == where and option.name != "targets"
        ]
        assert required == sorted(required, reverse=True), where


def test_a_default_is_said_in_words_of_the_file() -> None:
    defaults = {option.name: option.default for option in OPTIONS}
    assert defaults["connector-name"] == defaults["aws-account-id"] == "required"
    assert defaults["aws-access-skip-iam"] == "false"
    assert not [option for option in OPTIONS if option.default in ("None", "()", "", "True", "False")]


def test_the_page_has_a_row_for_each_option_that_no_table_breaks_at() -> None:
    page = render_markdown()
    for name, times in Counter(option.name for option in OPTIONS).items():
        rows = [line for line in page.splitlines() if line.startswith(f"| `{name}`")]
        assert [row.count("|") for row in rows] == [5] * times, name
    assert "## Below `pipeline:`" in page
    assert [option.name for option in OPTIONS if option.where == PIPELINE]
