"""Options are declared on the attributes that hold them: names, order, defaults."""

from typing import Annotated

import pytest
from pydantic import ValidationError

from raito_pipeline.config import kinds
from raito_pipeline.config.option import Option, OptionGroup, declared


class Base(OptionGroup):
    """What comes first."""

    first_one: Annotated[bool, Option(kinds.FLAG, "First.")] = False


class Beside(OptionGroup):
    """What comes second."""

    renamed: Annotated[str, Option(kinds.TEXT, "Second.", ("new-name", "old-name"))]


class Whole(Base, Beside):
    """Both, and one of its own."""

    last: Annotated[str, Option(kinds.TEXT, "Last.")] = "x"
    no_option: str = ""


def test_options_come_base_by_base_under_their_names() -> None:
    found = list(declared(Whole))

    assert [(each.attribute, each.name, each.names) for each in found] == [
        ("first_one", "first-one", ("first-one",)),
        ("renamed", "new-name", ("new-name", "old-name")),
        ("last", "last", ("last",)),
    ]
    assert [each.default for each in found] == [False, None, "x"]


def test_a_group_is_frozen_takes_nothing_else_and_shows_no_values() -> None:
    whole = Whole(renamed="hunter22")

    with pytest.raises(ValidationError):
        whole.last = "y"
    with pytest.raises(ValidationError) as raised:
        Whole(renamed="hunter22", other="hunter22")  # type: ignore[call-arg]
    assert "hunter22" not in str(raised.value)
