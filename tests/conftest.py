"""The order of the tests: whole ways first, as they take longest and one worker runs a file from start to end."""

import pytest

LONGEST = ("end_to_end/test_daemon", "end_to_end/", "readers/test_fault_matrix")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take minutes before files that take seconds, so that no worker is left alone with one of them."""
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    return next((place for place, part in enumerate(LONGEST) if part in item.nodeid), len(LONGEST))
