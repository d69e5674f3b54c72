"""Which names were seen: against a plain set, with equal names in one call, and with names that share a hash."""

from hypothesis import given, settings
from hypothesis import strategies as st

from raito_pipeline.aws.usage.seen import HashSet

NAMES = st.lists(st.lists(st.integers(0, 40).map(str), max_size=30), max_size=12)


class Crowded(str):
    """A name that shares its first hash with a third of all others."""

    __slots__ = ()

    def __hash__(self) -> int:
        return len(self) % 3


def expected(calls: list[list[str]]) -> list[list[bool]]:
    seen: set[str] = set()
    answers = []
    for names in calls:
        answers.append([])
        for name in names:
            answers[-1].append(name not in seen)
            seen.add(name)
    return answers


@given(NAMES)
@settings(max_examples=300)
def test_a_name_is_new_once(calls: list[list[str]]) -> None:
    seen = HashSet()
    assert [seen.add(names).tolist() for names in calls] == expected(calls)
    everything = {name for names in calls for name in names}
    assert len(seen) == len(everything)
    assert all(name in seen for name in everything)
    assert "another" not in seen


@given(st.lists(st.lists(st.text("abc", max_size=6), max_size=30), max_size=8))
@settings(max_examples=300)
def test_names_that_share_a_hash_are_told_apart(calls: list[list[str]]) -> None:
    seen = HashSet()
    assert [seen.add([Crowded(name) for name in names]).tolist() for names in calls] == expected(calls)


def test_what_is_known_to_be_new_is_only_added() -> None:
    seen = HashSet()
    seen.add_all(["c", "a", "b"])
    assert seen.add(["d", "b", "d"]).tolist() == [True, False, False]
    assert len(seen) == 4
