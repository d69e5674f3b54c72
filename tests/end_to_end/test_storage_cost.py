"""What a sync of an account with three regions asks the storage for, where the tables lie on S3."""

from dataclasses import replace
from pathlib import Path

from tests.bench.storage import MOST_CALLS, MOST_WRITES, MOST_WRITES_AT_FIRST, SMALL, syncs


def test_a_sync_stays_within_the_calls_that_are_allowed(tmp_path: Path) -> None:
    first, second = syncs(tmp_path, replace(SMALL, accounts=1), 2)

    for cost, most_writes in ((first, MOST_WRITES_AT_FIRST), (second, MOST_WRITES)):
        assert cost.calls - cost.renewals <= MOST_CALLS, cost.text
        assert cost.writes - cost.renewals <= most_writes, cost.text
        assert not [call for call in cost.asked if call.status in (403, 500)]
        assert cost.operations.keys() <= {"GetObject", "PutObject", "ListObjectsV2", "DeleteObject"}, (
            "nothing looks first"
        )
