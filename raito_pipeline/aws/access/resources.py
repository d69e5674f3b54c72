"""What the policies of resources give users and roles directly: access points and buckets."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from raito_pipeline.aws.access.account import Account, PrincipalKey
from raito_pipeline.aws.access.bucket_policies import granted_by_buckets
from raito_pipeline.aws.access.external_ids import ACCESS_POINT
from raito_pipeline.aws.access.given import CERTAIN
from raito_pipeline.aws.access.points import granted_by_point
from raito_pipeline.aws.access.resource_policies import GrantsToEach
from raito_pipeline.aws.policy.reasons import Code
from raito_pipeline.aws.policy.what import Claims

DirectGrants = Mapping[PrincipalKey, list[tuple[Claims, tuple[str, ...]]]]
"""by user or role: claims whose basis is as that of `given`, and what all of them depend on"""


def claims_by_resource(account: Account) -> DirectGrants:
    """What is left to each principal within its limits, resource by resource."""
    found: dict[PrincipalKey, list[tuple[Claims, tuple[str, ...]]]] = defaultdict(list)
    for external_id, (grants, shared) in _resources(account):
        basis = frozenset({(external_id, CERTAIN)})
        for principal, (claims, reasons) in grants.items():
            conditions = (each.text for each in (*shared, *reasons) if each.code is Code.WIDER)
            if claims:
                found[principal].append((dict.fromkeys(claims, basis), tuple(dict.fromkeys(conditions))))
    return dict(found)


def _resources(account: Account) -> Iterator[tuple[str, GrantsToEach]]:
    """External ids with what each gives."""
    for point in account.inputs.access_points:
        yield f"{ACCESS_POINT}{point.arn}", granted_by_point(account, point)
    yield from granted_by_buckets(account)
