"""Access providers of S3 access points: one who and one what, though each statement of the policy has its own.

Where principals have different access, only a who and a what that hold for each other are claimed, and the rest is a
reason.
"""

from collections.abc import Collection, Iterator, Mapping

from raito_pipeline.aws.access.account import Account
from raito_pipeline.aws.access.external_ids import ACCESS_POINT
from raito_pipeline.aws.access.rows import access_provider
from raito_pipeline.aws.access.who import WhoNames, boundary_reasons, who_of_principals
from raito_pipeline.aws.policy import Claim, Document, Scope, What, read_document
from raito_pipeline.aws.policy.permissions import permission
from raito_pipeline.aws.policy.principals import named_by, touched
from raito_pipeline.aws.policy.resources import BucketResource
from raito_pipeline.aws.policy.what import allowed, taken_away
from raito_pipeline.model import AccessPoint, AccessProvider, made_by_raito

TYPE = "aws_access_point"
_Principal = tuple[str, str]
"""`user` or `role`, and the name"""


def access_point_providers(account: Account, named: Collection[str]) -> Iterator[AccessProvider]:
    """Access points that have a policy, less those that Raito made."""
    del named  # nothing has them in its who
    if account.options.aws_access_skip_s3_access_points:
        return
    for point in account.inputs.access_points:
        if point.policy is not None and not made_by_raito(point.tags):
            yield _provider(account, point, read_document(point.policy), point.policy)


def _provider(account: Account, point: AccessPoint, document: Document, text: str) -> AccessProvider:
    reasons = [f"access point policy: {problem}" for problem in document.problems]
    claims: dict[_Principal, set[Claim]] = {}
    if point.bucket in account.regions:
        scope = Scope(
            account.options.aws_partition,
            (BucketResource.of_access_point(point.arn, point.bucket),),
            account_wide=False,
            folder_depth=account.folder_depth,
        )
        claims = _claims(account, document, scope, reasons)
    else:
        reasons.append(f"bucket {point.bucket} is of another account, or left out by raito.yml")
    principals, what = _fitting(claims)
    if any(found != what for found in claims.values()):
        left_out = sorted(name for principal, found in claims.items() if found != what for name in [principal[1]])
        reasons.append(f"principals have different access; not all of it is claimed: {', '.join(left_out)}")
    who = who_of_principals(account, principals)
    return access_provider(
        external_id=f"{ACCESS_POINT}{point.arn}",
        name=point.name,
        type=TYPE,
        policy=text,
        who=WhoNames(who.users, who.groups, who.access_providers or (), who.reasons),
        what=account.items(What(frozenset(what), ())),
        reasons=[*reasons, *boundary_reasons(account, principals)],
        tags=point.tags,
    )


def _claims(account: Account, document: Document, scope: Scope, reasons: list[str]) -> dict[_Principal, set[Claim]]:
    """What each principal may do, for sure."""
    found: dict[_Principal, set[Claim]] = {}
    for statement in document.statements:
        if statement.effect == "Allow":
            label = f"access point policy, {statement.label}"
            who = named_by(statement, account.directory, label)
            given, why = allowed(statement, scope)
            reasons += [*who.reasons, *(f"{label}: {reason}" for reason in why)]
            on_points = {c for c in given if (known := permission(c.permission)) is not None and known.access_point}
            for principal in (*(("user", name) for name in who.users), *(("role", name) for name in who.roles)):
                found[principal] = found.get(principal, set()) | on_points
    for statement in document.statements:
        if statement.effect == "Deny":
            condition = f" under a condition ({', '.join(statement.conditions)})" if statement.conditions else ""
            reasons.append(f"access point policy, {statement.label}: Deny{condition}")
            for principal in found:
                if touched(statement, _arn(account, principal), account.inputs.account_id):
                    found[principal] = taken_away(found[principal], statement, scope)
    return found


def _arn(account: Account, principal: _Principal) -> str:
    kind, name = principal
    listed = account.directory.users if kind == "user" else account.directory.roles
    return next(arn for arn, its_name in listed.items() if its_name == name)


def _fitting(claims: Mapping[_Principal, set[Claim]]) -> tuple[list[_Principal], set[Claim]]:
    """The who and the what with the most pairs such that each of the who has all of the what."""
    candidates = [found for found in claims.values() if found]
    common = set.intersection(*candidates) if candidates else set()
    best: tuple[list[_Principal], set[Claim]] = (sorted(claims), set()) if not candidates else ([], set())
    for what in sorted([*candidates, common], key=sorted):
        who = sorted(principal for principal, found in claims.items() if what <= found)
        if len(who) * len(what) > len(best[0]) * len(best[1]):
            best = (who, what)
    return best
