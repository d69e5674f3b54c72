"""Which data objects may exist without being known: none, some buckets, or any."""

from raito_pipeline.aws.usage.report import NOTHING_INCOMPLETE, WAIT, Incomplete


def test_only_what_names_a_bucket_or_all_of_them_is_incomplete() -> None:
    assert not NOTHING_INCOMPLETE
    assert not Incomplete()
    assert Incomplete(frozenset({"111122223333:eu-west-1:sales"}))
    assert Incomplete(whole=True)


def test_a_file_waits_for_days_and_not_for_ever() -> None:
    assert 1 <= WAIT.days <= 7
