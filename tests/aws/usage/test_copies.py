"""The header of a copy, taken apart: what a copy reads."""

import pytest

from raito_pipeline.aws.usage.copies import Source, copy_of, copy_source

POINT = "arn:aws:s3:eu-west-1:111122223333:accesspoint/lake"
HEADERS: dict[str, tuple[object, Source | None]] = {
    "plain": ("data/in/a.csv", Source("data", "in/a.csv", False)),
    "with a slash before it": ("/data/in/a.csv", Source("data", "in/a.csv", False)),
    "a key that begins with a slash": ("data//a.csv", Source("data", "/a.csv", False)),
    "encoded": ("data/in/%C3%A9%2Bb.csv", Source("data", "in/é+b.csv", False)),
    "encoded with its slashes": ("data%2Fin%2Fa.csv", Source("data", "in/a.csv", False)),
    "a version": ("data/a.csv?versionId=x.y", Source("data", "a.csv", True)),
    "no version": ("data/a.csv?versionId=null", Source("data", "a.csv", False)),
    "an empty version": ("data/a.csv?versionId=", Source("data", "a.csv", False)),
    "a question mark in the key": ("data/a%3FversionId=7.csv", Source("data", "a?versionId=7.csv", False)),
    "a list of one": (["data/a.csv"], Source("data", "a.csv", False)),
    "an access point": (f"{POINT}/object/in/a.csv?versionId=7", Source(None, "in/a.csv", True)),
    "an access point, encoded": (f"{POINT}/object/in/a.csv".replace(":", "%3A"), Source(None, "in/a.csv", False)),
    "a slash before an access point": (f"/{POINT}/object/a.csv", Source(None, "a.csv", False)),
    "an access point in China": (f"{POINT}/object/a".replace("aws", "aws-cn"), Source(None, "a", False)),
    "on an outpost": (
        "arn:aws:s3-outposts:eu-west-1:111122223333:outpost/op-1/object/in/a.csv", Source(None, "in/a.csv", False),
    ),
    "by the ARN of the bucket": ("arn:aws:s3:::data/in/a.csv", Source("data", "in/a.csv", False)),
    "a bucket alone": ("data", None),
    "no key": ("data/", None),
    "an access point alone": (POINT + "/object/", None),
    "nothing": ("", None),
    "absent": (None, None),
    "a number": (7, None),
    "several": (["a/b", "c/d"], None),
}  # fmt: skip


@pytest.mark.parametrize("case", HEADERS)
def test_a_copy_header_names_a_bucket_a_key_and_perhaps_a_version(case: str) -> None:
    header, expected = HEADERS[case]
    assert copy_source(header) == expected


def test_the_listed_objects_win_over_a_request_that_names_access_points() -> None:
    written, read = ("data", "same.csv"), ("raw", "same.csv")
    # Both have one key, and neither bucket is in the request: AWS lists the written one first.
    assert copy_of(POINT, "same.csv", f"{POINT}/object/same.csv", [written, read]).targets == [written]
    assert copy_of(POINT, "same.csv", "raw/same.csv", [read, written]).targets == [written]
    assert copy_of("data", "same.csv", f"{POINT}/object/same.csv", [read, written]).sources == [read]
