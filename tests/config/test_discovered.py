"""The file of discovered targets: what its entries have themselves, what they share, and how each is reached."""

from pathlib import Path

import pytest

from .conftest import Fails, Loads, account, organization, raito_yml

DISCOVER = """\
pipeline:
  discover:
    role: raito-#account#
    external-id: acme
    target:
      aws-regions: eu-west-1,us-east-1
      aws-s3-cloudtrail-bucket: trail-#account#
"""
ENTRY = """\
  - name: {name}
    aws-account-id: "{account_id}"
    data-source-id: ds-{name}
    identity-store-id: is-{name}
"""


def kept(folder: Path, *entries: str) -> None:
    (folder / "raito.discovered.yml").write_text("targets:\n" + "".join(entries))


def entry(name: str, account_id: str, more: str = "") -> str:
    return ENTRY.format(name=name, account_id=account_id) + (f"    {more}\n" if more else "")


def test_an_entry_is_a_target_with_the_shared_options_and_the_role_of_its_account(loads: Loads, tmp_path: Path) -> None:
    kept(tmp_path, entry("sales", "111122223333"), entry("data", "111122224444", "aws-regions: eu-central-1"))

    options = loads(raito_yml(organization("aws-profile: master"), top=DISCOVER))

    sales, data = options.accounts
    assert (sales.name, sales.partition, sales.data_source_id) == ("sales", "111122223333", "ds-sales")
    assert (sales.regions, data.regions) == (("eu-west-1", "us-east-1"), ("eu-central-1",))
    assert sales.aws_s3_cloudtrail_bucket == "trail-111122223333"
    assert sales.profile == "master"
    assert sales.role is not None
    assert sales.role.arn == "arn:aws:iam::111122223333:role/raito-111122223333"
    assert (sales.role.external_id, sales.role.session_name) == ("acme", "raito-pipeline")
    assert not options.warnings


def test_the_management_account_and_one_with_a_profile_of_its_own_need_no_role(loads: Loads, tmp_path: Path) -> None:
    kept(tmp_path, entry("top", "999999999999"), entry("own", "111122223333", "aws-profile: own"))

    top, own = loads(raito_yml(organization("aws-profile: master"), top=DISCOVER)).accounts

    assert (top.profile, top.role) == ("master", None)
    assert (own.profile, own.role) == ("own", None)


def test_an_account_that_the_file_names_itself_is_not_there_twice(loads: Loads, tmp_path: Path) -> None:
    kept(tmp_path, entry("sales", "123456789012"), entry("data", "111122224444"))

    options = loads(raito_yml(account(), top=DISCOVER))

    assert [(target.name, target.partition) for target in options.accounts] == [
        ("one", "123456789012"), ("data", "111122224444"),
    ]  # fmt: skip


def test_without_a_file_nothing_was_discovered_yet_and_without_the_option_it_is_not_read(
    loads: Loads, tmp_path: Path
) -> None:
    assert loads(raito_yml(organization(), top=DISCOVER)).accounts == ()
    kept(tmp_path, "  - something else\n")
    assert [target.name for target in loads(raito_yml()).accounts] == ["one"]


def test_a_closed_account_is_a_target_that_says_so(loads: Loads, tmp_path: Path) -> None:
    kept(tmp_path, entry("old", "111122223333", 'closed: "2026-11-26"'))

    (target,) = loads(raito_yml(organization(), top=DISCOVER)).accounts

    assert (target.partition, target.closed) == ("111122223333", "2026-11-26")


@pytest.mark.parametrize(
    "written", ["'{{REGIONS}}'", "['{{ONE}}', cn-northwest-1]", "[~, cn-north-1]", "' cn-north-1 ,'"]
)
def test_the_region_to_discover_in_is_the_first_one_as_targets_read_it(loads: Loads, written: str) -> None:
    top = f"pipeline: {{discover: {{role: raito, target: {{aws-region: {written}}}}}}}\n"
    given = {"REGIONS": "cn-north-1, cn-northwest-1\n", "ONE": "cn-north-1\n"}

    found = loads(raito_yml(organization(), top=top), given).pipeline.discover

    assert found is not None
    assert found.region == "cn-north-1"


@pytest.mark.parametrize(
    ("discover", "option"),
    [
        ("discover: yes", "discover"),
        ("discover: {target: {aws-regions: eu-west-1}}", "role"),
        ("discover: {role: 'a b', target: {aws-regions: eu-west-1}}", "role"),
        ("discover: {role: raito}", "aws-regions"),
        ("discover: {role: raito, target: {aws-regions: ''}}", "aws-regions"),
        ("discover: {role: raito, target: {aws-regions: Frankfurt}}", "aws-regions"),
        ("discover: {role: raito, target: {aws-regions: '{{UNSET}}'}}", "aws-regions"),
        ("discover: {role: raito, target: {aws-regions: eu-west-1, data-source-id: x}}", "data-source-id"),
        ("discover: {role: raito, data-source-name: '#name#', target: {aws-regions: eu-west-1}}", "data-source-name"),
    ],
)
def test_what_cannot_be_meant_is_said(fails: Fails, discover: str, option: str) -> None:
    problems = fails(raito_yml(organization(), top=f"pipeline: {{{discover}}}\n"))
    assert [problem.option for problem in problems] == [option]


@pytest.mark.parametrize("text", ["", "targets: no\n", "targets:\n  - name: x\n", "a: [\n"])
def test_a_file_that_something_else_wrote_is_said_unless_it_is_empty(
    fails: Fails, loads: Loads, text: str, tmp_path: Path
) -> None:
    (tmp_path / "raito.discovered.yml").write_text(text)
    if not text:
        assert loads(raito_yml(organization(), top=DISCOVER)).accounts == ()
        return
    assert all("raito.discovered.yml" in problem.file for problem in fails(raito_yml(organization(), top=DISCOVER)))
