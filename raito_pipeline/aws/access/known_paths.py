"""Single keys and beginnings of keys that policies name, looked up among the data objects."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from raito_pipeline.aws.data_objects.names import FILE_MARK, beside_folder, bucket_full_name, parse_full_name
from raito_pipeline.aws.policy.claims import KnownPaths, WantedPaths
from raito_pipeline.aws.policy.resources import PermissionTarget

FILE = "file"
FOLDERS = ("folder", "glue-table")
"""types of data objects that stand for all keys below a path"""


def file_names(wanted: WantedPaths, account_id: str, region: str) -> Iterator[str]:
    """The full names that the single keys have as files of a region."""
    for name, keys in wanted.keys.items():
        bucket = bucket_full_name(account_id, region, name)
        for key in keys:
            yield f"{bucket}/{key}"
            yield beside_folder(bucket, key)


def known_paths(wanted: WantedPaths, data_objects: Iterable[tuple[str, str]]) -> KnownPaths:
    """Those of the wanted paths that are among data objects, which are given by full name and type.

    Of folders that begin as a policy says, those at the level where that beginning ends.
    """
    files: set[PermissionTarget] = set()
    beside: set[PermissionTarget] = set()
    folders: dict[str, set[str]] = defaultdict(set)
    beginnings = {bucket: tuple(sorted(texts)) for bucket, texts in wanted.beginnings.items()}
    for full_name, kind in data_objects:
        place = parse_full_name(full_name)
        if place is None or place.path is None:
            continue
        if kind == FILE and place.path in wanted.keys.get(place.bucket, ()):
            file = PermissionTarget(place.bucket, place.path, file=True)
            files.add(file)
            if place.mark == FILE_MARK:
                beside.add(file)
        elif kind in FOLDERS and not place.mark and _begins(place.path, beginnings.get(place.bucket, ())):
            folders[place.bucket].add(place.path)
    return KnownPaths(
        frozenset(files), {name: tuple(sorted(paths)) for name, paths in folders.items()}, frozenset(beside)
    )


def _begins(path: str, beginnings: tuple[str, ...]) -> bool:
    return path.startswith(beginnings) and any(
        path.startswith(each) and "/" not in path[len(each) :] for each in beginnings
    )
