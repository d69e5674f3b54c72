"""A part of the data objects, as Raito Cloud asks for it: what lies below one, less what is excluded."""

import pytest

from raito_pipeline.aws.data_objects.subtree import NoSubtree, Subtree

TOP = "111122223333:eu-west-1:sales"
PART = Subtree.of(f"{TOP}/2026", [f"{TOP}/2026/draft", " ", f"{TOP}/2026/a.csv"])


@pytest.mark.parametrize(
    ("name", "inside"),
    [
        (f"{TOP}/2026/b.csv", True),
        (f"{TOP}/2026/m/c.csv", True),
        (f"{TOP}:file/2026/b.csv", True),  # a file beside a folder of its path
        (f"{TOP}/2026", False),  # itself
        (f"{TOP}/20261/b.csv", False),
        (f"{TOP}/2026/draft", False),
        (f"{TOP}/2026/draft/x.csv", False),
        (f"{TOP}/2026/drafts", True),
        (f"{TOP}/2026/a.csv", False),
        (f"{TOP}2/2026/b.csv", False),
        ("111122223333:us-east-1:sales/2026/b.csv", False),
        ("999988887777:eu-west-1:sales/2026/b.csv", False),
        (TOP, False),
        ("111122223333", False),
    ],
)
def test_what_is_in_it(name: str, inside: bool) -> None:
    assert PART.contains(name) is inside


def test_below_a_bucket_is_everything_in_it_and_not_the_bucket() -> None:
    bucket = Subtree.of(TOP)

    assert bucket.contains(f"{TOP}/a")
    assert not bucket.contains(TOP)


def test_a_run_carries_it_as_tags_which_are_read_back() -> None:
    assert Subtree.from_tags(PART.tags()) == PART
    assert Subtree.from_tags({}) is None
    assert PART.excluded_paths == ("2026/draft", "2026/a.csv")


@pytest.mark.parametrize("name", ["", "sales", "111122223333:eu-west-1", "111122223333:eu-west-1:/x"])
def test_what_is_no_full_name_is_refused_with_the_form_of_one(name: str) -> None:
    with pytest.raises(NoSubtree, match="ACCOUNT:REGION:BUCKET"):
        Subtree.of(name)
    with pytest.raises(NoSubtree):
        Subtree.of(TOP, [name or "x"])
