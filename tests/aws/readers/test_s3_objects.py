"""Keys of S3 -> data objects: each key once, each folder once and before what lies in it, in as few calls as can be."""

import json
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from raito_pipeline.aws.data_objects.marks import PAGE_MARKS
from raito_pipeline.aws.data_objects.names import parse_full_name
from raito_pipeline.aws.data_objects.subtree import Subtree
from raito_pipeline.aws.readers.s3_objects import write_s3_objects
from raito_pipeline.config.groups import S3Options
from raito_pipeline.model import DataObject
from raito_pipeline.storage import ReadStatus, Store
from tests.aws.bucket_in_memory import ACCOUNT, REGION, Buckets, bucket_row, expected, scanned

B = f"{ACCOUNT}:{REGION}:b"
FLAT = S3Options(aws_s3_emulate_folder_structure=False)

CASES: dict[str, tuple[list[str], S3Options, set[str], set[str]]] = {
    "plain": (["x.csv", "a/b/c.csv"], S3Options(), {"a", "a/b"}, {"x.csv", "a/b/c.csv"}),
    "a folder that is a key of its own": (["a/", "a/x"], S3Options(), {"a"}, {"a/x"}),
    "an empty folder": (["a/"], S3Options(), {"a"}, set()),
    "an empty part": (["a//b"], S3Options(), {"a", "a/"}, {"a//b"}),
    "an empty part and none": (["a//b", "a/b"], S3Options(), {"a", "a/"}, {"a//b", "a/b"}),
    "a slash at the beginning": (["/x"], S3Options(), {""}, {"/x"}),
    "only a slash": (["/"], S3Options(), {""}, set()),
    "dots are parts like others": (["../a", "./a"], S3Options(), {"..", "."}, {"../a", "./a"}),
    "other scripts": (["données/ключ/表.csv"], S3Options(), {"données", "données/ключ"}, {"données/ключ/表.csv"}),
    "1,024 bytes": (["k" * 1024], S3Options(), set(), {"k" * 1024}),
    "depth 1": (["x", "a/b", "a/c/d"], S3Options(aws_s3_max_folder_depth=1), {"a"}, {"x"}),
    "depth 2": (["x", "a/b", "a/c/d"], S3Options(aws_s3_max_folder_depth=2), {"a", "a/c"}, {"x", "a/b"}),
    "flat": (["x", "a/b", "a//b", "d/"], FLAT, set(), {"x", "a/b", "a//b", "d/"}),
}
"""Keys, how they are folded, and the paths of the folders and of the files that they become."""


@pytest.mark.parametrize("case", CASES)
def test_keys_become_data_objects(tmp_path: Path, case: str) -> None:
    keys, settings, folders, files = CASES[case]
    rows, _ = scanned(tmp_path, Buckets({"b": keys}), settings)
    assert {row.full_name for row in rows if row.type == "folder"} == {f"{B}/{path}" for path in folders}
    assert {row.full_name for row in rows if row.type == "file"} == {f"{B}/{path}" for path in files}


def test_a_file_beside_a_folder_of_its_name_keeps_apart(tmp_path: Path) -> None:
    rows, _ = scanned(tmp_path, Buckets({"b": ["a", "a-1", "a/b"]}))
    assert {row.full_name: row.type for row in rows} == {
        B: "bucket", f"{B}:file/a": "file", f"{B}/a-1": "file", f"{B}/a": "folder", f"{B}/a/b": "file",
    }  # fmt: skip
    assert all(parse_full_name(row.full_name) for row in rows)


def test_names_are_the_last_part_and_never_empty(tmp_path: Path) -> None:
    rows, _ = scanned(tmp_path, Buckets({"b": ["a//b", "/x"]}))
    assert {row.full_name.removeprefix(B): row.name for row in rows} == {
        "": "b", "/a": "a", "/a/": "/", "/a//b": "b", "/": "/", "//x": "x",
    }  # fmt: skip


def test_only_included_buckets_of_the_region_are_listed(tmp_path: Path) -> None:
    buckets = Buckets({"b": ["x"], "left-out": ["y"], "elsewhere": ["z"], "nowhere": ["n"]})
    rows = [bucket_row("b"), bucket_row("left-out", included=False), bucket_row("elsewhere", region="us-east-1"),
            bucket_row("nowhere", region=None)]  # fmt: skip
    store = Store.open(tmp_path)
    with store.writer("data_objects", ACCOUNT, REGION) as writer:
        write_s3_objects(writer, buckets, ACCOUNT, REGION, rows, S3Options())
    assert {row.full_name for row in store.rows(DataObject, ACCOUNT, REGION)} == {B, f"{B}/x"}
    info = store.info("data_objects", ACCOUNT, REGION)
    assert info is not None
    assert info.status is ReadStatus.PARTIAL
    assert "nowhere" in info.problems[0]


PARTS = st.text(alphabet="ab-.é/", min_size=1, max_size=7)
KEYS = st.lists(PARTS, min_size=0, max_size=60, unique=True)
FOLDERS = st.builds(
    S3Options,
    aws_s3_emulate_folder_structure=st.sampled_from([True, True, True, False]),
    aws_s3_max_folder_depth=st.integers(1, 4),
)


@hypothesis_settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(keys=KEYS, others=KEYS, folders=FOLDERS, page=st.integers(1, 5), workers=st.integers(1, 4), seed=st.integers())
def test_nothing_is_lost_invented_or_out_of_order(
    tmp_path: Path, keys: list[str], others: list[str], folders: S3Options, page: int, workers: int, seed: int
) -> None:
    buckets = Buckets({"b": keys, "c": others}, page, random.Random(seed) if workers > 1 else None)
    rows, report = scanned(tmp_path, buckets, folders, concurrency=workers)

    found = {(row.full_name, row.type, row.parent_full_name) for row in rows}
    assert found == expected("b", keys, folders) | expected("c", others, folders)
    assert len({row.full_name for row in rows}) == len(rows)
    seen = {ACCOUNT}
    for row in rows:
        assert row.parent_full_name in seen, "a parent comes first"
        seen.add(row.full_name)
    assert report.folders + report.files + 2 == len(rows)


@hypothesis_settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    keys=KEYS,
    marks=st.lists(PARTS, max_size=12),
    path=st.none() | st.just("a"),
    folders=FOLDERS,
    page=st.integers(1, 3),
    workers=st.integers(2, 5),
)
def test_whatever_was_noted_of_pages_each_key_is_listed_once(
    tmp_path: Path, keys: list[str], marks: list[str], path: str | None, folders: S3Options, page: int, workers: int
) -> None:
    noted = json.dumps({"b": {"pages": 1000, "keys": marks}})
    subtree = None if path is None else Subtree.of(f"{B}/{path}")

    rows, _ = scanned(tmp_path, Buckets({"b": keys}, page), folders, concurrency=workers, subtree=subtree, marks=noted)

    wanted = expected("b", [key for key in keys if path is None or key.startswith(f"{path}/")], folders)
    above = set() if path is None else {B, f"{B}/{path}"}
    assert {(r.full_name, r.type, r.parent_full_name) for r in rows} == {one for one in wanted if one[0] not in above}
    assert len({row.full_name for row in rows}) == len(rows)
    seen = {ACCOUNT, *above}
    for row in rows:
        assert row.parent_full_name in seen, "a parent comes first"
        seen.add(row.full_name)


SHAPES = {
    "folders": [f"year={n // 200}/day={n // 20 % 10}/{n:04d}.parquet" for n in range(2000)],
    "one folder": [f"all/of/it/{n:04d}.parquet" for n in range(2000)],
    "one folder is most of it": [f"a{n}/x" for n in range(9)] + [f"logs/{n:04d}.gz" for n in range(1980)] + ["z/1"],
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_long_listing_costs_at_most_a_twentieth_more_calls_than_pages(tmp_path: Path, shape: str) -> None:
    """200 pages of 10 keys: first where nothing is known, then with what was noted, then after a change of the keys."""
    keys, marks = SHAPES[shape], ""
    for number in range(3):
        there = keys if number < 2 else [key for n, key in enumerate(keys) if n % 11]
        buckets = Buckets({"b": there}, 10)
        rows, report = scanned(tmp_path, buckets, concurrency=5, marks=marks)
        assert {(r.full_name, r.type, r.parent_full_name) for r in rows} == expected("b", there, S3Options())
        pages = -(-len(there) // 10)
        assert len(buckets.asked) <= pages * 1.05
        info = Store.open(tmp_path).info("data_objects", ACCOUNT, REGION)
        assert info is not None
        if number:
            assert report.splits == 0, "nothing is asked where the pages of before are known"
            assert len({str(asked["start_after"]) for asked in buckets.asked}) >= 4, "several workers list it"
            assert number == 2 or info.extra[PAGE_MARKS] == marks, "what is nearly as it was stays as it was noted"
        marks = info.extra[PAGE_MARKS]


@hypothesis_settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    keys=KEYS,
    path=st.none() | st.text(alphabet="ab/", max_size=3),
    excludes=st.lists(st.text("ab/", min_size=1, max_size=4), max_size=2),
    page=st.integers(1, 4),
    workers=st.integers(1, 3),
)
def test_a_subtree_is_what_lies_below_and_is_not_left_out(
    tmp_path: Path, keys: list[str], path: str | None, excludes: list[str], page: int, workers: int
) -> None:
    subtree = Subtree.of(B if path is None else f"{B}/{path}", [f"{B}/{out}" for out in excludes])
    rows, _ = scanned(tmp_path, Buckets({"b": keys, "c": keys}, page), concurrency=workers, subtree=subtree)

    def wanted(key: str) -> bool:
        below = path is None or key.startswith(f"{path}/")
        return below and not any(key == out or key.startswith(f"{out}/") for out in excludes)

    whole = expected("b", [key for key in keys if wanted(key)], S3Options())
    above = {B} if path is None else {B, *(f"{B}/{path[:n]}" for n in range(len(path) + 1) if path[n : n + 1] in "/")}
    assert {(r.full_name, r.type, r.parent_full_name) for r in rows} == {one for one in whole if one[0] not in above}
    assert all(subtree.contains(row.full_name) for row in rows)


def test_a_big_bucket_is_shared_by_the_workers(tmp_path: Path) -> None:
    keys = [f"year={year}/day={day:03d}/{n:03d}.parquet" for year in range(4) for day in range(20) for n in range(20)]
    buckets = Buckets({"b": keys}, 10, random.Random(1))
    rows, report = scanned(tmp_path, buckets, concurrency=4)
    assert {(r.full_name, r.type, r.parent_full_name) for r in rows} == expected("b", keys, S3Options())
    least = len(keys) // 10
    assert report.splits > 0
    assert len(buckets.asked) <= least * 1.25
    assert len({str(asked["start_after"]) for asked in buckets.asked if not asked["delimiter"]}) >= 4


def test_one_worker_asks_for_each_page_once(tmp_path: Path) -> None:
    keys = [f"{n % 7}/{n:04d}" for n in range(1000)]
    buckets = Buckets({"b": keys}, 10)
    _, report = scanned(tmp_path, buckets)
    assert (len(buckets.asked), report.pages, report.splits) == (100, 100, 0)


@pytest.mark.parametrize(("depth", "most"), [(1, 7), (2, 30)])
def test_below_the_depth_limit_folders_are_asked_for_and_not_keys(tmp_path: Path, depth: int, most: int) -> None:
    """40,000 keys are 4,000 pages of 10; what is above the limit is told by far fewer."""
    keys = [f"{a}/{b}/{n:05d}" for a in range(4) for b in range(5) for n in range(2000)] + ["z"]
    buckets = Buckets({"b": keys}, 10)
    rows, _ = scanned(tmp_path, buckets, S3Options(aws_s3_max_folder_depth=depth))
    assert {(r.full_name, r.type, r.parent_full_name) for r in rows} == expected(
        "b", keys, S3Options(aws_s3_max_folder_depth=depth)
    )
    assert len(buckets.asked) <= most


def test_small_folders_below_the_depth_limit_cost_no_call_more(tmp_path: Path) -> None:
    keys = [f"{n:04d}/{k}" for n in range(300) for k in range(3)]
    buckets = Buckets({"b": keys}, 10)
    scanned(tmp_path, buckets, S3Options(aws_s3_max_folder_depth=1))
    assert len(buckets.asked) <= len(keys) // 10


def test_what_is_left_out_of_a_subtree_is_not_listed(tmp_path: Path) -> None:
    keys = [f"a/{n:05d}" for n in range(5)] + [f"b/{n:05d}" for n in range(5000)] + ["c/1"]
    buckets = Buckets({"b": keys}, 10)
    rows, _ = scanned(tmp_path, buckets, subtree=Subtree.of(B, [f"{B}/b"]))
    assert {row.full_name for row in rows if row.type == "folder"} == {f"{B}/a", f"{B}/c"}
    assert len(buckets.asked) <= 3
