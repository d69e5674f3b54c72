"""Buckets of other accounts of the same `raito.yml` that policies of an account name."""

from raito_pipeline.aws.policy import read_document
from raito_pipeline.aws.policy.actions import permissions_of
from raito_pipeline.aws.policy.deny_reach import is_everybody
from raito_pipeline.aws.policy.documents import Principal, Statement
from raito_pipeline.model import S3BucketPolicy

_NEVER_OF_AN_ACCOUNT = ("Service", "Federated")


def lets_in(row: S3BucketPolicy, account_id: str) -> bool | None:
    """Whether a bucket of another account lets in somebody of an account, its Denies and conditions aside.

    None where that is not known: its policy was not read, or is not valid, or ACLs may let somebody in.
    """
    if not row.policy_read:
        return None
    document = read_document(row.policy) if row.policy is not None else None
    if document is not None and any(_names(statement, account_id) for statement in document.statements):
        return True
    return False if row.acls_off and (document is None or not document.problems) else None


def _names(statement: Statement, account_id: str) -> bool:
    if statement.effect != "Allow" or not permissions_of(statement):
        return False
    return statement.principals is None or any(_may_be_of(each, account_id) for each in statement.principals)


def _may_be_of(principal: Principal, account_id: str) -> bool:
    """True for an account, a user or role of it, everybody, and an id that says no account."""
    if principal.kind in _NEVER_OF_AN_ACCOUNT:
        return False
    names_another = principal.value.isdigit() or principal.value.startswith("arn:")
    return is_everybody(principal) or account_id in principal.value or not names_another
