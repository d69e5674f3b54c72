"""Access providers made of what was read, and why they are not whole where it was not."""

import re
import shutil
from dataclasses import replace

import dagster as dg
import pytest

from raito_pipeline.model import (
    AccessBasis,
    AccessProvider,
    EffectiveAccess,
    IamAttachment,
    OrgAccount,
    OrgControlPolicy,
    OrgPolicyTarget,
    Outside,
    S3Bucket,
    S3BucketPolicy,
)
from raito_pipeline.storage import ReadStatus

from .conftest import ACCOUNT, BUCKET, MASTER, OTHER_REGION, REGION, Stage
from .test_account_iam import TABLES
from .test_org_control_policies import LINK

ALL = ["access_providers", "access_basis", "effective_access"]


def read_all(stage: Stage) -> None:
    """Everything of the account, once a configuration: what AWS has is the same for all tests of this file."""
    data = stage.servers.folder / "data"
    kept = data.with_name("read-" + re.sub(r"\W+", "-", stage.options + stage.target))
    if kept.exists():
        shutil.copytree(kept, data)
        return
    stage.make([*TABLES, "s3_buckets", "s3_bucket_policies"])
    for region in (REGION, OTHER_REGION):
        stage.make(["data_objects", "access_points"], f"{ACCOUNT}|{region}")
    shutil.copytree(data, kept)


def test_the_role_of_the_account_becomes_an_access_provider(stage: Stage) -> None:
    stage.options = "skip-identity-store-sync: true"  # nobody of the organization is needed then
    read_all(stage)

    assert stage.make(["access_providers"]) == ["access_providers"]

    (provider,) = [row for row in stage.store.rows(AccessProvider, ACCOUNT) if row.name == "reader"]
    assert provider.who_users == ("ann",)
    assert [(item.data_object.full_name, item.permissions) for item in provider.what] == [
        (f"{ACCOUNT}:{REGION}:{BUCKET}", ("s3:GetObject",))
    ]


ON_KEYS = (
    '{"Statement":{"Effect":"Allow","Action":"s3:GetObject",'
    '"Resource":["arn:aws:s3:::BUCKET/2026/a.csv","arn:aws:s3:::BUCKET/*dme"]}}'
)


def test_keys_are_the_files_that_were_read_and_a_reason_where_none_was(stage: Stage) -> None:
    stage.options = "skip-identity-store-sync: true"
    read_all(stage)
    (row,) = stage.store.rows(IamAttachment, ACCOUNT)
    stage.store.write("iam_attachments", [replace(row, document=ON_KEYS.replace("BUCKET", BUCKET))], ACCOUNT)

    assert sorted(stage.make(ALL)) == sorted(ALL)

    (provider,) = stage.store.rows(AccessProvider, ACCOUNT)
    assert [(item.data_object.full_name, item.data_object.type) for item in provider.what] == [
        (f"{ACCOUNT}:{REGION}:{BUCKET}/{key}", "file") for key in ("2026/a.csv", "readme")
    ]
    assert not provider.incomplete
    assert "all of them that there are now are shown" in provider.notes[0]
    assert {row.data_object_kind for row in stage.store.rows(EffectiveAccess, ACCOUNT)} == {"file"}

    stage.store.remove("data_objects", ACCOUNT, REGION)
    assert sorted(stage.make(ALL)) == sorted(ALL)

    (provider,) = stage.store.rows(AccessProvider, ACCOUNT)
    assert provider.what == ()
    assert "no file among the data objects" in provider.reasons_narrower[0]
    assert "is some objects" in provider.reasons_narrower[0]


NEIGHBOUR = """
- name: finance
  connector-name: raito-io/cli-plugin-aws-account
  data-source-id: there
  identity-store-id: there
  aws-account-id: "444455556666"
  aws-profile: there
  aws-regions: eu-west-1
  aws-s3-enabled: true
"""


@pytest.mark.parametrize(("acls_off", "incomplete"), [(True, False), (None, True)])
def test_a_bucket_of_another_target_is_known_by_its_name_and_by_whom_it_lets_in(
    stage: Stage, *, acls_off: bool | None, incomplete: bool
) -> None:
    stage.options, stage.target = "skip-identity-store-sync: true", NEIGHBOUR
    read_all(stage)
    (row,) = stage.store.rows(IamAttachment, ACCOUNT)
    stage.store.write("iam_attachments", [replace(row, document=ON_KEYS.replace("BUCKET", "theirs"))], ACCOUNT)
    theirs = S3Bucket("theirs", REGION, None, True, ())
    stage.store.write("s3_buckets", [theirs], "444455556666")
    policy = S3BucketPolicy("theirs", None, None, True, None, None, acls_off)
    stage.store.write("s3_bucket_policies", [policy], "444455556666")

    assert stage.make(["access_providers"]) == ["access_providers"]

    (provider,) = stage.store.rows(AccessProvider, ACCOUNT)
    assert provider.incomplete == incomplete
    (text,) = (*provider.reasons_narrower, *provider.reasons_elsewhere)
    assert "of a bucket of account 444455556666 (target finance)" in text


def test_each_table_of_an_accounts_access_is_made_by_itself(stage: Stage) -> None:
    stage.options = "skip-identity-store-sync: true"
    read_all(stage)

    assert stage.make(["access_basis"]) == ["access_basis"]

    (row, *_) = stage.store.rows(AccessBasis, ACCOUNT)
    assert (row.external_id, row.document, row.statement) == ("role:reader", "inline policy read", "statement 1")
    assert stage.store.info("access_providers", ACCOUNT) is None


def test_who_reaches_what_is_worked_out_and_counted_by_certainty(stage: Stage) -> None:
    stage.options = "skip-identity-store-sync: true"
    read_all(stage)

    assert stage.make(["effective_access"]) == ["effective_access"]

    rows = list(stage.store.rows(EffectiveAccess, ACCOUNT))
    assert [(row.principal_name, row.permission, row.via_roles, row.certainty) for row in rows] == [
        ("ann", "s3:GetObject", ("reader",), "certain"),
        ("reader", "s3:GetObject", (), "certain"),
    ]
    event = stage.instance.get_latest_materialization_event(dg.AssetKey("effective_access"))
    assert event is not None
    assert event.asset_materialization is not None
    assert event.asset_materialization.metadata["certain"].value == 2


def test_what_was_never_read_fails_the_table_by_name(stage: Stage) -> None:
    stage.make(TABLES)

    assert stage.make(["access_providers"]) == []

    assert stage.store.info("access_providers", ACCOUNT) is None
    assert stage.failure.startswith(f"access_providers {ACCOUNT}: s3_buckets of {ACCOUNT} is not there")


def test_what_is_lost_leaves_the_access_providers_as_they_were_and_is_said(stage: Stage) -> None:
    stage.options = "skip-identity-store-sync: true"
    stage.make([*TABLES, "s3_buckets", "s3_bucket_policies"])
    stage.make(ALL)
    before = list(stage.store.rows(AccessProvider, ACCOUNT))
    reached = list(stage.store.rows(EffectiveAccess, ACCOUNT))
    stage.store.remove("s3_buckets", ACCOUNT)

    assert sorted(stage.make(ALL)) == sorted(ALL)

    info = stage.info("access_providers")
    assert info.status is ReadStatus.PARTIAL
    assert any(problem.startswith(f"s3_buckets {ACCOUNT} was never read") for problem in info.problems)
    assert [row.name for row in before] == ["reader"]
    assert list(stage.store.rows(AccessProvider, ACCOUNT)) == before
    assert list(stage.store.rows(EffectiveAccess, ACCOUNT)) == reached != []


NO_READING = '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:GetObject","Resource":"*"}}'
CONTROLS = {
    "org_accounts": OrgAccount(ACCOUNT, "o-1", False, ("r-1",), ("RESOURCE_CONTROL_POLICY",)),
    "org_policy_targets": OrgPolicyTarget("r-1", "ROOT", "RESOURCE_CONTROL_POLICY", "p-1"),
    "org_control_policies": OrgControlPolicy("p-1", "RESOURCE_CONTROL_POLICY", "NoReading", False, NO_READING),
}


def test_control_policies_take_away_where_they_are_known_and_are_one_warning_where_not(stage: Stage) -> None:
    stage.options, stage.target = "skip-identity-store-sync: true", LINK
    read_all(stage)

    def made() -> tuple[set[str], tuple[str, ...]]:
        assert stage.make(["access_providers"]) == ["access_providers"]
        rows = list(stage.store.rows(AccessProvider, ACCOUNT))
        info = stage.info("access_providers")
        # Of Identity Center nothing was read here; control policies add nothing to what is not complete.
        assert {problem.partition(" ")[0] for problem in info.problems} <= set(Outside.AWS_IDENTITY_CENTER.feeds)
        return {name for row in rows for item in row.what for name in item.permissions}, info.warnings

    given, warnings = made()
    assert given == {"s3:GetObject"}
    assert [text.partition(":")[0] for text in warnings] == [
        "service and resource control policies of its organization were never read"
    ]
    for table, row in CONTROLS.items():
        stage.store.write(table, [row], MASTER, REGION)
    assert [made() for _ in range(2)] == [(set(), ())] * 2
    for table, row in CONTROLS.items():  # a call failed: what was known stays
        stage.store.write(table, [row], MASTER, REGION, status=ReadStatus.PARTIAL, problems=["throttled"])
    assert made() == (
        set(),
        ("service and resource control policies of its organization may be those of an earlier sync: throttled",),
    )
