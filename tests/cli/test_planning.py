"""Which accounts a command means, and a configuration that it cannot use."""

import argparse
from pathlib import Path

import dagster as dg
import pytest

from raito_pipeline.cli.errors import CommandFailed
from raito_pipeline.cli.planning import NoPlan, Planner, options_of
from raito_pipeline.config import load
from raito_pipeline.orchestration.partitioning.grid import make_grid
from raito_pipeline.orchestration.resources import Services

FILE = """\
api-user: sync@example.com
api-secret: nothing
domain: acme
targets:
- {name: one, connector-name: raito-io/cli-plugin-aws-account, aws-account-id: "111122223333", aws-regions: eu-west-1,
   data-source-id: d, identity-store-id: i}
- {name: two, connector-name: raito-io/cli-plugin-aws-account, aws-account-id: "444455556666", aws-regions: eu-west-1,
   data-source-id: e, identity-store-id: j}
- {name: off, connector-name: raito-io/cli-plugin-aws-account, aws-account-id: "777788889999", aws-regions: eu-west-1,
   data-source-id: f, identity-store-id: k, skip-data-access-sync: true}
"""


@pytest.fixture
def planner(tmp_path: Path) -> Planner:
    (tmp_path / "raito.yml").write_text(FILE)
    options = load(tmp_path / "raito.yml")
    return Planner(options, Services(options), make_grid(options), dg.DagsterInstance.ephemeral())


@pytest.mark.parametrize(
    ("named", "names"), [([], ["one", "two"]), (["two"], ["two"]), (["111122223333", "two"], ["one", "two"])]
)
def test_accounts_by_name_or_id(planner: Planner, named: list[str], names: list[str]) -> None:
    assert [target.name for target in planner.accounts(named)] == names


@pytest.mark.parametrize("name", ["three", "off", "777788889999"])
def test_an_account_that_is_not_pushed_is_said(planner: Planner, name: str) -> None:
    with pytest.raises(CommandFailed, match=f"no account '{name}' is pushed; those of .* are: one, two"):
        planner.accounts([name])


def test_a_wrong_configuration_is_an_error_and_no_change(tmp_path: Path) -> None:
    (tmp_path / "raito.yml").write_text("mode: plan\n")
    with pytest.raises(CommandFailed) as raised:
        options_of(argparse.Namespace(config_file=tmp_path / "raito.yml"))
    assert raised.value.status == 1


def test_a_storage_that_cannot_be_read_says_its_own_remedy(planner: Planner) -> None:
    folder = Path(planner.options.pipeline.storage)
    folder.write_text("a file stands where the folder is wanted")
    (target,) = planner.accounts(["one"])

    with pytest.raises(NoPlan) as raised:
        planner.plan(target)

    assert str(raised.value).startswith("one: ")
    assert str(raised.value).endswith("`pipeline: storage:`.")
