"""Keys become folders and files: each folder once, before its children, however the keys are cut into pages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raito_pipeline.aws.data_objects.folders import FolderShaper
from raito_pipeline.config.groups import S3Options

NESTED = S3Options(aws_s3_emulate_folder_structure=True, aws_s3_max_folder_depth=20)
Row = tuple[str, str, str, str]


def shaped(keys: list[str], options: S3Options = NESTED, *, cuts: int = 1_000, opened: str = "") -> list[Row]:
    """The rows of sorted keys that come `cuts` at a time."""
    shaper, rows = FolderShaper("B", options, opened), []
    columns = shaper.columns
    for at in range(0, len(keys), cuts):
        shaper.feed(keys[at : at + cuts])
        shaper.take_out_held()
        rows += list(zip(columns.full_names, columns.names, columns.types, columns.parents, strict=True))
        columns.take()
    assert shaper.finish() == ()
    return rows + list(zip(columns.full_names, columns.names, columns.types, columns.parents, strict=True))


def test_a_folder_comes_once_and_before_what_is_in_it() -> None:
    assert shaped(["a.csv", "y/b.csv", "y/m/c.csv", "y/m/d.csv", "z/e.csv"]) == [
        ("B/a.csv", "a.csv", "file", "B"),
        ("B/y", "y", "folder", "B"),
        ("B/y/b.csv", "b.csv", "file", "B/y"),
        ("B/y/m", "m", "folder", "B/y"),
        ("B/y/m/c.csv", "c.csv", "file", "B/y/m"),
        ("B/y/m/d.csv", "d.csv", "file", "B/y/m"),
        ("B/z", "z", "folder", "B"),
        ("B/z/e.csv", "e.csv", "file", "B/z"),
    ]


@pytest.mark.parametrize("cuts", [1, 2, 100])
def test_a_file_and_a_folder_of_one_path_have_two_names(cuts: int) -> None:
    rows = shaped(["a", "a-1", "a/b"], cuts=cuts)

    assert sorted(rows) == [
        ("B/a", "a", "folder", "B"),
        ("B/a-1", "a-1", "file", "B"),
        ("B/a/b", "b", "file", "B/a"),
        ("B:file/a", "a", "file", "B"),
    ]


def test_a_key_that_ends_in_a_slash_is_its_folder_alone() -> None:
    assert shaped(["empty/"]) == [("B/empty", "empty", "folder", "B")]


def test_an_empty_part_of_a_path_is_a_folder_shown_as_a_slash() -> None:
    assert shaped(["a//b"]) == [
        ("B/a", "a", "folder", "B"),
        ("B/a/", "/", "folder", "B/a"),
        ("B/a//b", "b", "file", "B/a/"),
    ]


def test_nothing_lies_deeper_than_the_limit() -> None:
    one = S3Options(aws_s3_emulate_folder_structure=True, aws_s3_max_folder_depth=1)

    assert shaped(["a/b/c.csv", "d.csv"], one) == [("B/a", "a", "folder", "B"), ("B/d.csv", "d.csv", "file", "B")]


def test_without_folders_every_key_lies_in_the_bucket() -> None:
    flat = S3Options(aws_s3_emulate_folder_structure=False)

    assert shaped(["a/b.csv", "c"], flat) == [("B/a/b.csv", "b.csv", "file", "B"), ("B/c", "c", "file", "B")]


def test_the_row_of_an_opened_folder_is_somebody_elses() -> None:
    assert shaped(["y/b.csv", "y/m/c.csv"], opened="y/") == [
        ("B/y/b.csv", "b.csv", "file", "B/y"),
        ("B/y/m", "m", "folder", "B/y"),
        ("B/y/m/c.csv", "c.csv", "file", "B/y/m"),
    ]


@given(st.lists(st.text("ab/-", min_size=1, max_size=6), max_size=12, unique=True), st.integers(1, 4))
def test_pages_change_nothing_and_every_parent_is_there(keys: list[str], cuts: int) -> None:
    rows = shaped(sorted(keys), cuts=cuts)

    assert sorted(rows) == sorted(shaped(sorted(keys)))
    names = [row[0] for row in rows]
    assert len(names) == len(set(names))
    assert {row[3] for row in rows} <= {"B", *(row[0] for row in rows if row[2] == "folder")}
    files = [key for key in keys if not key.endswith("/")]
    assert sum(row[2] == "file" for row in rows) == len(files)
