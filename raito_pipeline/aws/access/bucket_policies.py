"""Access providers of bucket policies: whom the policy of a bucket gives something. Raito Cloud cannot edit them."""

from collections.abc import Collection, Iterator
from dataclasses import replace

from raito_pipeline.aws.access.account import Account
from raito_pipeline.aws.access.basis import TracedProvider
from raito_pipeline.aws.access.bucket_documents import BucketDocument, bucket_documents
from raito_pipeline.aws.access.external_ids import BUCKET_POLICY
from raito_pipeline.aws.access.locks import BUCKET_POLICY as READ_ONLY
from raito_pipeline.aws.access.resource_policies import CommonGrant, GrantsToEach, granted, in_common
from raito_pipeline.aws.access.resource_principals import ResourcePolicy, is_public
from raito_pipeline.aws.access.rows import access_provider
from raito_pipeline.aws.access.who import WhoNames, who_of_principals
from raito_pipeline.aws.policy import Scope
from raito_pipeline.aws.policy.actions import gives_s3
from raito_pipeline.aws.policy.reasons import Code, Reason
from raito_pipeline.aws.policy.resources import BucketResource
from raito_pipeline.model import S3BucketPolicy

TYPE = "aws_bucket_policy"
_RESTRICTED = "RestrictPublicBuckets"


def bucket_policy_providers(account: Account, named: Collection[str]) -> Iterator[TracedProvider]:
    """Bucket policies that give somebody something, or that cannot be read in full."""
    del named  # nothing has them in its who
    if account.inputs.bucket_policy_use != "show":
        return
    for each in bucket_documents(account):
        if gives_s3(each.document) or each.document.problems:
            given = _granted(account, each)
            # What leaves everything to others (identity policies, access points) gives nothing itself.
            if given.claims or any(reason.code.is_incomplete for reason in given.reasons):
                yield _provider(account, each, given)


def granted_by_buckets(account: Account) -> Iterator[tuple[str, GrantsToEach]]:
    """What each bucket policy gives each user and role, by external id; nothing where they are not shown."""
    if account.inputs.bucket_policy_use == "show":
        for each in bucket_documents(account):
            yield f"{BUCKET_POLICY}{each.row.bucket}", account.once(_to_each, each)


def _to_each(account: Account, bucket: BucketDocument) -> GrantsToEach:
    return granted(account, bucket.document, _scope(account, bucket), _policy(bucket))


def _granted(account: Account, bucket: BucketDocument) -> CommonGrant:
    given = in_common(account.once(_to_each, bucket))
    return replace(given, reasons=(*given.reasons, *_acls(bucket.row)))


def _scope(account: Account, bucket: BucketDocument) -> Scope:
    return Scope(
        account.options.aws_partition,
        (BucketResource.of_bucket(bucket.row.bucket),),
        account_wide=False,
        folder_depth=account.folder_depth,
        facts=account.facts,
        paths=account.paths,
    )


def _policy(bucket: BucketDocument) -> ResourcePolicy:
    public = any(map(is_public, bucket.document.statements))
    return ResourcePolicy(bucket.label, public_is_blocked=public and _is_restricted(bucket.row))


def _is_restricted(row: S3BucketPolicy) -> bool:
    return _RESTRICTED in (*(row.public_access_block or ()), *(row.account_public_access_block or ()))


def _acls(row: S3BucketPolicy) -> Iterator[Reason]:
    """ACLs are not read: they name other accounts and the public, and nobody of the account."""
    if row.acls_off is False:
        text = "ACLs are not off in this bucket: they may give other accounts and the public what is not shown"
        yield Reason(Code.NOTE, text)


def _provider(account: Account, bucket: BucketDocument, given: CommonGrant) -> TracedProvider:
    who = who_of_principals(account, given.principals)
    made = access_provider(
        external_id=f"{BUCKET_POLICY}{bucket.row.bucket}",
        name=f"{bucket.row.bucket} bucket policy",
        type=TYPE,
        policy=bucket.text,
        who=WhoNames(who.users, who.groups, who.access_providers or (), who.reasons),
        what=account.items(given.claims),
        reasons=given.reasons,
        fixed=READ_ONLY,
    )
    locked = replace(made.row, who_locked=READ_ONLY, inheritance_locked=READ_ONLY, not_internalizable=True)
    return replace(made, row=locked)
