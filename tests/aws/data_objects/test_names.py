"""Full names of data objects: no two objects of S3 share one, and each is read back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raito_pipeline.aws.data_objects.names import (
    DataObjectName,
    beside_folder,
    bucket_full_name,
    folders_above,
    last_part,
    parse_full_name,
    table_mark,
)

BUCKET = "111122223333:eu-west-1:sales"


@pytest.mark.parametrize(
    ("full_name", "bucket", "path", "mark"),
    [
        (BUCKET, "sales", None, ""),
        (f"{BUCKET}/2026/a.csv", "sales", "2026/a.csv", ""),
        (f"{BUCKET}//x", "sales", "/x", ""),  # the key `/x`
        (f"{BUCKET}/a:b", "sales", "a:b", ""),  # a colon of the key is no mark
        (f"{BUCKET}:file/a", "sales", "a", "file"),
        (f"{BUCKET}:db.t%2F1/orders", "sales", "orders", "db.t%2F1"),
    ],
)
def test_a_full_name_is_read_back(full_name: str, bucket: str, path: str | None, mark: str) -> None:
    assert parse_full_name(full_name) == DataObjectName("111122223333", "eu-west-1", bucket, path, mark)


@pytest.mark.parametrize(
    "text", ["", "111122223333", "111122223333:eu-west-1", ":eu-west-1:sales", "111122223333::sales"]
)
def test_what_is_no_full_name_of_a_bucket_or_below(text: str) -> None:
    assert parse_full_name(text) is None


@given(st.text(min_size=1, max_size=12), st.booleans())
def test_every_key_is_read_back_and_a_file_beside_a_folder_has_another_name(key: str, marked: bool) -> None:
    name = beside_folder(BUCKET, key) if marked else f"{BUCKET}/{key}"

    found = parse_full_name(name)

    assert found is not None
    assert (found.path, found.mark) == (key, "file" if marked else "")
    assert beside_folder(BUCKET, key) != f"{BUCKET}/{key}"


def test_tables_whose_names_hold_dots_and_slashes_are_told_apart() -> None:
    assert table_mark("a", "b.c") == "a.b.c"
    assert table_mark("a.b", "c") == "a%2Eb.c"
    assert table_mark("sales", "orders/2026 v1") == "sales.orders%2F2026%20v1"


def test_what_people_see_of_a_path_is_never_empty() -> None:
    assert [last_part(path) for path in ("a", "a/b", "a/", "")] == ["a", "b", "/", "/"]
    assert bucket_full_name("1", "eu-west-1", "sales") == "1:eu-west-1:sales"


def test_the_folders_that_a_path_lies_in_are_given_from_the_top() -> None:
    assert list(folders_above("a/b/c")) == ["a", "a/b"]
    assert list(folders_above("a")) == list(folders_above("")) == []
