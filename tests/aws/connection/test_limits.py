"""At most so many calls a second, by whoever of the process makes them."""

from contextlib import suppress

import boto3
import pytest
from botocore.exceptions import ClientError

from raito_pipeline.aws.connection.limits import ORGANIZATION_RATES, ServiceLimits, TokenBucket, shared_limits
from tests.aws.conftest import Reach
from tests.aws.stand_in import Refused, StandIn


class Clock:
    """A time that passes only where somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_calls_come_at_the_rate_and_a_pause_saves_no_more_than_the_burst() -> None:
    clock = Clock()
    bucket = TokenBucket(10, burst=2, clock=clock, sleep=clock.sleep)

    assert [round(bucket.wait(), 3) for _ in range(5)] == [0, 0, 0.1, 0.1, 0.1]
    clock.now += 60
    assert [round(bucket.wait(), 3) for _ in range(3)] == [0, 0, 0.1]


def test_who_comes_while_others_wait_waits_behind_them() -> None:
    clock = Clock()
    bucket = TokenBucket(10, clock=clock, sleep=lambda _: None)  # three threads at one moment

    assert [round(bucket.wait(), 3) for _ in range(4)] == [0, 0.1, 0.2, 0.3]


@pytest.mark.parametrize(("rate", "burst"), [(0, 1), (-1, 1), (1, 0.5)])
def test_a_rate_that_lets_nothing_through_is_refused(rate: float, burst: float) -> None:
    with pytest.raises(ValueError, match="a rate above 0"):
        TokenBucket(rate, burst)


def test_identity_center_is_asked_twenty_times_a_second_by_the_whole_process() -> None:
    assert ORGANIZATION_RATES == {"sso-admin": 20.0, "identitystore": 20.0, "organizations": 5.0}
    assert shared_limits() is shared_limits()


def test_a_small_organization_is_read_without_waiting() -> None:
    clock = Clock()
    limits = ServiceLimits(ORGANIZATION_RATES, clock=clock, sleep=clock.sleep)
    keys = {"region_name": "eu-west-1", "aws_access_key_id": "x", "aws_secret_access_key": "x"}
    client = boto3.client("organizations", **keys)  # type: ignore[call-overload]
    limits.attach(client)

    for _ in range(25):
        client.meta.events.emit("before-send.organizations.ListParents", request=None)
    assert clock.now == pytest.approx(1.0)


def test_attempts_of_a_limited_service_wait_once_each_and_others_do_not() -> None:
    clock = Clock()
    limits = ServiceLimits({"sts": 1.0}, clock=clock, sleep=clock.sleep)
    keys = {"region_name": "eu-west-1", "aws_access_key_id": "x", "aws_secret_access_key": "x"}
    limited, free = boto3.client("sts", **keys), boto3.client("s3", **keys)
    for client in (limited, limited, free):
        limits.attach(client)

    for _ in range(3):
        limited.meta.events.emit("before-send.sts.GetCallerIdentity", request=None)
        free.meta.events.emit("before-send.s3.ListBuckets", request=None)

    assert clock.now == pytest.approx(2.0)


def test_where_aws_refuses_a_call_the_rate_halves_once_a_burst_and_recovers() -> None:
    clock = Clock()
    bucket = TokenBucket(10, clock=clock, sleep=clock.sleep)
    for _ in range(5):
        bucket.slow_down()
    assert [round(bucket.wait(), 2) for _ in range(2)] == [0, 0.2]
    for _ in range(20):
        clock.now += 2
        bucket.slow_down()
    bucket.wait()
    assert bucket.wait() <= 1.0
    clock.now += 60
    bucket.wait()
    assert round(bucket.wait(), 2) == 0.1


@pytest.mark.parametrize(("code", "waits"), [(None, 0.1), ("AccessDeniedException", 0.1), ("ThrottlingException", 0.2)])
def test_answers_of_aws_slow_a_client_down_only_where_they_throttle(
    reach: Reach, code: str | None, waits: float
) -> None:
    clock = Clock()
    stand_in = StandIn({"organizations:ListParents": lambda _request: {"Parents": []}})
    stand_in.faults = {} if code is None else {("organizations:ListParents", 1): Refused(400, code)}
    client = reach(stand_in, attempts=1).client("organizations", "eu-west-1")
    ServiceLimits({"organizations": 10.0}, clock=clock, sleep=clock.sleep).attach(client)

    for number in range(22):
        before = clock.now
        with suppress(ClientError):
            client.list_parents(ChildId="111122223333")
        assert number < 20 or round(clock.now - before, 3) >= 0.1

    assert round(clock.now - before, 2) == waits
