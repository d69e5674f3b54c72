"""Keys of a bucket -> folders and files.

Keys come in the order of S3 (by their UTF-8 bytes), and that is all that is needed to emit each folder exactly once,
before its children, while holding nothing but the path of the current key:

- All keys below a folder come one after the other, so a folder is new exactly when the path of the key leaves that of
  the key before.
- A file `a` comes before the folder `a/`, but not always right before (`a-1` lies between). In between come only keys
  that begin with `a`, so the files that may still turn out to have a folder of the same path are always prefixes of
  the current key: at most as many as it has characters.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from raito_pipeline.aws.data_objects.columns import Columns
from raito_pipeline.aws.data_objects.names import beside_folder, last_part
from raito_pipeline.config.groups import S3Options

Row = tuple[str, str, str, str]


@dataclass(slots=True)
class _Held:
    """A file that may still turn out to have a folder of its path: a row of the columns, or one taken out of them."""

    key: str
    index: int
    row: Row | None = field(default=None)


class FolderShaper:
    """Turns the sorted keys of one range of a bucket into rows; `columns` receives them.

    `bucket` is the full name of the bucket, `opened` the folder (a prefix ending in `/`, or empty) whose row, with
    those of all folders above it, somebody else emits.
    """

    def __init__(self, bucket: str, options: S3Options, opened: str = "") -> None:
        self.columns = Columns()
        self._bucket, self._options = bucket, options
        self._folder = opened
        self._held: list[_Held] = []
        self._last = ""
        self._last_index = -1
        self._enter_nothing(opened)

    def _enter_nothing(self, folder: str) -> None:
        self._parent = f"{self._bucket}/{folder[:-1]}" if folder else self._bucket
        self._dropped = (
            self._options.aws_s3_emulate_folder_structure and folder.count("/") >= self._options.aws_s3_max_folder_depth
        )

    def feed(self, keys: Sequence[str]) -> None:
        """Shape the next keys."""
        if self._options.aws_s3_emulate_folder_structure:
            self._feed_folders(keys)
        else:
            self._feed_flat(keys)

    def _feed_flat(self, keys: Sequence[str]) -> None:
        base = f"{self._bucket}/"
        columns = self.columns
        columns.full_names += [base + key for key in keys]
        columns.names += [key[key.rfind("/") + 1 :] or key for key in keys]
        columns.types += ["file"] * len(keys)
        columns.parents += [self._bucket] * len(keys)

    def _feed_folders(self, keys: Sequence[str]) -> None:
        base = f"{self._bucket}/"
        columns = self.columns
        full_names, names, types, parents = columns.full_names, columns.names, columns.types, columns.parents
        folder, last = self._folder, self._last
        for key in keys:
            end = key.rfind("/") + 1
            if self._held or (last and key.startswith(last)):
                self._resolve(key)
            last = ""
            if key[:end] != folder:
                folder = key[:end]
                self._enter(folder)
            if end == len(key) or self._dropped:
                continue
            last = self._last = key
            self._last_index = len(full_names)
            full_names.append(base + key)
            names.append(key[end:])
            types.append("file")
            parents.append(self._parent)
        self._last = last

    def _resolve(self, key: str) -> None:
        """Decide about held files, now that `key` follows them, and hold the last one where `key` begins with it."""
        if self._last and key.startswith(self._last):
            self._held.append(_Held(self._last, self._last_index))
            self._last = ""
        while self._held and not key.startswith(self._held[-1].key):
            self._release(self._held.pop(), beside=False)
        if self._held and key.startswith("/", len(self._held[-1].key)):
            self._release(self._held.pop(), beside=True)

    def _release(self, held: _Held, *, beside: bool) -> None:
        name = beside_folder(self._bucket, held.key) if beside else f"{self._bucket}/{held.key}"
        if held.row is None:
            self.columns.full_names[held.index] = name
        else:
            self.columns.add(name, *held.row[1:])

    def _enter(self, folder: str) -> None:
        """Emit the folders of a path that are not those of the path before."""
        common = _common_folder(self._folder, folder)
        depth = common.count("/")
        start = len(common)
        while start < len(folder) and depth < self._options.aws_s3_max_folder_depth:
            end = folder.index("/", start)
            path = folder[:end]
            parent = f"{self._bucket}/{folder[: start - 1]}" if start else self._bucket
            self.columns.add(f"{self._bucket}/{path}", last_part(path), "folder", parent)
            start, depth = end + 1, depth + 1
        self._folder = folder
        self._enter_nothing(folder)

    def take_out_held(self) -> None:
        """Take files that are not decided about out of the columns, so that these can be written."""
        if self._last:
            self._held.append(_Held(self._last, self._last_index))
            self._last = ""
        for held in sorted((h for h in self._held if h.row is None), key=lambda h: -h.index):
            columns = self.columns
            at = held.index
            held.row = (
                columns.full_names.pop(at),
                columns.names.pop(at),
                columns.types.pop(at),
                columns.parents.pop(at),
            )

    def finish(self, has_folder: Callable[[str], bool | None] | None = None) -> tuple[Row, ...]:
        """No more keys come in this range. `has_folder` answers, for the key of a file, whether a folder of its path
        follows; without it nothing follows. Gives the rows of the files of which it does not know (None), not written.
        """
        self.take_out_held()
        undecided: list[Row] = []
        for held in self._held:
            beside = False if has_folder is None else has_folder(held.key)
            if beside is None:
                assert held.row is not None
                undecided.append(held.row)
            else:
                self._release(held, beside=beside)
        self._held = []
        return tuple(undecided)


def _common_folder(one: str, other: str) -> str:
    """The longest folder that two folders (prefixes ending in `/`) share."""
    if other.startswith(one):
        return one
    at = 0
    while True:
        end = one.find("/", at) + 1
        if not end or not other.startswith(one[:end]):
            return one[:at]
        at = end
