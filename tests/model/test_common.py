"""The tag of what Raito made, without regard to case."""

import pytest

from raito_pipeline.model import Tag, made_by_raito


@pytest.mark.parametrize(
    ("tags", "made"),
    [
        ([Tag("creator", "RAITO")], True),
        ([Tag("team", "a"), Tag("Creator", "Raito")], True),
        ([Tag("creator", "raito-2")], False),
        ([Tag("creators", "RAITO")], False),
        ([], False),
        (None, False),
    ],
)
def test_what_raito_made(tags: list[Tag] | None, made: bool) -> None:
    assert made_by_raito(tags) is made
