"""What the options of an account ask of the IAM reader: what they make unnecessary is not asked of AWS.

What an option leaves out of the import is read all the same: a Deny in it limits what other policies give.
"""

from typing import Literal

from raito_pipeline.config.groups import IamOptions

EntityType = Literal["User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"]


def wants_policies(options: IamOptions) -> bool:
    """Whether inline and managed policies can matter."""
    return options.imports_iam_access


def details_filter(options: IamOptions) -> list[EntityType]:
    """The `Filter` of `GetAccountAuthorizationDetails` that leaves out what nobody needs."""
    principals: list[EntityType] = ["User", "Group", "Role"]
    policies: list[EntityType] = ["LocalManagedPolicy", "AWSManagedPolicy"]
    return [*principals, *(policies if wants_policies(options) else ())]
