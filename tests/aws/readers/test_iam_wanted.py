"""What of IAM can matter under the options: nothing else is asked of AWS."""

from typing import Any

import pytest

from raito_pipeline.aws.readers.iam_wanted import details_filter, excludes_user, wants_inline, wants_policy
from raito_pipeline.config.groups import IamOptions
from raito_pipeline.config.patterns import NamePattern

OWN, OF_AWS = "arn:aws:iam::111122223333:policy/p", "arn:aws:iam::aws:policy/ReadOnlyAccess"
PRINCIPALS = ["User", "Group", "Role"]


@pytest.mark.parametrize(
    ("options", "inline", "policies", "asked"),
    [
        ({}, "user group role", "own aws", ["LocalManagedPolicy", "AWSManagedPolicy"]),
        ({"aws_access_skip_iam": True}, "", "", []),
        ({"skip_data_access_sync": True}, "", "", []),
        (
            {"aws_access_skip_user_inline_policies": True},
            "group role",
            "own aws",
            ["LocalManagedPolicy", "AWSManagedPolicy"],
        ),
        (
            {"aws_access_skip_group_inline_policies": True},
            "user role",
            "own aws",
            ["LocalManagedPolicy", "AWSManagedPolicy"],
        ),
        ({"aws_access_skip_managed_policies": True}, "user group role", "", []),
        ({"aws_access_skip_aws_managed_policies": True}, "user group role", "own", ["LocalManagedPolicy"]),
    ],
)
def test_what_can_matter(options: dict[str, Any], inline: str, policies: str, asked: list[str]) -> None:
    chosen = IamOptions(**options)

    assert [kind for kind in ("user", "group", "role") if wants_inline(chosen, kind, "x")] == inline.split()
    assert [name for name, arn in (("own", OWN), ("aws", OF_AWS)) if wants_policy(chosen, arn)] == policies.split()
    assert details_filter(chosen) == [*PRINCIPALS, *asked]


def test_excluded_users_are_imported_by_name_only() -> None:
    options = IamOptions(aws_user_excludes=(NamePattern("svc-.*"),))

    assert [excludes_user(options, name) for name in ("svc-a", "my-svc-a")] == [True, False]
    assert not wants_inline(options, "user", "svc-a")
    assert wants_inline(options, "role", "svc-a")
