"""AWS-managed policies: there in every account of AWS, loaded here when one is named, as all 1,582 take long."""

import functools
import json
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, IAMBackend

_PREFIX = "arn:aws:iam::aws:policy"


@functools.cache
def _known() -> dict[str, tuple[str, dict[str, Any]]]:
    policies = json.loads(aws_managed_policies_data)
    return {f"{_PREFIX}{data.get('Path', '/')}{name}": (name, data) for name, data in policies.items()}


def is_aws_managed(arn: str) -> bool:
    """Whether AWS has a managed policy of this ARN."""
    return arn.startswith(_PREFIX) and arn in _known()


def load_aws_managed(iam: IAMBackend, arn: str) -> None:
    """Make the AWS-managed policy known to this account's IAM; does nothing for other ARNs."""
    if arn in iam.managed_policies or not is_aws_managed(arn):
        return
    name, data = _known()[arn]
    policy = AWSManagedPolicy.from_data(name, iam.account_id, iam.region_name, data)
    iam.managed_policies[arn] = policy
    iam.aws_managed_policies.append(policy)
