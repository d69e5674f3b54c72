"""What `add-target` takes over from the file, and what it refuses. (`test_init.py` adds one to a file of `init`.)"""

from pathlib import Path

import pytest
import yaml

from raito_pipeline.cli import main
from raito_pipeline.config import load
from tests.config.conftest import account, organization, raito_yml

from .conftest import Run

FLAGS = ("--account-id", "111122223333", "--profile", "more", "--regions", "eu-west-1", "--name", "more")
IDS = ("--data-source-id", "ds-more", "--identity-store-id", "is-more")
LINK = """\
aws-organization-profile: master
aws-organization-region: eu-central-1
aws-organization-identity-center-instance-arn: arn:aws:sso:::instance/ssoins-1
aws-organization-identity-store: d-1
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("RAITO_CONFIG_FILE", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "raito.yml"


def test_the_organization_of_the_other_accounts_is_that_of_the_new_one(file: Path, run: Run) -> None:
    file.write_text(raito_yml(organization(), account(LINK)))

    assert run("add-target", *FLAGS, *IDS)[0] == 0

    one, more = load(file).accounts
    assert more.organization == one.organization is not None
    assert (more.data_source_id, more.identity_store_id, more.profile) == ("ds-more", "is-more", "more")


@pytest.mark.parametrize("text", ["targets: [{name: one}]\n", "pipeline: &p {storage: x}\ntargets: *p\n"])
def test_a_file_that_cannot_be_added_to_stays_and_says_what_to_add(file: Path, run: Run, text: str) -> None:
    whole = raito_yml(account()).replace("targets:\n", "x-kept:\n") + text
    file.write_text(whole)
    assert run("add-target", *FLAGS, *IDS)[0] in (1, 2)
    assert file.read_text() == whole


def test_a_file_on_s3_is_said_to_be_one(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["add-target", *FLAGS, *IDS, "--config-file", "s3://configs/raito.yml"]) == 1
    monkeypatch.setenv("RAITO_CONFIG_FILE", "s3://configs/raito.yml")
    assert main(["add-target", *FLAGS, *IDS]) == 1
    assert capsys.readouterr().err.count("s3://configs/raito.yml lies on S3, where nothing is written") == 2
    assert not file.exists()


def test_a_name_that_a_discovered_target_has_is_taken(file: Path, run: Run) -> None:
    discovered = account(name="more").replace("111122223333", "444455556666")
    top = "pipeline: {discover: {role: sync, target: {aws-regions: eu-west-1}}}\n"
    file.write_text(raito_yml(organization(), account(), top=top))
    file.with_name("raito.discovered.yml").write_text(f"targets:\n{discovered}")
    before = file.read_text()
    assert run("add-target", *FLAGS, *IDS)[0] == 2
    assert file.read_text() == before


def test_a_tab_before_a_comment_is_no_form_that_nothing_is_added_to(file: Path, run: Run) -> None:
    file.write_text(raito_yml(account("aws-concurrency: 3\t# enough")))
    assert run("add-target", *FLAGS, *IDS)[0] == 0
    assert "aws-concurrency: 3\t# enough\n" in file.read_text()
    assert len(load(file).accounts) == 2


def test_a_file_with_problems_stays(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(raito_yml(account()))
    assert main(["add-target", *FLAGS, *IDS[:2], "--identity-store-id", "", "--regions", "nowhere"]) == 2
    assert f"  {file}:" in capsys.readouterr().err, "the file that it would be written to is named"
    assert len(yaml.safe_load(file.read_text())["targets"]) == 1
