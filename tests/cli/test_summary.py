"""What came of a sync is one value, and both the terminal and JSON show all of it."""

import io
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from rich.console import Console

from raito_pipeline.cli.show import show_summary
from raito_pipeline.cli.summary import Cause, Outcome, Stored, SyncedTarget, SyncSummary, summary
from raito_pipeline.model import ImportedKind, ImportResult, PushResult, PushTarget
from raito_pipeline.orchestration.push.plans import PLAN_ID
from raito_pipeline.orchestration.runs.sync import LayerResult, LayerRun
from raito_pipeline.orchestration.runs.tags import ACCOUNT_TAG
from raito_pipeline.storage import CellInfo, ReadStatus

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ACCOUNT = "210000000034"
RESEARCH = SyncedTarget(ACCOUNT, "research", ACCOUNT, least=(("s3:ListBucket", "arn:aws:s3:::*"),))
BUCKET = "arn:aws:s3:::raw"
REPAIR = f"Grant s3:ListBucket on {BUCKET} to the credentials."
DENIED = f"s3:ListBucket on {BUCKET}: AWS denied the call (AccessDenied). {REPAIR}"
ALL = ("iam_users", "org_accounts", "data_objects", "data_source_import", "access_push_results")


@pytest.mark.parametrize("interrupted", [False, True])
def test_a_sync_that_was_interrupted_did_not_succeed(interrupted: bool) -> None:
    ended_so = summary("s", (), {}, (), seconds=1.0, storage="data", interrupted=interrupted)
    console = Console(file=io.StringIO(), width=80)
    show_summary(console, ended_so)
    assert isinstance(console.file, io.StringIO)
    assert ("everything succeeded" in console.file.getvalue()) is not interrupted
    assert ("interrupted in 1.0 s" in console.file.getvalue()) is interrupted
    assert (ended_so.outcome is Outcome.COMPLETE) is not interrupted


def cell(table: str, region: str | None = None, problems: tuple[str, ...] = (), **given: str) -> CellInfo:
    status = ReadStatus(given.get("status", "partial" if problems else "complete"))
    return CellInfo(table, ACCOUNT, region, "/data", status, problems, NOW, 1, 1, "run", {}, "sync")


def imported(
    table: str = "data_source_import", reason: str | None = None, status: str = "COMPLETED", failed: int = 0
) -> tuple[str, ImportResult]:
    kinds = (ImportedKind("Data Object", 5, 2, 1, failed),)
    row = ImportResult(
        "research", "DS", "job", status, reason is None, reason, 9, 99, "", 5, 2, 1, failed, kinds, (), NOW
    )
    return table, row


def pushed(*ends: str) -> tuple[PushResult, ...]:
    """Results of access controls that ended as `pushed`, `refused` or `failed`."""
    errors: Mapping[str, tuple[str, ...]] = {"pushed": (), "refused": ("not yet",), "failed": ("AWS said no",)}
    return tuple(
        PushResult(
            f"ac-{n}", f"Control {n}", "aws_role", "", None, int(end == "pushed"), int(end == "failed"), errors[end], ()
        )
        for n, end in enumerate(ends)
    )


def ended(*failures: str, skipped: tuple[str, ...] = (), tables: tuple[str, ...] = ALL) -> LayerResult:
    layer = LayerRun(f"account {ACCOUNT}", "all", tables, ACCOUNT, {ACCOUNT_TAG: ACCOUNT})
    return LayerResult(layer, 1.0, failures, skipped)


def of(stored: Stored, *results: LayerResult) -> SyncSummary:
    return summary("sync", [RESEARCH], {ACCOUNT: stored}, results or [ended()], seconds=2.0, storage="/data")


OUTCOMES: dict[str, tuple[SyncSummary, Outcome, int]] = {
    "all there": (of(Stored(cells=(cell("iam_users"),), imports=(imported(),))), Outcome.COMPLETE, 0),
    "a partial cell": (of(Stored(cells=(cell("data_objects", "eu-west-1", ("tags",)),))), Outcome.PARTIAL, 3),
    "a region not enabled": (of(Stored(cells=(cell("data_objects", "x", status="opted_out"),))), Outcome.PARTIAL, 3),
    "control policies of an account that are not known": (
        of(Stored(cells=(replace(cell("access_providers"), extra={"warnings": '["not known"]'}),))),
        Outcome.COMPLETE,
        0,
    ),
    "control policies that are not granted": (
        of(Stored(cells=(cell("org_accounts", "x", (DENIED,), status="denied"),))),
        Outcome.COMPLETE,
        0,
    ),
    "control policies of a throttled organization": (
        of(Stored(cells=(cell("org_accounts", "x", ("throttled",)),))),
        Outcome.PARTIAL,
        3,
    ),
    "out of scope": (of(Stored(cells=(cell("data_objects", "x", status="out_of_scope"),))), Outcome.COMPLETE, 0),
    "nothing may be removed": (of(Stored(imports=(imported(reason="iam is old"),))), Outcome.PARTIAL, 3),
    "one part was asked for": (
        of(Stored(imports=(imported(reason="only what lies below a was read"),))),
        Outcome.COMPLETE,
        0,
    ),
    "an option leaves it out": (
        of(Stored(imports=(imported(reason="it is off", status="SKIPPED"),))),
        Outcome.COMPLETE,
        0,
    ),
    "elements refused": (of(Stored(imports=(imported(failed=3),))), Outcome.PARTIAL, 3),
    "all pushed": (of(Stored(push_results=pushed("pushed"))), Outcome.COMPLETE, 0),
    "a refused control": (of(Stored(push_results=pushed("pushed", "refused"))), Outcome.PARTIAL, 3),
    "a denied control": (of(Stored(push_results=pushed("failed", "refused"))), Outcome.FAILED, 1),
    "a failed cell": (of(Stored(), ended(f"iam_users {ACCOUNT}: {DENIED}")), Outcome.FAILED, 1),
    "a step not tried": (of(Stored(), ended(skipped=("access_push_plan",))), Outcome.FAILED, 1),
    "a run that broke": (of(Stored(), ended("the disk is full")), Outcome.FAILED, 1),
}


@pytest.mark.parametrize("name", OUTCOMES)
def test_an_outcome_and_its_status_are_those_of_the_worst_part(name: str) -> None:
    value, outcome, status = OUTCOMES[name]
    (place,) = value.places
    assert (value.outcome, place.outcome, value.layers[0].outcome, value.status) == (outcome, outcome, outcome, status)


@pytest.mark.parametrize("name", OUTCOMES)
def test_json_holds_everything_and_is_read_back_as_the_same_value(name: str) -> None:
    value = OUTCOMES[name][0]
    text = json.dumps(value.json())
    assert SyncSummary.of_json(text) == value
    assert json.loads(text)["status"] == value.status


def test_an_error_of_what_was_taken_over_all_the_same_is_said_once() -> None:
    table, row = imported()
    told = replace(row, warnings=("one was odd", "two were left out"))
    stored = Stored(cells=(cell(table, problems=("Raito Cloud: two were left out",)),), imports=((table, told),))
    (place,) = of(stored).places
    assert [cause.reason for cause in place.causes] == [
        "Raito Cloud: two were left out",
        "Raito Cloud warns: one was odd",
    ]


def test_what_limits_access_and_is_not_known_is_said() -> None:
    value = OUTCOMES["control policies of an account that are not known"][0]
    assert value.places[0].not_known == ("not known",)


def test_one_reason_of_many_cells_is_one_cause_and_what_only_repeats_it_does_not_say_it_again() -> None:
    failures = [
        f"{table} {ACCOUNT}/{region}: {DENIED}"
        for region in ("eu-west-1", "us-east-1")
        for table in ("data_objects", "access_points")
    ]
    later = imported(reason=f"data_objects {ACCOUNT}/eu-west-1 is denied: {DENIED}")
    value = of(Stored(imports=(later,)), ended(*failures))
    first, second = value.places[0].causes
    assert set(first.what) == {
        f"{t} {r}" for t in ("data_objects", "access_points") for r in ("eu-west-1", "us-east-1")
    }
    assert first.reason == DENIED
    assert second.reason.endswith("because data_objects eu-west-1 is denied")
    assert value.places[0].repair == ("Allow s3:ListBucket on arn:aws:s3:::raw",)


def test_what_the_check_found_fails_its_target_alone() -> None:
    other = SyncedTarget("210000000012", "marketing", "210000000012")
    value = summary(
        "sync",
        [other, RESEARCH],
        {},
        [ended()],
        seconds=1.0,
        storage="/data",
        unusable={other.key: [Cause(Outcome.FAILED, ("AWS credentials",), "they have expired")]},
    )
    assert [(place.target, place.outcome) for place in value.places] == [
        ("marketing", Outcome.FAILED),
        ("research", Outcome.COMPLETE),
    ]
    assert value.status == 1


@pytest.mark.parametrize("width", [60, 80, 200])
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_the_table_says_everything_at_any_width_in_any_encoding(width: int, encoding: str) -> None:
    long = f"{DENIED} " + "arn:aws:s3:::" + "x" * 150
    stored = Stored(
        cells=(cell("data_objects", "eu-west-1", (long,)),),
        imports=(imported(),),
        push_targets=(PushTarget(0, "ac-1", "Control 1", "aws_role", "", None, ("not yet",), (), True),),
        push_results=pushed("pushed", "refused", "failed"),
        access_providers=17,
        incomplete=4,
        incomplete_by={"narrower": 3, "wider": 0, "who": 2},
    )
    raw = io.BytesIO()
    with io.TextIOWrapper(raw, encoding=encoding) as file:
        show_summary(Console(file=file, width=width), of(stored))
        file.flush()
        text = raw.getvalue().decode(encoding)

    assert max(map(len, text.splitlines())) <= width
    cells = [line.replace("│", "|").split("|") for line in text.splitlines()]
    account, came = (_letters("".join(row[at] for row in cells if len(row) > 3)) for at in (2, 3))
    assert account.endswith(f"research{ACCOUNT}failed")
    for part in (
        "data objects +5 ~2 -1",
        "incomplete access 4 of 17 access providers (3 narrower, 2 who)",
        "access controls 1 pushed, 1 refused, 1 failed",
        "refused Control 1: not yet",
        "failed Control 2: AWS said no",
        f"partial data_objects eu-west-1: {long}",
        f"to repair Allow s3:ListBucket on {BUCKET}",
    ):
        assert _letters(part) in came, part


def _letters(text: str) -> str:
    return "".join(char for char in text if char.isalnum() or char in "+~-:,")


def test_a_table_that_was_read_anew_is_told_and_the_sync_is_complete_all_the_same() -> None:
    damaged = (replace(cell("data_objects", "eu-west-1"), extra={"replaces": "its footer is cut"}), cell("iam_users"))

    value = of(Stored(cells=damaged))

    assert value.outcome is Outcome.COMPLETE
    assert [(each.what, each.reason) for each in value.places[0].read_anew] == [
        (("data_objects eu-west-1",), "its footer is cut")
    ]
    file = io.StringIO()
    show_summary(Console(file=file, width=200), value)
    assert "data_objects eu-west-1: what was stored could not be used (its footer is cut)" in file.getvalue()


def test_a_plan_that_waits_is_said_on_the_terminal_and_in_json() -> None:
    reason = "pipeline: mode is approve, and plan abc waits (1 added)"
    results = cell("access_push_results", status="out_of_scope")
    switched_off, waits = (
        replace(results, extra={"reason": "x"}),
        replace(results, extra={"reason": reason, PLAN_ID: "a"}),
    )
    assert of(Stored(cells=(switched_off,))).places[0].waiting is None
    value = of(Stored(cells=(waits,)))
    assert (value.outcome, value.places[0].waiting) == (Outcome.COMPLETE, reason)
    console = Console(file=io.StringIO(), width=100)
    show_summary(console, value)
    assert isinstance(console.file, io.StringIO)
    assert "plan abc waits (1 added)" in console.file.getvalue()
    assert reason in json.dumps(value.json())
