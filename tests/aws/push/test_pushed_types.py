"""What follows from the access provider types of a push: the class of a change, and its explanation."""

import pytest

from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.push.changes import UnknownChange
from raito_pipeline.aws.push.owners.ownership import ChangeRefused
from raito_pipeline.aws.push.pushed_types import NotPushedYet, explain
from tests.aws.push.conftest import Story, arn, document, text

TYPES = ACCESS_PROVIDER_TYPES.push


def story() -> Story:
    made = Story().role("a", "readers", "ada").policy("b", "analysts", "user:ada")
    made.change("detach", "attachment", "user:bob", before=arn("analysts"))
    made.change("create", "policy-version", arn("other"), document("s3:A"), before=text(document("s3:A", "s3:B")))
    made.change("none", "policy", "same").change("refuse", "aws_role", "bad")
    return made.control("c").change("delete", "role", "old").change("delete", "role-inline-policy", "x/y")


def test_a_plan_says_what_each_change_does_to_access() -> None:
    assert [(each.row.operation, each.row.kind, each.access) for each in explain(TYPES, story().changes)] == [
        ("create", "role", "gives access"),
        ("create", "role-inline-policy", "gives access"),
        ("create", "policy", ""),
        ("attach", "attachment", "gives access"),
        ("detach", "attachment", "takes access"),
        ("create", "policy-version", "takes access"),
        ("none", "policy", ""),
        ("refuse", "aws_role", ""),
        ("delete", "role", "removes access"),
        ("delete", "role-inline-policy", "takes access"),
    ]


def test_rows_that_change_nothing_are_no_changes_and_unknown_ones_are_never_made() -> None:
    rows = Story().control("a").change("none", "role", "r").change("create", "bucket", "b").changes
    (unknown,) = TYPES.changes(rows)
    assert isinstance(unknown, UnknownChange)
    with pytest.raises(ChangeRefused, match="create of bucket b: this push cannot make such a change"):
        unknown.apply(None)  # type: ignore[arg-type]


def test_a_type_that_is_not_known_cannot_be_pushed_and_comes_last() -> None:
    assert TYPES.of("aws_moon") == NotPushedYet("aws_moon")
    assert TYPES.order_of("aws_role") < TYPES.order_of("aws_policy") <= TYPES.order_of("aws_moon")


def test_every_change_of_a_type_has_a_row_of_its_own() -> None:
    kinds = [(each.KIND, each.OPERATION) for kind in TYPES.pushed.values() for each in kind.changes]
    assert len(set(kinds)) == len(kinds) > 0
