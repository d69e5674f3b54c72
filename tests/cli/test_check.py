"""`raito-pipeline check`: one value that says what works, what does not, and what would repair it."""

import io
import json

from rich.console import Console

from raito_pipeline.cli.check import CheckResult, show
from raito_pipeline.cli.checking import Stops, TargetCheck
from raito_pipeline.cli.summary import SyncedTarget

from .conftest import PushedAccount, Run

SALES = SyncedTarget("1", "sales", "111122223333")
DENIED = (
    "s3:ListBucket on arn:aws:s3:::raw: AWS denied the call (AccessDenied). "
    "Grant s3:ListBucket on arn:aws:s3:::raw to the credentials."
)
WORKS = TargetCheck(None, "storage", Stops.EVERYTHING)
FAILS = TargetCheck(SALES, "s3:ListBucket", Stops.PART, DENIED)
NOT_TRIED = TargetCheck(SALES, "rights: s3:GetObject", Stops.PART, not_tried="only a sync knows")


def shown(*findings: TargetCheck) -> str:
    out = io.StringIO()
    show(Console(file=out, width=160), CheckResult.of(findings))
    return out.getvalue()


def test_only_what_was_tried_and_failed_gives_another_status() -> None:
    assert CheckResult.of((WORKS, NOT_TRIED)).status == 0
    failed = CheckResult.of((WORKS, FAILS))
    assert failed.status == 1
    assert len(failed.repair) == 1
    assert "s3:ListBucket" in failed.repair[0]


def test_the_table_says_what_to_do_and_the_last_line_what_it_came_to() -> None:
    text = shown(WORKS, FAILS, NOT_TRIED)
    assert "not tried: only a sync knows" in text
    assert text.count("sales 111122223333") == 1, "a place is named once"
    assert text.rstrip().endswith("1 of 3 checks failed")
    assert shown(WORKS).rstrip().endswith("a sync can work")


def test_the_command_prints_the_same_as_json(pushed_account: PushedAccount, run: Run) -> None:
    pushed_account.configure()

    status, out = run("check", "--json")

    said = json.loads(out)
    assert (status, said["status"], said["repair"]) == (0, 0, [])
    assert {each["target"] for each in said["findings"]} == {None, "sales"}
    assert all(each["works"] or each["not_tried"] for each in said["findings"])
