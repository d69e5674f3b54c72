"""No claim without its basis: each permission in a what is traced to documents and statements, and nothing else is."""

import pyarrow as pa
import pytest

from raito_pipeline.aws.access import AccessInputs
from raito_pipeline.aws.access.account import Account
from raito_pipeline.aws.access.basis import basis_batches
from raito_pipeline.aws.access.build import traced_access_providers
from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.config.groups import AccessOptions
from raito_pipeline.model import AccessBasis, AccessProvider, arrow_schema, table_of
from raito_pipeline.model.schema import from_batch
from tests.aws.access.random_accounts import Features, random_account

from .conftest import Told, allow, deny, document, trust, user_arn

Claimed = tuple[str, str, str]
"""external id, data object, permission"""


def built(inputs: AccessInputs) -> tuple[list[AccessProvider], list[AccessBasis]]:
    providers = traced_access_providers(Account(inputs, AccessOptions()), ACCESS_PROVIDER_TYPES.imported)
    table = pa.Table.from_batches(list(basis_batches(providers)), arrow_schema(AccessBasis))
    return [each.row for each in providers], list(from_batch(AccessBasis, table))


def claimed(rows: list[AccessProvider]) -> set[Claimed]:
    return {
        (row.external_id, item.data_object.full_name, name)
        for row in rows
        for item in row.what
        for name in item.permissions
    }


def claims_of(rows: list[AccessBasis]) -> set[Claimed]:
    return {(row.external_id, row.data_object, row.permission) for row in rows}


@pytest.mark.parametrize("conditions", [False, True])
def test_random_accounts_have_a_basis_for_each_claim_and_for_nothing_else(conditions: bool) -> None:
    claims = 0
    for seed in range(12):
        providers, basis = built(random_account(seed, Features(conditions=conditions)).inputs())

        assert claims_of(basis) == claimed(providers), seed
        keys = [tuple(getattr(row, name) for name in table_of(AccessBasis).key) for row in basis]
        assert len(keys) == len(set(keys)), seed
        claims += len(basis)
    assert claims > 300


def test_every_statement_that_gives_a_claim_is_named() -> None:
    wide, narrow = allow("s3:Get*", "arn:aws:s3:::data/*", Sid="Wide"), allow("s3:GetObject", "arn:aws:s3:::data/*")
    told = Told().user("ann").inline("user:ann", "a", document(narrow)).inline("user:ann", "b", document(narrow, wide))

    _, basis = built(told.inputs())

    (own,) = {row.external_id for row in basis}
    assert own == "user:ann|inline:a|b|"
    assert [(row.document, row.statement) for row in basis if row.permission == "s3:GetObject"] == [
        ("inline policy a", "statement 1"),
        ("inline policy b", "statement 1"),
        ("inline policy b", "statement 2 (Wide)"),
    ]
    assert {row.statement for row in basis if row.permission == "s3:GetObjectTagging"} == {"statement 2 (Wide)"}


def test_what_a_deny_leaves_rests_on_the_statement_that_gave_more() -> None:
    text = document(allow("s3:GetObject", "*", Sid="All"), deny("s3:GetObject", "arn:aws:s3:::other/*"))

    _, basis = built(Told().user("ann").policy("p", text, "user:ann").inputs())

    assert [(row.data_object, row.document, row.statement) for row in basis] == [
        ("111122223333:eu-west-1:data", "policy p", "statement 1 (All)")
    ]


def test_an_access_point_rests_on_its_policy() -> None:
    arn = "arn:aws:s3:eu-west-1:111122223333:accesspoint/door"
    statement = {**trust({"AWS": user_arn("ann")}, "s3:GetObject"), "Resource": f"{arn}/object/*", "Sid": "Ann"}

    providers, basis = built(Told().user("ann").delegates().point("door", statement).inputs())

    assert claims_of(basis) == claimed(providers) != set()
    assert {(row.document, row.statement) for row in basis} == {("access point policy", "statement 1 (Ann)")}
