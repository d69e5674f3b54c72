"""Single elements that fail are given as errors; where all of them fail, or credentials end, nothing is given."""

import pytest

from raito_pipeline.aws.connection.errors import AwsCredentialsInvalid, AwsDenied, AwsError, AwsGone
from raito_pipeline.aws.readers.elements import each_element
from raito_pipeline.aws.readers.reading import workers


def error(kind: type[AwsError]) -> AwsError:
    return kind("no", action="iam:GetRole", resource="r")


def read(*outcomes: str | AwsError) -> list[str | AwsError]:
    def work(outcome: str | AwsError) -> str:
        if isinstance(outcome, AwsError):
            raise outcome
        return outcome

    with workers(4) as pool:
        return each_element(pool, work, outcomes, "roles")


def test_answers_and_errors_come_in_the_order_of_the_items() -> None:
    denied, gone = error(AwsDenied), error(AwsGone)

    assert read("a", denied, "b", gone) == ["a", denied, "b", gone]
    assert read() == []


def test_where_every_one_fails_it_is_no_matter_of_single_ones() -> None:
    first, second = error(AwsDenied), error(AwsDenied)

    with pytest.raises(AwsDenied) as raised:
        read(first, second)
    assert raised.value is first
    with pytest.raises(AwsDenied):
        read(error(AwsGone), error(AwsDenied))


def test_that_all_were_deleted_meanwhile_is_an_answer() -> None:
    gone = error(AwsGone)

    assert read(gone, gone) == [gone, gone]


def test_credentials_that_have_ended_end_the_read() -> None:
    with pytest.raises(AwsCredentialsInvalid):
        read("a", error(AwsCredentialsInvalid))
