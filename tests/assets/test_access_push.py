"""The push: export, plan and changes; a plan of half an IAM, and one that is outdated."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from raito_pipeline.aws.push.owners.owner_tags import ACCESS_CONTROL, DATA_SOURCE
from raito_pipeline.model import CREATOR, AccessControl, DataObjectReference, PushChange, WhatItem
from raito_pipeline.orchestration.push.last_push import LastPush, last_push, note_begun
from raito_pipeline.orchestration.push.remembered import CLAIMED, EXPORT_IS, TARGETS, UNSHOWN, WHOLE, claims
from raito_pipeline.orchestration.runs.tags import OUT_OF_SYNC_TAG
from raito_pipeline.sandbox.aws.faults import Fault
from raito_pipeline.sandbox.raito.faults import CloudFault
from raito_pipeline.storage import Store
from tests.aws.push.exported import control, who

from .conftest import ACCOUNT, BUCKET, OTHER_REGION, REGION, Stage
from .test_account_iam import TABLES

PUSH = ["access_controls", "access_push_plan", "access_push_results"]


def test_without_access_controls_nothing_is_planned_or_changed(stage: Stage) -> None:
    stage.make(TABLES)
    mark = stage.servers.aws.calls.mark

    assert set(PUSH) <= set(stage.make(PUSH))

    assert list(stage.store.rows(AccessControl, ACCOUNT)) == []
    assert [call.operation for call in stage.servers.aws.calls.since(mark) if call.writes] == []


def test_in_plan_mode_the_results_are_out_of_scope(stage: Stage) -> None:
    stage.pipeline = "mode: plan"
    stage.make(TABLES)

    stage.make(PUSH)

    assert stage.info("access_push_plan").status.value == "complete"
    assert stage.info("access_push_results").status.value == "out_of_scope"


def test_what_plans_noted_stays_noted_while_nothing_is_planned(stage: Stage) -> None:
    noted = {UNSHOWN: '{"policy:a": ["user:bob"]}'}
    stage.store.write(TARGETS, (), ACCOUNT, extra=noted)
    stage.options = "skip-data-access-sync: true"

    stage.make([TARGETS, "access_push_plan", "access_push_orphans"])

    assert stage.info(TARGETS).status.value == "out_of_scope"
    assert stage.info(TARGETS).extra.items() >= noted.items()


def test_nothing_is_planned_of_an_iam_that_was_never_read(stage: Stage) -> None:
    stage.make(PUSH)

    assert "iam_users" in str(stage.info("access_push_plan").problems)


def test_a_plan_that_is_older_than_what_it_was_made_of_is_not_applied(stage: Stage) -> None:
    stage.make(TABLES)
    stage.make(PUSH[:2])
    stage.make(["access_controls"])

    assert stage.make(["access_push_results"]) == []
    assert stage.store.info("access_push_results", ACCOUNT) is None


def test_what_cannot_be_stored_keeps_no_feedback_from_raito_cloud(stage: Stage) -> None:
    """AWS is changed by then: Raito Cloud would not know what its access controls are there."""
    stage.make(PUSH[:2])
    (stage.servers.folder / "data" / PUSH[2]).touch()
    stage.servers.raito.log.clear()

    assert stage.make(PUSH[2:]) == []

    asked = [name for entry in stage.servers.raito.log for name in entry.get("operations", ())]
    assert "importAccessProvidersSyncFeedback" in asked
    assert "access_push_results" in stage.failure
    assert "could not be written" in stage.failure


def test_what_raito_cloud_had_errors_with_is_said_of_the_export_and_of_the_push(stage: Stage) -> None:
    """Both end as COMPLETED: it may export less than there is, and take over less than it was told."""
    stage.make(TABLES)
    for kind, table in (("export", PUSH[0]), ("feedback", PUSH[2])):
        stage.servers.raito.add_fault(CloudFault(on=f"import:{kind}", outcome="COMPLETED", message="one was left out"))
        assert set(PUSH) <= set(stage.make(PUSH))
        assert [(each, bool(stage.info(each).warnings)) for each in PUSH] == [(each, each == table) for each in PUSH]
        assert "one was left out" in stage.info(table).warnings[0]
    stage.make(PUSH)
    assert [stage.info(each).warnings for each in PUSH] == [(), (), ()]


def _exported(stage: Stage) -> list[Mapping[str, Any]]:
    """The filters of all exports so far."""
    name = "exportAccessProvidersRequest"
    return [
        entry["arguments"][name]["filter"] for entry in stage.servers.raito.log if name in entry.get("operations", ())
    ]


def test_a_run_for_what_is_out_of_sync_exports_no_more_and_remembers_what_others_may_not_claim(stage: Stage) -> None:
    stage.make(PUSH[:1])
    assert stage.info(PUSH[0]).extra[EXPORT_IS] == WHOLE
    stage.store.write(PUSH[0], [replace(control("whole"), external_id="role:a"), control("none")], ACCOUNT)

    for _ in range(2):
        stage.make(PUSH[:1], **{OUT_OF_SYNC_TAG: "true"})
        assert EXPORT_IS not in stage.info(PUSH[0]).extra
        assert claims(stage.store, ACCOUNT) == ["role:a"]

    stage.make(PUSH[:1])
    assert CLAIMED not in stage.info(PUSH[0]).extra
    assert _exported(stage)[-4:] == [{}, *[{"status": {"outOfSync": True}}] * 2, {}]


def test_an_access_point_of_a_push_that_was_killed_goes_with_its_access_control_before_the_next_sync(
    stage: Stage,
) -> None:
    """It is in no stored table: what the push noted before it made it says that it may be there."""
    stage.make([*TABLES, "s3_buckets", "s3_bucket_policies"])
    read = Store.open(stage.servers.folder / "data", sync="s1")
    for region in (REGION, OTHER_REGION):
        read.write("access_points", (), ACCOUNT, region)
    read.write("access_providers", (), ACCOUNT)
    points, arn = stage.s3_control(), f"arn:aws:s3:{REGION}:{ACCOUNT}:accesspoint/untold"
    tags = {CREATOR.key: CREATOR.value, DATA_SOURCE: stage.servers.data_source, ACCESS_CONTROL: "gone"}
    tagged = [{"Key": key, "Value": value} for key, value in tags.items()]
    points.create_access_point(AccountId=ACCOUNT, Name="untold", Bucket=BUCKET, Tags=tagged)
    gone = replace(control("gone"), type="aws_access_point", external_id=None, delete=True)

    plan = ["push_buckets", "access_push_plan", "access_push_targets", "access_push_orphans"]

    def planned() -> tuple[list[tuple[str, str]], list[str]]:
        stage.store.write("access_controls", [gone], ACCOUNT, extra={EXPORT_IS: WHOLE})
        mark = stage.servers.aws.calls.mark
        stage.make(plan)
        rows = stage.store.rows(PushChange, ACCOUNT)
        asked = [call.operation for call in stage.servers.aws.calls.since(mark) if call.service != "sts"]
        return [(row.operation, row.resource) for row in rows], asked

    assert planned() == ([("none", "gone")], [])
    note_begun(stage.store, ACCOUNT, [arn])
    assert planned() == ([("delete", arn)], ["GetAccessPoint", "GetAccessPointPolicy", "ListTagsForResource"])
    stage.servers.aws.faults.add(Fault(kind="deny", operation="GetAccessPoint", times=None))
    assert "delete" not in str(planned()[0])
    stage.servers.aws.faults.clear()
    points.delete_access_point(AccountId=ACCOUNT, Name="untold")

    what = (WhatItem(DataObjectReference(f"{ACCOUNT}:{REGION}:{BUCKET}", "bucket"), ("s3:GetObject",)),)
    new = replace(gone, id="new", naming_hint="new", delete=False, who=who("ann"), what=what)
    stage.store.write("access_controls", [new], ACCOUNT, extra={EXPORT_IS: WHOLE})
    stage.servers.aws.faults.add(Fault(kind="deny", operation="CreateAccessPoint", times=None))
    stage.make(
        ["push_buckets", "access_push_plan", "access_push_targets", "access_push_orphans", "access_push_results"]
    )
    noted = last_push(stage.store, ACCOUNT)
    assert isinstance(noted, LastPush)
    assert [each.arn.rpartition("/")[2] for each in noted.begun] == ["untold", "new"]
