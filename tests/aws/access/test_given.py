"""What single policies give: for sure, and under which conditions."""

from dataclasses import replace

from raito_pipeline.aws.access.account import Account
from raito_pipeline.aws.access.given import CERTAIN, given, sources_of
from raito_pipeline.config.groups import AccessOptions
from raito_pipeline.model import made_by_raito

from .conftest import BY_RAITO, READ, Told, allow, document

OFFICE = {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}


def basis_of(told: Told, user: str) -> set[tuple[str, str]]:
    account = Account(told.inputs(), AccessOptions())
    claims = given(sources_of(account, ("user", user)), account.scope)
    return {origin for basis in claims.values() for origin in basis}


def test_each_policy_gives_under_its_external_id() -> None:
    told = Told().group("g").user("ann", "g").policy("p", READ, "user:ann").inline("user:ann", "b", READ)
    told.inline("user:ann", "a", READ).inline("group:g", "c", READ)

    assert basis_of(told, "ann") == {
        ("policy:p", CERTAIN),
        ("user:ann|inline:a|b|", CERTAIN),
        ("group:g|inline:c|", CERTAIN),
    }


def test_what_raito_made_gives_access_as_well() -> None:
    told = Told().user("ann").policy("p", READ, "user:ann", tags=BY_RAITO)

    assert made_by_raito(BY_RAITO)
    assert basis_of(told, "ann") == {("policy:p", CERTAIN)}


def test_a_condition_that_never_holds_gives_nothing() -> None:
    never = {"StringEquals": {"aws:ResourceAccount": "999999999999"}}
    told = Told().user("ann").policy("p", document(allow("s3:GetObject", "*", Condition=never)), "user:ann")

    assert basis_of(told, "ann") == set()


def test_a_condition_on_how_calls_are_made_is_no_condition_on_who_has_access() -> None:
    tls = {"Bool": {"aws:SecureTransport": "true"}}
    told = Told().user("ann").policy("p", document(allow("s3:GetObject", "*", Condition=tls)), "user:ann")

    assert basis_of(told, "ann") == {("policy:p", CERTAIN)}


def test_a_document_that_is_not_the_one_in_force_gives_nothing_for_certain() -> None:
    told = Told().user("ann").policy("p", READ, "user:ann", aws=True)
    (policy,) = told.policies
    told.policies = [replace(policy, document_version_id="v0", document_as_of="2026-01-01")]

    ((external_id, condition),) = basis_of(told, "ann")

    assert external_id == "policy:p"
    assert "its document is of v0" in condition


def test_the_condition_names_document_statement_and_key() -> None:
    told = (
        Told().user("ann").policy("p", document(allow("s3:GetObject", "*", Sid="Office", Condition=OFFICE)), "user:ann")
    )

    ((_, condition),) = basis_of(told, "ann")

    assert condition.startswith("policy p, statement 1 (Office): Condition (IpAddress aws:SourceIp)")
