"""What goes wrong: one region denied, wrong addresses and passwords. Nothing is lost, and each is told in a line."""

import os
import subprocess
import sys
from pathlib import Path

from raito_pipeline.model import ImportResult
from raito_pipeline.sandbox.aws.faults import Fault
from tests.end_to_end.conftest import World, failures, started


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


def test_a_wrong_password_is_a_clear_line_of_the_command_and_nothing_is_written(world: World) -> None:
    """One cause as a process of its own; `test_faults_of_a_sync` has the others."""
    secret = "certainly-not-it"
    environment = {**os.environ, "DAGSTER_HOME": str(world.embedded.directory), "RAITO_API_SECRET": secret}
    (world.embedded.directory / "dagster.yaml").write_text("telemetry:\n  enabled: false\n", encoding="utf-8")
    mark = world.embedded.aws.calls.mark
    command = [sys.executable, "-m", "raito_pipeline.cli", "run", "--only-targets", "marketing"]

    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)

    said = ended.stdout + ended.stderr
    assert ended.returncode == 1, said
    assert "password" in said.lower(), said
    assert "Traceback" not in said, said
    assert secret not in said
    assert [call.operation for call in world.embedded.aws.calls.since(mark) if call.writes] == []
    source = world.counts()["dataSources"]["ds-210000000012"]
    assert (source["dataObjects"], source["accessProviders"]) == ({}, {})


def test_a_missing_cloudtrail_bucket_is_one_line_and_only_usage_stays_away(world: World) -> None:
    file, option = world.embedded.config_file, "aws-s3-cloudtrail-bucket: "
    text = file.read_text("utf-8")
    assert f"{option}marketing-cloudtrail" in text
    file.write_text(text.replace(f"{option}marketing-cloudtrail", f"{option}no-such-bucket"), encoding="utf-8")
    results = world.sync(only=["210000000012"])
    told = [line for result in results for line in result.failures]
    assert told
    assert all("no-such-bucket" in line and line.startswith("cloudtrail_files 210000000012/") for line in told), told
    source = world.counts()["dataSources"]["ds-210000000012"]
    assert source["usageStatements"] == 0
    assert source["accessProviders"] != {}


def test_no_secret_is_in_anything_that_a_sync_leaves_behind(tmp_path: Path) -> None:
    with started(tmp_path, events_on_disk=True) as world:
        assert failures(world.sync(only=["210000000012"])) == []
    embedded = world.embedded
    secrets = [embedded.environment["RAITO_API_SECRET"]]
    secrets += [account.secret_access_key for account in (embedded.estate.master, *embedded.estate.members)]
    written = [file for file in (embedded.directory / "data").rglob("*") if file.is_file()]
    written += [file for file in embedded.directory.parent.rglob("*") if file.suffix in (".db", ".out", ".err", ".log")]
    assert any(file.suffix == ".parquet" for file in written)
    assert any(file.suffix == ".db" for file in written)
    for file in written:
        content = file.read_bytes()
        for secret in secrets:
            assert secret.encode() not in content, file
