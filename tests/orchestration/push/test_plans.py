"""Plans in the storage: kept, read by their ids, the oldest removed; and when one must not be made any more."""

import json
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

from raito_pipeline.aws.access import build_access_providers
from raito_pipeline.aws.access.basis import NO_WHAT
from raito_pipeline.aws.access.rows import access_provider
from raito_pipeline.aws.access.who import WhoNames
from raito_pipeline.aws.provider_types import ACCESS_PROVIDER_TYPES
from raito_pipeline.aws.push.account.imported import EVERYBODY, OF_ALL
from raito_pipeline.aws.push.account_plan import AccountPlan
from raito_pipeline.aws.push.plan import plan_push
from raito_pipeline.aws.push.rules.bounds import Bounds
from raito_pipeline.config import load
from raito_pipeline.model import TABLES, DataObjectReference, PushResult, WhatItem, table_of
from raito_pipeline.orchestration.partitioning.grid import cell_of, make_grid
from raito_pipeline.orchestration.push.last_push import LastPush, last_push, note_push
from raito_pipeline.orchestration.push.plans import (
    CLAIMED,
    CLAIMS_LOST,
    EXPORT,
    EXPORT_IS,
    KEPT,
    TARGETS,
    UNSHOWN,
    WHOLE,
    PlanFolder,
    Planning,
    PlanUnknown,
    claims,
    noted_unshown,
    outdated,
    push_notes,
    spoken_of,
    unshown_after,
)
from raito_pipeline.orchestration.recording.guard import Attempts
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.storage import Store
from tests.aws.access.conftest import READ, ROOT, Told, deny, document, trust, user_arn
from tests.aws.push.conftest import ACCOUNT
from tests.aws.push.exported import control, state, who
from tests.aws.push.planned import account_plan
from tests.aws.push.test_nothing_edited import as_imported, changed

PLAN = account_plan(control("a"), there=state())
OTHER = account_plan(control("a", who=who("bob")), there=state())


def test_a_plan_is_kept_with_a_page_and_read_by_its_id(tmp_path: Path) -> None:
    folder = PlanFolder(Store.open(tmp_path), ACCOUNT)
    page = folder.write(PLAN)
    assert folder.write(PLAN) == page
    assert Path(page).read_text().startswith(f"# Plan {PLAN.id} of sales")
    assert folder.read(PLAN.id) == PLAN
    with pytest.raises(PlanUnknown, match=f"no plan '../x' in .*, only {PLAN.id}"):
        folder.read("../x")


def test_the_oldest_plans_go(tmp_path: Path) -> None:
    folder = PlanFolder(Store.open(tmp_path), ACCOUNT)
    for number in range(KEPT + 3):
        folder.write(account_plan(control(f"c{number}"), there=state()))
    assert len(list(tmp_path.rglob("*.json"))) == len(list(tmp_path.rglob("*.md"))) == KEPT


def test_whom_no_import_showed_is_noted_until_a_plan_that_looks_at_the_object_says_otherwise(tmp_path: Path) -> None:
    store, named = Store.open(tmp_path), control("a", external_id="policy:a")
    plan = replace(PLAN, controls=(named,), unshown={"policy:a": ("user:bob",), "policy:b": ()})

    def note(plan: AccountPlan, *, whole: bool) -> dict[str, list[str]]:
        extra = {UNSHOWN: unshown_after(store, plan, whole=whole)}
        store.write(TARGETS, plan.targets, ACCOUNT, extra=extra)
        return noted_unshown(store, ACCOUNT)

    assert noted_unshown(store, ACCOUNT) == {}
    assert note(plan, whole=True) == {"policy:a": ["user:bob"]}
    # What was refused, and what an export of some does not name, is as the plan before noted it.
    assert note(replace(plan, unshown={}), whole=True) == {"policy:a": ["user:bob"]}
    assert note(replace(plan, controls=(), unshown={}), whole=False) == {"policy:a": ["user:bob"]}
    assert note(replace(plan, controls=(), unshown={}), whole=True) == {}
    note(plan, whole=True)
    assert note(replace(plan, unshown={"policy:a": ()}), whole=False) == {}


def test_where_it_is_lost_whom_no_import_showed_it_was_everybody(tmp_path: Path) -> None:
    """Until a plan has looked at the object: an export of all ends it for the others."""
    store, named = Store.open(tmp_path), control("a", external_id="policy:a")
    other = control("b", external_id="policy:b")
    plan = replace(PLAN, controls=(named, other), unshown={"policy:a": ("user:bob",)})
    refused = [replace(target, access_control_id="b", refused=True) for target in PLAN.targets]
    store.write(TARGETS, PLAN.targets, ACCOUNT, extra={UNSHOWN: unshown_after(store, plan, whole=True)})
    store.write("access_push_plan", (), ACCOUNT)
    file = Path(store.uri(TARGETS, ACCOUNT))
    assert noted_unshown(store, ACCOUNT) == {"policy:a": ["user:bob"]}
    for loss in (lambda: file.write_bytes(b"no table"), file.unlink):
        loss()
        assert noted_unshown(store, ACCOUNT) == {OF_ALL: [EVERYBODY]}
        assert json.loads(push_notes(store, ACCOUNT)[UNSHOWN]) == {OF_ALL: [EVERYBODY]}
    some = json.loads(unshown_after(store, replace(plan, unshown={"policy:a": ()}), whole=False))
    assert some == {OF_ALL: [EVERYBODY], "policy:a": []}
    assert json.loads(unshown_after(store, replace(plan, targets=tuple(refused)), whole=True)) == {
        "policy:a": ["user:bob"],
        "policy:b": [EVERYBODY],
    }
    assert json.loads(unshown_after(store, plan, whole=True)) == {"policy:a": ["user:bob"]}


def test_what_another_target_claims_is_not_known_where_its_export_is_lost(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    assert claims(store, ACCOUNT) == []
    store.write(EXPORT, [control("a", external_id="role:a")], ACCOUNT, extra={CLAIMED: '["role:b"]'})
    store.write("access_push_plan", (), ACCOUNT)
    assert claims(store, ACCOUNT) == ["role:a", "role:b"]
    file = Path(store.uri(EXPORT, ACCOUNT))
    for loss in (lambda: file.write_bytes(b"no table"), file.unlink):
        loss()
        assert claims(store, ACCOUNT) is None
    store.write(EXPORT, (), ACCOUNT, extra={CLAIMS_LOST: "yes"})
    assert claims(store, ACCOUNT) is None
    store.write(EXPORT, (), ACCOUNT, extra={EXPORT_IS: WHOLE})
    assert claims(store, ACCOUNT) == []


def test_nothing_is_planned_while_it_is_not_known_what_another_target_has(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    second = FILE.partition("targets:\n")[2].replace("name: one", "name: two").replace("id: ds", "id: ds-2")
    (tmp_path / "raito.yml").write_text(FILE + second.replace("store-id: is", "store-id: is-2"))
    options = load(tmp_path / "raito.yml")
    grid, store = make_grid(options), Store.open(tmp_path / "data", sync="s")
    other = options.accounts[1].partition
    planning = Planning(Services(options), store, Attempts(instance, grid.naming), cell_of("account", ACCOUNT))
    store.write(EXPORT, (), other, extra={CLAIMS_LOST: "yes"})

    reasons = planning.plan(grid, [control("a")]).problems

    assert any("it is not known what target two has in this account" in reason for reason in reasons)


def test_a_plan_is_outdated_where_what_is_stored_gives_another() -> None:
    assert outdated(PLAN, replace(PLAN, made_of={"iam_users": "run-2"})) is None
    assert outdated(PLAN, OTHER) == f"what is stored now gives plan {OTHER.id}"


def test_a_recovery_is_outdated_where_aws_was_read_anew() -> None:
    recovery = replace(PLAN, recovery="old.json")
    assert outdated(recovery, OTHER) is None, "it is another export by intention"
    assert outdated(recovery, replace(OTHER, made_of={"iam_users": "run-2"})) == "iam_users was read anew since"


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
    """Below: whatever is looked at as an earlier sync left it may be damaged, and must not permit more then."""
    assert TABLES["access_push_plan"].looks_at == TABLES[TARGETS].looks_at == ("access_push_results",)


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
