"""Rights that several access provider types of IAM need."""

from collections.abc import Iterator

from raito_pipeline.aws.policy.rights import Right
from raito_pipeline.aws.provider_types.declaration import Target
from raito_pipeline.config import AccountTarget

READ_IAM = Right("ReadIam", ("iam:GetAccountAuthorizationDetails",), ("*",))
"""Reading users, groups, roles and policies: one call for everything, which does not take a resource."""


def read_iam(target: Target) -> Iterator[Right]:
    """What reading the access that IAM gives needs, where it is imported."""
    if isinstance(target, AccountTarget) and target.imports_iam_access:
        yield READ_IAM


def no_rights(_target: Target) -> Iterator[Right]:
    """What nothing needs."""
    yield from ()
