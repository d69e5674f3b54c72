"""Accounts and organizations as people name them: the partition keys of the UI are ids, which nobody knows by heart."""

from raito_pipeline.orchestration.partitioning.grid import Cell
from raito_pipeline.orchestration.resources import Services


def target_name(services: Services, owner: str) -> str | None:
    """The name of the target of an account (or organization) partition; None where `raito.yml` has none."""
    if any(target.partition == owner for target in services.options.accounts):
        return services.account(owner).name
    target = services.organization_target(owner)
    return None if target is None else target.name


def cell_name(services: Services, cell: Cell) -> str:
    """A cell with the name of its target: `research 210000000034/eu-west-1`."""
    name = target_name(services, cell.partition_key.split("|")[0])
    return cell.label if name is None or name in cell.label else f"{name} {cell.label}"
