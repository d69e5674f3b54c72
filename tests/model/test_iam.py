"""What the declarations of IAM decide: one first layer of an account, each row found again by what AWS never reuses."""

from dataclasses import replace
from typing import get_type_hints

import pytest

from raito_pipeline.model import TABLES, IamAttachment, Layer, Outside
from tests.model.test_schema import example_row

TABLES_OF_IAM = Outside.AWS_IAM.feeds


def test_iam_is_read_by_the_run_that_begins_a_sync() -> None:
    assert set(TABLES_OF_IAM) >= {"iam_users", "iam_groups", "iam_roles", "iam_policies", "iam_attachments"}
    for table in TABLES_OF_IAM:
        assert TABLES[table].layer is Layer.ACCOUNT
        assert TABLES[table].layer.begins
        assert TABLES[table].parents == ()


@pytest.mark.parametrize(
    ("table", "key"), [("iam_users", "user_id"), ("iam_groups", "group_id"), ("iam_roles", "role_id")]
)
def test_a_principal_is_known_by_its_unique_id_as_a_name_may_be_given_again(table: str, key: str) -> None:
    assert TABLES[table].key == (key,)


def test_an_inline_policy_and_a_managed_one_of_the_same_name_are_two_attachments() -> None:
    inline = replace(example_row(IamAttachment, null=True), kind="inline", policy_name="reads")
    managed = replace(inline, kind="managed", policy_arn="arn:aws:iam::aws:policy/reads")
    keys = {tuple(getattr(row, name) for name in TABLES["iam_attachments"].key) for row in (inline, managed)}
    assert len(keys) == 2


def test_tags_that_were_not_read_are_told_from_none() -> None:
    hints = {spec.name: get_type_hints(spec.row_type) for spec in map(TABLES.__getitem__, TABLES_OF_IAM)}
    assert type(None) in hints["iam_policies"]["tags"].__args__
    assert type(None) not in hints["iam_roles"]["tags"].__args__
