"""What the policies of resources give users and roles directly: access points and buckets."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from raito_pipeline.aws.access.account import Account, PrincipalKey
from raito_pipeline.aws.access.bucket_policies import granted_by_buckets
from raito_pipeline.aws.access.external_ids import ACCESS_POINT
from raito_pipeline.aws.access.given import CERTAIN
from raito_pipeline.aws.access.points import granted_by_point
from raito_pipeline.aws.access.resource_policies import GrantsToEach
from raito_pipeline.aws.policy.reasons import Code, texts
from raito_pipeline.aws.policy.what import Claims


@dataclass(frozen=True, slots=True)
class DirectGrant:
    """What the policy of one resource leaves a user or role within its limits."""

    claims: Claims
    """their basis is as that of `given`"""
    shared: tuple[str, ...]
    """what is not sure about the policy, whoever has something by it"""
    own: tuple[str, ...]
    """what is not sure about the principal"""
    through_point: bool
    """whether calls go through an access point, which Denies may be about by its ARN"""


DirectGrants = Mapping[PrincipalKey, list[DirectGrant]]
"""by user or role"""


def claims_by_resource(account: Account) -> DirectGrants:
    """What is left to each principal within its limits, resource by resource."""
    direct: dict[PrincipalKey, list[DirectGrant]] = defaultdict(list)
    for external_id, (grants, shared) in _resources(account):
        basis = frozenset({(external_id, CERTAIN)})
        point = external_id.startswith(ACCESS_POINT)
        for principal, (claims, own) in grants.items():
            if claims:
                grant = DirectGrant(
                    dict.fromkeys(claims, basis), texts(shared, Code.WIDER), texts(own, Code.WIDER), point
                )
                direct[principal].append(grant)
    return dict(direct)


def _resources(account: Account) -> Iterator[tuple[str, GrantsToEach]]:
    """External ids with what each gives."""
    for point in account.inputs.access_points:
        yield f"{ACCESS_POINT}{point.arn}", granted_by_point(account, point)
    yield from granted_by_buckets(account)
