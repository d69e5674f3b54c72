"""What a message means for the targets of a configuration; what cannot be done as it was asked for is said."""

import pytest

from raito_pipeline.orchestration.automation.triggers import asked_for, pushes_of
from raito_pipeline.raito.jobs import JobType
from raito_pipeline.raito.triggers import AccessUpdate, Message, SyncTrigger
from tests.orchestration.conftest import Loads, account_ids

ONE, TWO = account_ids(2)
ALL = tuple(JobType)
IS, DS, DA, DU = ALL
PARENT = f"{ONE}:eu-west-1:bucket/folder"

CASES: list[tuple[Message, list[tuple[str, str, tuple[JobType, ...]]], str]] = [
    (AccessUpdate(("source-0", "source-1")), [(ONE, "push", ()), (TWO, "push", ())], ""),
    (AccessUpdate(("source-0", "source-7")), [(ONE, "push", ())], "data source source-7"),
    (AccessUpdate(()), [], ""),
    (SyncTrigger("source-1", "store-1", ALL), [(TWO, "sync", ())], ""),
    (SyncTrigger("source-1", None, (DU, DS)), [(TWO, "sync", (DU, DS))], ""),
    (SyncTrigger(None, "store-0", (IS,)), [(ONE, "sync", (IS,))], ""),
    (SyncTrigger(None, "org-store", (IS,)), [("999988887777_eu-west-1", "sync", ())], ""),
    (SyncTrigger("source-0", None, ()), [], "without any stage"),
    (SyncTrigger("source-9", "store-0", ALL), [], "source-9 and store-0"),
    (SyncTrigger("source-0", None, (DS,), PARENT), [(ONE, "part", (DS,))], ""),
    (SyncTrigger("source-0", None, (DS, DA), PARENT), [(ONE, "part", (DS,)), (ONE, "sync", (DA,))], ""),
    (SyncTrigger("source-0", None, (DS,), f"{ONE}:eu-west-1"), [(ONE, "sync", (DS,))], "is not the full name"),
    (SyncTrigger("source-0", None, (), f"{ONE}:eu-north-1:b"), [(ONE, "sync", (DS,))], "not in its regions"),
    (SyncTrigger("source-1", None, (DS,), PARENT), [(TWO, "sync", (DS,))], "not in its regions"),
]


@pytest.mark.parametrize(("message", "expected", "said"), CASES)
def test_what_a_message_asks_for(
    loads: Loads, message: Message, expected: list[tuple[str, str, tuple[JobType, ...]]], said: str
) -> None:
    found = asked_for(message, loads())
    assert [(each.owner, each.kind, each.stages) for each in found.triggers] == expected
    assert bool(found.remarks) is bool(said)
    assert said in " ".join(found.remarks)


@pytest.mark.parametrize("given", ["skip-data-access-sync", "pipeline: mode"])
def test_no_push_is_asked_for_where_nothing_is_pushed(loads: Loads, given: str) -> None:
    options = loads("skip-data-access-sync: true" if "skip" in given else "")
    if "skip" not in given:
        options = options.model_copy(update={"pipeline": options.pipeline.model_copy(update={"mode": "plan"})})
    found = asked_for(AccessUpdate(("source-0",)), options)
    assert (found.triggers, pushes_of(options, options.accounts)) == ([], [])
    assert given in found.remarks[0]


def test_nothing_is_asked_for_of_an_account_that_aws_has_closed(loads: Loads) -> None:
    options = loads()
    first, second = options.accounts
    options = options.model_copy(update={"accounts": (first.model_copy(update={"closed": "2026-11-26"}), second)})
    assert [each.owner for each in pushes_of(options, options.accounts)] == [second.partition]
    for message in (
        AccessUpdate(("source-0",)),
        SyncTrigger("source-0", None, ALL),
        SyncTrigger(None, "store-0", (IS,)),
    ):
        found = asked_for(message, options)
        assert found.triggers == []
        assert "AWS has closed the account (2026-11-26)" in found.remarks[0]


def test_targets_that_do_different_stages_of_one_data_source_are_all_asked(loads: Loads) -> None:
    options = loads()
    first, second = options.accounts
    first = first.model_copy(update={"skip_data_access_sync": True})
    second = second.model_copy(update={"data_source_id": "source-0", "identity_store_id": "store-0"})
    options = options.model_copy(update={"accounts": (first, second)})

    pushes = asked_for(AccessUpdate(("source-0",)), options)
    syncs = [
        asked_for(message, options)
        for message in (SyncTrigger("source-0", None, (DA,)), SyncTrigger(None, "store-0", (IS,)))
    ]

    assert ([each.owner for each in pushes.triggers], pushes.remarks) == ([TWO], [])
    assert [[each.owner for each in found.triggers] for found in syncs] == [[ONE, TWO], [ONE, TWO]]


def test_after_a_gap_each_account_is_pushed(loads: Loads) -> None:
    options = loads()
    assert [(each.owner, each.messages) for each in pushes_of(options, options.accounts)] == [(ONE, 0), (TWO, 0)]
