"""The checks: of each table those that its kind demands, and what each finds in a cell."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pytest

from raito_pipeline.model import TABLES, ImportResult, PushResult
from raito_pipeline.orchestration.recording.checks import (
    CHECKS,
    ERROR,
    INCOMPLETE_SHARE,
    WARN,
    Check,
    Recorded,
    checks_of,
)
from raito_pipeline.sandbox.aws.faults import Fault
from raito_pipeline.storage import CellInfo, ReadStatus
from tests.end_to_end.conftest import SMALL, World, started

NOW = datetime(2026, 5, 4, tzinfo=UTC)
ACCOUNT, GLUE_ACCOUNT = "210000000023", "210000000034"
DENIED = (
    "s3:ListBucket on arn:aws:s3:::logs: AWS denied the call (AccessDenied). Grant s3:ListBucket on arn:aws:s3:::logs "
    "to the credentials."
)


def _check(name: str) -> Check:
    return next(check for check in CHECKS if check.name == name)


def _info(table: str, status: ReadStatus = ReadStatus.COMPLETE, *problems: str, **extra: str) -> CellInfo:
    return CellInfo(table, "1", None, "uri", status, problems, NOW, 5, 100, "run", extra)


def _import(**changes: Any) -> ImportResult:
    row = ImportResult("t", "DS", "job-1", "COMPLETED", True, None, 12, 1, "", 2, 0, 1, 0, (), (), NOW, 12, 2, 1)
    return replace(row, **changes)


def _pushed(name: str, made: int, failed: int, *errors: str) -> PushResult:
    return PushResult(name, name, "role", name, None, made, failed, errors, ())


def _recorded(table: str, info: CellInfo, rows: tuple[Any, ...] = (), **columns: list[Any]) -> Recorded:
    return Recorded(table, "sales 1", info, rows=lambda: rows, column=lambda name: columns[name])


# -- the family ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", TABLES)
def test_a_table_has_the_checks_that_its_kind_demands(table: str) -> None:
    names = {check.name for check in checks_of(table)}

    side = table == "access_push_targets" or bool(TABLES[table].remembered_for)
    assert names or side, f"{table} has no check"
    assert ("read_complete" in names) == bool(TABLES[table].sources)
    assert ("counts_equal_raito_cloud" in names) == (TABLES[table].row_type is ImportResult)
    if TABLES[table].row_type is ImportResult and table != "data_usage_import":
        assert names >= {"complete_upstream", "nothing_removed_beyond_limit"}


@pytest.mark.parametrize(("check", "table"), [(check, table) for check in CHECKS for table in check.tables])
def test_what_was_not_made_fails_every_check_and_what_is_out_of_scope_none(check: Check, table: str) -> None:
    never = check.evaluate(Recorded(table, "sales 1", failure=DENIED))
    older = check.evaluate(Recorded(table, "sales 1", _info(table), failure=DENIED))
    out = check.evaluate(_recorded(table, _info(table, ReadStatus.OUT_OF_SCOPE, reason="skip-x is on")))

    assert (never.passed, never.severity) == (older.passed, older.severity) == (False, ERROR)
    assert never.reason == f"sales 1: failed: {DENIED}"
    assert older.reason == f"sales 1: failed, what is stored is older: {DENIED}"
    assert never.metadata()["what repairs it"].value == "Allow s3:ListBucket on arn:aws:s3:::logs"
    assert (out.passed, out.reason) == (True, "sales 1: out of scope: skip-x is on")


# -- what each finds -----------------------------------------------------------------------------------------------


def test_a_partial_read_warns_and_says_what_is_missing_and_what_repairs_it() -> None:
    found = _check("read_complete").evaluate(
        _recorded("s3_buckets", _info("s3_buckets", ReadStatus.PARTIAL, DENIED, "b"))
    )

    assert (found.passed, found.severity) == (False, WARN)
    assert DENIED in found.reason
    assert "(and 1 more)" in found.reason
    assert found.metadata()["reasons"].value == f"- {DENIED}\n- b"
    assert found.metadata()["what repairs it"].value == "Allow s3:ListBucket on arn:aws:s3:::logs"


def test_what_is_optional_and_not_granted_passes_and_says_what_grants_it() -> None:
    found = _check("read_complete").evaluate(
        _recorded("org_accounts", _info("org_accounts", ReadStatus.DENIED, DENIED)),
    )
    assert found.passed
    assert "not read, and it is optional" in found.reason
    assert "Allow s3:ListBucket" in str(found.metadata()["what repairs it"])


def test_a_limit_that_withheld_removals_is_not_blamed_on_the_tables_and_the_other_way_round() -> None:
    limit = "it would remove 50 of the 60 data objects, and max-import-deletions allows 0.3 of them"
    region = "region eu-west-1 of 1 was synced before and is gone from aws-regions: if that is meant, ..."
    unread = "data_objects 1/eu-west-1 is partial: ..."
    table = "data_source_import"

    def found(name: str, *problems: str) -> bool:
        status = ReadStatus.PARTIAL if problems else ReadStatus.COMPLETE
        return _check(name).evaluate(_recorded(table, _info(table, status, *problems), (_import(),))).passed

    assert [found("nothing_removed_beyond_limit", *p) for p in ((), (limit,), (region,), (unread,))] == [
        True,
        False,
        False,
        True,
    ]
    assert [found("complete_upstream", *p) for p in ((), (limit,), (region,), (unread,))] == [True, True, True, False]


@pytest.mark.parametrize(
    ("row", "passed", "said"),
    [
        (_import(), True, "12 sent"),
        (_import(status="SKIPPED", reason="skip-data-source-sync is on"), True, "skip-data-source-sync is on"),
        (_import(status="FAILED"), False, "ended as FAILED"),
        (_import(failed=3), False, "refused 3 of 12"),
        (_import(removed=4), False, "removed 4, expected 1"),
        (_import(expected_added=None, expected_removed=None), True, "12 sent"),
    ],
)
def test_counts_are_those_of_raito_cloud(row: ImportResult, passed: bool, said: str) -> None:
    found = _check("counts_equal_raito_cloud").evaluate(
        _recorded("data_source_import", _info("data_source_import"), (row,))
    )

    assert found.passed == passed
    assert said in found.reason


def test_refused_access_controls_warn_and_failed_ones_are_errors() -> None:
    def found(*rows: PushResult) -> tuple[bool, Any, str]:
        table = "access_push_results"
        finding = _check("every_access_control_pushed").evaluate(_recorded(table, _info(table), rows))
        return finding.passed, finding.severity, finding.reason

    good, refused, failed = _pushed("a", 2, 0), _pushed("b", 0, 0, "not yet"), _pushed("c", 1, 1, "denied")

    assert found(good)[0]
    assert found()[0]
    assert found(good, refused)[:2] == (False, WARN)
    assert found(good, refused, failed)[:2] == (False, ERROR)
    assert "2 of 3 access controls were not pushed: b: not yet (and 1 more)" in found(good, refused, failed)[2]


@pytest.mark.parametrize(
    ("gaps", "days", "passed"),
    [
        ("[]", ["2026-05-01"], True),
        ('["2026-04-01", "2026-05-02"]', ["2026-05-01", "2026-05-03"], False),
        # Before its first log file, a trail was not there.
        ('["2026-04-01", "2026-04-02"]', ["2026-05-01"], True),
        ('["2026-04-01", "2026-04-02"]', [], True),
    ],
)
def test_a_day_without_log_file_is_missing_after_the_first_one(gaps: str, days: list[str], passed: bool) -> None:
    info = _info("cloudtrail_files", gaps=gaps)

    found = _check("no_cloudtrail_day_missing").evaluate(_recorded("cloudtrail_files", info, day=days))

    assert found.passed == passed
    assert passed or found.lines == ("2026-05-02",)


@pytest.mark.parametrize("incomplete", [0, 10, 90])
def test_many_incomplete_access_providers_warn(incomplete: int) -> None:
    flags = [True] * incomplete + [False] * (100 - incomplete)

    found = _check("incomplete_access_share").evaluate(
        _recorded(
            "access_providers",
            _info("access_providers"),
            incomplete=flags,
            reasons_narrower=[["a"] if flag else [] for flag in flags],
            reasons_wider=[["a", "b"]] * (incomplete // 10),
            reasons_who=[[]] * 100,
        )
    )

    assert found.passed == (incomplete / 100 <= INCOMPLETE_SHARE)
    assert f"{incomplete} of 100" in found.reason
    assert {code: found.figures[code] for code in ("narrower", "wider", "who")} == {
        "narrower": incomplete,
        "wider": incomplete // 10,
        "who": 0,
    }
    assert ("may be given more in AWS than is shown (narrower)" in found.reason) == bool(incomplete)
    assert "(who)" not in found.reason


# -- in runs -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """An estate of which one account was synced."""
    with started(tmp_path_factory.mktemp("checks"), SMALL) as world:
        world.sync(only=[ACCOUNT])
        yield world


def _records(world: World, table: str, check: str, partition: str) -> list[Any]:
    """The evaluations of a check of a cell, the latest first: (status, reason)."""
    key = dg.AssetCheckKey(dg.AssetKey(table), check)
    records = world.instance.event_log_storage.get_asset_check_execution_history(key, limit=100)
    return [
        (record.status.value, getattr(record.evaluation, "description", None))
        for record in records
        if record.partition == partition
    ]


def test_every_cell_of_a_sync_has_every_check_evaluated_once(world: World) -> None:
    keys = {
        "account": [ACCOUNT],
        "account_region": [f"{ACCOUNT}|{region}" for region in ("eu-central-1", "eu-west-1", "us-east-1")],
    }
    for table in TABLES:
        for partition in keys.get(TABLES[table].partitioned_by, []):
            for check in checks_of(table):
                found = _records(world, table, check.name, partition)
                assert len(found) == 1, (table, check.name, partition)
                assert found[0][0] in ("SUCCEEDED", "FAILED"), (table, check.name, partition, found)
                assert found[0][1].startswith(f"finance {ACCOUNT}"), found


def test_the_log_of_a_run_of_several_cells_has_no_complaint_of_dagster(world: World) -> None:
    messages = [
        entry.message
        for record in world.instance.get_run_records()
        for entry in world.instance.all_logs(record.dagster_run.run_id)
    ]

    assert not [message for message in messages if "did not yield" in message]
    assert any("raito/target" in record.dagster_run.tags for record in world.instance.get_run_records())


def test_a_single_cell_that_fails_by_hand_says_why_without_frames_and_passes_when_it_is_healed(
    world: World,
) -> None:
    world.embedded.aws.faults.add(Fault(kind="deny", account=ACCOUNT, service="s3", operation="ListBuckets"))

    failed = world.materialize(["s3_buckets"], ACCOUNT)
    world.embedded.aws.faults.clear()
    healed = world.materialize(["s3_buckets"], ACCOUNT)

    (healthy, why, *_) = _records(world, "s3_buckets", "read_complete", ACCOUNT)
    assert not failed.success
    assert healed.success
    assert healthy[0] == "SUCCEEDED"
    assert why[0] == "FAILED"
    assert "AWS denied the call" in why[1]
    (step,) = [event for event in failed.all_events if event.is_step_failure]
    assert step.step_failure_data.error.stack == []
    assert step.step_failure_data.error.message.startswith(f"CellsFailed: s3_buckets {ACCOUNT}: ")
    (logged,) = world.instance.all_logs(failed.run_id, of_type=dg.DagsterEventType.ASSET_OBSERVATION)
    observed = logged.get_dagster_event()
    metadata = observed.asset_observation_data.asset_observation.metadata
    assert f"finance {ACCOUNT}: " in metadata["the last attempt failed"].value
    assert "s3:ListAllMyBuckets" in metadata["what repairs it"].value


def test_an_error_of_the_program_keeps_its_frames(world: World) -> None:
    @dg.asset
    def broken() -> None:
        raise ZeroDivisionError

    result = dg.materialize([broken], instance=world.instance, raise_on_error=False)

    (step,) = [event for event in result.all_events if event.is_step_failure]
    assert "ZeroDivisionError" in str(step.step_failure_data.error.cause)
    assert step.step_failure_data.error.stack
