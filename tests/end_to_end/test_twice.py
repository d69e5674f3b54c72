"""A sync of the whole estate, and a second one with nothing new."""

from raito_pipeline.model import ImportResult
from raito_pipeline.sandbox.compare import compare
from tests.end_to_end.conftest import World, failures


def test_everything_arrives_and_a_second_sync_changes_nothing(world: World) -> None:
    first = world.sync()
    assert failures(first) == []
    embedded = world.embedded
    comparison = compare(embedded.estate, embedded.aws.endpoint_url, embedded.directory / "data", embedded.raito)
    assert [line for line in comparison.lines if not line.equal] == []
    before = world.counts()

    second = world.sync()

    assert failures(second) == []
    assert [f"{call.service}:{call.operation}" for call in world.calls() if call.writes] == []
    assert world.counts() == before
    for account in world.accounts:
        for table in ("identity_store_import", "data_source_import", "access_provider_import", "data_usage_import"):
            (row,) = world.store.rows(ImportResult, account, table=table)
            assert (row.added, row.removed) == (0, 0), table
        (usage,) = world.store.rows(ImportResult, account, table="data_usage_import")
        assert usage.elements == 0


def test_no_answer_of_aws_is_asked_for_twice_in_one_sync(world: World) -> None:
    world.sync()
    asked = [(c.account, c.region, c.service, c.operation) for c in world.calls() if c.service == "sts"]
    assert len(asked) == len(set(asked))
