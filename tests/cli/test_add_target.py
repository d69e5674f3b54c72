"""What `add-target` takes over from the file, and what it refuses. (`test_init.py` adds one to a file of `init`.)"""

from pathlib import Path

import pytest
import yaml

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


def test_a_file_with_problems_stays(file: Path, run: Run) -> None:
    file.write_text(raito_yml(account()))
    assert run("add-target", *FLAGS, *IDS[:2], "--identity-store-id", "", "--regions", "nowhere")[0] == 2
    assert len(yaml.safe_load(file.read_text())["targets"]) == 1
