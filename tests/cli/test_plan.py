"""`raito-pipeline plan`: what a person reads of it at 80 columns, its exit status, JSON and file."""

import json

from raito_pipeline.aws.push.account_plan import from_file
from raito_pipeline.cli import main

from .conftest import ACCOUNT, PushedAccount, Run


def test_a_plan_is_words_differences_and_a_file(pushed_account: PushedAccount, run: Run) -> None:
    pushed_account.grant("p1", "Sales readers", ["ann", "bob"])
    pushed_account.grant("p2", "Moon", ["ann"], type="aws_moon")
    pushed_account.grant("p3", "Drop zone", ["ann"], type="aws_access_point")

    assert run("plan")[0] == 1, "nothing was synced yet"
    status, said = run("plan", "--read", "--out", "plan.json")

    (plan,) = from_file((pushed_account.folder / "plan.json").read_bytes(), "plan.json")
    assert status == 2
    assert f"sales {ACCOUNT}: plan {plan.id}: 2 added, 1 refused\n" in said
    assert "+ role Sales_readers: 2 users get s3:GetObject on data-00/sales\n    access control Sales readers\n" in said
    assert '      +            "arn:aws:iam::111122223333:user/ann",\n' in said
    assert "+ access point drop-zone: " in said, "what is read a region is read anew, too"
    assert "! aws_moon Moon: aws_moon cannot be pushed yet; nothing new is made\n" in said
    assert "(0 min ago)" in said
    assert "to make it: raito-pipeline apply plan.json\n" in said
    lines = [line for line in said.splitlines() if not line.startswith('{"')]  # JSON stays whole, to be copied
    assert [line for line in lines if len(line) > 80 or line != line.rstrip()] == []

    again, shown = run("plan", "sales", "--json")
    (stored,) = json.loads(shown)
    assert (again, stored["id"]) == (2, plan.id), "what is stored gives the same plan"
    assert [(each["mark"], each["head"]) for each in stored["access_controls"]] == [
        ("+", "role Sales_readers"),
        ("!", "aws_moon Moon"),
        ("+", "access point drop-zone"),
    ]
    assert pushed_account.roles() == set()


def test_an_account_or_a_file_that_is_none_is_an_error(pushed_account: PushedAccount, run: Run) -> None:
    assert run("plan", "nobody")[0] == 1
    assert run("plan", "--config-file", str(pushed_account.folder / "none.yml"))[0] == 1
    assert main(["plan", "--out", "/nowhere/plan.json"]) == 1
