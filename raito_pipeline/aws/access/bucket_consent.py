"""What the bucket behind an access point permits: without it, the policy of the access point gives nothing.

A call through an access point is decided twice, for the access point and for the bucket. The bucket permits it by its
policy, which names the principal or leaves it to its access points, or the principal has it by policies of its own.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-policies.html
"""

from dataclasses import replace

from raito_pipeline.aws.access.account import Account, PrincipalKey, labelled
from raito_pipeline.aws.access.bucket_documents import document_of, reach_of, unread_buckets
from raito_pipeline.aws.access.ceilings import Ceiling, allowance, within
from raito_pipeline.aws.access.limits import GivenBy, limits_of
from raito_pipeline.aws.policy import Document, Scope, Statement
from raito_pipeline.aws.policy.deny_reach import DenyReach, is_account, is_everybody
from raito_pipeline.aws.policy.reasons import Code, Reason
from raito_pipeline.aws.policy.what import Claims, Labelled
from raito_pipeline.model import AccessPoint

_NOT_PERMITTED = (
    "the bucket does not permit all of it: that takes a bucket policy that leaves it to its access points, or the same "
    "access by policies of whoever is named"
)


def consented(
    account: Account, point: AccessPoint, principal: PrincipalKey, claims: Claims
) -> tuple[Claims, list[Reason]]:
    """What of the claims of a principal through an access point the bucket permits, and why that may be too little.

    Where the policy of the bucket is not known, the claims stay and a reason says so.
    """
    if not claims:
        return claims, []
    scope = account.scope_of(principal).of_bucket(point.bucket)
    scope = replace(scope, facts=scope.facts.through(point.arn, point.network_origin))
    by_arn, why = _within(claims, account.once(_of_bucket, principal, point.bucket, GivenBy.RESOURCE), scope)
    left: Claims = by_arn
    # What it has by policies of its own, or as everybody has it, stays within what a boundary allows.
    for documents in (
        account.once(_own, principal),
        account.once(_of_bucket, principal, point.bucket, GivenBy.IDENTITY),
    ):
        given, more = _within(claims, documents, scope)
        why += more
        for ceiling in limits_of(account, principal).ceilings:
            given, more = within(given, allowance(ceiling, scope), scope)
            why += more
        left = {**given, **left}
    if claims.keys() <= left.keys():
        return claims, []
    unknown = _why_unknown(account, point.bucket)
    if unknown is not None:
        return claims, [Reason(Code.WIDER, f"{unknown}: the bucket may not permit it")]
    doubts = account.once(_unread_policies, principal)
    return left, [*why, *doubts, Reason(Code.NOTE, _NOT_PERMITTED)]


def _within(claims: Claims, documents: tuple[Labelled, ...], scope: Scope) -> tuple[Claims, list[Reason]]:
    return within(claims, allowance(Ceiling(documents, binds_named_users=True), scope), scope)


def _unread_policies(account: Account, principal: PrincipalKey) -> tuple[Reason, ...]:
    arns = (arn for key in account.identities(principal) for arn in account.managed.get(key, ()))
    unread = (f"policy {arn} was not read, and may permit it" for arn in arns if arn not in account.documents)
    return tuple(Reason(Code.NARROWER, text) for text in unread)


def _why_unknown(account: Account, bucket: str) -> str | None:
    if not account.options.imports_iam_access:
        return "the policies of users and roles are not read (aws-access-skip-iam)"
    if account.inputs.bucket_policy_use == "off":
        return f"the policy of bucket {bucket} is not read (bucket-policies is off)"
    return f"the policy of bucket {bucket} was not read" if bucket in unread_buckets(account) else None


def _own(account: Account, principal: PrincipalKey) -> tuple[Labelled, ...]:
    """The policies that a user or role has itself, or by its groups."""
    keys = account.identities(principal)
    inline = (one for key in keys for one in labelled(account.inline.get(key, ())))
    managed = (account.documents.get(arn) for key in keys for arn in account.managed.get(key, ()))
    return (*inline, *(one for one in managed if one is not None))


def _of_bucket(account: Account, principal: PrincipalKey, bucket: str, by: GivenBy) -> tuple[Labelled, ...]:
    """What of the policy of a bucket is about a user or role by its ARN, or what is about everybody."""
    known = document_of(account, bucket)
    if known is None:
        return ()
    allows = (each for each in known.document.statements if each.effect == "Allow")
    named = tuple(each for each in allows if _names(account, each, principal, by))
    return ((known.label, Document(known.document.version, named, ())),)


def _names(account: Account, statement: Statement, principal: PrincipalKey, by: GivenBy) -> bool:
    """True for an Allow that names a user or role itself, or everybody: the account alone gives nobody anything."""
    if statement.principals is None:
        return False
    if by is GivenBy.IDENTITY:
        return any(map(is_everybody, statement.principals))
    here = account.inputs.account_id
    others = tuple(each for each in statement.principals if not is_account(each, here) and not is_everybody(each))
    return reach_of(account, replace(statement, principals=others), principal) is DenyReach.SURE
