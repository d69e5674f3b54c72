"""With `unchanged-imports-hours`, what Raito Cloud took over last is not sent again, and what changed is."""

from dataclasses import replace
from datetime import timedelta

import boto3

from raito_pipeline.config import Options
from raito_pipeline.model import ImportResult
from tests.end_to_end.changes import ACCOUNT, BUCKET
from tests.end_to_end.conftest import World, failures

TABLES = ("identity_store_import", "data_source_import", "access_provider_import")


def rows(world: World) -> dict[str, ImportResult]:
    return {table: next(world.store.rows(ImportResult, ACCOUNT, table=table)) for table in TABLES}


def kept(options: Options) -> Options:
    pipeline = options.pipeline.model_copy(update={"unchanged_imports_hours": 24})
    return options.model_copy(update={"pipeline": pipeline})


def age(world: World, table: str, hours: int) -> None:
    """The last import of a table was some hours ago."""
    info = world.store.info(table, ACCOUNT)
    assert info is not None
    (row,) = world.store.rows(ImportResult, ACCOUNT, table=table)
    older = replace(row, finished_at=row.finished_at - timedelta(hours=hours))
    world.store.write(table, [older], ACCOUNT, extra={"sent": info.extra["sent"]})


def test_what_raito_cloud_took_over_is_sent_when_it_changed_or_is_old(synced_world: World) -> None:
    world, usual = synced_world, synced_world.options(skip_data_usage_sync="true")  # usage is never sent again
    options = kept(usual)
    assert failures(world.sync(options, only=[ACCOUNT])) == []  # from here on it is known what was sent
    sent, held = rows(world), world.counts()

    assert failures(world.sync(options, only=[ACCOUNT])) == []
    for table, row in rows(world).items():
        assert (row.bytes, row.sha256, row.finished_at) == (0, sent[table].sha256, sent[table].finished_at), table
        assert "not sent again" in (row.reason or ""), table
        assert row.job_id != sent[table].job_id
    assert world.counts() == held

    # It is no part of any access: what is sent of that is sent for its age alone.
    boto3.Session(profile_name="marketing").client("s3").put_object(Bucket=BUCKET, Key="new.csv", Body=b"")
    age(world, "access_provider_import", 24)
    assert failures(world.sync(options, only=[ACCOUNT])) == []
    found = rows(world)
    assert found["data_source_import"].added == 1
    assert found["identity_store_import"].bytes == 0
    assert found["access_provider_import"].bytes > 0
    assert found["access_provider_import"].sha256 == sent["access_provider_import"].sha256
    assert world.counts() != held

    assert failures(world.sync(usual, only=[ACCOUNT])) == []
    assert all(row.bytes > 0 for row in rows(world).values())
