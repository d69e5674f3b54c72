"""Refreshing the kept copy from AWS: only what changed is asked for, and what fails leaves it as it was."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from raito_pipeline.aws.connection.errors import AwsThrottled
from raito_pipeline.aws.readers.kept_policies import KeptPolicy, keep_policies, kept_policies
from raito_pipeline.aws.readers.kept_policies_refresh import refresh_kept_policies
from tests.aws.conftest import Reach
from tests.aws.stand_in import Refused, StandIn, page_of, quoted

THEN, NOW = date(2026, 1, 1), date(2026, 2, 2)
IN_FORCE = {"Same": "v1", "Changed": "v3", "New": "v1"}


def arn(name: str) -> str:
    return f"arn:aws:iam::aws:policy/{name}"


def aws() -> StandIn:
    listed = [{"Arn": arn(name), "PolicyName": name, "DefaultVersionId": version} for name, version in IN_FORCE.items()]

    def policies(request: Any) -> Any:
        assert request["Scope"] == "AWS"
        page, marker = page_of(listed, 2, request.get("Marker"))
        return {"IsTruncated": marker is not None, "Marker": marker, "Policies": page}

    def version(request: Any) -> Any:
        document = quoted({"Version": request["VersionId"]})
        return {"PolicyVersion": {"VersionId": request["VersionId"], "Document": document}}

    return StandIn({"iam:ListPolicies": policies, "iam:GetPolicyVersion": version})


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    kept = [KeptPolicy(arn(name), "v1", THEN, "{}") for name in ("Same", "Changed", "Retired")]
    keep_policies(kept, tmp_path / "copy.parquet")
    return tmp_path / "copy.parquet"


def test_what_changed_is_asked_for_and_what_is_retired_stays(reach: Reach, copy: Path) -> None:
    stand_in = aws()
    clients = reach(stand_in)
    assert [refresh_kept_policies(clients, NOW, copy) for _ in range(2)] == [2, 0]

    found = {policy.arn.rpartition("/")[2]: policy for policy in kept_policies(copy).values()}
    assert {name: (policy.version_id, policy.as_of) for name, policy in found.items()} == {
        "Same": ("v1", THEN),
        "Changed": ("v3", NOW),
        "New": ("v1", NOW),
        "Retired": ("v1", THEN),
    }
    assert json.loads(found["Changed"].document) == {"Version": "v3"}
    assert stand_in.calls() == {"iam:ListPolicies": 4, "iam:GetPolicyVersion": 2}


def test_what_fails_leaves_the_copy_as_it_was(reach: Reach, copy: Path) -> None:
    before = copy.read_bytes()
    stand_in = aws()
    stand_in.faults = {("iam:GetPolicyVersion", 2): Refused(400, "Throttling")}
    with pytest.raises(AwsThrottled):
        refresh_kept_policies(reach(stand_in), NOW, copy)
    assert copy.read_bytes() == before
