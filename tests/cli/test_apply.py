"""`raito-pipeline apply`: exactly the plan that was shown, over the wire."""

import json
from pathlib import Path

import pytest

from raito_pipeline.cli import main
from raito_pipeline.cli.instance import instance_of_this_directory
from raito_pipeline.orchestration.naming import COMPONENT_TAG

from .conftest import ACCOUNT, PushedAccount, Run


def writes(account: PushedAccount, mark: int) -> list[str]:
    return [call.operation for call in account.aws.calls.since(mark) if call.writes]


def feedback(account: PushedAccount, control: str) -> tuple[str | None, list[str]]:
    """The name and the errors that Raito Cloud knows of an access control."""
    rows = account.raito.controls.listed(account.ids.data_sources[ACCOUNT])
    row = next(row for row in rows if row.id == control)
    return row.actual_name, list(row.errors or [])


def test_a_plan_is_made_once_and_the_second_time_left_alone(pushed_account: PushedAccount, run: Run) -> None:
    pushed_account.grant("a1", "Readers", ["ann", "bob"])
    assert run("plan", "--read", "--out", "one.json")[0] == 2
    mark = pushed_account.aws.calls.mark

    status, said = run("apply", "one.json")

    assert (status, writes(pushed_account, mark)) == (0, ["CreateRole", "PutRolePolicy"])
    assert "2 changes made; 1 of 1 access controls are in AWS as granted\n" in said
    assert pushed_account.trusted("Readers") == ["ann", "bob"]
    assert feedback(pushed_account, "a1") == ("Readers", [])

    assert run("apply", "one.json")[0] == 0
    assert pushed_account.trusted("Readers") == ["ann", "bob"]
    status, said = run("plan")
    assert (status, "1 as granted" in said) == (0, True)
    assert run("plan", "--read")[0] == 0


def test_what_changed_since_the_plan_is_left_and_planned_anew(pushed_account: PushedAccount, run: Run) -> None:
    pushed_account.grant("b1", "Changing", ["ann", "bob"])
    run("plan", "--read", "--out", "two.json")
    run("apply", "two.json")
    pushed_account.grant("b1", "Changing", ["ann"])
    pushed_account.grant("b2", "Others", ["cyd"])
    status, said = run("plan", "--read", "--out", "two.json")
    assert "~ role Changing: takes user bob sts:AssumeRole\n" in said
    pushed_account.change_trust("Changing", "ann", "bob", "cyd")

    status, said = run("apply", "two.json")

    assert status == 1
    assert "it was changed since the plan" in " ".join(said.split())
    assert pushed_account.trusted("Changing") == ["ann", "bob", "cyd"], "nobody saw this replaced"
    assert "Others" in pushed_account.roles()
    assert "it was changed since the plan" in feedback(pushed_account, "b1")[1][0]
    assert run("plan", "--read", "--out", "two.json")[0] == 2
    assert run("apply", "two.json")[0] == 0
    assert pushed_account.trusted("Changing") == ["ann"]


def test_another_plan_than_the_newest_is_refused(
    pushed_account: PushedAccount, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    pushed_account.grant("c1", "Stale", ["ann"])
    run("plan", "--read", "--out", "old.json")
    pushed_account.grant("c1", "Stale", ["bob"])
    _, shown = run("plan", "--read", "--json")
    mark = pushed_account.aws.calls.mark

    status, said = run("apply", "old.json")

    assert (status, writes(pushed_account, mark)) == (1, [])
    newest = json.loads(shown)[0]["id"]
    assert f"is not the newest: what is stored now gives plan {newest}: nothing was changed" in " ".join(said.split())
    assert run("apply", "--plan", newest)[0] == 0
    assert pushed_account.trusted("Stale") == ["bob"]

    file = pushed_account.folder / "old.json"
    file.write_text(file.read_text().replace("user/ann", "user/cyd"))
    assert main(["apply", "old.json"]) == 1
    assert "was changed after it was made" in capsys.readouterr().err
    assert main(["apply", "--plan", "000000000000"]) == 1
    said = capsys.readouterr().err
    assert newest in said, "those that are kept are named"
    assert "there is no plan '000000000000' in " in said


def test_a_stored_export_is_applied_again_after_its_plan_was_shown(pushed_account: PushedAccount, run: Run) -> None:
    pushed_account.grant("d1", "Lost", ["cyd"])
    run("plan", "--read", "--out", "kept.json")
    run("apply", "kept.json")
    pushed_account.iam.delete_role_policy(RoleName="Lost", PolicyName="Raito_Inline_Lost")
    pushed_account.iam.delete_role(RoleName="Lost")
    run("plan", "--read")

    status, said = run("apply", "--from", "kept.json")
    assert status == 2, "only shown: nobody said yes"
    assert "+ role Lost: 1 user gets s3:GetObject on data-00/sales\n" in said
    assert "Lost" not in pushed_account.roles()

    assert run("apply", "--from", "kept.json", "--yes")[0] == 0
    assert pushed_account.trusted("Lost") == ["cyd"]
    mark = pushed_account.aws.calls.mark
    assert run("apply", "--from", "kept.json", "--yes")[0] == 0
    assert pushed_account.trusted("Lost") == ["cyd"]
    assert set(writes(pushed_account, mark)) <= {"CreateRole", "UpdateAssumeRolePolicy", "PutRolePolicy"}
    run("plan", "--read")
    assert run("apply", "--from", "stored", "--yes")[0] == 0


def test_a_plan_in_a_project_is_made_and_applied_by_the_assets_of_its_component(
    component: Path, pushed_account: PushedAccount, run: Run
) -> None:
    pushed_account.grant("e1", "Prefixed", ["ann"])

    status, said = run("plan", "--read", "--out", "project.json")
    assert (status, "+ role Prefixed" in said) == (2, True), said
    assert run("apply", str(component / "project.json"))[0] == 0

    assert pushed_account.trusted("Prefixed") == ["ann"]
    with instance_of_this_directory() as instance:
        keys, runs = {key.to_user_string() for key in instance.all_asset_keys()}, instance.get_runs()
    assert {"lake/eu/access_push_plan", "lake/eu/access_push_results"} <= keys
    assert [key for key in keys if not key.startswith("lake/eu/")] == []
    assert {each.tags.get(COMPONENT_TAG) for each in runs} == {"eu"}
    status, said = run("plan")
    assert (status, "as granted" in said) == (0, True), said
