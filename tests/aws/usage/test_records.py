"""Unpacking log files: whole ones, those of several members, broken ones, and those that are made to fill a memory."""

import gzip
import zlib

import pytest

from raito_pipeline.aws.usage.records import FileCorrupt, unpack


def test_all_members_of_a_file_are_unpacked() -> None:
    assert unpack(gzip.compress(b"one ") + gzip.compress(b"two")) == b"one two"


@pytest.mark.parametrize(
    "packed",
    [b"", b"no gzip", gzip.compress(b"x" * 100, mtime=0)[:-9], zlib.compress(b"x"), gzip.compress(b"x", mtime=0)[:5]],
    ids=["nothing", "text", "without its end", "zlib", "half a header"],
)
def test_what_is_no_whole_gzip_file_is_corrupt(packed: bytes) -> None:
    with pytest.raises(FileCorrupt):
        unpack(packed)


@pytest.mark.parametrize("members", [1, 5])
def test_what_unpacks_to_more_than_it_may_ends_in_one_line(members: int) -> None:
    packed = gzip.compress(b" " * (2**20 // members)) * members

    assert len(unpack(packed, most=2**20)) <= 2**20
    with pytest.raises(FileCorrupt, match="unpacks to more than") as caught:
        unpack(packed, most=2**19)
    assert "\n" not in str(caught.value)
