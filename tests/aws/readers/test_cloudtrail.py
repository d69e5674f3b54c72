"""Log files in their bucket: the regions of an account look for the folders of logs together."""

from datetime import date

import pytest

from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.aws.connection.errors import AwsUnreachable
from raito_pipeline.aws.readers.cloudtrail import CloudTrailLogs, FolderSearches
from raito_pipeline.sandbox.aws.faults import Fault
from raito_pipeline.sandbox.aws.server import EmulatedAws

from .test_trail_folders import ACCOUNT, FILE, REGION, clients, keys, put

__all__ = ["clients"]


def test_the_regions_of_an_account_search_once_while_they_are_read_together(
    clients: AwsClients, emulated_aws: EmulatedAws
) -> None:
    put("trail/AWSLogs/" + FILE, "trail/AWSLogs/" + FILE.replace(REGION, "us-east-1"))
    together = FolderSearches()
    first, second, other = (
        CloudTrailLogs(clients, "logs", "us-east-1", account, region, (), together)
        for account, region in ((ACCOUNT, REGION), (ACCOUNT, "us-east-1"), ("111122223333", REGION))
    )
    assert first.search(everywhere=True) == ("trail/AWSLogs/",)
    mark = emulated_aws.calls.mark

    assert second.search(everywhere=True) == ("trail/AWSLogs/",)
    assert emulated_aws.calls.since(mark) == []
    assert len(keys(second)) == 1
    assert other.search(everywhere=True) == ()
    assert emulated_aws.calls.since(mark) != []
    assert second.missing() is None
    assert other.missing() is not None


def test_what_lies_below_no_day_is_no_log_file(clients: AwsClients) -> None:
    put(
        *(
            "AWSLogs/" + FILE.replace("2026/03/19", day)
            for day in ("2026/03/19", "2026/03/00", "2026/02/30", "2026/0a/01")
        )
    )
    source = CloudTrailLogs(clients, "logs", "us-east-1", ACCOUNT, REGION, ("AWSLogs/",))
    assert [file.day for file in source.files(date(2026, 1, 1), date(2026, 3, 20))] == ["2026-03-19"]


def test_what_is_archived_is_listed_as_that_and_is_no_failure(clients: AwsClients) -> None:
    archived, unpacked = "AWSLogs/" + FILE, "AWSLogs/" + FILE.removesuffix(".gz")
    put(unpacked)
    clients.client("s3").put_object(Bucket="logs", Key=archived, Body=b"", StorageClass="DEEP_ARCHIVE")
    source = CloudTrailLogs(clients, "logs", "us-east-1", ACCOUNT, REGION, ("AWSLogs/",))
    listed = source.files(date(2026, 1, 1), date(2026, 3, 20))
    assert {file.key: file.archived for file in listed} == {archived: True, unpacked: False}
    assert [source.fetch(key).archived for key in (archived, unpacked)] == [True, False]


def test_a_search_that_failed_is_made_again_by_the_next_region(clients: AwsClients, emulated_aws: EmulatedAws) -> None:
    put("trail/AWSLogs/" + FILE)
    together = FolderSearches()
    source = CloudTrailLogs(clients, "logs", "us-east-1", ACCOUNT, REGION, (), together)
    emulated_aws.faults.add(Fault(kind="error", service="s3", operation="ListObjectsV2", skip=2, times=1))
    with pytest.raises(AwsUnreachable):
        source.search(everywhere=True)
    assert source.search(everywhere=True) == ("trail/AWSLogs/",)
