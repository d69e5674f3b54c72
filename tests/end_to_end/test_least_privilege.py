"""A whole sync under exactly the policies that `raito-pipeline info --iam-policy` prints, with enforcement on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from raito_pipeline.aws.least_policy import least_policy
from raito_pipeline.config import AccountTarget, OrganizationTarget
from raito_pipeline.sandbox.aws.enforcement import create_limited_credentials, enforce_iam
from raito_pipeline.sandbox.aws.estate import Account
from raito_pipeline.storage import ReadStatus
from tests.end_to_end.conftest import World, failures


def _enforceable(policy: Mapping[str, Any]) -> dict[str, Any]:
    """The policy as the emulator can enforce it: it knows the resources of S3 only, and no access points."""
    statements = [
        statement
        if all(a.startswith("s3:") and "AccessPoint" not in a for a in statement["Action"])
        else {**statement, "Resource": "*"}
        for statement in policy["Statement"]
    ]
    return {**policy, "Statement": statements}


def _limited(account: Account, target: AccountTarget | OrganizationTarget) -> str:
    policies = {"read": _enforceable(least_policy(target, "read"))}
    if isinstance(target, AccountTarget):
        policies["push"] = _enforceable(least_policy(target, "push"))
    key, secret = create_limited_credentials(account.account_id, policies)
    return f"[{account.profile}]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n"


def test_a_whole_sync_works_under_the_least_policy(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    embedded = world.embedded
    options = world.options()
    accounts = {account.account_id: account for account in (embedded.estate.master, *embedded.estate.members)}
    targets = (*options.organizations, *options.accounts)
    file = Path(embedded.environment["AWS_SHARED_CREDENTIALS_FILE"]).with_name("limited")
    file.write_text("\n".join(_limited(accounts[target.account_id], target) for target in targets), encoding="utf-8")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    enforce_iam(embedded.aws, True)
    try:
        results = world.sync()
    finally:
        enforce_iam(embedded.aws, False)
    assert failures(results) == [], failures(results)
    denied = [f"{call.service}:{call.operation}" for call in world.calls() if call.status == 403]
    assert denied == []
    for account in world.accounts:
        for table in ("iam_policies", "s3_buckets", "access_providers"):
            info = world.store.info(table, account)
            assert info is not None
            assert (info.status, info.problems) == (ReadStatus.COMPLETE, ()), table
    made = world.counts()["dataSources"]["ds-210000000012"]["accessControls"]
    assert made["SYNCED"] == 4
