"""How permission sets refer to managed policies."""

import pytest

from raito_pipeline.aws.push.types.permission_set_arns import is_of_aws, kind_of, member_of, path_and_name

OF_AWS = "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"


@pytest.mark.parametrize(
    ("arn", "named", "member"),
    [
        ("arn:aws:iam::111122223333:policy/readers", "/readers", {"Name": "readers", "Path": "/"}),
        ("arn:aws-cn:iam::111122223333:policy/a/b/readers", "/a/b/readers", {"Name": "readers", "Path": "/a/b/"}),
    ],
)
def test_one_of_the_account_by_path_and_name(arn: str, named: str, member: dict[str, str]) -> None:
    assert (is_of_aws(arn), path_and_name(arn)) == (False, named)
    assert kind_of(arn) == "CustomerManagedPolicyReference"
    assert member_of(arn) == {"CustomerManagedPolicyReference": member}


def test_one_of_aws_by_its_arn() -> None:
    assert (is_of_aws(OF_AWS), kind_of(OF_AWS), member_of(OF_AWS)) == (
        True,
        "ManagedPolicy",
        {"ManagedPolicyArn": OF_AWS},
    )
