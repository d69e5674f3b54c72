"""Which data objects are known: asked by several threads at once, as log files are read."""

import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from raito_pipeline.aws.usage.known import TYPES, KnownObjects


def test_threads_that_ask_first_all_get_the_right_type() -> None:
    kinds = ("bucket", "folder", "file")
    names = [f"1:eu-west-1:bucket/{number}" for number in range(50_000)]
    expected = [kinds[number % len(kinds)] for number in range(len(names))]
    threads = 4
    for _ in range(25):
        known = KnownObjects()
        known.add(names, expected)
        together = Barrier(threads)

        def ask(known: KnownObjects = known, together: Barrier = together) -> list[str | None]:
            together.wait()
            return [known.type_of(name) for name in names[:100]]

        with ThreadPoolExecutor(threads) as pool:
            answers = [asked.result() for asked in [pool.submit(ask) for _ in range(threads)]]
        assert all(answer == expected[:100] for answer in answers)
        assert [known.type_of(name) for name in names[:1_000]] == expected[:1_000]


def test_what_is_closest() -> None:
    known = KnownObjects()
    known.add(["b", "b/x", "b/x/y.csv"], ["bucket", "folder", "file"])
    assert list(known.closest("b", "x/y.csv")) == [("b/x/y.csv", "file"), ("b/x", "folder"), ("b", "bucket")]
    assert list(known.closest("b", "x/other/deep.csv")) == [("b/x", "folder"), ("b", "bucket")]
    assert list(known.closest("c", "x")) == []
    assert len(known) == 3
    assert set(TYPES) >= {"bucket", "folder", "file", "glue-table"}


@pytest.mark.parametrize("kinds", [("folder", "glue-table"), ("glue-table", "folder")])
def test_what_is_a_folder_to_one_catalog_and_a_table_to_another_is_the_table(kinds: tuple[str, str]) -> None:
    """As it is sent to Raito Cloud; the same however it is asked for."""
    known, name = KnownObjects(), "1:eu-west-1:b/x"
    for kind in kinds:
        known.add([name], [kind])
    assert known.type_of(name) == "glue-table"
    assert known.find(["arn:aws:s3:::b/x"], lambda _at: name) == {0: (name, "glue-table")}
    assert list(known.closest("1:eu-west-1:b", "x")) == [(name, "glue-table")]


def test_what_is_sorted_is_not_there_twice() -> None:
    known, count = KnownObjects(), 260_000
    tracemalloc.start()
    for first in range(0, count, 10_000):
        known.add([f"1:r:b/{n}" for n in range(first, first + 10_000)], ["file"] * 10_000)
    tracemalloc.reset_peak()

    assert known.type_of("1:r:b/77") == "file"

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak / count < 55, "bytes an object: 17 are kept, 4 of its range"
