"""A sync in this process: its runs, and that a table needs no more than a declaration and a step that makes it."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated

import dagster as dg
import pytest

from raito_pipeline.aws.data_objects.subtree import Subtree
from raito_pipeline.config import Options
from raito_pipeline.model import TABLES, Layer
from raito_pipeline.model.tables import row
from raito_pipeline.orchestration.partitioning.grid import Grid, make_grid
from raito_pipeline.orchestration.recording.recorder import Results
from raito_pipeline.orchestration.recording.specs import table_spec
from raito_pipeline.orchestration.recording.steps import step
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.orchestration.runs.sync import LayerResult, LayerRun, layers, run_sync, subtree_layers
from raito_pipeline.orchestration.runs.sync_run import SyncRun, sync_run
from raito_pipeline.storage import Store
from tests.orchestration.conftest import Loads, account_ids

(ACCOUNT,) = account_ids(1)


@dataclass
class Pets:
    """A project with two tables of its own: what a newcomer writes to add one."""

    options: Options
    fails: bool = False
    fed: Callable[[], None] = lambda: None
    instance: dg.DagsterInstance = field(default_factory=dg.DagsterInstance.ephemeral)

    @property
    def grid(self) -> Grid:
        return make_grid(self.options)

    def definitions(self) -> dg.Definitions:
        grid = self.grid

        @step(grid.naming, [table_spec("pets", grid, group="pets", kinds=())], name="pets")
        def pets(context: dg.AssetExecutionContext, sync_run: SyncRun) -> Results:
            log = sync_run.log(context)
            for cell in log.cells("account"):
                with log.attempt(cell, "pets"):
                    self.fed()
                    if self.fails:
                        raise ValueError("the dog ate it")
                    log.record(cell, log.store.write("pets", [TABLES["pets"].row_type("Rex")], cell.account), {})
            yield from log.finish()

        @step(grid.naming, [table_spec("owners", grid, group="pets", kinds=())], name="owners")
        def owners(context: dg.AssetExecutionContext, sync_run: SyncRun) -> Results:
            log = sync_run.log(context)
            for cell in log.cells("account"):
                with log.attempt(cell, "owners"):
                    rows = [TABLES["owners"].row_type(pet.name) for pet in log.store.rows(_type("pets"), cell.account)]
                    log.record(cell, log.store.write("owners", rows, cell.account), {})
            yield from log.finish()

        resource = sync_run(Services(self.options), grid)
        return dg.Definitions([pets, owners], resources={grid.naming.resource("sync_run"): resource})

    def sync(self, name: str) -> tuple[LayerResult, ...]:
        """One sync of the account, less the layers that have nothing to make here."""
        runs = [run for run in layers(self.options, self.grid, name) if run.tables]
        return run_sync(self.definitions(), self.instance, runs, _say_nothing)

    @property
    def store(self) -> Store:
        return Store.open(self.options.pipeline.storage)


def _type(table: str) -> type:
    return TABLES[table].row_type


def _say_nothing(_run: LayerRun, _result: LayerResult | None) -> None:
    pass


@pytest.fixture
def pets(loads: Loads, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pets]:
    """Two tables that only this project has: one of the first layer, and one of the last that is made of it."""
    for table in list(TABLES):
        monkeypatch.delitem(TABLES, table)

    @row("pets", by="account", key=("name",), layer=Layer.ACCOUNT)
    class Pet:
        """Animals."""

        name: Annotated[str, "what it is called"]

    @row("owners", by="account", key=("of",), layer=Layer.FINISH, reads=("pets",))
    class Owner:
        """Who feeds them."""

        of: Annotated[str, "name of the pet"]

    yield Pets(loads(accounts=1))
    TABLES.clear()


def test_a_table_needs_no_more_than_a_declaration_and_a_step(pets: Pets) -> None:
    for name in ("first", "second"):
        results = pets.sync(name)

        assert [(r.layer.tables, r.success) for r in results] == [(("pets",), True), (("owners",), True)]
        stored = pets.store.info("owners", ACCOUNT)
        assert stored is not None
        assert (stored.rows, stored.sync) == (1, name)
        assert pets.instance.get_materialized_partitions(dg.AssetKey("owners")) == {ACCOUNT}


def test_its_lineage_comes_from_the_declaration(pets: Pets) -> None:
    spec = next(each for each in pets.definitions().resolve_all_asset_specs() if each.key == dg.AssetKey("owners"))

    assert [dep.asset_key for dep in spec.deps] == [dg.AssetKey("pets")]
    assert spec.metadata["raito/table"] == "owners"


def test_a_layer_that_failed_is_followed_by_the_next_one(pets: Pets) -> None:
    pets.sync("first")
    pets.fails = True

    first, last = pets.sync("second")

    assert first.failures == (
        f"pets {ACCOUNT}: ValueError: the dog ate it. This was not expected; the log has it all at debug.",
    )
    assert last.success
    stored = pets.store.info("pets", ACCOUNT)
    assert stored is not None
    assert stored.sync == "first"


def _end_too_late() -> None:
    with suppress(BaseException):
        os.kill(os.getpid(), signal.SIGINT)
        signal.sigtimedwait([], 5)


def _end_in_the_midst_of_something() -> None:
    try:
        os.kill(os.getpid(), signal.SIGINT)
        signal.sigtimedwait([], 5)
    except BaseException:
        raise ValueError from None


@pytest.mark.parametrize("ends", [_end_too_late, _end_in_the_midst_of_something])
def test_a_sync_that_somebody_ends_does_not_go_on_whatever_becomes_of_the_signal(
    pets: Pets, ends: Callable[[], None]
) -> None:
    pets.fed = ends

    with pytest.raises(KeyboardInterrupt):
        pets.sync("first")

    assert pets.store.info("owners", ACCOUNT) is None


def test_the_runs_of_a_sync_are_organizations_then_account_by_account(loads: Loads) -> None:
    options = loads(accounts=2)

    runs = list(layers(options, make_grid(options), "s1"))

    assert [(run.tags["raito/layer"], run.tags["raito/account"].split("_")[0]) for run in runs] == [
        ("organization", "999988887777"),
        *((layer, account) for account in account_ids(2) for layer in ("account", "regions", "finish")),
    ]
    assert {run.tags["raito/sync"] for run in runs} == {"s1"}
    assert {table for run in runs for table in run.tables} == set(TABLES)


def test_a_part_of_the_data_objects_is_read_and_uploaded_with_what_the_next_sync_has_to_know(loads: Loads) -> None:
    options = loads(accounts=2)

    read, upload = subtree_layers(options, Subtree(f"{ACCOUNT}:eu-west-1:bucket/folder", ()))

    assert (read.tables, read.partition_key) == (("data_objects",), f"{ACCOUNT}|eu-west-1")
    assert upload.tables == ("data_source_import", "data_source_import_elements")
    assert "raito/sync" not in upload.tags


def test_a_part_is_read_of_each_catalog(loads: Loads) -> None:
    options = loads()
    (target, _), regions = options.accounts, ("eu-west-1", "us-east-1")
    glue = target.model_copy(update={"aws_glue_enabled": True, "aws_regions": regions})

    found = subtree_layers(options.model_copy(update={"accounts": (glue,)}), Subtree(f"{ACCOUNT}:eu-north-1:bucket"))

    assert [run.partition_key for run in found] == [*(f"{ACCOUNT}|{region}" for region in regions), ACCOUNT]
