"""Rates that AWS sets for a whole account, kept by all readers together: of this process, and of this machine.

Identity Center answers 20 calls a second for all of `sso-admin`, and 20 for all of `identitystore`; whoever asks
faster is throttled, whichever operation it is. Organizations has a limit of its own for each operation, a few calls a
second, which all readers of the organization share, AWS's own services among them.
https://docs.aws.amazon.com/singlesignon/latest/userguide/limits.html
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html

What processes on other machines ask cannot be counted here. Where AWS throttles a call all the same, every process of
this machine asks at half the rate from then on, and slowly faster again.
"""

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from raito_pipeline.aws.connection.errors import THROTTLED
from raito_pipeline.aws.connection.shared_bucket import (
    BucketMemory,
    BucketState,
    OfThisMachine,
    OfThisProcess,
    limits_folder,
)

ORGANIZATION_RATES = {"sso-admin": 20.0, "identitystore": 20.0, "organizations": 5.0}
"""Calls a second, by service."""
_BURSTS = {"organizations": 20.0}
"""Calls at once after a pause, by service; one where nothing is said. A small organization is read without waiting."""


LEAST_RATE = 1.0
"""Calls a second, however often AWS refuses them."""
RECOVERS_IN = 20.0
"""Seconds from no calls at all to the whole rate."""
_SLOWED_ONCE_IN = 1.0
"""Seconds in which several refusals are one: they come of the same burst."""


class TokenBucket:
    """At most `rate` passes a second, with up to `burst` at once after a pause. Thread-safe.

    `clock` gives seconds, `sleep` waits for seconds; both can be replaced so that a test need not wait. `memory` keeps
    the state, for this process alone where there is none.
    """

    def __init__(
        self,
        rate: float,
        burst: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        memory: BucketMemory | None = None,
    ) -> None:
        if rate <= 0 or burst < 1:
            raise ValueError(f"a rate above 0 and a burst of at least 1 are needed, not {rate} and {burst}")
        self.rate, self.burst = rate, burst
        self._clock, self._sleep = clock, sleep
        self._memory = memory or OfThisProcess()

    def wait(self) -> float:
        """Take one pass, waiting for it where necessary. Gives the seconds waited."""
        # A pass that is not there yet is taken in advance: who comes later waits behind it.
        state = self._memory.change(lambda state: replace(now := self._now(state), passes=now.passes - 1.0))
        seconds = max(0.0, -state.passes / state.rate)
        if seconds:
            self._sleep(seconds)
        return seconds

    def slow_down(self) -> None:
        """AWS refused a call as one too many: whoever shares this bucket asks at half the rate for a while."""

        def slowed(before: BucketState | None) -> BucketState:
            now = self._now(before)
            if now.at - now.slowed_at < _SLOWED_ONCE_IN:
                return now
            return replace(now, rate=max(now.rate / 2, min(LEAST_RATE, self.rate)), slowed_at=now.at)

        self._memory.change(slowed)

    def _now(self, state: BucketState | None) -> BucketState:
        """A state as it is now: with the passes that came since, and a rate that recovers."""
        now = self._clock()
        if state is None:
            return BucketState(self.burst, now, self.rate, float("-inf"))
        passed = max(0.0, now - state.at)
        passes = min(self.burst, state.passes + passed * state.rate)
        rate = min(self.rate, state.rate + passed * self.rate / RECOVERS_IN)
        return BucketState(passes, now, rate, state.slowed_at)


class ServiceLimits:
    """One bucket a service and address; clients pass through it with every request, retries included.

    With a `folder`, the processes that name the same one share their buckets.
    """

    def __init__(
        self,
        rates: Mapping[str, float],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        folder: Callable[[], Path | None] = lambda: None,
    ) -> None:
        self._rates, self._clock, self._sleep, self._folder = rates, clock, sleep, folder
        self._buckets: dict[str, TokenBucket] = {}
        self._lock = threading.Lock()

    def attach(self, client: Any) -> None:
        """Let every request of a boto3 client wait for its turn. Attaching twice changes nothing."""
        service = client.meta.service_model.service_name
        if service not in self._rates:
            return
        bucket = self._bucket(service, urlsplit(client.meta.endpoint_url).netloc)
        # "before-send" is told of every attempt, so that retries are counted too.
        client.meta.events.register("before-send", _passing(bucket), unique_id=f"raito-limit-{id(bucket)}")
        client.meta.events.register("needs-retry", _slowing(bucket), unique_id=f"raito-slow-{id(bucket)}")

    def _bucket(self, service: str, address: str) -> TokenBucket:
        """The bucket of a service at an address: an Identity Center has one in its region."""
        name = re.sub(r"[^A-Za-z0-9.-]", "_", f"{service}@{address}")
        with self._lock:
            if name not in self._buckets:
                folder = self._folder()
                memory = OfThisProcess() if folder is None else OfThisMachine(folder / f"{name}.limit")
                burst = _BURSTS.get(service, 1.0)
                self._buckets[name] = TokenBucket(self._rates[service], burst, self._clock, self._sleep, memory)
            return self._buckets[name]


def _passing(bucket: TokenBucket) -> Callable[..., None]:
    def wait(**_: Any) -> None:
        bucket.wait()

    return wait


def _slowing(bucket: TokenBucket) -> Callable[..., None]:
    def look(response: Any = None, **_: Any) -> None:
        """Told of every answer before it is decided whether the call is made again; decides nothing."""
        parsed = response[1] if response else {}
        if (parsed.get("Error") or {}).get("Code") in THROTTLED:
            bucket.slow_down()

    return look


_shared = ServiceLimits(ORGANIZATION_RATES, folder=limits_folder)


def shared_limits() -> ServiceLimits:
    """The limits that every reader of this machine keeps together."""
    return _shared
