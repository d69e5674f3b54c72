"""What is not made because of a lock is said, of every type; where a lock keeps nothing back, nothing is said."""

from dataclasses import replace
from typing import Any

import pytest

from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.model import AccessControl, PushTarget
from tests.aws.push.situations import (
    Part,
    Situation,
    a_point,
    a_policy,
    a_role,
    a_set,
    granted,
    on,
    point_arn,
    who,
)

BEFORE: dict[str, tuple[Part, ...]] = {
    "aws_role": a_role("n", "ada"),
    "aws_policy": a_policy("n", "user:ada"),
    "aws_sso_role": a_set("n", "USER u-ann"),
    "aws_access_point": a_point("nnn", "ada"),
}
IDS = {
    "aws_role": "role:n",
    "aws_policy": "policy:n",
    "aws_sso_role": "ssorole:n",
    "aws_access_point": f"accesspoint:{point_arn('nnn')}",
}
MORE = (on("data/a"), on("data/b"))


def there(kind: str, **changes: Any) -> AccessControl:
    """An access control that a push made, as AWS has it."""
    external_id = IDS[kind]
    people = who("ann") if kind == "aws_sso_role" else who("ada")
    name = external_id.rpartition("/")[2].rpartition(":")[2]
    return replace(granted("x", kind, people, external_id=external_id, name=name), **changes)


def target(control: AccessControl, before: tuple[Part, ...] = ()) -> PushTarget:
    (made,) = Situation("", before or BEFORE[control.type or ""], control, ()).plan().targets
    return made


def said(control: AccessControl) -> list[str]:
    return [each for each in target(control).warnings if "is locked" in each]


def test_every_type_that_is_pushed_is_here() -> None:
    assert BEFORE.keys() == IDS.keys() == ACCESS_PROVIDER_TYPES.push.pushed.keys()


@pytest.mark.parametrize("kind", IDS)
def test_an_edit_of_a_locked_part_is_said_and_one_of_another_part_is_not(kind: str) -> None:
    others = who("ben") if kind == "aws_sso_role" else who("bob")
    for lock, part, edit in (("who_locked", "who", {"who": others}), ("what_locked", "what", {"what": MORE})):
        (text,) = said(there(kind, **edit, **{lock: True}))
        assert text.startswith(f"its {part} is locked, and stays as AWS has it. Not made: ")
    for lock, edit in (("who_locked", {"what": MORE}), ("what_locked", {"who": others})):
        assert said(there(kind, **edit, **{lock: True})) == []
    assert said(there(kind, who_locked=True, what_locked=True, inheritance_locked=True)) == []
    assert said(there(kind, who=others, what=MORE)) == []


@pytest.mark.parametrize("kind", ["aws_policy", "aws_access_point"])
def test_so_is_one_of_the_access_providers_in_its_who(kind: str) -> None:
    control = there(kind, inheritance_locked=True)
    more = replace(control, who=replace(control.who, inherit_from=("role:r",)))
    made = target(more, (*BEFORE[kind], *a_role("r", "bob")))
    assert [each for each in made.warnings if each.startswith("its inheritance is locked")]
    assert made.errors == ()


def test_what_is_made_of_the_other_part_is_not_among_it() -> None:
    control = there("aws_access_point", who=who("bob"), what=MORE, what_locked=True)
    (text,) = said(control)
    assert ("object/b/*" in text, "object/a/*" in text, "ada" in text) == (True, False, False)


@pytest.mark.parametrize(
    "changes", [{"delete": True, "delete_locked": True}, {"action": "mask"}, {"unreadable": ("what",)}], ids=str
)
def test_what_has_an_error_already_that_says_why_nothing_is_made_says_no_more(changes: dict[str, Any]) -> None:
    made = target(there("aws_role", who=who("bob"), who_locked=True, what_locked=True, **changes))
    assert made.errors
    assert not [each for each in made.warnings if "is locked" in each]


def test_an_object_that_is_made_anew_is_made_whole() -> None:
    made = target(there("aws_role", who_locked=True, what_locked=True), a_policy("n"))
    assert not [each for each in made.warnings if "is locked" in each]
