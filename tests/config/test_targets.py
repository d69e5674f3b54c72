"""The rules of targets: ids, connectors, and what two targets must not share."""

from __future__ import annotations

from itertools import combinations

import pytest

from .conftest import ACCOUNT, ORGANIZATION, Fails, Loads, account, organization, raito_yml

STAGES = ("skip-data-source-sync", "skip-data-access-sync", "skip-data-usage-sync")
BUCKET = "aws-s3-cloudtrail-bucket: trail\n"


def without(entry: str, option: str) -> str:
    return "".join(line for line in entry.splitlines(keepends=True) if f"{option}:" not in line)


def skipping(stages: tuple[str, ...]) -> str:
    return BUCKET + "".join(f"{stage}: true\n" for stage in stages)


@pytest.mark.parametrize("stages", [each for count in range(3) for each in combinations(STAGES, count)])
def test_an_account_without_its_data_source(fails: Fails, stages: tuple[str, ...]) -> None:
    (problem,) = fails(raito_yml(without(account(skipping(stages)), "data-source-id")))
    assert (problem.target, problem.option, problem.found) == ("one", "data-source-id", "nothing")
    assert "skip-data-source-sync" in str(problem.expected)


@pytest.mark.parametrize("entry", [account(), organization()])
def test_a_target_without_its_identity_store(fails: Fails, entry: str) -> None:
    (problem,) = fails(raito_yml(without(entry, "identity-store-id")))
    assert (problem.option, problem.found) == ("identity-store-id", "nothing")
    assert problem.target in ("one", "org")


def test_what_is_skipped_needs_no_id(loads: Loads) -> None:
    people_only = without(account(skipping(STAGES)), "data-source-id")
    no_usage = without(account("skip-data-source-sync: true\nskip-data-access-sync: true"), "data-source-id")
    no_people = without(account("skip-identity-store-sync: true"), "identity-store-id")
    for entry in (people_only, no_usage, no_people):
        assert loads(raito_yml(entry)).warnings == ()
    top = "skip-identity-store-sync: true\n" + "".join(f"{stage}: true\n" for stage in STAGES)
    nothing = without(without(account(), "identity-store-id"), "data-source-id")
    assert loads(raito_yml(nothing, top=top)).warnings == ()


def test_targets_that_are_left_out_need_no_id(loads: Loads) -> None:
    bare = without(account(name="bare", account_id="2" * 12), "identity-store-id")
    assert loads(raito_yml(account(), bare, top="only-targets: one\n")).warnings == ()


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("raito-io/cli-plugin-aws-acount", ACCOUNT),
        ("raito-io/cli-plugin-aws-accounts", ACCOUNT),
        ("raito-io/cli-plugn-aws-account", ACCOUNT),
        ("cli-plugin-aws-account", ACCOUNT),
        ("aws-account", ACCOUNT),
        ("raito/cli-plugin-aws-account", ACCOUNT),
        ("raito-oi/cli-plugin-aws-account", ACCOUNT),
        ("raito-io/cli-plugin-aws", ACCOUNT),
        ("raito-io/cli-plugin-aws-organisation", ORGANIZATION),
        ("raito-io/cli-plugin-aws-org", ORGANIZATION),
        ("cli-plugin-aws-organization", ORGANIZATION),
    ],
)
def test_a_mistyped_connector_of_ours(fails: Fails, loads: Loads, written: str, meant: str) -> None:
    wrong = account(name="wrong").replace(ACCOUNT, written)
    (problem,) = fails(raito_yml(account(), wrong))
    assert (problem.target, problem.option, problem.line) == ("wrong", "connector-name", 12)
    assert problem.found.startswith(f'"{written}"')
    assert problem.expected == f"perhaps `{meant}`"
    assert loads(raito_yml(account(), wrong), only_targets=["one"]).warnings == ()


@pytest.mark.parametrize(
    "written",
    [
        "raito-io/cli-plugin-snowflake",
        "raito-io/cli-plugin-okta",
        "raito-io/cli-plugin-azure-ad",
        "raito-io/cli-plugin-gcp",
        "raito-io/cli-plugin-databricks",
        "acme/cli-plugin-aws-account",
        "other",
    ],
)
def test_connectors_of_others_are_skipped(loads: Loads, written: str) -> None:
    options = loads(raito_yml(account(), account(name="other").replace(ACCOUNT, written)))
    (warning,) = options.warnings
    assert (warning.target, warning.option) == ("other", "connector-name")
    assert "skipped" in warning.found


def test_the_case_of_a_connector_does_not_matter(loads: Loads) -> None:
    options = loads(raito_yml(account().replace(ACCOUNT, "Raito-IO/CLI-Plugin-AWS-Account")))
    assert [target.name for target in options.accounts] == ["one"]


def two(first: str = "", second: str = "", account_id: str = "2" * 12) -> tuple[str, str]:
    return account(f"data-source-id: ds\n{first}"), account(
        f"data-source-id: ds\n{second}", name="two", account_id=account_id
    )


@pytest.mark.parametrize("account_id", ["123456789012", "2" * 12])
def test_two_targets_on_one_data_source(fails: Fails, account_id: str) -> None:
    (problem,) = fails(raito_yml(*two(account_id=account_id)))
    assert (problem.target, problem.option) == ("two", "data-source-id")
    assert problem.found == 'the data source of the target "one"'
    assert "removes what the other imported" in str(problem.expected)


def test_two_targets_on_one_data_source_of_which_one_is_left_out(loads: Loads) -> None:
    for only, left_out in (("one", "two"), ("two", "one")):
        (warning,) = loads(raito_yml(*two()), only_targets=[only]).warnings
        assert (warning.target, warning.option) == (left_out, "data-source-id")
        assert f'"{only}"' in warning.found


def test_two_targets_may_share_out_the_stages_of_a_data_source(loads: Loads, fails: Fails) -> None:
    usage_only, the_rest = skipping(STAGES[:2]), skipping(STAGES[2:])
    assert loads(raito_yml(*two(usage_only, the_rest))).warnings == ()
    assert len(fails(raito_yml(*two(usage_only, BUCKET)))) == 1


def test_two_targets_on_one_identity_store(loads: Loads) -> None:
    store = "identity-store-id: is"
    other = account(store, name="two", account_id="2" * 12)
    (warning,) = loads(raito_yml(account(store), other)).warnings
    assert (warning.target, warning.option) == ("two", "identity-store-id")
    same_account = account(f"{store}\naws-glue-enabled: true", name="glue")
    assert loads(raito_yml(account(store), same_account)).warnings == ()
    skipped = account(f"{store}\nskip-identity-store-sync: true", name="two", account_id="2" * 12)
    assert loads(raito_yml(account(store), skipped)).warnings == ()


def test_a_store_that_many_accounts_share_is_told_once(loads: Loads) -> None:
    entries = [account("identity-store-id: is", name=f"n{n}", account_id=f"{n:012}") for n in range(5)]
    assert len(loads(raito_yml(*entries)).warnings) == 1


def test_a_target_that_is_left_out_does_not_hide_two_that_share(fails: Fails) -> None:
    entries = [account("data-source-id: ds", name=f"n{n}", account_id=f"{n:012}") for n in range(3)]
    (problem,) = fails(raito_yml(*entries), only_targets=["n1", "n2"])
    assert (problem.target, problem.found) == ("n2", 'the data source of the target "n1"')


def test_placeholders_are_not_the_same_id(loads: Loads) -> None:
    one, other = (account("data-source-id: <id>", name=name, account_id=n * 12) for name, n in (("a", "1"), ("b", "2")))
    assert {warning.found for warning in loads(raito_yml(one, other)).warnings} == {'the placeholder "<id>"'}


STORE = "identity-store-id: shared"


@pytest.mark.parametrize(
    ("targets", "told"),
    [
        ((account(STORE), account(STORE, name="two", account_id="2" * 12)), '"one", which is of another account'),
        ((account(STORE), organization(STORE)), '"one", which is of another account'),
        ((organization(STORE), account(STORE)), '"org", which is of an organization'),
        ((organization(STORE), account(STORE, account_id="9" * 12)), '"org", which is of an organization'),
        ((account(STORE), account(STORE + "\nskip-data-source-sync: true", name="two")), None),
        ((organization(STORE), account(STORE + "\nskip-identity-store-sync: true")), None),
    ],
)
def test_who_sends_other_people_into_one_identity_store_is_warned(
    loads: Loads, targets: tuple[str, ...], told: str | None
) -> None:
    skipping = "skip-data-access-sync: true\nskip-data-usage-sync: true\n"
    warnings = [
        each for each in loads(raito_yml(*targets, top=skipping)).warnings if each.option == "identity-store-id"
    ]
    assert [each.found for each in warnings] == ([f"the identity store of the target {told}"] if told else [])
