"""What changed in AWS since the last push, and why that is not known."""

from pathlib import Path

import dagster as dg

from raito_pipeline.orchestration.partitioning.grid import cell_of, make_grid
from raito_pipeline.orchestration.push.drift import look
from raito_pipeline.orchestration.push.last_push import LastPush, note_push
from raito_pipeline.orchestration.push.plans import Planning
from raito_pipeline.orchestration.recording.guard import Attempts
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.storage import Store
from tests.orchestration.conftest import FIRST, Loads


def test_without_a_note_of_a_push_that_can_be_read_no_drift_is_known(
    loads: Loads, tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    options, account = loads(accounts=1), str(FIRST)
    grid, store = make_grid(options), Store.open(tmp_path / "data", sync="s")
    attempts, cell = Attempts(instance, grid.naming), cell_of("account", account)

    def reason() -> str:
        found = look(Planning(Services(options), store, attempts, cell), grid)
        assert found.lines == ()
        return found.reason

    assert reason() == "nothing was pushed yet"
    note_push(store, account, LastPush.of("p", (), (), None))
    (file,) = (tmp_path / "data").rglob("last_push.json")
    file.write_bytes(b"\xff")
    assert "cannot be read" in reason()
