"""What goes wrong on purpose: faults that tests order over HTTP, and the log of what clients asked for."""

import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

LOG_LENGTH = 20_000


class CloudFault(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One ordered fault.

    `on` says where: "signed-url", "upload" (the PUT), "download" (of an export), "admin" (admin/org), "query" (any
    GraphQL request), "poll" (jobSubtask), "operation:FIELD" (a GraphQL field such as "operation:createJob"), or
    "import:KIND" with KIND one of identities, data-objects, access-providers, usage, feedback, export.
    `times` is how often (null: always) after letting `skip` pass. Requests are answered with `status` and `message`
    (status 200 on a GraphQL field: an entry in `errors`); `delay` is waited first, in seconds; `drop` closes the
    connection without an answer. Imports end with `outcome` (FAILED or TIMED_OUT) and `message`, or are made and have
    `message` as an error beside it (COMPLETED); without an outcome they only wait for `delay`. `match` restricts the
    fault to requests whose text (path, query, variables) holds it.
    """

    on: str
    times: int | None = 1
    skip: int = 0
    status: int | None = None
    message: str = "ordered by a fault"
    delay: float = 0.0
    drop: bool = False
    outcome: str | None = None
    match: str = ""


class CloudFaults:
    """The faults that are still to happen, shared by all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[CloudFault] = []

    def add(self, fault: CloudFault) -> None:
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def listed(self) -> list[CloudFault]:
        with self._lock:
            return [msgspec.structs.replace(fault) for fault in self._faults]

    def take(self, *places: str, subject: str = "") -> CloudFault | None:
        """The first fault that is due at one of these places, counted as used; None if there is none."""
        with self._lock:
            for fault in self._faults:
                if fault.on not in places or fault.match not in subject:
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self._faults.remove(fault)
                return msgspec.structs.replace(fault)
        return None


class RequestLog:
    """The last requests, the oldest first, without secrets."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: deque[dict[str, Any]] = deque(maxlen=LOG_LENGTH)

    def add(self, entry: Mapping[str, Any]) -> None:
        with self._lock:
            self._entries.append({"time": round(time.time(), 6), **without_secrets(entry)})

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        with self._lock:
            return iter(list(self._entries))


def without_secrets(value: Any) -> Any:
    """The value with everything masked that stands under a name that tells of a secret."""
    if isinstance(value, Mapping):
        return {key: "***" if _is_secret(str(key)) else without_secrets(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [without_secrets(item) for item in value]
    return value


def _is_secret(name: str) -> bool:
    return any(part in name.lower() for part in ("secret", "passw", "token", "authorization", "signature"))
