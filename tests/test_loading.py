"""Loading: garbage is looked for as before, whatever happened in between, but not among modules."""

import gc
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress

import pytest

from raito_pipeline.loading import nothing_is_garbage

COUNTED = """
import gc
looked = []
gc.callbacks.append(lambda phase, _: looked.append(phase))
import dagster
print(looked.count("start"))
import raito_pipeline.definitions
assert gc.isenabled()
print(looked.count("start"), gc.get_freeze_count())
"""

STAYS = """
import gc
{begun}
print(gc.get_freeze_count())
"""


@pytest.fixture(params=[True, False], ids=["looked for", "not looked for"])
def looked_for(request: pytest.FixtureRequest) -> Iterator[bool]:
    """Whether garbage is looked for before."""
    (gc.enable if request.param else gc.disable)()
    yield request.param
    gc.enable()


def test_garbage_is_looked_for_afterwards_as_before(looked_for: bool) -> None:
    with nothing_is_garbage():
        with nothing_is_garbage():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled() == looked_for


def test_an_error_changes_nothing_of_that(looked_for: bool) -> None:
    with suppress(ZeroDivisionError), nothing_is_garbage():
        raise ZeroDivisionError
    assert gc.isenabled() == looked_for


def printed(script: str) -> list[int]:
    """The numbers that a script prints in a process of its own."""
    ended = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
    return [int(word) for word in ended.stdout.split()]


def test_the_code_location_loads_without_looking_for_garbage_and_is_not_looked_through_again() -> None:
    """Only Dagster does, where it is loaded before."""
    of_dagster, of_both, stays = printed(COUNTED)

    assert of_both <= of_dagster + 3
    assert stays > 100_000


@pytest.mark.parametrize(
    ("begun", "stays"),
    [
        ("import raito_pipeline.cli; raito_pipeline.cli._module('run')", True),
        ("import raito_pipeline.component", False),
    ],
    ids=["command", "project of somebody else"],
)
def test_what_is_loaded_is_not_looked_through_again(begun: str, stays: bool) -> None:
    (frozen,) = printed(STAYS.format(begun=begun))

    assert (frozen > 100_000) == stays


def test_a_configuration_may_be_garbage_later() -> None:
    before = gc.get_freeze_count()
    with nothing_is_garbage():
        pass
    assert gc.get_freeze_count() == before
