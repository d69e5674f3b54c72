"""What is remembered of exports and plans, and what counts where that is lost."""

import json
from dataclasses import replace
from pathlib import Path

from raito_pipeline.aws.push.account.imported import EVERYBODY, OF_ALL
from raito_pipeline.aws.push.account_plan import AccountPlan
from raito_pipeline.orchestration.push.remembered import (
    CLAIMED,
    CLAIMS_LOST,
    EXPORT,
    EXPORT_IS,
    SHARED,
    TARGETS,
    UNSHOWN,
    WHOLE,
    claims,
    noted_unshown,
    push_notes,
    unshown_after,
    was_shared,
)
from raito_pipeline.storage import Store
from tests.aws.push.conftest import ACCOUNT
from tests.aws.push.exported import control
from tests.orchestration.push.test_plans import PLAN


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


def test_that_several_targets_pushed_into_an_account_stays_known_also_where_nothing_is_planned(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    assert not was_shared(store, ACCOUNT)
    store.write(TARGETS, (), ACCOUNT)
    assert (was_shared(store, ACCOUNT), push_notes(store, ACCOUNT)) == (False, {})
    store.write(TARGETS, (), ACCOUNT, extra={SHARED: "yes"})
    store.write(TARGETS, (), ACCOUNT, extra=push_notes(store, ACCOUNT))
    assert was_shared(store, ACCOUNT)
    Path(store.uri(TARGETS, ACCOUNT)).write_bytes(b"no table")
    assert was_shared(store, ACCOUNT), "what is lost permits no more"
