"""What a piece of work costs: only what came since the meter was made, over all of its clients."""

from raito_pipeline.aws.connection.clients import AwsClients
from raito_pipeline.orchestration.recording.meter import Cost, Meter


def test_calls_before_the_work_are_not_counted_and_those_of_all_clients_are() -> None:
    one, two = AwsClients(None), AwsClients(None)
    one.calls.update({"iam:ListUsers": 5, "s3:ListBuckets": 1})
    meter = Meter(one, two)
    one.calls.update({"iam:ListUsers": 2})
    two.calls.update({"iam:ListUsers": 1, "glue:GetTables": 3})

    cost = meter.cost()

    assert cost.calls == {"iam:ListUsers": 3, "glue:GetTables": 3}
    assert 0 <= cost.seconds < 5


def test_metadata_is_numbers_with_calls_by_operation_in_order() -> None:
    shown = Cost(1.23456, {"s3:ListBuckets": 1, "iam:ListUsers": 2}).metadata()

    assert shown["seconds"].value == 1.235
    assert shown["AWS calls"].value == 3
    assert list(shown["AWS calls by operation"].value.items()) == [("iam:ListUsers", 2), ("s3:ListBuckets", 1)]
