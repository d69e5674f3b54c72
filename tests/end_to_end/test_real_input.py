"""A real account's IAM and real CloudTrail files, put into an account of the estate and synced whole."""

import gzip
import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moto.iam.exceptions import NotFoundException
from moto.iam.models import IAMBackend
from moto.s3.models import s3_backends

from raito_pipeline.model import AccessProvider, CloudTrailFile, IamGroup, IamPolicy, IamRole, IamUser
from raito_pipeline.sandbox.aws.accounts import iam_of
from raito_pipeline.sandbox.compare import compare
from tests.end_to_end.conftest import World, failures
from tests.shared_data import EXPORT, LOGS


def _seed_iam(iam: IAMBackend, export: Mapping[str, Any]) -> None:
    arns: dict[str, str] = {}
    for policy in export["Policies"]:
        if ":iam::aws:" not in policy["Arn"]:
            versions = policy["PolicyVersionList"]
            document = next(v["Document"] for v in versions if v["VersionId"] == policy["DefaultVersionId"])
            made = iam.create_policy("", policy["Path"], json.dumps(document), policy["PolicyName"], [])
            arns[policy["Arn"]] = made.arn
    for group in export["GroupDetailList"]:
        iam.create_group(group["GroupName"], group["Path"])
    for user in export["UserDetailList"]:
        iam.create_user("us-east-1", user["UserName"], user["Path"], user.get("Tags") or [])
        for name in user["GroupList"]:
            iam.add_user_to_group(name, user["UserName"])
    for role in export["RoleDetailList"]:
        trust = json.dumps(role["AssumeRolePolicyDocument"])
        iam.create_role(role["RoleName"], trust, role["Path"], None, "", role.get("Tags") or [], "3600")
    for kind in ("User", "Group", "Role"):
        for principal in export[f"{kind}DetailList"]:
            name = principal[f"{kind}Name"]
            for attached in principal["AttachedManagedPolicies"]:
                arn = arns.get(attached["PolicyArn"], attached["PolicyArn"])
                # A policy that AWS has retired since is not in the emulator, and cannot be attached any more.
                with suppress(NotFoundException):
                    getattr(iam, f"attach_{kind.lower()}_policy")(arn, name)
            for inline in principal.get(f"{kind}PolicyList") or ():
                put = getattr(iam, f"put_{kind.lower()}_policy")
                put(name, inline["PolicyName"], json.dumps(inline["PolicyDocument"]))


def test_a_real_account_is_synced_whole(synced_world: World) -> None:
    if not EXPORT.is_file():
        pytest.skip(f"the real export is not there: {EXPORT}")
    world, embedded = synced_world, synced_world.embedded
    account = embedded.estate.members[0]
    export = json.loads(EXPORT.read_text("utf-8"))
    iam = iam_of(account.account_id)
    before = {IamUser: len(iam.users), IamGroup: len(iam.groups), IamRole: len(iam.roles)}
    day = (datetime.now(UTC) - timedelta(days=1)).date()
    records = 0
    with embedded.aws.lock:
        _seed_iam(iam, export)
        s3 = s3_backends[account.account_id]["aws"]
        for file in LOGS.glob("*.json.gz"):
            key = f"AWSLogs/{account.account_id}/CloudTrail/us-east-1/{day:%Y/%m/%d}/{file.name}"
            s3.put_object(account.cloudtrail_bucket, key, file.read_bytes())
            records += len(json.loads(gzip.decompress(file.read_bytes()))["Records"])

    assert failures(world.sync(only=[account.account_id])) == []

    for row_type, key in ((IamUser, "UserDetailList"), (IamGroup, "GroupDetailList"), (IamRole, "RoleDetailList")):
        now = sum(1 for _ in world.store.rows(row_type, account.account_id))
        assert now - before[row_type] == len(export[key]), key
    stored = {policy.policy_name for policy in world.store.rows(IamPolicy, account.account_id)}
    assert {p["PolicyName"] for p in export["Policies"] if ":iam::aws:" not in p["Arn"]} <= stored
    files = {
        row.key.rpartition("/")[2]: row for row in world.store.rows(CloudTrailFile, account.account_id, "us-east-1")
    }
    real = [files[file.name] for file in LOGS.glob("*.json.gz")]
    assert sum(row.records for row in real) == records > 0
    assert sum(row.statements + row.duplicates + row.skipped + row.broken for row in real) == records
    comparison = compare(embedded.estate, embedded.aws.endpoint_url, embedded.directory / "data", embedded.raito)
    own = [line for line in comparison.lines if line.account.startswith((account.name, "organization"))]
    assert own
    assert [line for line in own if not line.equal] == []
    rows = list(world.store.rows(AccessProvider, account.account_id))
    assert all(row.incomplete == bool(row.incomplete_reasons) for row in rows)
