"""All assets together: every declared table has a step that makes it, and one that was forgotten does not load."""

from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

import assets
from assets import regional
from assets.regional import _require_makers
from raito_pipeline.config import Options, load
from raito_pipeline.model import TABLES, Outside
from raito_pipeline.orchestration.partitioning.grid import make_grid
from tests.config.conftest import account, raito_yml


@pytest.fixture
def options(tmp_path: Path) -> Options:
    """One account."""
    file = tmp_path / "raito.yml"
    file.write_text(raito_yml(account()))
    return load(file, {"HOME": str(tmp_path)})


def test_every_table_and_every_place_outside_is_an_asset_once(options: Options) -> None:
    built = assets.build(make_grid(options), options)

    keys = [spec.key for each in built for spec in (each.specs if isinstance(each, dg.AssetsDefinition) else [each])]
    assert len(keys) == len(set(keys))
    assert {key.to_user_string() for key in keys} == {*TABLES, *(place.value for place in Outside)}


def test_a_table_that_no_step_makes_does_not_load(options: Options, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TABLES, "forgotten", replace(TABLES["iam_users"], name="forgotten"))

    with pytest.raises(ValueError, match="no step makes the table forgotten"):
        assets.build(make_grid(options), options)


def test_a_regional_table_that_no_maker_makes_does_not_load(options: Options) -> None:
    grid = make_grid(options)
    specs, makers = regional.access.regional_specs(grid), list(regional.access.MAKERS)
    _require_makers(specs, makers)

    with pytest.raises(ValueError, match="no CellMaker makes the table access_points"):
        _require_makers(specs, makers[1:])
