"""Single keys, beginnings and patterns of keys that policies name, looked up among the data objects."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from raito_pipeline.aws.data_objects.names import (
    FILE_MARK,
    beside_folder,
    bucket_full_name,
    folders_above,
    parse_full_name,
)
from raito_pipeline.aws.policy.claims import KnownPaths, WantedPaths
from raito_pipeline.aws.policy.resources import Pattern, PermissionTarget
from raito_pipeline.aws.policy.wildcards import matches, regex

FILE = "file"
FOLDERS = ("folder", "glue-table")
"""types of data objects that stand for all keys below a path"""
_FOLDER = "folder"
_MARKED_SLASH = rf"(:{FILE_MARK})?/"
"""a slash of a full name: the first one may follow a mark"""
_MOST_MATCHES = 1_000
"""so many files and folders can stand for one pattern of keys; one that more match stays a reason"""

_AT_ONCE = 50
"""patterns in one regular expression, whose size RE2 limits"""


def file_names(wanted: WantedPaths, account_id: str, region: str) -> Iterator[str]:
    """The full names that the single keys have as files of a region."""
    for name, keys in wanted.keys.items():
        bucket = bucket_full_name(account_id, region, name)
        for key in keys:
            yield f"{bucket}/{key}"
            yield beside_folder(bucket, key)


def file_patterns(wanted: WantedPaths) -> Iterator[str]:
    """Regular expressions (RE2) that the full names of files match where one of the patterns of keys does.

    A million names take as long for fifty patterns in one expression as for two by themselves.
    """
    each = [regex(one.resource or "", variables=one.variables, slash=_MARKED_SLASH) for one in wanted.patterns]
    for begin in range(0, len(each), _AT_ONCE):
        yield f"(?s)^[^:]*:[^:]*:(?:{'|'.join(f'(?:{one})' for one in each[begin : begin + _AT_ONCE])})$"


def known_paths(
    wanted: WantedPaths,
    data_objects: Iterable[tuple[str, str]],
    *,
    listed: Collection[str] = (),
    max_depth: int | None = None,
    parts: bool = False,
) -> KnownPaths:
    """Those of the wanted paths that are among data objects, which are given by full name and type, parents first.

    Of folders that begin as a policy says, those at the level where that beginning ends. `listed` are the buckets whose
    keys were all read, and `max_depth` is the number of parts of a path beyond which files are no data objects. What a
    pattern of keys matches is looked up in these buckets, and in others where `parts` of it are wanted, too.
    """
    by_pattern = [_Matches(pattern) for pattern in wanted.patterns]
    deep: set[str] = set()
    files: set[PermissionTarget] = set()
    beside: set[PermissionTarget] = set()
    folders: dict[str, set[str]] = defaultdict(set)
    beginnings = {bucket: tuple(sorted(texts)) for bucket, texts in wanted.beginnings.items()}
    for full_name, kind in data_objects:
        place = parse_full_name(full_name)
        if place is None or place.path is None:
            continue
        matching = [
            one
            for one in (by_pattern if parts or place.bucket in listed else ())
            if one.takes(place.bucket, place.path, kind)
        ]
        if len(by_pattern) > sum(one.is_exact for one in by_pattern):
            by_pattern = [one for one in by_pattern if one.is_exact]
            wanted.patterns.intersection_update(one.pattern for one in by_pattern)
        if kind == _FOLDER and max_depth is not None and place.path.count("/") + 1 >= max_depth:
            deep.add(place.bucket)
        if kind == FILE and (matching or place.path in wanted.keys.get(place.bucket, ())):
            file = PermissionTarget(place.bucket, place.path, file=True)
            files.add(file)
            if place.mark == FILE_MARK:
                beside.add(file)
        elif kind in FOLDERS and not place.mark and _begins(place.path, beginnings.get(place.bucket, ())):
            folders[place.bucket].add(place.path)
    whole = frozenset(listed) - deep
    return KnownPaths(
        frozenset(files),
        {name: tuple(sorted(paths)) for name, paths in folders.items()},
        frozenset(beside),
        matching={one.pattern: one.by_bucket(None if parts else whole) for one in by_pattern if one.is_exact},
        listed=whole,
    )


@dataclass
class _Matches:
    """What a pattern of keys matches: folders with all that lies in them, and files beside these."""

    pattern: Pattern
    is_exact: bool = True
    """false where too much matches, or something that is neither a file nor a whole folder"""
    _found: dict[str, set[PermissionTarget]] = field(default_factory=lambda: defaultdict(set))

    def by_bucket(self, buckets: Collection[str] | None) -> dict[str, frozenset[PermissionTarget]]:
        """By the name of the bucket, in some of them (None: in all)."""
        targets_of = self._found.items()
        return {bucket: frozenset(targets) for bucket, targets in targets_of if buckets is None or bucket in buckets}

    def takes(self, bucket: str, path: str, kind: str) -> bool:
        """True where a data object is one of those; folders have to come before what lies in them."""
        if not self.is_exact or kind not in (FILE, _FOLDER):
            return False
        key = f"{bucket}/{path}" if kind == FILE else f"{bucket}/{path}/"
        if not matches(self.pattern.resource or "", key, variables=self.pattern.variables):
            return False
        known = self._found[bucket]
        if any(PermissionTarget(bucket, folder) in known for folder in folders_above(path)):
            return False
        known.add(PermissionTarget(bucket, path, file=kind == FILE))
        # What matches a folder and has no `*` at its end is the key of the folder alone, which has no name.
        whole = kind == FILE or (self.pattern.resource or "").endswith("*")
        self.is_exact = whole and sum(map(len, self._found.values())) <= _MOST_MATCHES
        return self.is_exact


def _begins(path: str, beginnings: tuple[str, ...]) -> bool:
    return path.startswith(beginnings) and any(
        path.startswith(each) and "/" not in path[len(each) :] for each in beginnings
    )
