"""What the options of an account ask of the IAM reader: what they make unnecessary is not asked of AWS."""

from typing import Literal

from raito_pipeline.aws.readers.iam_rows import PrincipalType, is_aws_managed
from raito_pipeline.config.groups import IamOptions
from raito_pipeline.config.patterns import matches_any

EntityType = Literal["User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"]


def excludes_user(options: IamOptions, user_name: str) -> bool:
    """True for users that are imported by name only: no tags, no inline policies."""
    return matches_any(options.aws_user_excludes, user_name)


def wants_inline(options: IamOptions, kind: PrincipalType, name: str) -> bool:
    """Whether the inline policies of a user, group or role can matter."""
    if not options.imports_iam_access:
        return False
    if kind == "user":
        return not (options.aws_access_skip_user_inline_policies or excludes_user(options, name))
    return not (kind == "group" and options.aws_access_skip_group_inline_policies)


def wants_aws_managed_policies(options: IamOptions) -> bool:
    """Whether the managed policies that AWS itself maintains can matter."""
    return options.imports_managed_policies and not options.aws_access_skip_aws_managed_policies


def wants_policy(options: IamOptions, arn: str) -> bool:
    """Whether a managed policy, by its ARN, can matter."""
    return wants_aws_managed_policies(options) if is_aws_managed(arn) else options.imports_managed_policies


def details_filter(options: IamOptions) -> list[EntityType]:
    """The `Filter` of `GetAccountAuthorizationDetails` that leaves out what nobody needs."""
    wanted: list[EntityType] = ["User", "Group", "Role"]
    if options.imports_managed_policies:
        wanted.append("LocalManagedPolicy")
    if wants_aws_managed_policies(options):
        wanted.append("AWSManagedPolicy")
    return wanted
