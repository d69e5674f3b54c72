"""Two cases of the matrix of faults, in an account that was synced before.

`make matrix` runs all, in two others.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.conftest import synced_before
from tests.matrix.faulty_sync import Case, FaultySyncs, faulty_syncs_of

CASES = (
    Case("s3", "ListObjectsV2", "empty", always=True),
    Case("iam", "ListRolePolicies", "500", always=True, by_lists=True),
)


@pytest.fixture(scope="module")
def syncs(tmp_path_factory: pytest.TempPathFactory, kept_syncs: Path) -> Iterator[FaultySyncs]:
    with synced_before(tmp_path_factory.mktemp("matrix"), kept_syncs) as world:
        syncs = faulty_syncs_of(world, "marketing")
        syncs.start_again()
        yield syncs


@pytest.fixture(scope="module")
def wrong(syncs: FaultySyncs) -> list[str]:
    """What was wrong after the cases and after the sync without fault that follows them."""
    return [*(line for case in CASES for line in syncs.run(case)), *syncs.settle()]


def test_no_wrong_answer_of_aws_removes_anything_or_passes_for_the_whole(syncs: FaultySyncs, wrong: list[str]) -> None:
    assert syncs.unmet == [], "the operations of the cases were asked"
    assert wrong == []


@pytest.mark.usefixtures("wrong")
def test_every_listing_of_a_sync_is_in_the_matrix(syncs: FaultySyncs) -> None:
    operations = {operation for _, operation, _ in syncs.operations}
    assert {"ListBuckets", "ListObjectsV2", "GetObject", "ListAccessPoints", "ListUsers", "ListInstances"} <= operations
    assert {"GetAccountAuthorizationDetails", "GetGroup", "ListRoles", "ListPolicies"} <= operations
    assert set(CASES) <= set(syncs.cases())
