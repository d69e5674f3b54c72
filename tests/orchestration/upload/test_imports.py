"""What each import sends, what it waits for, and what it notes for the next one."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from raito_pipeline.aws.data_objects.subtree import Subtree
from raito_pipeline.config import Options
from raito_pipeline.model import CloudTrailFile, IamGroup, IamUser, OrgGroup, OrgUser, UsageStatement, UsageUploaded
from raito_pipeline.model.batches import texts
from raito_pipeline.orchestration.partitioning.grid import Grid, cell_of
from raito_pipeline.orchestration.recording.guard import Verdict
from raito_pipeline.orchestration.upload.imports import (
    AccessProviderUpload,
    AccountIdentityUpload,
    DataObjectUpload,
    OrganizationIdentityUpload,
    Upload,
    UsageUpload,
)
from raito_pipeline.orchestration.upload.prepared import counted
from raito_pipeline.orchestration.upload.work import NothingToSend, Work, stored_regions
from raito_pipeline.raito.deletions import held_by_raito_cloud
from raito_pipeline.raito.jobs import JobType, Status
from raito_pipeline.storage import ReadStatus
from tests.model.test_schema import example_row
from tests.orchestration.conftest import Loads
from tests.orchestration.upload.conftest import ACCOUNT, MASTER, REGIONS, UPLOADS, data_object, held, ids_of, sends


@pytest.mark.parametrize(
    ("upload", "option"),
    [
        (AccountIdentityUpload, "skip-identity-store-sync"),
        (DataObjectUpload, "skip-data-source-sync"),
        (AccessProviderUpload, "skip-data-access-sync"),
    ],
)
def test_an_import_is_left_out_by_its_own_option_only(
    loads: Loads, grid: Grid, upload: type[Upload], option: str
) -> None:
    other = "skip-data-access-sync" if option != "skip-data-access-sync" else "skip-data-source-sync"

    assert upload(grid).switched_off(loads(f"{option}: true").accounts[0]) == f"{option} is on"
    assert upload(grid).switched_off(loads(f"{other}: true").accounts[0]) is None


def test_usage_needs_a_log_bucket_and_a_data_source(options: Options, grid: Grid) -> None:
    target = options.accounts[0]
    upload = UsageUpload(grid)

    assert upload.switched_off(target) == "aws-s3-cloudtrail-bucket is not set, so there is no usage to read"
    logs = target.model_copy(update={"aws_s3_cloudtrail_bucket": "logs"})
    assert upload.switched_off(logs) is None
    assert upload.switched_off(logs.model_copy(update={"data_source_id": None})) == "the target has no data-source-id"


def test_a_target_without_the_id_of_where_it_goes_is_left_out(options: Options, grid: Grid) -> None:
    target = options.accounts[0].model_copy(update={"data_source_id": None, "identity_store_id": None})

    assert AccountIdentityUpload(grid).switched_off(target) == "the target has no identity-store-id"
    assert DataObjectUpload(grid).switched_off(target) == "the target has no data-source-id"
    assert AccessProviderUpload(grid).switched_off(target) == "the target has no data-source-id"


def test_people_go_to_the_identity_store_and_all_else_to_the_data_source(options: Options, grid: Grid) -> None:
    account, organization = options.accounts[0], options.organizations[0]

    assert OrganizationIdentityUpload(grid).owner(organization) == "org-store"
    assert [upload(grid).owner(account) for upload in UPLOADS[1:]] == ["store-0", "source-0", "source-0", "source-0"]


def test_each_import_waits_for_what_it_is_made_of_and_usage_for_nothing(grid: Grid, work: Work) -> None:
    needs = {
        upload: {need.table for need in upload(grid).needs(work.services, work.store, work.cell)}
        for upload in UPLOADS[1:]
    }

    assert needs[AccountIdentityUpload] == {"iam_users", "iam_groups"}
    assert needs[DataObjectUpload] == {"data_objects", "s3_buckets"}
    assert {"iam_roles", "access_points", "org_permission_sets"} <= needs[AccessProviderUpload]
    assert needs[UsageUpload] == set()


def test_identities_of_an_account_come_with_its_root_user(grid: Grid, work: Work) -> None:
    user, group = example_row(IamUser, null=True), example_row(IamGroup, null=True)
    work.store.write("iam_users", [replace(user, user_id="U1"), replace(user, user_id="U2")], ACCOUNT)
    work.store.write("iam_groups", [replace(group, group_id="G1")], ACCOUNT)

    assert ids_of(AccountIdentityUpload(grid), work) == {
        "user": ["U1", "U2", f"arn:aws:iam::{ACCOUNT}:user/root"],
        "group": ["G1"],
    }


def test_people_of_an_organization_are_those_of_its_own_cell(grid: Grid, work: Work) -> None:
    user, group = example_row(OrgUser, null=True), example_row(OrgGroup, null=True)
    work.store.write("org_users", [replace(user, user_id="P1")], MASTER, "eu-west-1")
    work.store.write("org_groups", [replace(group, group_id="T1")], MASTER, "eu-west-1")
    there = replace(work, cell=cell_of("organization", f"{MASTER}_eu-west-1"))

    assert ids_of(OrganizationIdentityUpload(grid), there) == {"user": ["P1"], "group": ["T1"]}


def test_data_objects_of_all_stored_regions_are_sent_below_the_account(grid: Grid, work: Work) -> None:
    for region in REGIONS:
        work.store.write("data_objects", [data_object(f"{ACCOUNT}:{region}:b")], ACCOUNT, region)

    assert ids_of(DataObjectUpload(grid), work) == {
        "data object": [ACCOUNT, f"{ACCOUNT}:eu-west-1:b", f"{ACCOUNT}:us-east-1:b"]
    }


def test_only_what_lies_below_the_part_that_was_asked_for_is_sent(grid: Grid, work: Work) -> None:
    top = f"{ACCOUNT}:eu-west-1:b"
    rows = [data_object(name) for name in (top, f"{top}/in", f"{top}/in/a.csv", f"{top}/inside", f"{top}/out")]
    work.store.write("data_objects", rows, ACCOUNT, "eu-west-1")
    part = replace(work, subtree=Subtree.from_tags({"raito/data-object-parent": f"{top}/in"}))

    assert ids_of(DataObjectUpload(grid), part) == {"data object": [f"{top}/in/a.csv"]}


def test_a_part_of_a_catalog_is_sent_as_all_catalogs_say_it(grid: Grid, work: Work) -> None:
    top = f"{ACCOUNT}:eu-west-1:b"
    for region in REGIONS:
        rows = [data_object(name) for name in (top, f"{top}/in", f"{top}/in/{region}")]
        work.store.write("data_objects", rows, ACCOUNT, region)
    glue = work.account.model_copy(update={"aws_glue_enabled": True})
    part = replace(work, target=glue, subtree=Subtree.of(f"{top}/in"))

    assert ids_of(DataObjectUpload(grid), part) == {"data object": [f"{top}/in/{region}" for region in REGIONS]}


def test_regions_that_were_never_read_are_not_sent_and_without_any_nothing_is(grid: Grid, work: Work) -> None:
    with pytest.raises(NothingToSend, match="nothing was sent, because nothing was ever read: IAM was denied"):
        DataObjectUpload(grid).ids(replace(work, verdict=Verdict(("IAM was denied.",))))

    work.store.write("data_objects", [], ACCOUNT, "us-east-1")
    work.store.write("data_objects", [], ACCOUNT, "ap-south-1")  # raito.yml does not name it

    assert stored_regions(work, "data_objects") == ["us-east-1"]


def test_usage_that_was_never_read_is_no_usage_that_was_sent(grid: Grid, work: Work) -> None:
    """It ended as complete with nothing new to send, beside imports that said that nothing was ever read."""
    with pytest.raises(NothingToSend, match=r"usage_statements \d+ was never read in any region"):
        UsageUpload(grid).write(work)


def test_an_import_leaves_behind_what_raito_cloud_holds_now(grid: Grid, work: Work) -> None:
    held(work, 3)
    sends(work, 2)
    upload = DataObjectUpload(grid)

    (info,) = upload.imported(counted(upload, work))

    assert info.rows == 3  # the account and two
    after = held_by_raito_cloud(work.store, "data_source_import", work.cell.place, "source-0").elements
    assert after is not None
    assert len(after) == 3


def statement(file: str, number: int) -> UsageStatement:
    return replace(example_row(UsageStatement, null=True), external_id=f"{file} {number}", file_key=file)


def test_statements_of_log_files_that_were_sent_before_are_not_sent_again(grid: Grid, work: Work) -> None:
    files = [replace(example_row(CloudTrailFile, null=True), key=key, etag="1") for key in ("sent", "new", "again")]
    work.store.write("cloudtrail_files", files, ACCOUNT, "eu-west-1")
    rows = [statement(key, number) for key in ("sent", "new", "again") for number in range(2)]
    work.store.write("usage_statements", rows, ACCOUNT, "eu-west-1")
    now = datetime.now(UTC)
    # `again` was sent as it was then: its ETag is another one now
    sent = [UsageUploaded("sent", "1", "job-0", now), UsageUploaded("again", "0", "job-0", now)]
    work.store.write("usage_uploaded", sent, ACCOUNT)
    upload = UsageUpload(grid)

    fresh = [name for batch in upload._fresh(work) for name in texts(batch, "external_id")]

    assert fresh == ["new 0", "new 1", "again 0", "again 1"]
    (info,) = upload.imported(work)
    assert (info.table, info.status) == ("usage_uploaded", ReadStatus.COMPLETE)
    assert [(each.file_key, each.etag) for each in work.store.rows(UsageUploaded, ACCOUNT)] == [
        ("again", "1"),
        ("new", "1"),
        ("sent", "1"),
    ]
    assert list(upload._fresh(replace(work, log_files=[]))) == []


def test_statements_are_sent_again_that_raito_cloud_refused_for_want_of_their_data_objects(
    grid: Grid, work: Work
) -> None:
    """Those that it took are not taken twice."""
    work.store.write(
        "cloudtrail_files", [replace(example_row(CloudTrailFile, null=True), key="new", etag="1")], ACCOUNT, "eu-west-1"
    )
    work.store.write("usage_statements", [statement("new", 0)], ACCOUNT, "eu-west-1")
    upload = UsageUpload(grid)
    objects = work.task.job.task(JobType.DATA_SOURCE)
    for status, again in ((Status.FAILED, ["new 0"]), (Status.COMPLETED, [])):
        objects.status = status
        assert [name for batch in upload._fresh(work) for name in texts(batch, "external_id")] == ["new 0"]

        upload.imported(work)

        after = replace(work, log_files=[])
        assert [name for batch in upload._fresh(after) for name in texts(batch, "external_id")] == again
