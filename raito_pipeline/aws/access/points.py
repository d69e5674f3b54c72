"""Access providers of S3 access points: who and what by the policy of the access point."""

from collections.abc import Collection, Iterator
from dataclasses import replace

from raito_pipeline.aws.access.account import Account
from raito_pipeline.aws.access.basis import TracedProvider
from raito_pipeline.aws.access.bucket_consent import consented
from raito_pipeline.aws.access.external_ids import ACCESS_POINT
from raito_pipeline.aws.access.resource_policies import CommonGrant, Consent, GrantsToEach, granted, in_common
from raito_pipeline.aws.access.resource_principals import ResourcePolicy
from raito_pipeline.aws.access.rows import access_provider
from raito_pipeline.aws.access.who import WhoNames, who_of_principals
from raito_pipeline.aws.policy import Scope, read_document
from raito_pipeline.aws.policy.permissions import permission
from raito_pipeline.aws.policy.reasons import Code, Reason
from raito_pipeline.aws.policy.resources import BucketResource
from raito_pipeline.model import AccessPoint, made_by_raito

TYPE = "aws_access_point"
_NAME = "access point policy"


def access_point_providers(account: Account, named: Collection[str]) -> Iterator[TracedProvider]:
    """Access points that have a policy, less those that Raito made."""
    del named  # nothing has them in its who
    if account.options.aws_access_skip_s3_access_points:
        return
    for point in account.inputs.access_points:
        own = made_by_raito(point.tags)
        if point.tags is None:
            own = f"{ACCESS_POINT}{point.arn}" in account.inputs.pushed
        if point.policy is not None and not own:
            yield _provider(account, point, point.policy)


def _provider(account: Account, point: AccessPoint, text: str) -> TracedProvider:
    given = _granted(account, point)
    who = who_of_principals(account, given.principals)
    return access_provider(
        external_id=f"{ACCESS_POINT}{point.arn}",
        name=point.name,
        type=TYPE,
        policy=text,
        who=WhoNames(who.users, who.groups, who.access_providers or (), who.reasons),
        what=account.items(given.claims),
        reasons=given.reasons,
        tags=point.tags,
    )


def _granted(account: Account, point: AccessPoint) -> CommonGrant:
    if point.bucket not in account.regions:
        unread = read_document(point.policy or "").problems
        problems = (Reason(Code.NARROWER, f"{_NAME}: {problem}") for problem in unread)
        elsewhere = f"bucket {point.bucket} is of another account, or left out by raito.yml"
        return CommonGrant((), {}, (*problems, Reason(Code.NARROWER, elsewhere)))
    given = in_common(account.once(_to_each, point))
    return replace(given, reasons=(*given.reasons, *(network_of(point) if given.claims else ())))


def network_of(point: AccessPoint) -> Iterator[Reason]:
    """Why calls from elsewhere do not go through an access point."""
    if point.network_origin == "VPC":
        yield Reason(Code.WIDER, f"only calls from VPC {point.vpc_id or '(not known)'} go through the access point")


def _consent(account: Account, point: AccessPoint) -> Consent:
    return lambda principal, claims: consented(account, point, principal, claims)


def granted_by_point(account: Account, point: AccessPoint) -> GrantsToEach:
    """What the policy of an access point gives each user and role; nothing where its bucket is no data object."""
    if point.policy is None or point.bucket not in account.regions:
        return {}, []
    given, reasons = account.once(_to_each, point)
    through = tuple(network_of(point))
    return {principal: (claims, [*why, *through]) for principal, (claims, why) in given.items()}, reasons


def _to_each(account: Account, point: AccessPoint) -> GrantsToEach:
    document, scope = read_document(point.policy or ""), scope_of_point(account, point)
    policy = ResourcePolicy(_NAME, point=point)
    return granted(account, document, scope, policy, gives=gives_through_points, consent=_consent(account, point))


def scope_of_point(account: Account, point: AccessPoint) -> Scope:
    """What the resources of policies are matched against in calls through an access point."""
    return Scope(
        account.options.aws_partition,
        (BucketResource.of_access_point(point.arn, point.bucket),),
        account_wide=False,
        folder_depth=account.folder_depth,
        facts=account.facts.through(point.arn, point.network_origin),
        paths=account.paths,
    )


def gives_through_points(name: str) -> bool:
    """True for a permission that calls through access points can have."""
    known = permission(name)
    return known is not None and known.access_point
