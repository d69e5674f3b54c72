"""The log of the calls that came to the emulated AWS, for tests that count them and for the explain-and-apply story."""

import threading
from collections import deque
from collections.abc import Iterator
from typing import Any

import msgspec

_LONGEST = 200_000
_ALIASES = {"sso-admin": "sso", "s3-control": "s3control"}


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One call. `number` counts from 1; `time` is in seconds since 1970; `status` is 0 where nothing was answered.

    `service` is the name in the signature ("iam", "sso", "s3", "identitystore", ...), "s3control" for S3 Control and
    "cognito-idp". `request` is a digest of all that the client asked with, so that equal questions are known by it.
    `fault` is the kind of the fault that the call met, or empty.
    """

    number: int
    time: float
    account: str
    region: str
    service: str
    operation: str
    status: int
    writes: bool
    seconds: float
    request: str = ""
    fault: str = ""


class CallLog:
    """The last 200,000 calls, and exact counts of all of them; shared by all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: deque[Call] = deque(maxlen=_LONGEST)
        self._counts: dict[tuple[str, str, str], int] = {}
        self._number = 0

    def add(self, **fields: Any) -> Call:
        """Log one call (all fields of Call but its number)."""
        with self._lock:
            self._number += 1
            call = Call(number=self._number, **fields)
            self._calls.append(call)
            key = (call.service, call.operation, call.account)
            self._counts[key] = self._counts.get(key, 0) + 1
            return call

    @property
    def mark(self) -> int:
        """The number of the last call; `since(mark)` gives what came after it."""
        with self._lock:
            return self._number

    def since(self, mark: int = 0) -> list[Call]:
        """The calls after the one with this number, oldest first."""
        with self._lock:
            return [call for call in self._calls if call.number > mark]

    def writing(self, mark: int = 0) -> list[Call]:
        """The calls after `mark` that change something, whether they succeeded or not."""
        return [call for call in self.since(mark) if call.writes]

    def count(self, service: str | None = None, operation: str | None = None, account: str | None = None) -> int:
        """How many calls there were since the last reset; a filter that is left out matches everything."""
        service = _ALIASES.get(service, service) if service else service
        wanted = (service, operation, account)
        with self._lock:
            return sum(
                count
                for key, count in self._counts.items()
                if all(want is None or want == have for want, have in zip(wanted, key, strict=True))
            )

    def reset(self) -> None:
        """Forget all calls; numbers go on, so that marks taken before stay true."""
        with self._lock:
            self._calls.clear()
            self._counts.clear()

    def __len__(self) -> int:
        with self._lock:
            return len(self._calls)

    def __iter__(self) -> Iterator[Call]:
        return iter(self.since())
