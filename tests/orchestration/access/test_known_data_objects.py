"""The names that policies ask for among the stored data objects of all regions."""

from pathlib import Path

from raito_pipeline.aws.policy.claims import WantedPaths
from raito_pipeline.aws.policy.resources import read_pattern
from raito_pipeline.model import DataObject
from raito_pipeline.orchestration.access.known_data_objects import data_objects_named
from raito_pipeline.storage import Store

ACCOUNT = "111122223333"


def stored(folder: Path) -> Store:
    """One bucket in each of two regions, with a folder of two files."""
    store = Store.open(folder)
    for region in ("eu-west-1", "us-east-1"):
        bucket = f"{ACCOUNT}:{region}:data-{region[:2]}"
        names = {"": "bucket", "/2026": "folder", "/2026/a.csv": "file", "/2026/b.txt": "file"}
        rows = [DataObject(f"{bucket}{path}", path, kind, "", "", None, None) for path, kind in names.items()]
        store.write("data_objects", rows, ACCOUNT, region)
    return store


def named(store: Store, wanted: WantedPaths) -> set[tuple[str, str]]:
    return {(name.rpartition(":")[2], kind) for name, kind in data_objects_named(store, ACCOUNT, ACCOUNT, wanted)}


def test_a_key_is_looked_up_alone(tmp_path: Path) -> None:
    wanted = WantedPaths()
    wanted.keys["data-us"].update({"2026/a.csv", "2026/gone.csv"})

    assert named(stored(tmp_path), wanted) == {("data-us/2026/a.csv", "file")}


def test_a_pattern_brings_its_files_and_all_folders(tmp_path: Path) -> None:
    wanted = WantedPaths(patterns={read_pattern("arn:aws:s3:::data-*/*.csv", "aws", variables=True)})

    found = named(stored(tmp_path), wanted)

    assert {name for name, kind in found if kind == "file"} == {"data-eu/2026/a.csv", "data-us/2026/a.csv"}
    assert {name for name, kind in found if kind == "folder"} == {"data-eu/2026", "data-us/2026"}


def test_where_nothing_is_asked_for_nothing_is_read(tmp_path: Path) -> None:
    assert named(Store.open(tmp_path, "run"), WantedPaths()) == set()
