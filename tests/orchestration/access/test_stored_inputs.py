"""What access is worked out of: what was imported is not Raito's, whoever pushed it."""

from dataclasses import replace
from pathlib import Path

from raito_pipeline.config import load
from raito_pipeline.model import AccessProvider, PushTarget
from raito_pipeline.orchestration.access.stored_inputs import access_inputs
from raito_pipeline.orchestration.partitioning.grid import make_grid
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.storage import Store
from tests.assets.test_account_iam import TABLES
from tests.config.conftest import account, raito_yml
from tests.model.test_schema import example_row


def test_what_was_imported_is_not_raitos_although_a_push_has_a_target_for_it(tmp_path: Path) -> None:
    """Where tags cannot be read, the last push tells whose a policy is: it has a target for what nobody edited, too."""
    (tmp_path / "raito.yml").write_text(raito_yml(account()))
    options, store = load(tmp_path / "raito.yml"), Store.open(tmp_path / "data")
    owner = options.accounts[0].partition
    for table in (*TABLES, "s3_buckets", "s3_bucket_policies"):
        store.write(table, [], owner)
    shown, target = example_row(AccessProvider, null=False), example_row(PushTarget, null=False)
    targets = [replace(target, position=n, external_id=f"policy:{name}") for n, name in enumerate(("ours", "theirs"))]
    store.write("access_push_targets", targets, owner)
    store.write("access_providers", [replace(shown, external_id="policy:theirs")], owner)

    assert access_inputs(store, Services(options), make_grid(options), owner).pushed == {"policy:ours"}
