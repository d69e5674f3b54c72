"""Running changes: each when what it waits for has ended."""

import threading

import pytest

from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.push.schedule import run, steps
from tests.aws.push.conftest import Story, arn


def story() -> Story:
    made = Story().role("a", "readers", "ada").policy("b", "analysts", "user:ada", "role:readers")
    made.change("detach", "attachment", "user:bob", before=arn("analysts"))
    return made.control("c", was="role:old").change("delete", "role", "old")


def test_steps_stand_in_the_order_of_the_plan_and_wait_for_earlier_ones_only() -> None:
    rows = story().changes
    listed = steps(ACCESS_PROVIDER_TYPES.push.changes(reversed(rows)))
    assert [step.change.row for step in listed] == rows
    assert all(earlier < position for position, step in enumerate(listed) for earlier in step.waits_for)
    assert [sorted(step.needed) for step in listed] == [[], [0], [], [2], [0, 2], [], []]


def test_a_circle_in_a_stored_plan_is_cut_where_it_goes_backwards() -> None:
    rows = Story().control("a").change("attach", "attachment", "role:late", arn("p")).role("b", "late", "ada").changes
    (attach, create, _) = steps(ACCESS_PROVIDER_TYPES.push.changes(rows))
    assert attach.waits_for == frozenset()
    assert create.waits_for == frozenset()


@pytest.mark.parametrize("concurrency", [1, 4])
def test_everything_runs_once_and_after_what_it_waits_for(concurrency: int) -> None:
    listed = steps(ACCESS_PROVIDER_TYPES.push.changes(story().changes))
    done: list[int] = []
    lock = threading.Lock()

    def work(position: int) -> None:
        with lock:
            assert listed[position].waits_for <= set(done)
            done.append(position)

    run(listed, work, concurrency)

    assert sorted(done) == list(range(len(listed)))


def test_an_error_ends_the_run() -> None:
    listed = steps(ACCESS_PROVIDER_TYPES.push.changes(story().changes))
    tried: list[int] = []

    def work(position: int) -> None:
        tried.append(position)
        raise ValueError(position)

    with pytest.raises(ValueError, match="0"):
        run(listed, work, 1)
    assert 4 not in tried


def test_nothing_to_run_is_no_error() -> None:
    run((), lambda _position: None, 3)
