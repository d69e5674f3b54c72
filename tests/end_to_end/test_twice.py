"""A sync of the whole estate under exactly what `raito-pipeline info --iam-policy push` prints, and a second one.

The first may do no more than that policy says, as AWS enforces it; the second finds nothing new.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pytest

from raito_pipeline.aws.least_policy import least_policy
from raito_pipeline.model import AccessBasis, AccessProvider, EffectiveAccess, ImportResult
from raito_pipeline.orchestration.access.bucket_owners import REMEMBERED
from raito_pipeline.sandbox.aws.call_log import Call
from raito_pipeline.sandbox.compare import compare
from raito_pipeline.storage import ReadStatus, Store
from tests.aws_actions import enforceable
from tests.end_to_end.conftest import SMALL, World, failures, started
from tests.end_to_end.limited import allow, limited_credentials

ASYNCHRONOUS = ("AccountAssignmentCreation", "AccountAssignmentDeletion", "PermissionSetProvisioning")


@dataclass
class FirstSync:
    """What a first sync failed at, and the calls of AWS that it made."""

    failures: list[str]
    calls: list[Call]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """An estate of two accounts and an organization."""
    with started(tmp_path_factory.mktemp("twice"), replace(SMALL, accounts=2)) as world:
        yield world


@pytest.fixture(scope="module")
def first(world: World) -> FirstSync:
    """The first sync of the estate, under the least policy."""
    options = world.options()
    with limited_credentials(world.embedded) as environment, pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        for target in (*options.organizations, *options.accounts):
            allow(target.account_id, enforceable(least_policy(target, "push")))
        results = world.sync()
        return FirstSync(failures(results), world.calls())


def test_a_whole_sync_works_under_the_least_policy(world: World, first: FirstSync) -> None:
    assert first.failures == []
    assert [f"{call.service}:{call.operation}" for call in first.calls if call.status == 403] == []
    for account in world.accounts:
        for table in ("iam_policies", "s3_buckets", "access_providers"):
            info = world.store.info(table, account)
            assert info is not None
            assert (info.status, info.problems) == (ReadStatus.COMPLETE, ()), table
        assert info.table == "access_providers"
        assert REMEMBERED in info.extra, "its policies name buckets of nobody, or of the other account"
    controls = world.counts()["dataSources"]["ds-210000000012"]["accessControls"]
    assert controls["SYNCED"] == 6  # the seventh was to be removed


def test_everything_arrives_and_a_second_sync_changes_nothing(world: World, first: FirstSync) -> None:
    # Accounts are synced each by itself: the organization's sync and each push ask Identity Center what it is then.
    times = dict.fromkeys(("sso", "identitystore"), 1 + len(world.accounts))
    # What a role has is compared with the plan, and then taken from it before it is deleted.
    times["iam:ListAttachedRolePolicies"] = 2
    # Its tags, its trust and its boundary are each compared with the plan, and read again.
    times["iam:GetRole"] = 4
    # Asked again and again until Identity Center has done it.
    times |= {f"sso:Describe{what}Status": 50 for what in ASYNCHRONOUS}
    assert asked_again(first.calls, times) == []
    embedded = world.embedded
    comparison = compare(embedded.estate, embedded.aws.endpoint_url, embedded.directory / "data", embedded.raito)
    assert [line for line in comparison.lines if not line.equal] == []
    before = world.counts()
    for account in world.accounts:
        assert _claims(world.store, account) == _claims_with_a_basis(world.store, account) != set()

    second = world.sync()

    assert failures(second) == []
    assert asked_again(world.calls(), times) == []
    assert [f"{call.service}:{call.operation}" for call in world.calls() if call.writes] == []
    assert world.counts() == before
    for account in world.accounts:
        # The first push came after the first table was made, so what it made is in the second one.
        reached = list(world.store.rows(EffectiveAccess, account))
        assert world.materialize(["effective_access"], account).success
        assert list(world.store.rows(EffectiveAccess, account)) == reached != []
        for table in ("identity_store_import", "data_source_import", "access_provider_import", "data_usage_import"):
            (row,) = world.store.rows(ImportResult, account, table=table)
            assert (row.added, row.removed) == (0, 0), table
        (usage,) = world.store.rows(ImportResult, account, table="data_usage_import")
        assert usage.elements == 0


def _claims(store: Store, account: str) -> set[tuple[str, str, str]]:
    rows = store.rows(AccessProvider, account)
    return {
        (row.external_id, item.data_object.full_name, name)
        for row in rows
        for item in row.what
        for name in item.permissions
    }


def _claims_with_a_basis(store: Store, account: str) -> set[tuple[str, str, str]]:
    return {(row.external_id, row.data_object, row.permission) for row in store.rows(AccessBasis, account)}


def asked_again(calls: Sequence[Call], times: Mapping[str, int] | None = None) -> list[str]:
    """The questions of an account that were asked again though nothing was changed in that service in between.

    A push compares an object with what it planned for before it changes it, and reads it again afterwards. `times` says
    of a service or of an operation how often one question is lawful, where not once.
    """
    asked: Counter[tuple[str, ...]] = Counter()
    repeated = []
    for call in calls:
        if call.writes:
            asked = Counter(
                {each: n for each, n in asked.items() if (each[0], each[2]) != (call.account, call.service)}
            )
            continue
        question = (call.account, call.region, call.service, call.operation, call.request)
        asked[question] += 1
        allowed = times or {}
        if asked[question] > allowed.get(f"{call.service}:{call.operation}", allowed.get(call.service, 1)):
            repeated.append(f"{call.service}:{call.operation} in {call.region} of {call.account}")
    return repeated


def test_a_question_is_asked_again_only_after_something_was_changed() -> None:
    def call(number: int, operation: str, request: str = "q", account: str = "1", *, writes: bool = False) -> Call:
        asked = {"account": account, "region": "r", "service": "iam", "operation": operation, "request": request}
        return Call(number=number, time=0, status=200, writes=writes, seconds=0, **asked)

    read, other, elsewhere = call(1, "GetRole"), call(2, "GetRole", "p"), call(3, "GetRole", account="2")

    assert asked_again([read, other, elsewhere]) == []
    assert asked_again([read, call(4, "DeleteRole", writes=True), call(5, "GetRole")]) == []
    assert asked_again([read, call(4, "DeleteRole", account="2", writes=True), call(5, "GetRole")]) == [
        "iam:GetRole in r of 1"
    ]
    assert asked_again([read, read, read], {"iam": 2}) == ["iam:GetRole in r of 1"]
