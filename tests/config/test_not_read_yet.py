"""Options that change nothing yet: whoever sets one is warned, and the documentation says it."""

import pytest

from raito_pipeline.config.describe import describe
from raito_pipeline.config.not_read_yet import NOT_READ_YET

from .conftest import Loads, raito_yml


@pytest.mark.parametrize("name", NOT_READ_YET)
def test_it_is_an_option_whose_explanation_says_that_it_changes_nothing(name: str) -> None:
    (option,) = [each for each in describe() if each.name == name]
    assert option.text.endswith(f"Not read yet: {NOT_READ_YET[name]}.")


@pytest.mark.parametrize("name", NOT_READ_YET)
def test_whoever_sets_it_is_told_once_and_whoever_does_not_is_not(loads: Loads, name: str) -> None:
    warnings = loads(raito_yml(top=f"{name}: true\n")).warnings

    assert [each.option for each in warnings if "not read yet" in each.found] == [name]
    assert [each for each in loads(raito_yml()).warnings if "not read yet" in each.found] == []
    assert [each for each in loads(raito_yml(top=f'{name}: ""\n')).warnings if "not read yet" in each.found] == []
