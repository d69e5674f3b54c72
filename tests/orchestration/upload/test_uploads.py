"""What an import sends, what it may remove, and what is kept of it: decided from the stored tables, before any call."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from raito_pipeline.aws.data_objects.subtree import Subtree
from raito_pipeline.aws.push.inputs import note, versions
from raito_pipeline.config import Options
from raito_pipeline.model import (
    AccessControl,
    AccessProvider,
    CloudTrailFile,
    DataObject,
    IamGroup,
    IamUser,
    ImportResult,
    OrgGroup,
    OrgUser,
    PushResult,
    UsageStatement,
    UsageUploaded,
)
from raito_pipeline.model.batches import texts
from raito_pipeline.orchestration.partitioning.grid import Grid, cell_of, make_grid
from raito_pipeline.orchestration.recording.guard import Verdict
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.orchestration.upload.unchanged import SENT
from raito_pipeline.orchestration.upload.uploads import (
    AccessProviderUpload,
    AccountIdentityUpload,
    Count,
    DataObjectUpload,
    NothingToSend,
    OrganizationIdentityUpload,
    Upload,
    UsageUpload,
    Work,
    _counted,
    _mark,
    _unchanged,
    exchange_folder,
    in_doubt_unless_done,
    removed_by_push,
    still_there,
    stored_regions,
)
from raito_pipeline.raito.client import RaitoClient
from raito_pipeline.raito.deletions import Elements, held_by_raito_cloud, remember
from raito_pipeline.raito.errors import RaitoUnreachable
from raito_pipeline.raito.imports import skipped
from raito_pipeline.raito.jobs import Job, JobType, Status, Task
from raito_pipeline.storage import ReadStatus, Store
from tests.model.test_schema import example_row
from tests.orchestration.conftest import FIRST, Loads
from tests.raito.conftest import connection_to

ACCOUNT, REGIONS, MASTER = str(FIRST), ("eu-west-1", "us-east-1"), "999988887777"
UPLOADS = (OrganizationIdentityUpload, AccountIdentityUpload, DataObjectUpload, AccessProviderUpload, UsageUpload)
WHOLE = Verdict(())


@pytest.fixture
def options(loads: Loads) -> Options:
    """One account of two regions, and its organization."""
    return loads(accounts=1)


@pytest.fixture
def grid(options: Options) -> Grid:
    return make_grid(options)


@pytest.fixture
def work(options: Options, tmp_path: Path) -> Iterator[Work]:
    """The account, whole, with nothing stored; nothing answers at the address of Raito Cloud."""
    services = Services(options)
    with RaitoClient(connection_to("http://127.0.0.1:9")) as client:
        task = Task(Job(client, "job-1", "source-0", "store-0"), UsageUpload.job_type)
        store = Store.open(options.pipeline.storage, "run-1", "s1")
        yield Work(services, store, cell_of("account", ACCOUNT), options.accounts[0], task, WHOLE, tmp_path)


def data_object(name: str) -> DataObject:
    return replace(example_row(DataObject, null=False), full_name=name)


def provider(name: str, *others: str) -> AccessProvider:
    return replace(example_row(AccessProvider, null=True), external_id=name, who_access_providers=others or None)


def ids_of(upload: Upload, work: Work) -> dict[str, list[str]]:
    return {kind: [each for batch in batches for each in batch] for kind, batches in (upload.ids(work) or {}).items()}


# -- what is left out --------------------------------------------------------------------------------------------


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


# -- what is sent --------------------------------------------------------------------------------------------


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


def test_regions_that_were_never_read_are_not_sent_and_without_any_nothing_is(grid: Grid, work: Work) -> None:
    with pytest.raises(NothingToSend, match="nothing was sent, because nothing was ever read: IAM was denied"):
        DataObjectUpload(grid).ids(replace(work, verdict=Verdict(("IAM was denied.",))))

    work.store.write("data_objects", [], ACCOUNT, "us-east-1")
    work.store.write("data_objects", [], ACCOUNT, "ap-south-1")  # raito.yml does not name it

    assert stored_regions(work, "data_objects") == ["us-east-1"]


# -- what may be removed -------------------------------------------------------------------------------------


def test_something_may_be_removed_only_after_a_whole_read_and_where_it_is_asked_for(work: Work) -> None:
    assert work.may_delete
    assert not replace(work, verdict=WHOLE.but("one region is missing")).may_delete
    assert not replace(work, target=work.account.model_copy(update={"delete_untouched": False})).may_delete


def sends(work: Work, count: int) -> None:
    rows = [data_object(f"{ACCOUNT}:eu-west-1:{number}") for number in range(count)]
    work.store.write("data_objects", rows, ACCOUNT, "eu-west-1")


def held(work: Work, count: int, owner: str = "source-0") -> None:
    """Raito Cloud holds the account and so many of its data objects."""
    names = [ACCOUNT, *(f"{ACCOUNT}:eu-west-1:{number}" for number in range(count))]
    remember(work.store, "data_source_import", work.cell.place, owner, Elements.of({"data object": [names]}))


@pytest.mark.parametrize(
    ("holds", "sent", "stopped"),
    [
        (99, 99, False),
        (99, 49, False),  # 50 of 100: as much as max-import-deletions allows
        (99, 48, True),
        (9, 0, False),  # so few may always go
        (11, 0, True),
    ],
)
def test_an_import_that_would_remove_too_much_removes_nothing(
    grid: Grid, work: Work, holds: int, sent: int, stopped: bool
) -> None:
    held(work, holds)
    sends(work, sent)

    counted = _counted(DataObjectUpload(grid), work)

    assert counted.may_delete is not stopped
    if stopped:
        assert f"it would remove {holds - sent} of the {holds + 1} data objects" in (counted.verdict.text or "")


def test_before_the_first_import_of_a_data_source_nothing_is_known_to_be_removed(grid: Grid, work: Work) -> None:
    held(work, 99, owner="another-source")
    sends(work, 1)

    counted = _counted(DataObjectUpload(grid), work)

    assert counted.may_delete
    assert counted.count is not None
    assert counted.count.held is None


def test_where_nothing_may_be_removed_too_much_is_no_further_reason(grid: Grid, work: Work) -> None:
    held(work, 99)
    sends(work, 0)
    partial = replace(work, verdict=Verdict(("one region is missing",)))

    assert _counted(DataObjectUpload(grid), partial).verdict.reasons == ("one region is missing",)


def row(*, removed: bool) -> ImportResult:
    return replace(example_row(ImportResult, null=True), delete_untouched=removed)


def elements(*names: str) -> Elements:
    return Elements.of({"user": [names]})


def test_what_raito_cloud_is_expected_to_count() -> None:
    count = Count("store-0", elements("a", "b", "c"), elements("c", "d"))

    removing, keeping = count.note(row(removed=True)), count.note(row(removed=False))

    assert (removing.held, removing.expected_added, removing.expected_removed) == (2, 1, 2)
    assert (keeping.held, keeping.expected_added, keeping.expected_removed) == (4, 1, 0)


@pytest.mark.parametrize("unknown", [{"held": None}, {"certain": False}])
def test_nothing_is_expected_where_it_is_not_known_what_raito_cloud_holds(unknown: dict[str, object]) -> None:
    count = replace(Count("store-0", elements("a"), elements("b", "c")), **unknown)  # type: ignore[arg-type]

    removing, keeping = count.note(row(removed=True)), count.note(row(removed=False))

    assert (removing.held, removing.expected_added, removing.expected_removed) == (2, None, None)
    assert keeping.held is None


def test_an_import_leaves_behind_what_raito_cloud_holds_now(grid: Grid, work: Work) -> None:
    held(work, 3)
    sends(work, 2)
    upload = DataObjectUpload(grid)

    (info,) = upload.imported(_counted(upload, work))

    assert info.rows == 3  # the account and two
    after = held_by_raito_cloud(work.store, "data_source_import", work.cell.place, "source-0")
    assert after is not None
    assert len(after) == 3


@pytest.mark.parametrize("interruption", [RaitoUnreachable, KeyboardInterrupt])
def test_after_an_import_that_failed_it_is_not_known_what_raito_cloud_holds_until_one_removes_the_rest(
    grid: Grid, work: Work, interruption: type[BaseException]
) -> None:
    """Raito Cloud may have taken it over all the same: that it held this before says nothing any more."""
    upload = DataObjectUpload(grid)
    sends(work, 2)
    upload.imported(_counted(upload, work))
    last = replace(example_row(ImportResult, null=True), status="COMPLETED", failed=0, finished_at=datetime.now(UTC))
    work.store.write(upload.table, [last], ACCOUNT, extra={SENT: "f"})
    always = work.services.options.pipeline.model_copy(update={"unchanged_imports_hours": 24})
    hours = work.services.options.model_copy(update={"pipeline": always})
    work = replace(work, sent="f", services=Services(hours))
    assert _unchanged(upload, _counted(upload, work)) is not None

    sends(work, 5)
    sending = _counted(upload, work)
    with pytest.raises(interruption), in_doubt_unless_done([(upload, sending)]):
        if interruption is not RaitoUnreachable:
            raise interruption
        upload.send(sending, upload.write(sending))
    sends(work, 2)

    again = _counted(upload, work)
    assert _unchanged(upload, again) is None
    assert again.count is not None
    assert len(again.count.held or ()) == 3  # what was known before: the account and two
    upload.imported(_counted(upload, replace(work, verdict=Verdict(("a region is missing",)))))
    assert _unchanged(upload, _counted(upload, work)) is None
    upload.imported(again)
    assert _unchanged(upload, _counted(upload, work)) is not None


# -- after the push ------------------------------------------------------------------------------------------


def test_what_a_push_removed_is_not_imported_any_more_nor_named_by_others() -> None:
    rows = [provider("role:gone"), provider("policy:p", "role:gone", "role:kept"), provider("role:kept")]

    left = list(still_there(rows, frozenset({"role:gone"})))

    assert [(each.external_id, each.who_access_providers) for each in left] == [
        ("policy:p", ("role:kept",)),
        ("role:kept", None),
    ]


def pushed(work: Work, external_id: str | None) -> None:
    """A push of the access control `c`, which was `role:old`, made of what is stored now."""
    control = replace(example_row(AccessControl, null=True), id="c", external_id="role:old")
    result = replace(example_row(PushResult, null=True), access_control_id="c", external_id=external_id)
    work.store.write("access_controls", [control], ACCOUNT)
    work.store.write("iam_roles", [], ACCOUNT)
    work.store.write("access_push_results", [result], ACCOUNT, extra=note(versions(work.store, ACCOUNT)))


def test_what_a_push_deleted_or_renamed_is_gone_until_iam_is_read_again(work: Work) -> None:
    assert removed_by_push(work.store, ACCOUNT) == frozenset()

    pushed(work, "role:old")
    assert removed_by_push(work.store, ACCOUNT) == frozenset()
    for external_id in (None, "role:new"):
        pushed(work, external_id)
        assert removed_by_push(work.store, ACCOUNT) == {"role:old"}

    work.store.write("iam_roles", [], ACCOUNT, read_at=datetime(2026, 3, 1, tzinfo=UTC))
    assert removed_by_push(work.store, ACCOUNT) == frozenset()


# -- usage ---------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("upload", UPLOADS)
def test_what_an_import_names_has_to_have_reached_raito_cloud_before_it(
    grid: Grid, work: Work, upload: type[Upload]
) -> None:
    """An import that came to nothing would otherwise not be sent again for as long as it does not change."""
    tasks = work.task.job.task(JobType.DATA_SOURCE), work.task.job.task(JobType.IDENTITY_STORE)
    named = {AccessProviderUpload: tasks, UsageUpload: tasks[:1]}.get(upload, ())
    sent, done = replace(work, sent="as it was"), skipped(work.task)
    for task in tasks:
        task.status = Status.FAILED
        assert _mark(upload(grid), sent, done) == ("" if task in named else "as it was")
        task.status = Status.COMPLETED
    assert _mark(upload(grid), sent, done) == "as it was"
    assert _mark(upload(grid), sent, replace(done, errors=("one was left out",))) == ""


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


def test_the_folder_of_the_files_is_kept_and_copied_as_the_options_say(options: Options) -> None:
    plain = exchange_folder(options.accounts[0], "data_usage")
    kept = {"delete_temp_files": False, "file_backup_location": "/backups", "maximum_backups_per_target": 7}
    other = exchange_folder(options.accounts[0].model_copy(update=kept), "data_usage")

    assert (plain.target, plain.stage) == ("account-0", "data_usage")
    assert (plain.delete, plain.backup_location, plain.maximum_backups) == (True, None, 0)
    assert (other.delete, other.backup_location, other.maximum_backups) == (False, Path("/backups"), 7)
