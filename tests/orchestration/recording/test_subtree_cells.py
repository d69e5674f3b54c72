"""A run that reads only a part of a region leaves the rest of the cell as the previous sync stored it."""

from pathlib import Path

from raito_pipeline.aws.data_objects.subtree import Subtree
from raito_pipeline.model import DataObject
from raito_pipeline.orchestration.recording.subtree_cells import write_rows_outside
from raito_pipeline.storage import ReadStatus, Store

PLACE = ("111122223333", "eu-west-1")
BUCKET = "111122223333:eu-west-1:b"
PART = Subtree.of(f"{BUCKET}/in", [f"{BUCKET}/in/left-out"])


def row(full_name: str) -> DataObject:
    return DataObject(full_name, full_name.rpartition("/")[2], "folder", BUCKET, "", None, ())


def test_rows_outside_the_part_stay_with_what_is_known_about_them(tmp_path: Path) -> None:
    store = Store.open(str(tmp_path), run_id="first")
    names = [f"{BUCKET}/before", f"{BUCKET}/in", f"{BUCKET}/in/old", f"{BUCKET}/in/left-out", f"{BUCKET}/inside"]
    with store.writer("data_objects", *PLACE) as writer:
        writer.write_rows(map(row, names))
        writer.add_problem("b was not listed to its end")
        writer.extra["unread buckets"] = '["b"]'
    before = store.info("data_objects", *PLACE)

    for run in ("second", "third"):
        store = Store.open(str(tmp_path), run_id=run)
        with store.writer("data_objects", *PLACE) as writer:
            write_rows_outside(writer, store, PLACE, PART)

    info = store.info("data_objects", *PLACE)
    assert before is not None
    assert info is not None
    assert [r.full_name for r in store.rows(DataObject, *PLACE)] == [n for n in names if n != f"{BUCKET}/in/old"]
    assert (info.read_at, info.status, info.problems) == (before.read_at, ReadStatus.PARTIAL, before.problems)
    assert info.extra["unread buckets"] == '["b"]'


def test_a_part_of_a_region_that_was_never_read_is_partial(tmp_path: Path) -> None:
    store = Store.open(str(tmp_path), run_id="first")

    with store.writer("data_objects", *PLACE) as writer:
        write_rows_outside(writer, store, PLACE, PART)

    info = store.info("data_objects", *PLACE)
    assert info is not None
    assert (info.rows, info.status) == (0, ReadStatus.PARTIAL)
    assert PART.parent in info.problems[0]


def test_a_part_does_not_stand_for_a_region_that_its_sync_has_not_read(tmp_path: Path) -> None:
    """The sync failed to read it, so that the cell is of an earlier one: a part makes it no whole read of this one."""
    with Store.open(str(tmp_path), "first", sync="s1").writer("data_objects", *PLACE) as writer:
        writer.write_rows([row(f"{BUCKET}/before")])

    for sync, runs in (("s1", 1), ("s2", 2)):
        for _ in range(runs):
            store = Store.open(str(tmp_path), "part", sync=sync)
            with store.writer("data_objects", *PLACE) as writer:
                write_rows_outside(writer, store, PLACE, PART)
        info = store.info("data_objects", *PLACE)
        assert info is not None
        assert (info.sync, info.complete, len(info.problems)) == (sync, sync == "s1", int(sync == "s2"))
