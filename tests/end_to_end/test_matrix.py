"""A sample of the matrix of faults; `make matrix` runs all of it."""

import random
from collections.abc import Iterator

import pytest

from tests.matrix.faulty_sync import FaultySyncs, faulty_syncs

CASES = 2


@pytest.fixture(scope="module")
def syncs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultySyncs]:
    with faulty_syncs(tmp_path_factory.mktemp("matrix"), "finance") as syncs:
        yield syncs


def test_no_wrong_answer_of_aws_removes_anything_or_passes_for_the_whole(syncs: FaultySyncs) -> None:
    cases = random.Random(7).sample([case for case in syncs.cases() if case.always], CASES)
    wrong = [line for case in cases for line in syncs.run(case)]
    assert wrong == []
    assert syncs.settle() == []


def test_every_listing_of_a_sync_is_in_the_matrix(syncs: FaultySyncs) -> None:
    operations = {operation for _, operation, _ in syncs.operations}
    assert {"ListBuckets", "ListObjectsV2", "GetObject", "ListAccessPoints", "ListUsers", "ListInstances"} <= operations
    assert {"GetAccountAuthorizationDetails", "GetGroup", "ListRoles", "ListPolicies"} <= operations
