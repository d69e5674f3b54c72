"""Tags of an object: one change of all types, planned once an object, whoever asks for them."""

import json

from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.push.draft import Draft
from raito_pipeline.aws.push.types.permission_set_changes import TagPermissionSet
from raito_pipeline.aws.push.types.role_changes import TagRole
from raito_pipeline.aws.push.types.tag_changes import TagObject, plan_tags, tags_text
from raito_pipeline.model import CREATOR, Tag
from tests.aws.push.pushing import control

A, B, OTHER_A = Tag("a", "1"), Tag("b", "2"), Tag("a", "0")


def draft() -> Draft:
    return Draft(control("x"), "aws_role")


def test_only_what_is_new_or_differs_is_planned_with_what_it_was() -> None:
    made = draft()
    plan_tags(made, TagRole, "r", [OTHER_A, B], [A, B], "why")
    (row,) = made.rows
    assert (row.operation, row.kind, row.resource, row.why) == ("tag", "role", "r", "why")
    assert (row.before, row.after) == (tags_text([OTHER_A]), tags_text([A]))
    plan_tags(made, TagRole, "r", [A, B], [A, B], "why")
    assert len(made.rows) == 1


def test_what_two_ask_for_is_one_change() -> None:
    made = draft()
    plan_tags(made, TagPermissionSet, "s", [CREATOR, OTHER_A], [A], "first")
    plan_tags(made, TagPermissionSet, "s", [CREATOR, OTHER_A], [B], "second", [CREATOR])
    (row,) = made.rows
    assert (row.before, row.after) == (tags_text([OTHER_A, CREATOR]), tags_text([A, B, CREATOR]))
    plan_tags(made, TagRole, "s", [], [A], "another object")
    assert len(made.rows) == 2


def test_of_an_object_with_as_many_tags_as_aws_takes_none_is_added_and_that_is_said() -> None:
    full = [Tag(f"k{number}", "v") for number in range(48)]
    made = draft()
    plan_tags(made, TagRole, "r", [*full, OTHER_A], [A, B], "why")
    assert [row.after for row in made.rows] == [tags_text([A, B])]
    plan_tags(made, TagRole, "r", [*full, OTHER_A], [Tag("c", "3")], "another reason", [CREATOR])
    assert [row.after for row in made.rows] == [tags_text([A, B])]
    assert made.warnings == ["AWS takes 50 tags, and r has 49: without c, creator"]
    plan_tags(made, TagRole, "s", [*full, OTHER_A, CREATOR], [A, B], "why", [CREATOR])
    assert made.rows[-1].after == tags_text([A])


def test_no_tags_are_nothing() -> None:
    assert tags_text([]) is None
    assert json.loads(tags_text([A]) or "") == {"Tags": [{"Key": "a", "Value": "1"}]}


def test_every_type_whose_objects_have_tags_has_this_change() -> None:
    push = ACCESS_PROVIDER_TYPES.push
    found = {kind: push.tagging(kind) for kind in push.pushed}
    assert all(issubclass(each or object, TagObject) for each in found.values()), found
