"""Rates that AWS sets for a whole account, kept by all readers of this process together.

Identity Center answers 20 calls a second for all of `sso-admin`, and 20 for all of `identitystore`; whoever asks
faster is throttled, whichever operation it is. Organizations has a limit of its own for each operation, a few calls a
second, which all readers of the organization share, AWS's own services among them.
https://docs.aws.amazon.com/singlesignon/latest/userguide/limits.html
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
"""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

ORGANIZATION_RATES = {"sso-admin": 20.0, "identitystore": 20.0, "organizations": 5.0}
"""Calls a second, by service."""
_BURSTS = {"organizations": 20.0}
"""Calls at once after a pause, by service; one where nothing is said. A small organization is read without waiting."""


class TokenBucket:
    """At most `rate` passes a second, with up to `burst` at once after a pause. Thread-safe.

    `clock` gives seconds, `sleep` waits for seconds; both can be replaced so that a test need not wait.
    """

    def __init__(
        self,
        rate: float,
        burst: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if rate <= 0 or burst < 1:
            raise ValueError(f"a rate above 0 and a burst of at least 1 are needed, not {rate} and {burst}")
        self.rate, self.burst = rate, burst
        self._clock, self._sleep = clock, sleep
        self._tokens, self._at = burst, clock()
        self._lock = threading.Lock()

    def wait(self) -> float:
        """Take one pass, waiting for it where necessary. Gives the seconds waited."""
        with self._lock:
            now = self._clock()
            self._tokens = min(self.burst, self._tokens + (now - self._at) * self.rate)
            self._at = now
            # A pass that is not there yet is taken in advance: who comes later waits behind it.
            self._tokens -= 1.0
            seconds = max(0.0, -self._tokens / self.rate)
        if seconds:
            self._sleep(seconds)
        return seconds


class ServiceLimits:
    """One bucket a service; clients pass through it with every request, retries included."""

    def __init__(
        self,
        rates: Mapping[str, float],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._buckets = {
            service: TokenBucket(rate, _BURSTS.get(service, 1.0), clock=clock, sleep=sleep)
            for service, rate in rates.items()
        }

    def attach(self, client: Any) -> None:
        """Let every request of a boto3 client wait for its turn. Attaching twice changes nothing."""
        service = client.meta.service_model.service_name
        bucket = self._buckets.get(service)
        if bucket is not None:
            # "before-send" is told of every attempt, so that retries are counted too.
            client.meta.events.register("before-send", _passing(bucket), unique_id=f"raito-limit-{id(bucket)}")


def _passing(bucket: TokenBucket) -> Callable[..., None]:
    def wait(**_: Any) -> None:
        bucket.wait()

    return wait


_shared = ServiceLimits(ORGANIZATION_RATES)


def shared_limits() -> ServiceLimits:
    """The limits that every reader of this process keeps together."""
    return _shared
