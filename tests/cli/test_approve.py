"""Mode `approve`: a plan waits until somebody makes it by its id, in Dagster or by a command; drift is looked at."""

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from raito_pipeline.config import load
from raito_pipeline.model import Layer
from raito_pipeline.orchestration.automation.jobs import run_request
from raito_pipeline.orchestration.automation.reconcile import Request
from raito_pipeline.orchestration.partitioning.grid import make_grid
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.orchestration.runs.plan_runs import reading_runs
from raito_pipeline.storage import CellInfo, Store
from tests.built import Built

from .conftest import ACCOUNT, REGION, PushedAccount, Run

RESULTS, PLAN = "access_push_results", "access_push_plan"
BUILT = Built()
Result = dg.ExecuteInProcessResult


def materialize(account: PushedAccount, *tables: str, plan: str = "", **tags: str) -> Result:
    """Materialize assets of the account, as a person does in the UI."""
    options = load(account.folder / "raito.yml")
    return (
        BUILT.definitions(Services(options))
        .resolve_implicit_global_asset_job_def()
        .execute_in_process(
            asset_selection=[dg.AssetKey(table) for table in tables],
            partition_key=f"{ACCOUNT}|{REGION}" if "access_points" in tables else ACCOUNT,
            run_config={"ops": {"last_layer": {"config": {"plan": plan}}}} if plan else None,
            tags=tags,
            raise_on_error=False,
        )
    )


def info(account: PushedAccount, table: str) -> CellInfo:
    found = Store.open(account.folder / "data").info(table, ACCOUNT)
    assert found is not None
    return found


def checks(result: Result) -> dict[str, bool]:
    return {each.check_name: each.passed for each in result.get_asset_check_evaluations()}


def read(account: PushedAccount) -> None:
    """What a plan is made of, read anew without a Dagster instance that anybody keeps."""
    options = load(account.folder / "raito.yml")
    for run in reading_runs(options, make_grid(options), ACCOUNT):
        assert materialize(account, *run.tables).success


@pytest.fixture
def waiting(pushed_account: PushedAccount) -> PushedAccount:
    """A plan of one role that waits."""
    pushed_account.configure("mode: approve")
    return pushed_account


def test_a_plan_waits_for_its_id_and_nothing_else(waiting: PushedAccount, run: Run) -> None:
    waiting.grant("w1", "Waiting", ["ann", "bob"])
    read(waiting)
    plan_id = info(waiting, PLAN).extra["plan id"]
    mark = waiting.aws.calls.mark

    assert materialize(waiting, RESULTS).success, "a sync goes on, and ends"
    assert info(waiting, RESULTS).status.value == "out_of_scope"
    assert f"plan {plan_id} waits (1 added)" in info(waiting, RESULTS).extra["reason"]
    assert not materialize(waiting, RESULTS, plan="0123456789ab").success
    assert [call.operation for call in waiting.aws.calls.since(mark) if call.writes] == []

    made = materialize(waiting, RESULTS, plan=plan_id)
    assert (made.success, waiting.trusted("Waiting")) == (True, ["ann", "bob"])
    assert checks(made) == {"every_access_control_pushed": True, "read_again_after_push": True}
    mark = waiting.aws.calls.mark
    assert materialize(waiting, RESULTS, **{"raito/plan": plan_id}).success, "a second time it changes nothing"
    assert [call.operation for call in waiting.aws.calls.since(mark) if call.writes] == []
    assert run("plan", "--read")[0] == 0


def test_drift_is_found_by_looking_and_put_right_by_a_plan(waiting: PushedAccount, run: Run) -> None:
    waiting.grant("w2", "Drifting", ["ann"])
    run("plan", "--read", "--out", "drift.json")
    run("apply", "drift.json")
    status, said = run("plan", "--drift")
    assert (status, "not read since the last push" in said) == (1, True)
    assert run("plan", "--drift", "--read") == (0, "sales: AWS is as the last push left it\n")
    waiting.change_trust("Drifting", "ann", "cyd")
    mark = waiting.aws.calls.mark

    status, said = run("plan", "--drift", "--read")

    assert status == 2
    assert "role Drifting is not as the push left it" in said
    assert "takes user cyd sts:AssumeRole" in said
    assert [call.operation for call in waiting.aws.calls.since(mark) if call.writes] == []
    assert not checks(materialize(waiting, PLAN, "access_push_targets"))["no_drift_since_last_push"]


def test_what_takes_too_much_is_held_back_until_somebody_means_it(waiting: PushedAccount, run: Run) -> None:
    waiting.grant("w3", "Limited", ["ann", "bob"])
    run("plan", "--read", "--out", "limited.json")
    run("apply", "limited.json")
    waiting.configure("mode: approve, max-push-losses: 0")
    waiting.grant("w3", "Limited", ["ann"])
    status, said = run("plan", "--read", "--out", "limited.json")
    assert (status, "held back: update of role-trust Limited" in said) == (2, True)
    assert "What gives access is made" in " ".join(said.split())
    assert materialize(waiting, RESULTS).success
    assert "What of it takes access is held back" in info(waiting, RESULTS).extra["reason"]

    status, said = run("apply", "limited.json")
    assert (status, waiting.trusted("Limited")) == (1, ["ann", "bob"])
    assert "max-push-losses allows 0" in " ".join(said.split())
    assert run("apply", "limited.json", "--with-losses")[0] == 0
    assert waiting.trusted("Limited") == ["ann"]
    mark = waiting.aws.calls.mark
    status, said = run("apply", "limited.json", "--with-losses")
    assert (status, "was made before" in said) == (0, True)
    assert [call.operation for call in waiting.aws.calls.since(mark) if call.writes] == []


def test_in_mode_plan_nothing_is_applied(waiting: PushedAccount, run: Run) -> None:
    waiting.configure("mode: plan")
    assert run("apply", "--plan", "0123456789ab") == (1, "")


def request_of(definitions: dg.Definitions, instance: dg.DagsterInstance, schedule: str) -> dg.RunRequest:
    """The one run that a schedule requests now."""
    repository = definitions.get_repository_def()
    context = dg.build_schedule_context(instance, datetime.now(UTC), repository_def=repository)
    (found,) = repository.get_schedule_def(schedule).evaluate_tick(context).run_requests or ()
    return found


def execute(definitions: dg.Definitions, instance: dg.DagsterInstance, request: dg.RunRequest, job: str) -> Result:
    """Run a job as a daemon does for a request."""
    return definitions.resolve_job_def(request.job_name or job).execute_in_process(
        partition_key=request.partition_key, tags=dict(request.tags), instance=instance, raise_on_error=False
    )


def test_a_schedule_looks_for_drift_and_pushes_nothing(pushed_account: PushedAccount, run: Run, tmp_path: Path) -> None:
    pushed_account.configure("mode: apply, drift-schedule: '@hourly'")
    pushed_account.grant("w4", "Watched", ["ann"])
    run("plan", "--read", "--out", "watched.json")
    run("apply", "watched.json")
    pushed_account.grant("w5", "Not_yet", ["bob"])
    pushed, exported = info(pushed_account, RESULTS), info(pushed_account, "access_controls")
    options = load(pushed_account.folder / "raito.yml")
    definitions = BUILT.definitions(Services(options))
    mark, names = pushed_account.aws.calls.mark, ("look_for_drift", "look_for_drift_by_schedule")

    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        request = request_of(definitions, instance, names[1])
        as_it_was = execute(definitions, instance, request, names[0])
        pushed_account.change_trust("Watched", "ann", "cyd")
        changed = execute(definitions, instance, request, names[0])

    assert request.partition_key == ACCOUNT
    assert checks(as_it_was)["no_drift_since_last_push"] is True
    assert checks(changed)["no_drift_since_last_push"] is False
    assert as_it_was.success
    assert changed.success
    by_hand = ["UpdateAssumeRolePolicy"]
    assert [call.operation for call in pushed_account.aws.calls.since(mark) if call.writes] == by_hand
    assert (info(pushed_account, RESULTS), info(pushed_account, "access_controls")) == (pushed, exported)
    assert (pushed_account.trusted("Watched"), "Not_yet" in pushed_account.roles()) == (["ann", "cyd"], False)


def test_in_mode_approve_the_jobs_of_a_sync_end_and_the_plan_waits(waiting: PushedAccount) -> None:
    """As a daemon runs them: each layer is a run of its own, and the next tick of `continue_sync` asks for nothing."""
    waiting.configure("mode: approve")
    waiting.grant("w6", "By_daemon", ["ann"])
    options = load(waiting.folder / "raito.yml")
    definitions, grid = BUILT.definitions(Services(options)), make_grid(options)
    mark = waiting.aws.calls.mark
    with dg.DagsterInstance.ephemeral() as instance:
        for layer in (Layer.ACCOUNT, Layer.REGIONS, Layer.FINISH):
            request = run_request(Request(ACCOUNT, layer, "daemon"), grid)
            assert execute(definitions, instance, request, "").success, layer
        repository = definitions.get_repository_def()
        context = dg.build_sensor_context(instance, None, repository_def=repository, sensor_name="continue_sync")
        ticked = repository.get_sensor_def("continue_sync").evaluate_tick(context)
        assert (list(ticked.run_requests or ()), "Waiting" in waiting.roles()) == ([], True)
        assert [call.operation for call in waiting.aws.calls.since(mark) if call.writes] == []
        waits = info(waiting, RESULTS)
        plan_id = waits.extra["plan id"]
        assert (waits.status.value, f"plan {plan_id} waits" in waits.extra["reason"]) == ("out_of_scope", True)

        approved = definitions.resolve_implicit_global_asset_job_def().execute_in_process(
            asset_selection=[dg.AssetKey(RESULTS)], partition_key=ACCOUNT, instance=instance,
            run_config={"ops": {"last_layer": {"config": {"plan": plan_id}}}}, raise_on_error=False,
        )  # fmt: skip

    assert (approved.success, waiting.trusted("By_daemon")) == (True, ["ann"])
