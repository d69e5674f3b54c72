"""A listing that breaks off anywhere: what was listed counts, and the rest is as the previous sync stored it."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from raito_pipeline.aws.data_objects.subtree import Subtree
from raito_pipeline.aws.data_objects.unread import keep_others_of_catalog
from raito_pipeline.aws.readers.s3 import KeyPage
from raito_pipeline.aws.readers.s3_objects import ScanReport, write_s3_objects
from raito_pipeline.config.groups import S3Options
from raito_pipeline.model import DataObject
from raito_pipeline.model.schema import to_batch
from raito_pipeline.storage import ReadStatus, Store
from tests.aws.bucket_in_memory import ACCOUNT, REGION, Buckets, bucket_row

B = f"{ACCOUNT}:{REGION}:b"


@dataclass
class Failing(Buckets):
    """Buckets of which `fails` cannot be listed any more after so many pages."""

    fails: dict[str, int] = field(default_factory=dict)

    def page(
        self,
        bucket: str,
        *,
        prefix: str = "",
        start_after: str = "",
        token: str = "",
        delimiter: str = "",
        limit: int = 0,
    ) -> KeyPage:
        left = self.fails.get(bucket)
        if left == 0:
            return KeyPage(problem=f"{bucket} cannot be listed", status=ReadStatus.PARTIAL)
        if left is not None:
            self.fails[bucket] = left - 1
        return super().page(
            bucket, prefix=prefix, start_after=start_after, token=token, delimiter=delimiter, limit=limit
        )


def sync(store: Store, buckets: Buckets, subtree: Subtree | None = None, depth: int = 20) -> ScanReport:
    """One reading of all buckets on top of the cell that is there."""
    known = store.info("data_objects", ACCOUNT, REGION) is not None
    previous = store.batches("data_objects", ACCOUNT, REGION) if known else ()
    rows = [bucket_row(name) for name in buckets.keys]
    options = S3Options(aws_s3_max_folder_depth=depth, aws_concurrency=2)
    with store.writer("data_objects", ACCOUNT, REGION) as writer:
        return write_s3_objects(writer, buckets, ACCOUNT, REGION, rows, options, subtree, previous=previous)


def stored(store: Store) -> dict[str, str]:
    """Full name and type of every row; none is there twice, and none before its parent."""
    rows = list(store.rows(DataObject, ACCOUNT, REGION))
    seen = {ACCOUNT}
    for row in rows:
        assert row.full_name not in seen, f"{row.full_name} twice"
        assert row.parent_full_name in seen, f"{row.full_name} without its parent"
        seen.add(row.full_name)
    return {row.full_name.removeprefix(B): row.type for row in rows}


OLD = ["a", "a-1", "a/b", "c/d/e", "c/f", "g"]
CASES: dict[str, tuple[list[str], int, set[str]]] = {
    "nothing could be listed": (["new"], 0, {"/a", ":file/a", "/a-1", "/a/b", "/c", "/c/d", "/c/d/e", "/c/f", "/g"}),
    "it breaks off behind a new key": (["0", "a", "a-1", "a/b", "c/d/e", "c/f", "g"], 1,
        {"/0", "/a", ":file/a", "/a-1", "/a/b", "/c", "/c/d", "/c/d/e", "/c/f", "/g"}),
    "what was listed as gone is gone": (["b", "c/f", "h", "i"], 1, {"/b", "/c", "/c/f", "/h"}),
    "a folder that was entered is there once": (["0", "1", "c/a", "c/f", "g"], 1,
        {"/0", "/1", "/c", "/c/a", "/c/d", "/c/d/e", "/c/f", "/g"}),
    "a file keeps the name beside its folder": (["0", "1", "a", "a/b"], 1,
        {"/0", "/1", "/a", ":file/a", "/a-1", "/a/b", "/c", "/c/d", "/c/d/e", "/c/f", "/g"}),
    "a new file has its own": (["0", "1", "c", "c/f"], 1,
        {"/0", "/1", ":file/c", "/c", "/c/d", "/c/d/e", "/c/f", "/g"}),
}  # fmt: skip
"""The keys now, how many pages of three are listed, and what the cell then has besides the bucket."""


@pytest.mark.parametrize("case", CASES)
def test_what_was_not_listed_is_as_the_previous_sync_stored_it(tmp_path: Path, case: str) -> None:
    keys, pages, expected = CASES[case]
    store = Store.open(tmp_path)
    sync(store, Buckets({"b": OLD, "other": ["x"]}, page_size=100))

    report = sync(store, Failing({"b": keys, "other": ["y"]}, fails={"b": pages}))

    found = stored(store)
    assert {name for name in found if "other" not in name} == {"", *expected}
    assert {name.removeprefix(f"{ACCOUNT}:{REGION}:") for name in found if "other" in name} == {"other", "other/y"}
    assert report.unread == (B,)
    info = store.info("data_objects", ACCOUNT, REGION)
    assert info is not None
    assert (info.status, info.problems) == (ReadStatus.PARTIAL, ("b cannot be listed",))
    sync(store, Buckets({"b": keys, "other": ["y"]}, page_size=100))
    clean = Store.open(tmp_path / "clean")
    sync(clean, Buckets({"b": keys, "other": ["y"]}, page_size=100))
    assert stored(store) == stored(clean)


def test_many_buckets_that_cannot_be_listed_are_a_few_lines(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    names = [f"b{number}" for number in range(30)]
    report = sync(store, Failing({name: ["a"] for name in names}, fails=dict.fromkeys(names, 0)))
    info = store.info("data_objects", ACCOUNT, REGION)
    assert info is not None
    assert len(info.problems) == 10
    assert info.problems[-1].endswith("The same for 20 more parts of buckets that could not be listed.")
    assert report.refused == len(report.unread) == 30


def test_a_bucket_whose_region_is_not_known_keeps_its_row_and_its_keys(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    sync(store, Buckets({"b": OLD}))
    before = stored(store)
    with store.writer("data_objects", ACCOUNT, REGION) as writer:
        rows = [bucket_row("b", region=None), bucket_row("new", region=None)]
        previous = store.batches("data_objects", ACCOUNT, REGION)
        write_s3_objects(writer, Buckets({}), ACCOUNT, REGION, rows, S3Options(), previous=previous)
    assert stored(store) == before


def test_a_bucket_that_is_gone_or_left_out_is_not_kept(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    sync(store, Buckets({"b": OLD, "gone": ["x"]}))
    sync(store, Failing({"b": OLD}, fails={"b": 0}))
    assert not any("gone" in name for name in stored(store))


def test_below_one_folder_only_what_lies_there_is_kept(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    sync(store, Buckets({"b": OLD}))
    rows = list(store.rows(DataObject, ACCOUNT, REGION))
    subtree = Subtree.of(f"{B}/c", [f"{B}/c/d"])
    with store.writer("data_objects", ACCOUNT, REGION) as writer:
        failing = Failing({"b": OLD}, fails={"b": 0})
        write_s3_objects(
            writer,
            failing,
            ACCOUNT,
            REGION,
            [bucket_row("b")],
            S3Options(),
            subtree,
            previous=[to_batch(DataObject, rows)],
        )
    assert [row.full_name for row in store.rows(DataObject, ACCOUNT, REGION)] == [f"{B}/c/f"]


PARTS = st.text(alphabet="ab-/", min_size=1, max_size=6)
KEYS = st.lists(PARTS, max_size=30, unique=True)


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(keys=KEYS, pages=st.integers(0, 12), depth=st.integers(1, 4), prefix=st.sampled_from([None, "a", "a/b"]))
def test_an_unchanged_bucket_is_unchanged_wherever_its_listing_breaks_off(
    tmp_path_factory: pytest.TempPathFactory, keys: list[str], pages: int, depth: int, prefix: str | None
) -> None:
    store = Store.open(tmp_path_factory.mktemp("unread"))
    sync(store, Buckets({"b": keys}), depth=depth)
    subtree = None if prefix is None else Subtree.of(f"{B}/{prefix}")
    before = {n: t for n, t in stored(store).items() if subtree is None or subtree.contains(f"{B}{n}")}

    sync(store, Failing({"b": keys}, page_size=2, fails={"b": pages}), subtree, depth)

    found = {row.full_name.removeprefix(B): row.type for row in store.rows(DataObject, ACCOUNT, REGION)}
    assert found == before


def _object(path: str, kind: str, parent: str) -> DataObject:
    return DataObject(f"{B}/{path}", path, kind, f"{B}/{parent}" if parent else B, "", None, None)


def test_a_catalog_that_was_read_in_part_keeps_what_it_did_not_give_again(tmp_path: Path) -> None:
    old = [
        DataObject(B, "b", "bucket", ACCOUNT, "", None, None),
        _object("sales", "folder", ""),
        _object("sales/orders", "glue-table", "sales"),
        _object("sales/orders/id", "column", "sales/orders"),
        _object("hr", "glue-table", ""),
        _object("hr/name", "column", "hr"),
    ]
    new = [old[0], _object("hr", "folder", ""), _object("hr/people", "glue-table", "hr")]
    store = Store.open(tmp_path)
    with store.writer("data_objects", ACCOUNT, REGION) as writer:
        writer.write_rows(new)
        kept = keep_others_of_catalog(writer, [to_batch(DataObject, old)], (row.full_name for row in new))
    assert kept == 3
    assert stored(store) == {
        "": "bucket", "/hr": "folder", "/hr/people": "glue-table",
        "/sales": "folder", "/sales/orders": "glue-table", "/sales/orders/id": "column",
    }  # fmt: skip
