"""The queue of triggers: joined while they wait, never lost, never joined to what is being done."""

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from raito_pipeline.orchestration.automation.trigger_queue import FILE, MOST_PARTS, Trigger, TriggerQueue
from raito_pipeline.raito.jobs import JobType
from raito_pipeline.storage import StorageError

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def push(owner: str = "1", messages: int = 1) -> Trigger:
    return Trigger(owner, "push", since=NOON, messages=messages)


def part(parent: str, *excludes: str) -> Trigger:
    return Trigger("1", "part", (JobType.DATA_SOURCE,), parent, excludes, since=NOON)


def test_nothing_waits_where_nothing_was_put(tmp_path: Path) -> None:
    assert TriggerQueue(tmp_path).waiting() == ()
    TriggerQueue(tmp_path).put([])
    assert not (tmp_path / FILE).exists()


def test_a_burst_is_one_trigger_and_accounts_stay_apart(tmp_path: Path) -> None:
    queue = TriggerQueue(tmp_path)
    for _ in range(50):
        queue.put([push("1"), push("2")])
    first, second = queue.waiting()
    assert (first.owner, first.messages, second.owner, second.messages) == ("1", 50, "2", 50)


def test_stages_of_syncs_are_put_together_and_a_whole_one_has_them_all(tmp_path: Path) -> None:
    queue = TriggerQueue(tmp_path)
    for stages in ((JobType.DATA_USAGE,), (JobType.DATA_SOURCE, JobType.DATA_USAGE)):
        queue.put([Trigger("1", "sync", stages)])
    (one,) = queue.waiting()
    assert one.stages == (JobType.DATA_USAGE, JobType.DATA_SOURCE)
    queue.put([Trigger("1", "sync")])
    assert [each.stages for each in queue.waiting()] == [()]


def test_parts_are_one_where_they_are_the_same_and_all_data_objects_where_they_are_many(tmp_path: Path) -> None:
    queue = TriggerQueue(tmp_path)
    for number in range(MOST_PARTS):
        queue.put([part(f"1:eu:b/{number}"), part(f"1:eu:b/{number}")])
    queue.put([push()])
    assert len(queue.waiting()) == MOST_PARTS + 1
    queue.put([part("1:eu:b/0", "1:eu:b/0/x")])
    pushed, whole = queue.waiting()
    assert pushed.kind == "push"
    assert (whole.kind, whole.stages, whole.parent) == ("sync", (JobType.DATA_SOURCE,), None)
    assert whole.messages == 2 * MOST_PARTS + 1


def test_what_is_taken_is_given_as_it_is_then_and_joined_to_no_more(tmp_path: Path) -> None:
    queue = TriggerQueue(tmp_path)
    queue.put([push()])
    (seen,) = queue.waiting()
    queue.put([push()])
    (taken,) = queue.take([seen.id], [])
    assert (taken.id, taken.messages, taken.taken) == (seen.id, 2, True)
    queue.put([push(messages=0)])
    assert [(each.taken, each.messages) for each in queue.waiting()] == [(True, 2), (False, 0)]
    assert queue.take([], [seen.id]) == ()
    assert [(each.taken, each.messages) for each in queue.waiting()] == [(False, 0)]


def test_writers_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    def put() -> None:
        for _ in range(20):
            TriggerQueue(tmp_path).put([push()])

    threads = [threading.Thread(target=put) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [each.messages for each in TriggerQueue(tmp_path).waiting()] == [80]


@pytest.mark.parametrize("content", [b"", b"{", b'{"triggers": [7]}'])
def test_a_damaged_file_counts_as_empty_and_is_written_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).parent.mkdir()
    (tmp_path / FILE).write_bytes(content)
    queue = TriggerQueue(tmp_path)
    assert queue.waiting() == ()
    queue.put([push()])
    assert len(queue.waiting()) == 1


def test_a_storage_that_refuses_says_what_it_was_about(tmp_path: Path) -> None:
    (tmp_path / "_triggers").write_text("a file where the folder is needed")
    with pytest.raises(StorageError, match="what Raito Cloud asked for could not be changed"):
        TriggerQueue(tmp_path).put([push()])
