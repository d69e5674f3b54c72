"""Whom a Deny in the policy of a resource is about."""

from typing import Any

import pytest

from raito_pipeline.aws.policy import read_document
from raito_pipeline.aws.policy.deny_reach import DenyReach, is_account, reach
from tests.aws.access.conftest import ACCOUNT, deny, document, role_arn, user_arn

ANN, ADMIN = user_arn("ann"), role_arn("admin")
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/admin/janitor"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
FOREIGN = "arn:aws:iam::444455556666:root"
NAMED: dict[str, tuple[Any, DenyReach, DenyReach]] = {
    "everybody": ("*", DenyReach.SURE, DenyReach.SURE),
    "everybody in AWS": ({"AWS": "*"}, DenyReach.SURE, DenyReach.SURE),
    "the account by its root": ({"AWS": ROOT}, DenyReach.SURE, DenyReach.SURE),
    "the account by its id": ({"AWS": ACCOUNT}, DenyReach.SURE, DenyReach.SURE),
    "the user": ({"AWS": ANN}, DenyReach.SURE, DenyReach.NO),
    "the role": ({"AWS": [ADMIN]}, DenyReach.NO, DenyReach.SURE),
    "a session of the role": ({"AWS": SESSION}, DenyReach.NO, DenyReach.MAYBE),
    "another account": ({"AWS": FOREIGN}, DenyReach.NO, DenyReach.NO),
    "a service": ({"Service": "s3.amazonaws.com"}, DenyReach.NO, DenyReach.NO),
    "a canonical user": ({"CanonicalUser": "79a59d"}, DenyReach.MAYBE, DenyReach.MAYBE),
    "somebody of a kind that nobody knows": ({"aws": "*"}, DenyReach.MAYBE, DenyReach.MAYBE),
}
SPARED: dict[str, tuple[list[str], DenyReach, DenyReach]] = {
    "nobody here": ([FOREIGN], DenyReach.SURE, DenyReach.SURE),
    "the account alone": ([ROOT], DenyReach.SURE, DenyReach.SURE),
    "the user without the account": ([ANN], DenyReach.SURE, DenyReach.SURE),
    "the user with the account": ([ANN, ROOT], DenyReach.NO, DenyReach.SURE),
    "the user with the id of the account": ([ANN, ACCOUNT], DenyReach.NO, DenyReach.SURE),
    "the role with the account": ([ADMIN, ROOT], DenyReach.SURE, DenyReach.SURE),
    "a session with its role and account": ([SESSION, ADMIN, ROOT], DenyReach.SURE, DenyReach.MAYBE),
    "everybody": (["*"], DenyReach.NO, DenyReach.NO),
}


def of(statement: dict[str, Any], *, boundary: bool = False) -> tuple[DenyReach, DenyReach]:
    (read,) = read_document(document(statement)).statements
    user, role = (reach(read, arn, ACCOUNT, has_boundary=boundary) for arn in (ANN, ADMIN))
    return user, role


@pytest.mark.parametrize("name", NAMED)
def test_a_deny_reaches_whom_it_names(name: str) -> None:
    principal, user, role = NAMED[name]

    assert of(deny("s3:*", "*", Principal=principal)) == (user, role)


@pytest.mark.parametrize("name", SPARED)
def test_not_principal_spares_whom_aws_spares(name: str) -> None:
    named, user, role = SPARED[name]

    assert of(deny("s3:*", "*", NotPrincipal={"AWS": named})) == (user, role)


def test_a_boundary_makes_not_principal_spare_nobody() -> None:
    assert of(deny("s3:*", "*", NotPrincipal={"AWS": [ANN, ROOT]}), boundary=True) == (DenyReach.SURE, DenyReach.SURE)


def test_a_role_is_known_by_its_name_below_a_path() -> None:
    (read,) = read_document(document(deny("s3:*", "*", Principal={"AWS": SESSION}))).statements
    assert reach(read, f"arn:aws:iam::{ACCOUNT}:role/team/a/admin", ACCOUNT) is DenyReach.MAYBE
    assert reach(read, f"arn:aws:iam::{ACCOUNT}:role/administrators", ACCOUNT) is DenyReach.NO


def test_the_root_of_another_account_is_not_the_account() -> None:
    (read,) = read_document(document(deny("s3:*", "*", Principal={"AWS": [FOREIGN, ROOT]}))).statements
    assert [is_account(each, ACCOUNT) for each in read.principals or ()] == [False, True]
