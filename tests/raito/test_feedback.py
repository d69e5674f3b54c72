"""The feedback of a push: each access control gets its answer, and the task goes on."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from raito_pipeline.model import AccessControl, PushResult
from raito_pipeline.raito.errors import RaitoError
from raito_pipeline.raito.feedback import send_feedback
from raito_pipeline.raito.jobs import JobType
from raito_pipeline.sandbox.raito.faults import CloudFault
from raito_pipeline.sandbox.raito.server import LocalRaitoCloud
from tests.model.test_schema import example_row

from .small_target import QUICK, Target, operations

WELL = replace(example_row(PushResult, null=True), access_control_id="ac-1", actual_name="readers", type="aws_role")
BADLY = replace(WELL, access_control_id="ac-2", actual_name="", errors=("AWS said no",))
CONTROLS = [
    replace(example_row(AccessControl, null=True), id=each.access_control_id, name=each.access_control_id, position=n)
    for n, each in enumerate((WELL, BADLY))
]


@pytest.fixture
def granted(cloud: LocalRaitoCloud, target: Target) -> Target:
    for control in CONTROLS:
        cloud.define_access_control(target.source, {"id": control.id, "name": control.name, "who": {}, "what": []})
    cloud.log.clear()
    return target


def test_what_was_made_and_what_failed_arrive_and_are_counted(
    cloud: LocalRaitoCloud, granted: Target, tmp_path: Path
) -> None:
    with granted.job() as job, job.task(JobType.DATA_ACCESS) as task:
        send_feedback(task, tmp_path, CONTROLS, [WELL, BADLY], received=7, polling=QUICK)
        (counts,) = task.counts
        assert (counts.object_type, counts.added, counts.failed) == ("exported access providers", 1, 1)

    known = {row.id: (row.actual_name, list(row.errors or [])) for row in cloud.controls.listed(granted.source)}
    assert known["ac-1"] == ("readers", [])
    assert known["ac-2"][1] == ["AWS said no"]
    told = list(operations(cloud))
    sent = told.index("importAccessProvidersSyncFeedback")
    assert told.index("addSubtaskEvent DA AccessSync COMPLETED") > sent
    assert {each["externalId"] for each in json.loads((tmp_path / "feedback.json").read_text())} == {"ac-1", "ac-2"}


def test_feedback_that_does_not_arrive_is_an_error_and_no_subtask_is_complete(
    cloud: LocalRaitoCloud, granted: Target, tmp_path: Path
) -> None:
    cloud.add_fault(CloudFault(on="operation:importAccessProvidersSyncFeedback", times=None, status=200, message="no"))
    with pytest.raises(RaitoError), granted.job() as job, job.task(JobType.DATA_ACCESS) as task:
        send_feedback(task, tmp_path, CONTROLS, [WELL], polling=QUICK)
    assert "addSubtaskEvent DA AccessSync COMPLETED" not in list(operations(cloud))
