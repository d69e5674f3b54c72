"""The version check before the first job of a sync, and the message after the last one."""

from dataclasses import replace

import pytest

from raito_pipeline.raito.client import RaitoClient
from raito_pipeline.raito.errors import RaitoRefused, VersionNotSupported
from raito_pipeline.raito.jobs import Job
from raito_pipeline.raito.targets_sync import TargetsSync
from raito_pipeline.sandbox.raito.faults import CloudFault
from raito_pipeline.sandbox.raito.server import LocalRaitoCloud

VERSION = "SupportedCLIVersion"


def asked(cloud: LocalRaitoCloud) -> list[str]:
    return [name for entry in cloud.log for name in entry.get("operations") or []]


def test_the_version_is_asked_for_once_and_the_end_is_said_once_with_every_job(
    cloud: LocalRaitoCloud, client: RaitoClient
) -> None:
    sync = TargetsSync()
    jobs = []
    with sync.until_the_end():
        for _ in range(3):
            sync.require_version(client)
            jobs.append(Job.start(client, None, None))
            sync.add(jobs[-1])
    names = asked(cloud)
    assert names.count(VERSION) == 1
    assert names.index(VERSION) < names.index("createJob")
    (said,) = [entry["arguments"] for entry in cloud.log if entry.get("operations") == ["endOfTargetsSync"]]
    assert said["endOfTargetsSync"]["input"]["jobIds"] == [job.id for job in jobs]


def test_a_sync_without_a_job_says_no_end_and_one_that_is_interrupted_does(
    cloud: LocalRaitoCloud, client: RaitoClient
) -> None:
    with TargetsSync().until_the_end():
        pass
    assert asked(cloud) == []
    sync = TargetsSync()
    with pytest.raises(KeyboardInterrupt), sync.until_the_end():
        sync.add(Job.start(client, None, None))
        raise KeyboardInterrupt
    assert asked(cloud)[-1] == "endOfTargetsSync"


def test_a_version_that_is_not_supported_stops_everything_in_words(cloud: LocalRaitoCloud, client: RaitoClient) -> None:
    cloud.versions = replace(cloud.versions, supported=">=2.0.0, <3")
    sync = TargetsSync()
    for _ in range(2):
        with pytest.raises(VersionNotSupported, match=r">=2\.0\.0, <3, and this client speaks as version .* nothing"):
            sync.require_version(client)
    assert asked(cloud) == [VERSION]


def test_a_deprecated_version_is_a_warning(
    cloud: LocalRaitoCloud, client: RaitoClient, caplog: pytest.LogCaptureFixture
) -> None:
    cloud.versions = replace(cloud.versions, deprecated="<99", message="version 1 ends in May")
    TargetsSync().require_version(client)
    assert "version 1 ends in May" in caplog.text


def test_a_constraint_that_nobody_can_read_stops_nothing(
    cloud: LocalRaitoCloud, client: RaitoClient, caplog: pytest.LogCaptureFixture
) -> None:
    cloud.versions = replace(cloud.versions, supported="whatever is new")
    TargetsSync().require_version(client)
    assert "not a version constraint" in caplog.text or "no version constraint" in caplog.text


def test_a_check_that_fails_is_its_ordinary_error_and_is_made_again(
    cloud: LocalRaitoCloud, client: RaitoClient
) -> None:
    cloud.add_fault(CloudFault(on=f"operation:{VERSION}", status=200, message="out of order"))
    sync = TargetsSync()
    with pytest.raises(RaitoRefused, match="out of order"):
        sync.require_version(client)
    sync.require_version(client)
