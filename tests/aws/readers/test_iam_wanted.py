"""What of IAM can matter under the options: what is not imported is read all the same, as a Deny in it counts."""

from typing import Any

import pytest

from raito_pipeline.aws.readers.iam_wanted import details_filter, wants_policies
from raito_pipeline.config.groups import IamOptions
from raito_pipeline.config.patterns import NamePattern

PRINCIPALS, POLICIES = ["User", "Group", "Role"], ["LocalManagedPolicy", "AWSManagedPolicy"]


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({}, True),
        ({"aws_access_skip_iam": True}, False),
        ({"skip_data_access_sync": True}, False),
        ({"aws_access_skip_user_inline_policies": True}, True),
        ({"aws_access_skip_group_inline_policies": True}, True),
        ({"aws_access_skip_managed_policies": True}, True),
        ({"aws_access_skip_aws_managed_policies": True}, True),
        ({"aws_user_excludes": (NamePattern("svc-.*"),)}, True),
    ],
)
def test_what_can_matter(options: dict[str, Any], wanted: bool) -> None:
    chosen = IamOptions(**options)

    assert wants_policies(chosen) is wanted
    assert details_filter(chosen) == [*PRINCIPALS, *(POLICIES if wanted else ())]
