"""The plan of an account: what it needs of the stored tables, and what it remembers of pushes before it."""

from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

from raito_pipeline.aws.access import build_access_providers
from raito_pipeline.aws.access.basis import NO_WHAT
from raito_pipeline.aws.access.rows import access_provider
from raito_pipeline.aws.access.who import WhoNames
from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.push.plan import plan_push
from raito_pipeline.aws.push.rules.bounds import Bounds
from raito_pipeline.config import load
from raito_pipeline.model import TABLES, DataObjectReference, PushResult, WhatItem, table_of
from raito_pipeline.orchestration.partitioning.grid import cell_of, make_grid
from raito_pipeline.orchestration.push.last_push import LastPush, last_push, note_push
from raito_pipeline.orchestration.push.plans import Planning
from raito_pipeline.orchestration.push.remembered import CLAIMS_LOST, EXPORT, TARGETS, spoken_of
from raito_pipeline.orchestration.recording.guard import Attempts
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.storage import Store
from tests.aws.access.conftest import READ, ROOT, Told, deny, document, trust, user_arn
from tests.aws.push.conftest import ACCOUNT
from tests.aws.push.exported import control, state
from tests.aws.push.planned import account_plan
from tests.aws.push.test_nothing_edited import as_imported, changed

PLAN = account_plan(control("a"), there=state())


@pytest.mark.parametrize("only", [None, ["one"]], ids=["both are synced", "one is synced"])
def test_nothing_is_planned_while_it_is_not_known_what_another_target_has(
    tmp_path: Path, instance: dg.DagsterInstance, only: list[str] | None
) -> None:
    second = FILE.partition("targets:\n")[2].replace("name: one", "name: two").replace("id: ds", "id: ds-2")
    (tmp_path / "raito.yml").write_text(FILE + second.replace("store-id: is", "store-id: is-2"))
    options = load(tmp_path / "raito.yml", only_targets=only)
    grid, store = make_grid(options), Store.open(tmp_path / "data", sync="s")
    planning = Planning(Services(options), store, Attempts(instance, grid.naming), cell_of("account", ACCOUNT))
    store.write(EXPORT, (), f"{ACCOUNT}-two", extra={CLAIMS_LOST: "yes"})

    assert planning.is_shared

    reasons = planning.plan(grid, [control("a")]).problems

    assert any("it is not known what target two has in this account" in reason for reason in reasons)

    store.write("s3_bucket_policies", [], ACCOUNT)
    Path(store.uri("s3_bucket_policies", ACCOUNT)).write_bytes(b"no table")
    reasons = planning.plan(grid, [control("a")]).problems
    assert any("s3_bucket_policies 111122223333 cannot be used" in reason for reason in reasons)


GET = ("s3:GetObject",)
BUCKET = f"{ACCOUNT}:eu-west-1:data"


def file(name: str) -> WhatItem:
    return WhatItem(DataObjectReference(f"{BUCKET}/{name}", "file"), GET)


def result(control_id: str, *errors: str) -> PushResult:
    return PushResult(control_id, control_id, "aws_policy", "p", "policy:p", 0, 0, errors, ())


def imported(store: Store) -> None:
    """A policy that was taken over, and a file that it gives."""
    made = access_provider(
        external_id="policy:p", name="p", type="aws_policy", policy="{}", who=WhoNames(), what=NO_WHAT, reasons=[]
    )
    store.write("access_providers", [replace(made.row, what=(file("shown"),))], ACCOUNT)


@pytest.mark.parametrize(
    ("last", "names"),
    [
        ([], {"kept", "gone", "shown"}),
        ([result("other")], {"kept", "gone", "shown"}),
        ([result("a", "AWS refused it")], {"kept", "gone", "shown"}),
        ([result("a")], {"kept", "gone"}),
    ],
    ids=["never pushed", "another was", "it failed", "it was pushed"],
)
def test_a_push_knows_the_files_that_raito_cloud_speaks_of_or_was_first_told_of(
    tmp_path: Path, last: list[PushResult], names: set[str]
) -> None:
    """A file that came into being since a policy was taken over is no file that somebody took away."""
    store = Store.open(tmp_path)
    imported(store)
    store.write("access_push_results", last, ACCOUNT)
    taken_over = control("a", external_id="policy:p", what=(file("kept"),), delete_what=(file("gone"),))

    found = spoken_of(store, ACCOUNT, [taken_over], last_push(store, ACCOUNT))

    assert set(found) == {(f"{BUCKET}/{name}", "file") for name in names}


def test_all_that_a_plan_remembers_of_pushes_before_has_a_rule_for_its_loss() -> None:
    """Here: whatever is looked at as an earlier sync left it may be damaged, and must not permit more then."""
    looks_at = TABLES["access_push_plan"].looks_at
    assert looks_at == TABLES[TARGETS].looks_at == ("access_push_results", "s3_bucket_policies")


LOSSES = {
    "damaged": (b"no table", None),
    "its note, too": (b"no table", b"no note"),
    "gone, and its note damaged": (None, b"no note"),
}


@pytest.mark.parametrize("loss", LOSSES)
def test_what_came_into_being_since_stays_where_it_is_lost_what_was_pushed_before(tmp_path: Path, loss: str) -> None:
    results, note = LOSSES[loss]
    store, taken_over = Store.open(tmp_path), control("a", external_id="policy:p", what=())
    imported(store)
    store.write("access_push_results", [result("a")], ACCOUNT)
    note_push(store, ACCOUNT, LastPush.of("p", [taken_over], [result("a")], None))
    file, (noted,) = Path(store.uri("access_push_results", ACCOUNT)), tmp_path.rglob("last_push.json")
    file.unlink() if results is None else file.write_bytes(results)
    if note is not None:
        noted.write_bytes(note)
    assert spoken_of(store, ACCOUNT, [taken_over], last_push(store, ACCOUNT)) == []


def test_nor_does_it_go_where_a_push_since_failed_to_say_it_anew(tmp_path: Path) -> None:
    store, taken_over = Store.open(tmp_path), control("a", external_id="policy:p", what=())
    imported(store)
    failed = [result("a", "AWS refused it")]
    note_push(store, ACCOUNT, LastPush.of("p", [taken_over], failed, LastPush.lost([taken_over])))
    store.write("access_push_results", failed, ACCOUNT)
    assert spoken_of(store, ACCOUNT, [taken_over], last_push(store, ACCOUNT)) == []


def test_a_push_that_failed_or_was_of_others_is_no_first_one_of_what_was_pushed_before(tmp_path: Path) -> None:
    store, taken_over = Store.open(tmp_path), control("a", external_id="policy:p", what=())
    imported(store)
    note_push(store, ACCOUNT, LastPush.of("p", [taken_over], [result("a")], None))
    for since in ([result("a", "AWS refused it")], [result("b")], []):
        store.write("access_push_results", since, ACCOUNT)
        assert spoken_of(store, ACCOUNT, [taken_over], last_push(store, ACCOUNT)) == []


FILE = f"""\
api-user: ada
api-secret: nothing
domain: sandbox
targets:
- name: one
  connector-name: raito-io/cli-plugin-aws-account
  aws-account-id: "{ACCOUNT}"
  data-source-id: ds
  identity-store-id: is
  aws-regions: eu-west-1,us-east-1
"""


def test_what_the_import_was_limited_by_and_a_push_does_not_read_is_no_edit(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    """The documents of users and roles give more than was shown: a push that infers an edit takes it away."""
    (tmp_path / "raito.yml").write_text(FILE)
    options = load(tmp_path / "raito.yml")
    target, store = options.accounts[0], Store.open(tmp_path / "data", sync="s")
    told = Told().user("ada").role("r", trust({"AWS": user_arn("ada")})).policy("wide", READ, "user:ada")
    told.inline("user:ada", "i", READ).inline("role:r", "i", READ)
    told.bucket_policy("data", deny("s3:GetObject", "arn:aws:s3:::data/*", Principal="*"))
    inputs = told.organization().control("less", document(deny("s3:*", "arn:aws:s3:::other")), ROOT).inputs()
    offered = list(build_access_providers(inputs, target, ACCESS_PROVIDER_TYPES.imported))
    for rows in (inputs.users, inputs.groups, inputs.roles, inputs.policies, inputs.attachments, inputs.buckets):
        if rows:
            store.write(table_of(type(rows[0])).name, rows, ACCOUNT)
    store.write("iam_groups", (), ACCOUNT)
    store.write("access_providers", offered, ACCOUNT)
    controls = [as_imported(position, row) for position, row in enumerate(offered)]

    grid = make_grid(options)
    planning = Planning(Services(options), store, Attempts(instance, grid.naming), cell_of("account", ACCOUNT))
    state = planning.state(grid, controls)
    plan = plan_push(controls, state, target, ACCESS_PROVIDER_TYPES.push, Bounds("ds", imported=state.view.providers))

    assert len(plan.targets) == 3
    assert changed(plan) == []
