"""The explanation of the options is complete, current and true: what it prints can be loaded."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from raito_pipeline.config.describe import (
    ACCOUNT,
    CLI_ONLY,
    DISCOVER,
    EVERY_TARGET,
    FILE_OR_TARGET,
    LOCKS,
    ORGANIZATION,
    PIPELINE,
    WHOLE_FILE,
    OptionDoc,
    describe,
    render_markdown,
)
from raito_pipeline.config.docs import main

from .conftest import LOGIN, Loads, account, besides, organization, raito_yml

PROJECT = Path(__file__).parents[2]
GUIDE = PROJECT.parent / "shared" / "guide"
OPTIONS = [option for option in describe() if option.where != CLI_ONLY and option.name != "targets"]
TARGET = next(option for option in OPTIONS if (option.where, option.name) == (DISCOVER, "target"))
SPELLINGS = [(option, name) for option in OPTIONS for name in option.spellings]
LINK = {
    "aws-organization-profile": "master",
    "aws-organization-identity-center-instance-arn": "arn:aws:sso:::instance/ssoins-1",
    "aws-organization-identity-store": "d-1",
    "aws-organization-region": "eu-central-1",
}


def example_of(option: OptionDoc) -> str:
    """A value of the option that keeps the rest of the file right."""
    special = {
        "connector-name": "raito-io/cli-plugin-aws-account",
        "only-targets": "one",
        "aws-glue-enabled": "false",
        "s3-inventory": "{data: 's3://inventories/data/'}",
        "target": "{aws-regions: eu-central-1}",
    }
    return special.get(option.name, f'"{option.example}"')


def file_with(option: OptionDoc, name: str, value: str) -> str:
    """A file in which `option` stands where its explanation says, under the spelling `name`."""
    line = f"{name}: {value}\n"
    if option.where == PIPELINE:
        return raito_yml(top=f"pipeline: {{{name}: {value}}}\n")
    if option.where == DISCOVER:
        discover = {"role": "raito", "target": example_of(TARGET), name: value}
        given = ", ".join(f"{each}: {text}" for each, text in discover.items())
        return raito_yml(top=f"pipeline: {{discover: {{{given}}}}}\n")
    if option.where in (WHOLE_FILE, FILE_OR_TARGET, LOCKS):
        kept = "".join(each for each in LOGIN.splitlines(keepends=True) if not each.startswith(f"{name}:"))
        return raito_yml(top=line, login=kept)
    link = "".join(f"{each}: {text}\n" for each, text in LINK.items() if each != name) if name in LINK else ""
    entry = organization("", region="") if option.where == ORGANIZATION else account("", regions="")
    kept = "".join(each for each in entry.splitlines(keepends=True) if not each.strip(" -").startswith(f"{name}:"))
    kept = kept if kept.lstrip().startswith("-") else "  - " + kept.lstrip()
    return raito_yml(kept + "".join(f"    {each}\n" for each in (line + link).splitlines()))


@pytest.mark.parametrize(
    ("option", "name"), SPELLINGS, ids=[f"{option.where[:12]}-{name}" for option, name in SPELLINGS]
)
def test_every_option_loads_where_its_explanation_says(loads: Loads, option: OptionDoc, name: str) -> None:
    options = loads(file_with(option, name, example_of(option)), {"AWS_REGION": "eu-central-1"})
    assert besides(options.warnings) == []
    assert len(options.targets) == 1


@pytest.mark.parametrize("option", [option for option in OPTIONS if option.where in (FILE_OR_TARGET, LOCKS)])
def test_options_of_both_places_load_in_a_target(loads: Loads, option: OptionDoc) -> None:
    text = raito_yml(account(f'{option.name}: "{option.example}"'))
    assert loads(text).warnings == ()


def test_every_option_is_explained_once_and_in_sentences() -> None:
    names = [(option.where, name) for option in describe() for name in option.spellings]
    assert len(set(names)) == len(names)
    for option in describe():
        assert re.fullmatch(r"[A-Z`].*\.", option.text), option
        assert option.default, option
        assert option.kind, option


CONTRACT = """
api-user api-secret domain raito-url-override skip-authentication skip-file-upload only-targets cron frequency
sync-at-startup skip-identity-store-sync skip-data-source-sync skip-data-access-sync skip-data-usage-sync
delete-untouched replace-groups delete-temp-files file-backup-location maximum-backups-per-target maximum-file-size
lock-all-who lock-who-by-name lock-who-by-tag lock-who-when-incomplete
lock-all-inheritance lock-inheritance-by-name lock-inheritance-by-tag lock-inheritance-when-incomplete
lock-all-what lock-what-by-name lock-what-by-tag lock-what-when-incomplete
lock-all-names lock-names-by-name lock-names-by-tag lock-names-when-incomplete
lock-all-delete lock-delete-by-name lock-delete-by-tag lock-delete-when-incomplete
lock-all-owners fully-lock-all fully-lock-by-name fully-lock-by-tag fully-lock-when-incomplete make-not-internalizable
tag-overwrite-key-for-access-provider-name tag-overwrite-key-for-access-provider-owners
tag-overwrite-key-for-data-object-owners tag-key-and-value-for-user-is-machine
disable-websocket disable-log-forwarding disable-log-forwarding-identity-store-sync
disable-log-forwarding-data-source-sync disable-log-forwarding-data-access-sync disable-log-forwarding-data-usage-sync
targets data-object-enrichers repositories log-file log-output debug config-file
name connector-name data-source-id identity-store-id
aws-account-id aws-profile aws-region aws-regions aws-organization-profile aws-organization-region
aws-organization-identity-center-instance-arn aws-organization-identity-store aws-concurrency aws-s3-enabled
aws-glue-enabled aws-s3-emulate-folder-structure aws-s3-max-folder-depth aws-s3-include-buckets aws-s3-exclude-buckets
aws-glue-exclude-databases aws-glue-exclude-tables aws-s3-cloudtrail-bucket aws-access-skip-iam
aws-access-skip-user-inline-policies aws-access-skip-group-inline-policies aws-access-skip-managed-policies
aws-access-skip-aws-managed-policies aws-access-skip-s3-access-points aws-access-managed-policy-excludes
aws-access-role-excludes aws-user-excludes aws-role-prefix aws-role-suffix aws-policy-prefix aws-policy-suffix
aws-sso-role-prefix aws-sso-role-suffix aws-access-point-prefix aws-access-point-suffix
aws-access-role-prefix aws-access-policy-prefix aws-access-sso-role-prefix
aws-permissionset-owner-email-tag aws-permissionset-owner-name-tag aws-permissionset-owner-group-tag
aws-permissionset-custom-tags aws-permissionset-owner-custom-tags aws-permissionset-account-id-tag
aws-permissionset-dummy-user aws-permission-set-owner-email-tag aws-permission-set-custom-tags
aws-permission-set-owner-custom-tags aws-permission-set-account-id-tag aws-permission-set-dummy-user
"""


def test_no_option_of_the_raito_cli_and_its_connectors_is_missing() -> None:
    known = {name for option in describe() for name in option.spellings}
    assert set(CONTRACT.split()) - known == set()


ROWS = {
    WHOLE_FILE: (
        "| `cron` | cron expression | none | When to sync, as a cron expression in UTC. At most one sync an hour. |"
    ),
    LOCKS: "| `lock-all-who` | true or false | false | Locks who has the access, for all imported access providers. |",
    ACCOUNT: "| `aws-concurrency` | 1 to 1000 | 5 | How many calls to AWS may run at the same time. |",
}
"""an option of some parts of the file, as people read it: its name, its kind, its default, what it does"""


def test_every_part_of_the_file_is_on_the_page_with_its_options_below_it() -> None:
    parts = {part.partition("\n")[0]: part for part in render_markdown().split("\n## ")[1:]}

    assert {WHOLE_FILE, FILE_OR_TARGET, LOCKS, EVERY_TARGET, ACCOUNT, ORGANIZATION, PIPELINE, CLI_ONLY} <= parts.keys()
    for where, row in ROWS.items():
        assert row in parts[where].splitlines(), where
    named = {
        where: {line.split("`")[1] for line in part.splitlines() if line.startswith("| `")}
        for where, part in parts.items()
    }
    assert {"max-import-deletions", "storage", "mode"} <= named[PIPELINE]
    assert not {"max-import-deletions", "cron"} & named[EVERY_TARGET]


def test_the_page_in_the_project_is_current(tmp_path: Path) -> None:
    fresh = tmp_path / "options.md"
    assert main([str(fresh)]) == 0
    wanted = "run `python -m raito_pipeline.config.docs docs/options.md`"
    assert (PROJECT / "docs" / "options.md").read_text(encoding="utf-8") == fresh.read_text(encoding="utf-8"), wanted


def test_the_page_can_be_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    printed = capsys.readouterr().out
    assert printed == (PROJECT / "docs" / "options.md").read_text(encoding="utf-8")


def guide_examples() -> list[str]:
    texts = (path.read_text(encoding="utf-8") for path in sorted(GUIDE.glob("*.txt")))
    return [
        block for text in texts for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if "targets:" in block
    ]


@pytest.mark.skipif(not GUIDE.is_dir(), reason="the published guide is not beside the checkout")
def test_the_example_of_the_guide_loads_unchanged(loads: Loads) -> None:
    examples = guide_examples()
    assert examples
    for example in examples:
        environ = {"RAITO_USER": "robot", "RAITO_API_KEY": "hunter22", "DOMAIN": "acme"}
        options = loads(example, environ)
        (organization_target,), (account_target,) = options.organizations, options.accounts
        assert organization_target.name == "aws-organization"
        assert account_target.aws_glue_enabled
        assert not account_target.aws_s3_enabled
        assert account_target.aws_s3_cloudtrail_bucket == "raito-cloudtrail"
        assert any(p.fullmatch("AmazonS3FullAccess") for p in account_target.aws_access_managed_policy_excludes)
        assert {warning.found.split('"')[0] for warning in options.warnings} == {"the placeholder "}
        filled_in = re.sub(r'"<[^>]*account id>"', "012345678901", example)
        filled_in = re.sub(r'"<[^>]*(region)[^>]*>"', "eu-central-1", filled_in)
        filled_in = re.sub(r'"<arn[^>]*>"', "arn:aws:sso:::instance/ssoins-1", filled_in)
        filled_in = re.sub(r'"<([^>]*)>"', lambda match: re.sub(r"\W+", "-", match[1]), filled_in)
        real = loads(filled_in, environ)
        assert real.warnings == ()
        assert real.accounts[0].partition == "012345678901"
