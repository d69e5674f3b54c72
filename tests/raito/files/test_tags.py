"""Tags as Raito Cloud takes them, and what is read out of them."""

import pytest

from raito_pipeline.model import Tag
from raito_pipeline.raito.files.tags import email_of, is_machine, tag_elements


def test_tags_that_were_not_read_are_not_the_same_as_none() -> None:
    assert tag_elements(None) is None
    assert tag_elements([]) == []
    assert tag_elements([Tag("a", "1")]) == [{"key": "a", "value": "1", "source": "aws-s3"}]


@pytest.mark.parametrize(
    ("option", "machine"),
    [("kind:robot", True), ("KIND:Robot", True), ("kind:rob", False), ("robot", False), (None, False), ("", False)],
)
def test_a_machine_has_the_whole_tag_in_any_case(option: str | None, machine: bool) -> None:
    assert is_machine([Tag("team", "a"), Tag("Kind", "ROBOT")], option) is machine


def test_the_address_is_that_of_the_first_key_that_holds_the_word() -> None:
    tags = [Tag("work-email", "w@x"), Tag("email", "e@x"), Tag("Email", "upper@x")]

    assert email_of(tags, "ann") == "e@x"
    assert email_of([Tag("Email", "upper@x")], "ann") == "ann"
    assert email_of([], "ann") == "ann"
    assert email_of([Tag("email", "")], "ann") == "ann"
    assert email_of([Tag("a-email", " "), Tag("email", " e@x ")], "ann") == "e@x"
