"""Accounts as people name them."""

from raito_pipeline.orchestration.partitioning.grid import cell_of
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.orchestration.runs.names import cell_name, target_name
from tests.orchestration.conftest import Loads, account_ids


def test_a_cell_is_named_by_its_target(loads: Loads) -> None:
    services = Services(loads())
    (account, *_) = account_ids(1)

    assert cell_name(services, cell_of("account", account)) == f"account-0 {account}"
    assert cell_name(services, cell_of("account_region", f"{account}|eu-west-1")) == f"account-0 {account}/eu-west-1"
    assert cell_name(services, cell_of("organization", "999988887777_eu-west-1")) == (
        "organization 999988887777/eu-west-1"
    )
    assert target_name(services, account) == "account-0"
