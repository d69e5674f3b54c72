"""Rows of IAM from its answers, the same from both ways of reading."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from raito_pipeline.aws.readers.iam_rows import (
    AccountRows,
    group_row,
    inline_attachment,
    managed_attachment,
    merged,
    policy_row,
    policy_text,
    role_row,
    user_row,
)
from raito_pipeline.model import IamAttachment, IamGroup, IamPolicy, IamRole, IamUser, Tag, is_aws_managed

MADE = datetime(2026, 1, 1, 14, tzinfo=timezone(timedelta(hours=2)))
UTC_MADE = datetime(2026, 1, 1, 12, tzinfo=UTC)
HERE = "arn:aws:iam::111122223333"
USER: dict[str, Any] = {
    "UserId": "AIDA1",
    "UserName": "ann",
    "Arn": f"{HERE}:user/ann",
    "Path": "/",
    "CreateDate": MADE,
    "Tags": [{"Key": "b", "Value": "2"}, {"Key": "a", "Value": "1"}],
    "PermissionsBoundary": {"PermissionsBoundaryArn": f"{HERE}:policy/b", "PermissionsBoundaryType": "Policy"},
}


def test_a_user_with_sorted_groups_and_tags_and_times_in_utc() -> None:
    tags = (Tag("a", "1"), Tag("b", "2"))
    whole = IamUser("AIDA1", "ann", f"{HERE}:user/ann", "/", UTC_MADE, ("x", "y"), f"{HERE}:policy/b", tags)

    assert user_row(USER, ["y", "x"], with_tags=True) == whole
    assert user_row(USER, ["y", "x"], with_tags=True).create_date.tzinfo is UTC
    assert user_row(USER, [], with_tags=False).tags == ()


def test_what_an_answer_leaves_out_is_empty() -> None:
    bare = {name: USER[name] for name in ("UserId", "UserName", "Arn", "Path", "CreateDate")}

    row = user_row(bare, [], with_tags=True)

    assert (row.tags, row.permissions_boundary_arn, row.group_names) == ((), None, ())


def test_a_group_and_a_role() -> None:
    group = {"GroupId": "AGPA1", "GroupName": "staff", "Arn": f"{HERE}:group/staff", "Path": "/", "CreateDate": MADE}
    role = {"RoleId": "AROA1", "RoleName": "r", "Arn": f"{HERE}:role/r", "Path": "/p/", "CreateDate": MADE}

    assert group_row(group) == IamGroup("AGPA1", "staff", f"{HERE}:group/staff", "/", UTC_MADE)
    trusted = role_row({**role, "AssumeRolePolicyDocument": {"Version": "2012-10-17"}})
    assert trusted == IamRole("AROA1", "r", f"{HERE}:role/r", "/p/", UTC_MADE, '{"Version":"2012-10-17"}', None, ())


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({"b": 1, "a": [1, 2]}, '{"b":1,"a":[1,2]}'),  # in the order of the document, compact
        ({"city": "Zürich"}, '{"city":"Zürich"}'),
        ("%7B%22Version%22%3A%202%7D", '{"Version": 2}'),  # what botocore could not parse comes as it was sent
        ("not json", "not json"),
    ],
)
def test_a_document_as_text_whatever_stage_of_decoding_it_is_in(document: object, text: str) -> None:
    assert policy_text(document) == text


def test_a_policy_has_no_tags_yet_and_says_whose_it_is() -> None:
    answer = {"PolicyId": "ANPA1", "PolicyName": "p", "Arn": f"{HERE}:policy/p", "Path": "/", "DefaultVersionId": "v3"}

    assert policy_row(answer, "{}") == IamPolicy("ANPA1", "p", f"{HERE}:policy/p", "/", False, "v3", 0, "{}", None)


@pytest.mark.parametrize(
    ("arn", "managed"),
    [
        ("arn:aws:iam::aws:policy/ReadOnlyAccess", True),
        ("arn:aws-cn:iam::aws:policy/aws-service-role/x", True),
        (f"{HERE}:policy/aws", False),
        (f"{HERE}:policy/a:aws:b", False),
        ("", False),
    ],
)
def test_who_owns_a_policy(arn: str, managed: bool) -> None:
    assert is_aws_managed(arn) is managed


def test_attachments_name_the_policy_or_hold_its_document() -> None:
    assert managed_attachment("role", "r", "p", "arn") == IamAttachment("role", "r", "managed", "p", "arn", None)
    assert inline_attachment("user", "u", "p", {"a": 1}) == IamAttachment("user", "u", "inline", "p", None, '{"a":1}')


def test_parts_are_put_together_table_by_table() -> None:
    one, two = AccountRows(users=[user_row(USER, [], with_tags=False)]), AccountRows()
    two.users.append(user_row({**USER, "UserName": "bob"}, [], with_tags=False))
    two.attachments.append(managed_attachment("role", "r", "p", "arn"))

    whole = merged([one, two])

    assert [user.user_name for user in whole.users] == ["ann", "bob"]
    assert len(whole.attachments) == 1
    assert [user.user_name for user in one.users] == ["ann"], "the parts stay as they are"


def test_a_document_with_half_of_a_character_is_a_text_that_can_be_stored() -> None:
    text = policy_text({"Resource": "\ud83dü"})
    assert text.isascii()
    assert policy_text({"Resource": "ü"}) == '{"Resource":"ü"}'
