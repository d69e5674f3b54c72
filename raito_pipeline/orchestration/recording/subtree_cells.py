"""The cell of a region of which a run reads only a part: it begins with the data objects beside that part."""

from raito_pipeline.aws.data_objects.subtree import Subtree
from raito_pipeline.storage import CellWriter, Store


def write_rows_outside(writer: CellWriter, store: Store, place: tuple[str, str | None], subtree: Subtree) -> None:
    """Begin a cell of `data_objects` with the rows of the previous sync that are not in `subtree`.

    `place` is account and region. The cell takes over the date, status, problems and extra fields of the stored one.
    Where the region was never read, that is a problem of the cell: it holds the subtree alone. So it is where the sync
    that this part joins has not read the region: the cell counts as of that sync from now on. Raises `StorageError`.
    """
    info = store.info("data_objects", *place)
    if info is None:
        writer.add_problem(f"only {subtree.parent} was read: the rest of the region never was")
        return
    writer.read_at, writer.status, writer.problems = info.read_at, info.status, list(info.problems)
    writer.extra.update(info.extra)
    if info.sync != store.sync:
        read = f"{info.read_at:%Y-%m-%d %H:%M}"
        writer.add_problem(f"only {subtree.parent} was read in this sync: the rest of the region was read at {read}")
    for batch in subtree.within(store.batches("data_objects", *place), inside=False):
        writer.write_batch(batch)
