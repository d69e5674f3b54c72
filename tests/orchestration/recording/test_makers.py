"""The makers of regional cells: what `raito.yml` leaves out, with the option that does."""

from pathlib import Path

import pytest

from assets import access, cloudtrail_usage, data_objects
from raito_pipeline.config import load
from raito_pipeline.orchestration.partitioning.grid import make_grid
from tests.config.conftest import account, raito_yml

LOGS = "aws-s3-cloudtrail-bucket: logs"


@pytest.mark.parametrize(
    ("table", "lines", "reason"),
    [
        ("access_points", [], None),
        ("access_points", ["skip-data-access-sync: true"], "skip-data-access-sync is on"),
        ("access_points", ["aws-access-skip-s3-access-points: true"], "aws-access-skip-s3-access-points is on"),
        ("cloudtrail_files", [], "aws-s3-cloudtrail-bucket is not set"),
        ("cloudtrail_files", [LOGS], None),
        ("cloudtrail_files", [LOGS, "skip-data-usage-sync: true"], "skip-data-usage-sync is on"),
        ("data_objects", [], None),
        # usage needs to know the data objects, also where they are not sent
        ("data_objects", ["skip-data-source-sync: true"], None),
        (
            "data_objects",
            ["skip-data-source-sync: true", "skip-data-usage-sync: true"],
            "skip-data-source-sync is on",
        ),
    ],
)
def test_what_leaves_a_table_out_is_named(tmp_path: Path, table: str, lines: list[str], reason: str | None) -> None:
    file = tmp_path / "raito.yml"
    file.write_text(raito_yml(account("\n".join(lines))))
    options = load(file, {"HOME": str(tmp_path)})
    grid = make_grid(options)
    makers = (*data_objects.makers(grid), *access.MAKERS, *cloudtrail_usage.makers(grid))
    (maker,) = (each for each in makers if table in each.tables)

    assert maker.switched_off(options.accounts[0]) == reason
