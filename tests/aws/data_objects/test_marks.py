"""Marks of pages: few, at equal distances, kept where they still do; and where a range is cut at them."""

from itertools import pairwise

import pytest

from raito_pipeline.aws.data_objects.marks import PageMarks, bounds_between, marks_of, shared_out, text_of


def listed(pages: int, name: str = "k") -> PageMarks:
    marks = PageMarks()
    for number in range(pages):
        marks.add(f"{name}{number:06d}")
    return marks


def test_few_are_noted_of_many_pages_at_about_equal_distances() -> None:
    noted = listed(50_000).noted
    places = [int(key[1:]) for key in noted.keys]
    distances = [later - before for before, later in pairwise(places)]
    assert (noted.pages, len(noted.keys)) == (50_000, 32)
    assert max(distances) < 2 * min(distances)


def test_short_listings_are_not_noted_and_what_nearly_was_so_before_stays() -> None:
    before = {name: listed(pages, "before").noted for name, pages in (("same", 100), ("grown", 100), ("broken", 100))}
    found = {"short": listed(19), "same": listed(109), "grown": listed(150), "broken": listed(30)}

    noted = marks_of(text_of(found, before, ["broken", "never"]))

    assert noted.keys() == {"same", "grown", "broken"}
    assert (noted["same"], noted["broken"]) == (before["same"], before["broken"])
    assert (noted["grown"].pages, noted["grown"].keys[0][0]) == (150, "k")
    assert text_of({"short": listed(19)}, {}) == ""


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"b": 3}', '{"b": {}}', '{"b": {"pages": "x", "keys": []}}'])
def test_what_cannot_be_read_marks_nothing(text: str) -> None:
    assert marks_of(text) == {}


@pytest.mark.parametrize(
    ("marks", "end", "cut"),
    [
        (["a/1", "b/2", "c/d/3", "c/d/4"], "", ("", ["b/", "c/", "c/"])),
        (["a/1", "b/2", "c/d/3"], "c/", ("", ["b/"])),
        (["a/b/4", "a/b/6", "a/b/8"], "", ("a/b/", ["a/b/60", "a/b/80"])),
        (["a/b/6", "a/b/8", "c/1"], "", ("a/b/", ["a/b/60", "a/b/80"])),
        (["a/b/1", "a/a"], "", ("", [])),
        (["a/b-1", "a/b-1/x"], "", ("", [])),
        (["a/c-1", "a/c-1/x"], "", ("a/", ["a/c-1/", "a/c-10"])),
    ],
)
def test_a_range_is_cut_at_children_of_a_folder_that_its_last_key_lies_in(
    marks: list[str], end: str, cut: tuple[str, list[str]]
) -> None:
    assert bounds_between(marks, "a/b/5", end, ["", "a/", "a/b/"]) == cut


def test_parts_are_about_equal() -> None:
    assert shared_out([str(n) for n in range(9)], 2) == ["3", "6"]
    assert shared_out(["a", "a", "a", "b"], 3) == ["a", "b"]
    assert shared_out(["a", "b"], 0) == []
    assert shared_out([], 3) == []
