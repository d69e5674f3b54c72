"""Rights that several access provider types of IAM need."""

from collections.abc import Iterator

from raito_pipeline.aws.policy.rights import Right
from raito_pipeline.aws.provider_types.declaration import Target
from raito_pipeline.config import AccountTarget


def read_iam(target: Target) -> Iterator[Right]:
    """Reading users, groups, roles and policies: one call for everything, which does not take a resource."""
    if reads_iam(target):
        yield Right("ReadIam", ("iam:GetAccountAuthorizationDetails",), ("*",))


def reads_iam(target: Target) -> bool:
    """True where access is read from IAM."""
    return isinstance(target, AccountTarget) and not (target.aws_access_skip_iam or target.skip_data_access_sync)
