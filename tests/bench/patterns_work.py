"""Looking up patterns of keys among many data objects: `python -m tests.bench.patterns_work WORK FOLDER`.

WORK is `write`, which stores a million keys, a hundred in a folder, or which patterns are looked up: `few` (two that
nothing matches), `sixty` of them, `all` (one that every file matches) or `each` (sixty that each match ten thousand
files). Prints a JSON object: CPU and wall seconds, peak of the memory in MB, data objects or patterns that are exact.
"""

import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from raito_pipeline.aws.access.known_paths import known_paths
from raito_pipeline.aws.policy.claims import WantedPaths
from raito_pipeline.aws.policy.resources import read_pattern
from raito_pipeline.model import DataObject
from raito_pipeline.model.schema import to_batch
from raito_pipeline.orchestration.access.known_data_objects import data_objects_named
from raito_pipeline.storage import Store
from tests.bench.process import tell

ACCOUNT, REGION, FOLDERS, IN_EACH = "111122223333", "eu-west-1", 10_000, 100
PATTERNS = {
    "few": ("*/AWSLogs/*", "*/*.csv"),
    "sixty": tuple(f"*/*word-{number}*" for number in range(60)),
    "all": ("*/*.parquet",),
    "each": tuple(f"*/part-{number:05}.parquet" for number in range(60)),
}
_BATCH = 50_000


def _keys() -> Iterator[DataObject]:
    bucket = f"{ACCOUNT}:{REGION}:big"
    yield DataObject(bucket, "big", "bucket", ACCOUNT, "", None, None)
    for number in range(FOLDERS):
        folder = f"{bucket}/day-{number}"
        yield DataObject(folder, f"day-{number}", "folder", bucket, "", None, None)
        for part in range(IN_EACH):
            name = f"part-{part:05}.parquet"
            yield DataObject(f"{folder}/{name}", name, "file", folder, "", None, None)


def _write(store: Store) -> dict[str, int]:
    keys = _keys()
    with store.writer("data_objects", ACCOUNT, REGION) as writer:
        while some := list(islice(keys, _BATCH)):
            writer.write_batch(to_batch(DataObject, some))
    assert writer.info is not None
    return {"rows": writer.info.rows}


def _look_up(store: Store, texts: tuple[str, ...]) -> dict[str, int]:
    wanted = WantedPaths(patterns={read_pattern(f"arn:aws:s3:::{text}", "aws", variables=True) for text in texts})
    known = known_paths(wanted, data_objects_named(store, ACCOUNT, ACCOUNT, wanted), listed={"big"}, max_depth=20)
    return {"rows": len(known.matching)}


def main(what: str, folder: str) -> None:
    """Do one piece of work and print what it took."""
    store = Store.open(Path(folder))
    tell(lambda: _write(store) if what == "write" else _look_up(store, PATTERNS[what]))


if __name__ == "__main__":
    main(*sys.argv[1:])
