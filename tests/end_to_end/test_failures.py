"""What goes wrong: one region denied, wrong addresses and passwords. Nothing is lost, and each is told in a line."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from raito_pipeline.model import ImportResult
from raito_pipeline.orchestration.runs.sync import LayerResult
from raito_pipeline.sandbox.aws.faults import Fault
from tests.end_to_end.conftest import World, failures, started
from tests.forked import COMMAND, Forked


def test_a_denied_region_is_red_by_itself_and_its_re_run_alone_heals_everything(synced_world: World) -> None:
    world, account = synced_world, synced_world.embedded.estate.members[0]
    places = ["organization", account.account_id]
    before = world.counts()
    denied = account.regions[1]
    world.embedded.aws.faults.add(Fault(kind="deny", account=account.account_id, region=denied, service="s3"))

    second = world.sync(only=places)

    told = [line for result in second for line in result.failures]
    assert told
    assert all(denied in line and account.account_id in line for line in told)
    assert any("s3:ListBucket" in line and "arn:aws:s3:::" in line for line in told), told
    assert {result.layer.place for result in second if not result.success} == {f"account {account.account_id}"}
    assert world.counts() == before
    (row,) = world.store.rows(ImportResult, account.account_id, table="data_source_import")
    assert row.delete_untouched is False
    assert denied in (row.reason or "")

    world.embedded.aws.faults.clear()
    tables = ["data_objects", "access_points", "cloudtrail_files", "usage_statements"]
    assert world.materialize(tables, f"{account.account_id}|{denied}").success
    final = world.sync(only=[account.account_id])

    assert failures(final) == []
    (row,) = world.store.rows(ImportResult, account.account_id, table="data_source_import")
    assert (row.delete_untouched, row.removed) == (True, 0)
    assert world.counts() == before


@pytest.fixture(scope="module")
def on_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A fresh estate for the tests below, with all that Dagster records of it in files."""
    with started(tmp_path_factory.mktemp("failures"), events_on_disk=True) as world:
        yield world


def test_a_wrong_password_is_a_clear_line_of_the_command_and_nothing_is_written(on_disk: World, forked: Forked) -> None:
    """One cause as a process of its own; `test_faults_of_a_sync` has the others."""
    secret = "certainly-not-it"
    environment = {name: value for name, value in os.environ.items() if name != "DAGSTER_HOME"}
    environment["RAITO_API_SECRET"] = secret
    words = "run", "--only-targets", "marketing", "--skip-data-usage-sync"
    before, mark = on_disk.counts(), on_disk.embedded.aws.calls.mark

    status, out, err = forked.begin(COMMAND, *words, environment=environment).wait()

    said = out + err
    assert status == 1, said
    assert "password" in said.lower(), said
    assert "Traceback" not in said, said
    assert secret not in said
    assert [call.operation for call in on_disk.embedded.aws.calls.since(mark) if call.writes] == []
    assert on_disk.counts() == before


@pytest.fixture(scope="module")
def without_logs(on_disk: World) -> Sequence[LayerResult]:
    """What came of the first sync of an account whose CloudTrail bucket is missing."""
    file, option = on_disk.embedded.config_file, "aws-s3-cloudtrail-bucket: "
    text = file.read_text("utf-8")
    assert f"{option}marketing-cloudtrail" in text
    file.write_text(text.replace(f"{option}marketing-cloudtrail", f"{option}no-such-bucket"), encoding="utf-8")
    return on_disk.sync(only=["210000000012"])


def test_a_missing_cloudtrail_bucket_is_one_line_and_only_usage_stays_away(
    on_disk: World, without_logs: Sequence[LayerResult]
) -> None:
    *told, of_the_import = [line for result in without_logs for line in result.failures]
    assert told
    assert all("no-such-bucket" in line and line.startswith("cloudtrail_files 210000000012/") for line in told), told
    assert of_the_import.startswith("data_usage_import 210000000012: nothing was sent, because nothing was ever read")
    source = on_disk.counts()["dataSources"]["ds-210000000012"]
    assert source["usageStatements"] == 0
    assert source["accessProviders"] != {}


@pytest.mark.usefixtures("without_logs")
def test_no_secret_is_in_anything_that_a_sync_leaves_behind(on_disk: World, kept_syncs: Path) -> None:
    """Neither where something failed, nor where everything was read, usage included."""
    embedded, kept = on_disk.embedded, kept_syncs / "estate"
    secrets = [embedded.environment["RAITO_API_SECRET"], (kept / "api-secret").read_text("utf-8").strip()]
    secrets += [account.secret_access_key for account in (embedded.estate.master, *embedded.estate.members)]
    written = [file for folder in (embedded.directory, kept) for file in (folder / "data").rglob("*") if file.is_file()]
    folders = embedded.directory.parent, kept_syncs
    logs = (".db", ".out", ".err", ".log")
    written += [file for folder in folders for file in folder.rglob("*") if file.suffix in logs]
    assert {file.suffix for file in written} >= {".parquet", ".db", ".err"}
    assert any("usage_statements" in file.parts for file in written)
    for file in written:
        content = file.read_bytes()
        for secret in secrets:
            assert secret.encode() not in content, file
