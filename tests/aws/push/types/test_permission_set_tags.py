"""The tags of a permission set of Raito."""

import json

from raito_pipeline.aws.push.types.permission_set_tags import tags_of_permission_set
from raito_pipeline.config.groups import PushOptions
from tests.aws.push.center_push import granted
from tests.aws.push.conftest import ACCOUNT


def owners(*names: str) -> tuple[str, ...]:
    return tuple(json.dumps({"email": f"{name}@example.com", "accountName": name, "groupName": None}) for name in names)


OPTIONS = PushOptions(
    aws_permissionset_owner_email_tag="owner_email",
    aws_permissionset_owner_name_tag="owner_name, second",
    aws_permissionset_owner_group_tag="owner_group",
    aws_permissionset_custom_tags=(("team", "data"), ("creator", "me")),
    aws_permissionset_account_id_tag="account_id",
)


def test_who_made_it_comes_last_and_no_option_changes_that() -> None:
    tags, warnings = tags_of_permission_set(granted("a", owners=owners("b", "a")), ACCOUNT, OPTIONS)
    assert list(tags.items()) == [
        ("team", "data"),
        ("account_id", ACCOUNT),
        ("owner_email", "a@example.com/b@example.com"),
        ("owner_name", "a/b"),
        ("second", "a/b"),
        ("owner_group", ""),
        ("raito_account", ACCOUNT),
        ("creator", "RAITO"),
    ]
    assert warnings == ("tag creator is kept for Raito, and cannot be set by an option",)


def test_owners_are_cut_at_whole_names() -> None:
    many = owners(*(f"{number:03}-{'x' * 40}" for number in range(9)))
    tags, warnings = tags_of_permission_set(granted("a", owners=many), ACCOUNT, OPTIONS)
    assert tags["owner_name"].count("/") == 4
    assert tags["owner_name"].endswith("x")
    assert "tag owner_name has room for 5 of the owners" in warnings


def test_the_order_of_owners_changes_nothing() -> None:
    one = tags_of_permission_set(granted("a", owners=owners("x", "y")), ACCOUNT, OPTIONS)
    assert one == tags_of_permission_set(granted("a", owners=owners("y", "x", "y")), ACCOUNT, OPTIONS)


def test_not_more_than_aws_takes() -> None:
    options = PushOptions(aws_permissionset_custom_tags=tuple((f"k{number:02}", "v") for number in range(60)))
    tags, warnings = tags_of_permission_set(granted("a"), ACCOUNT, options)
    assert (len(tags), list(tags)[-1]) == (48, "creator"), "there is room for the two that say for whom it is"
    assert "left out: k46, " in warnings[0]


def test_one_that_several_accounts_have_names_none() -> None:
    tags, _ = tags_of_permission_set(granted("a"), ACCOUNT, PushOptions(), mark_account=False)
    assert tags == {"creator": "RAITO"}
