"""What `raito-pipeline info` shows on a narrow terminal."""

import json
from pathlib import Path

import pytest

from raito_pipeline.cli import main
from raito_pipeline.config.describe import describe

FILE = """\
domain: sandbox
api-user: sync@example.com
api-secret: nothing
pipeline: {{storage: "{place}"}}
targets:
- name: sales
  connector-name: raito-io/cli-plugin-aws-account
  data-source-id: ds
  identity-store-id: is
  aws-account-id: "111122223333"
  aws-regions: eu-west-1
"""
LINK = """\
  aws-organization-profile: people
  aws-organization-region: us-gov-west-1
  aws-organization-identity-center-instance-arn: arn:aws-us-gov:sso:::instance/ssoins-1234567890abcdef
  aws-organization-identity-store: d-1234567890
"""


@pytest.fixture(autouse=True)
def _narrow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)


def test_every_name_is_whole_and_stands_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    names = [name for option in describe() for name in option.spellings]
    shown = [line.removeprefix("also ") for line in lines if line and not line.startswith(" ")]
    assert sorted(name for name in shown if name in names) == sorted(names)


def test_a_part_of_a_name_is_enough_and_every_spelling_counts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "access_sso-role"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "aws-sso-role-prefix also aws-access-sso-role-prefix" in out


def test_no_match_is_said_with_the_nearest_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "aws-regoins"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "no option has 'aws-regoins' in its name; perhaps `aws-regions`" in printed.err


def test_the_variable_of_an_option_is_named_and_whether_it_is_set(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAITO_PIPELINE_STORAGE", "s3://tables/raito")
    assert main(["info", "storage"]) == 0
    assert "RAITO_PIPELINE_STORAGE (set now, and wins over the file)" in " ".join(capsys.readouterr().out.split())
    assert main(["info", "aws-profile"]) == 0
    assert "in the environment" not in capsys.readouterr().out


def test_an_organization_that_only_accounts_link_has_a_policy_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "raito.yml"
    file.write_text(FILE.format(place="tables").replace("eu-west-1", "us-gov-east-1") + LINK)
    asked = ["info", "--config-file", str(file), "--iam-policy"]

    assert main([*asked, "push"]) == 0
    of_account = capsys.readouterr()
    assert "its aws-organization-profile needs a policy of its own: --target people" in of_account.err
    assert "sso:" not in of_account.out

    for mode, actions in (
        ("read", ("sso:ListInstances",)),
        ("push", ("sso:ListInstances", "sso:PutInlinePolicyToPermissionSet")),
    ):
        assert main([*asked, mode, "--target", "people"]) == 0
        printed = capsys.readouterr().out
        assert json.loads(printed)["Statement"]
        assert all(action in printed for action in actions)
        assert "arn:aws-us-gov:sso:::permissionSet/*/*" in printed, "of the partition of its region"


@pytest.mark.parametrize(("place", "status"), [("s3://tables/raito", 0), ("tables", 2)])
def test_the_policy_of_the_storage_is_printed_where_it_is_a_bucket(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], place: str, status: int
) -> None:
    file = tmp_path / "raito.yml"
    file.write_text(FILE.format(place=place))

    assert main(["info", "--iam-policy", "storage", "--config-file", str(file)]) == status

    printed = capsys.readouterr()
    if status:
        assert "no IAM policy is needed" in printed.err
    else:
        assert "arn:aws:s3:::tables/raito/*" in json.dumps(json.loads(printed.out))


def test_a_connector_gives_the_options_of_its_targets_as_the_raito_cli_does(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "raito-io/cli-plugin-aws-organization"]) == 0
    shown = [line for line in capsys.readouterr().out.splitlines() if line and not line.startswith(" ")]
    assert shown == ["Targets of `raito-io/cli-plugin-aws-organization`", "aws-account-id", "aws-profile", "aws-region"]


def test_words_of_a_name_may_stand_in_another_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "bucket exclude"]) == 0
    assert "aws-s3-exclude-buckets" in capsys.readouterr().out
