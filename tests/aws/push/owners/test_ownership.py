"""Which objects of AWS a push may touch: by their tags as they are now, or because the export names them."""

from dataclasses import replace

import pytest

from raito_pipeline.aws.push.owners.ownership import ChangeRefused, Objects
from raito_pipeline.model import CREATOR, PushChange, Tag
from tests.model.test_schema import example_row

CHANGE = replace(
    example_row(PushChange, null=True),
    access_control_id="a",
    operation="update",
    kind="role",
    resource="readers",
    after=None,
)
OURS, THEIRS = (CREATOR, Tag("team", "x")), (Tag("team", "x"),)


class Asked:
    """Tags of AWS, and how often they were asked for."""

    def __init__(self, tags: tuple[Tag, ...] | None) -> None:
        self.tags, self.times = tags, 0

    def __call__(self) -> tuple[Tag, ...] | None:
        self.times += 1
        return self.tags


def objects(**own: str) -> Objects:
    return Objects("111122223333", own)


def test_what_the_export_names_as_its_own_is_not_asked_for() -> None:
    def never() -> tuple[Tag, ...] | None:
        raise AssertionError("asked")

    assert objects(a="role:readers").is_ours(CHANGE, "role:readers", never)


def test_what_raito_made_is_asked_for_once() -> None:
    ours, tags = objects(), Asked(OURS)
    assert ours.is_ours(CHANGE, "role:readers", tags)
    assert ours.is_ours(CHANGE, "role:readers", tags)
    assert tags.times == 1


def test_what_is_gone_is_no_error_and_what_others_made_is_one() -> None:
    assert not objects().is_ours(CHANGE, "role:readers", Asked(None))
    for tags in (THEIRS, ()):
        with pytest.raises(ChangeRefused, match="update of role readers: it exists and was not made by Raito"):
            objects(b="role:readers").is_ours(CHANGE, "role:readers", Asked(tags))


def test_what_the_push_itself_made_is_its_own() -> None:
    ours, tags = objects(), Asked(THEIRS)
    ours.note_created("role:readers")
    assert ours.is_ours(CHANGE, "role:readers", tags)
    assert (ours.was_made("role:readers"), ours.was_made("role:others"), tags.times) == (True, False, 0)


@pytest.mark.parametrize("tags", [None, THEIRS])
def test_what_exists_already_is_taken_over_only_with_the_tag(tags: tuple[Tag, ...] | None) -> None:
    with pytest.raises(ChangeRefused, match="was not made by Raito"):
        objects().take_over(CHANGE, "role:readers", Asked(tags))
    ours = objects()
    ours.take_over(CHANGE, "role:readers", Asked(OURS))
    assert ours.was_made("role:readers")
