"""Whom a Deny in the policy of a resource is about."""

from typing import Any

import pytest

from raito_pipeline.aws.policy import read_document
from raito_pipeline.aws.policy.reach import Reach, is_account, reach
from tests.aws.access.conftest import ACCOUNT, deny, document, role_arn, user_arn

ANN, ADMIN = user_arn("ann"), role_arn("admin")
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/admin/janitor"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
FOREIGN = "arn:aws:iam::444455556666:root"
NAMED: dict[str, tuple[Any, Reach, Reach]] = {
    "everybody": ("*", Reach.SURE, Reach.SURE),
    "everybody in AWS": ({"AWS": "*"}, Reach.SURE, Reach.SURE),
    "the account by its root": ({"AWS": ROOT}, Reach.SURE, Reach.SURE),
    "the account by its id": ({"AWS": ACCOUNT}, Reach.SURE, Reach.SURE),
    "the user": ({"AWS": ANN}, Reach.SURE, Reach.NO),
    "the role": ({"AWS": [ADMIN]}, Reach.NO, Reach.SURE),
    "a session of the role": ({"AWS": SESSION}, Reach.NO, Reach.MAYBE),
    "another account": ({"AWS": FOREIGN}, Reach.NO, Reach.NO),
    "a service": ({"Service": "s3.amazonaws.com"}, Reach.NO, Reach.NO),
    "a canonical user": ({"CanonicalUser": "79a59d"}, Reach.MAYBE, Reach.MAYBE),
}
SPARED: dict[str, tuple[list[str], Reach, Reach]] = {
    "nobody here": ([FOREIGN], Reach.SURE, Reach.SURE),
    "the account alone": ([ROOT], Reach.SURE, Reach.SURE),
    "the user without the account": ([ANN], Reach.SURE, Reach.SURE),
    "the user with the account": ([ANN, ROOT], Reach.NO, Reach.SURE),
    "the user with the id of the account": ([ANN, ACCOUNT], Reach.NO, Reach.SURE),
    "the role with the account": ([ADMIN, ROOT], Reach.SURE, Reach.SURE),
    "a session with its role and account": ([SESSION, ADMIN, ROOT], Reach.SURE, Reach.MAYBE),
    "everybody": (["*"], Reach.NO, Reach.NO),
}


def of(statement: dict[str, Any], *, boundary: bool = False) -> tuple[Reach, Reach]:
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
    assert of(deny("s3:*", "*", NotPrincipal={"AWS": [ANN, ROOT]}), boundary=True) == (Reach.SURE, Reach.SURE)


def test_a_role_is_known_by_its_name_below_a_path() -> None:
    (read,) = read_document(document(deny("s3:*", "*", Principal={"AWS": SESSION}))).statements
    assert reach(read, f"arn:aws:iam::{ACCOUNT}:role/team/a/admin", ACCOUNT) is Reach.MAYBE
    assert reach(read, f"arn:aws:iam::{ACCOUNT}:role/administrators", ACCOUNT) is Reach.NO


def test_the_root_of_another_account_is_not_the_account() -> None:
    (read,) = read_document(document(deny("s3:*", "*", Principal={"AWS": [FOREIGN, ROOT]}))).statements
    assert [is_account(each, ACCOUNT) for each in read.principals or ()] == [False, True]
