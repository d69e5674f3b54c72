"""Log files: whole ones, those of several members, broken ones, those made to fill a memory, and odd records."""

import gzip
import json
import zlib

import pytest

from raito_pipeline.aws.usage.records import FileCorrupt, decode, identity_of, unpack
from tests.aws.usage.logs import event


def test_all_members_of_a_file_are_unpacked() -> None:
    assert unpack(gzip.compress(b"one ") + gzip.compress(b"two")) == b"one two"


@pytest.mark.parametrize("body", [b'{"Records":[]}', b'\xef\xbb\xbf\n {"Records":[]}'])
def test_a_file_that_was_unpacked_on_its_way_is_read(body: bytes) -> None:
    """https://github.com/falcosecurity/plugins/pull/115: CloudTrail's are announced as packed by HTTP itself."""
    assert decode(unpack(body)) == decode(unpack(gzip.compress(body) + b"\0" * 512)) == ([], 0)
    with pytest.raises(FileCorrupt):
        unpack(body, most=5)


PACKED = gzip.compress(b"x" * 100, mtime=0)


@pytest.mark.parametrize(
    "packed",
    [b"", b"no gzip", PACKED[:-9], zlib.compress(b"x"), PACKED[:5], PACKED + b"more", PACKED + PACKED[:1]],
    ids=["nothing", "text", "without its end", "zlib", "half a header", "with more", "with half a header more"],
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


GOOD = json.dumps(event(eventID="good")).encode()
WRONG_TYPE = json.dumps(event(eventID=5)).encode()


def document(*records: bytes) -> bytes:
    return b'{"Records":[' + b",".join(records) + b"]}"


def with_agent(text: bytes) -> bytes:
    return GOOD[:-1] + b', "userAgent": "' + text + b'"}'


ODD_BESIDE = {"half a character": b"Mozilla \\ud83d", "no UTF-8": b"\xff", "a control character": b"\x01\n"}


@pytest.mark.parametrize("case", ODD_BESIDE)
def test_an_odd_text_that_no_statement_needs_loses_no_record(case: str) -> None:
    records, unreadable = decode(document(GOOD, with_agent(ODD_BESIDE[case]), GOOD))
    assert ([record.eventID for record in records], unreadable) == (["good"] * 3, 0)


ODD_KEYS = {"half a character": b"a/\\ud83d.csv", "no UTF-8": b"a/\xff.csv"}


@pytest.mark.parametrize("beside", [GOOD, WRONG_TYPE], ids=["good ones", "one of a wrong type"])
@pytest.mark.parametrize("case", ODD_KEYS)
def test_a_record_whose_key_is_no_text_loses_no_other(case: str, beside: bytes) -> None:
    records, unreadable = decode(document(beside, GOOD.replace(b"a/b/c.csv", ODD_KEYS[case]), GOOD))
    assert unreadable == (1 if beside is GOOD else 2)
    assert [record.eventID for record in records] == ["good"] * (3 - unreadable)


def test_a_mark_of_the_order_of_bytes_before_the_document_is_none_of_it() -> None:
    assert len(decode(b"\xef\xbb\xbf" + document(GOOD))[0]) == 1


@pytest.mark.parametrize("beside", [GOOD, WRONG_TYPE], ids=["good ones", "one of a wrong type"])
def test_files_that_somebody_put_together_are_all_read(beside: bytes) -> None:
    text = unpack(
        gzip.compress(b"\n" + document(GOOD, beside)) + gzip.compress(b"\n \xef\xbb\xbf" + document(GOOD) + b"\n")
    )
    records, unreadable = decode(text)
    assert unreadable == (beside is WRONG_TYPE)
    assert [record.eventID for record in records] == ["good"] * (3 - unreadable)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{}",
        document(GOOD) + document(GOOD)[:-2],
        document(GOOD) + b"{}",
        b'{"Records": null}',
        b"[]",
        document(GOOD)[:-2],
        document(GOOD) + b"\xff",
    ],
)
def test_what_is_no_document_of_records_is_corrupt(text: bytes) -> None:
    with pytest.raises(FileCorrupt):
        decode(text)


def test_an_odd_text_in_a_file_that_is_larger_than_any_of_cloudtrail_is_not_looked_at_twice() -> None:
    with pytest.raises(FileCorrupt):
        decode(document(with_agent(b"\\ud83d")), most_odd=100)


@pytest.mark.parametrize("name", [b"a\xff", b"a\\ud83d"])
def test_an_identity_that_is_no_text_is_nobody(name: bytes) -> None:
    assert identity_of(b'{"type": "IAMUser", "userName": "' + name + b'"}') is None
