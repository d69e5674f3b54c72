"""What access is worked out of: what was imported is not Raito's, whoever pushed it."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from raito_pipeline.config import load
from raito_pipeline.model import AccessControl, AccessProvider, PushTarget, S3Bucket
from raito_pipeline.orchestration.access.stored_inputs import (
    BUILT_OF,
    access_inputs,
    bucket_owners,
    optional_inputs,
    require_what_was_there,
)
from raito_pipeline.orchestration.partitioning.grid import cell_of, make_grid
from raito_pipeline.orchestration.push.last_push import LastPush, left_in_aws, note_push
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.storage import CellMissing, Store
from raito_pipeline.storage.accounts import move_account
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

    assert access_inputs(store, Services(options), make_grid(options), owner, ()).pushed == {"policy:ours"}

    # A plan that is refused, as IAM could not be read, names nothing: what the push before it made stays Raito's.
    control = example_row(AccessControl, null=False)
    controls = tuple(replace(control, external_id=each) for each in ("policy:ours", "ssorole:S"))
    note_push(store, owner, LastPush(datetime.now(UTC), "plan", controls))
    store.write("access_push_targets", [replace(target, external_id=None, refused=True)], owner)

    refused = access_inputs(store, Services(options), make_grid(options), owner, left_in_aws(store, owner))
    assert (refused.pushed, refused.pushed_permission_sets) == ({"policy:ours", "ssorole:S"}, {"S"})


def test_a_target_that_is_left_out_still_has_its_account_and_its_buckets(tmp_path: Path) -> None:
    """`only-targets` says what is synced, and not what there is."""
    other = "999900001111"
    text = raito_yml(account(), account(name="two", account_id=other), top="only-targets: one\n")
    (tmp_path / "raito.yml").write_text(text)
    options, store = load(tmp_path / "raito.yml"), Store.open(tmp_path / "data")
    owner = options.accounts[0].partition
    for table in (*TABLES, "s3_buckets", "s3_bucket_policies"):
        store.write(table, [], owner)
    store.write("s3_buckets", [S3Bucket("theirs", "eu-west-1", None, True, None)], other)
    services = Services(options)

    owners = bucket_owners(store, services, owner).of(["theirs"], options.accounts[0].account_id)
    linked = access_inputs(store, services, make_grid(options), owner, ()).linked

    assert {name: each.name for name, each in owners.items()} == {"theirs": "two"}
    assert linked == {other: "two"}


def test_what_access_was_built_of_follows_the_target_to_another_key(tmp_path: Path) -> None:
    """Else it would never be built again: what it was built of lies under a key that nobody has."""
    (tmp_path / "raito.yml").write_text(raito_yml(account()))
    options, store = load(tmp_path / "raito.yml"), Store.open(tmp_path / "data")
    owner, old, region = options.accounts[0].partition, "123456789012-one", "eu-central-1"
    store.write("access_points", [], old, region)
    store.write("access_providers", [], old, extra={BUILT_OF: json.dumps([("access_points", old, region)])})
    move_account(store, old, owner)
    services, grid, cell = Services(options), make_grid(options), cell_of("account", owner)

    there = optional_inputs(store, services, grid, owner)
    require_what_was_there(store, services, grid, cell, there)

    with pytest.raises(CellMissing):
        require_what_was_there(store, services, grid, cell, ())
