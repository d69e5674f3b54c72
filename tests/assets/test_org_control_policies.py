"""Control policies of an organization: what AWS refuses fails no sync, and what was known stays when it is refused."""

from collections.abc import Iterator

import pytest
from moto.organizations.models import organizations_backends

from raito_pipeline.sandbox.aws.accounts import install_access_key, remove_access_key
from raito_pipeline.sandbox.aws.estate.organization import seed_organization
from raito_pipeline.sandbox.aws.faults import Fault
from raito_pipeline.sandbox.aws.patches.organizations import forget_members
from raito_pipeline.storage import ReadStatus
from tests.aws_profile import use_profile, write_profile

from .conftest import ACCOUNT, MASTER, ORGANIZATION, REGION, Stage

TABLES = ["org_accounts", "org_control_policies", "org_policy_targets"]
LINK = """aws-organization-profile: there
  aws-organization-region: eu-west-1
  aws-organization-identity-center-instance-arn: arn:aws:sso:::instance/ssoins-1111111111111111
  aws-organization-identity-store: d-1111111111"""


@pytest.fixture
def master(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """The profile reaches the management account, which has no organization yet; the account belongs to it."""
    key = "AKIAMASTERMASTER0000"
    install_access_key(MASTER, key, "not-a-secret")
    url = stage.servers.aws.endpoint_url
    use_profile(monkeypatch, write_profile(stage.servers.folder, url, key=key, region=REGION))
    stage.target = LINK
    yield stage
    organizations_backends[MASTER].reset()
    forget_members()
    remove_access_key(key)


def _statuses(stage: Stage) -> set[ReadStatus]:
    return {stage.info(table, REGION, MASTER).status for table in TABLES}


def test_what_is_refused_is_denied_and_the_run_goes_on(master: Stage) -> None:
    for _ in range(2):
        assert sorted(master.make(TABLES, ORGANIZATION)) == TABLES
        assert _statuses(master) == {ReadStatus.DENIED}
        assert "AWSOrganizationsNotInUseException" in master.info("org_accounts", REGION, MASTER).problems[0]


def test_what_was_read_once_stays_where_it_is_refused_later(master: Stage) -> None:
    seed_organization(MASTER, [ACCOUNT])
    assert sorted(master.make(TABLES, ORGANIZATION)) == TABLES
    assert _statuses(master) == {ReadStatus.COMPLETE}
    rows = [master.info(table, REGION, MASTER).rows for table in TABLES]
    assert rows == [1, 5, 9]

    master.servers.aws.faults.add(Fault(kind="deny", service="organizations"))
    for _ in range(2):
        assert sorted(master.make(TABLES, ORGANIZATION)) == TABLES
        assert _statuses(master) == {ReadStatus.PARTIAL}
        assert [master.info(table, REGION, MASTER).rows for table in TABLES] == rows
        (problem,) = master.info("org_policy_targets", REGION, MASTER).problems
        assert "as the previous sync stored them: organizations:ListRoots" in problem


def test_the_profile_of_another_account_stores_nothing(stage: Stage) -> None:
    assert stage.make(TABLES, ORGANIZATION) == []
    assert f"these credentials belong to account {ACCOUNT}, but aws-account-id is {MASTER}" in stage.failure
