"""What is not known of control policies is one sentence an account, with the reason and what to do."""

from pathlib import Path

import pytest

from raito_pipeline.config import load
from raito_pipeline.model import OrgAccount
from raito_pipeline.orchestration.recording.unknown_controls import unknown_controls
from raito_pipeline.storage import ReadStatus, Store

ACCOUNT, OTHER, MASTER, REGION = "111122223333", "444455556666", "999988887777", "eu-west-1"
RAITO_YML = f"""\
api-user: sync@example.com
api-secret: nothing
domain: sandbox
targets:
- name: organization
  connector-name: raito-io/cli-plugin-aws-organization
  identity-store-id: s
  aws-account-id: "{MASTER}"
  aws-profile: master
  aws-region: {REGION}
- name: sales
  connector-name: raito-io/cli-plugin-aws-account
  data-source-id: d
  identity-store-id: s
  aws-account-id: "{ACCOUNT}"
  aws-regions: {REGION}
  aws-s3-enabled: true
"""
LINK = f"""\
  aws-organization-profile: master
  aws-organization-region: {REGION}
  aws-organization-identity-center-instance-arn: arn:aws:sso:::instance/ssoins-1111111111111111
  aws-organization-identity-store: d-1111111111
"""
DENIED = "organizations:ListRoots on *: AWS denied the call (AccessDenied). Grant organizations:ListRoots on *."
CASES: dict[str, tuple[str, ReadStatus | None, list[str], str | None]] = {
    "no organization": ("", None, [], "no organization is configured for this account (aws-organization-profile)"),
    "never read": (LINK, None, [], "were never read: sync the organization"),
    "denied": (LINK, ReadStatus.DENIED, [], "could not be read, so what they deny is shown as given: organizations:"),
    "a failed call, and nobody knew": (LINK, ReadStatus.PARTIAL, [OTHER], "could not be read, so what they deny"),
    "a failed call": (LINK, ReadStatus.PARTIAL, [ACCOUNT], "may be those of an earlier sync: organizations:"),
    "another organization": (LINK, ReadStatus.COMPLETE, [OTHER], "it is no member of the organization that raito.yml"),
    "known": (LINK, ReadStatus.COMPLETE, [ACCOUNT, OTHER], None),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_not_known_is_said_with_its_reason(tmp_path: Path, case: str) -> None:
    link, status, members, said = CASES[case]
    file = tmp_path / "raito.yml"
    file.write_text(RAITO_YML + link)
    store = Store.open(tmp_path / "data")
    if status is not None:
        rows = [OrgAccount(one, "o-1", False, ("r-1",), ()) for one in members]
        problems = [] if status is ReadStatus.COMPLETE else [DENIED]
        store.write("org_accounts", rows, MASTER, REGION, status=status, problems=problems)

    text = unknown_controls(load(file), store, ACCOUNT, ACCOUNT)

    assert text is None if said is None else text is not None and said in text
