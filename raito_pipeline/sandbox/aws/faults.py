"""What goes wrong on purpose at the emulated AWS: denied, throttled, failing, dropped, cut short and slow calls."""

import itertools
import threading
from dataclasses import dataclass
from typing import Literal

import msgspec

from raito_pipeline.sandbox.aws.incoming import Incoming

Kind = Literal[
    "deny",
    "throttle",
    "error",
    "unavailable",
    "expired",
    "drop",
    "truncate",
    "half",
    "page",
    "empty",
    "stub",
    "delay",
]


class Fault(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One ordered fault; its JSON form has the same fields, for example `{"kind": "deny", "service": "iam"}`.

    Where: `account`, `region`, `service` (as in the call log) and `operation` have to be equal where given; `resource`
    has to stand in the call's path, query or body; with `writing` only calls that change something are meant. How
    often: `times` calls (null: always) after `skip` calls that pass, so the third call only is `skip=2, times=1`.

    What AWS itself answers: "deny" (access denied), "throttle", "error" (an internal error, 500), "unavailable" (503)
    and "expired" (the credentials have ended). What happens on the way: "drop" (the connection is closed without an
    answer), "truncate" (the call is carried out, and the connection closed in the middle of its answer) and "delay"
    (nothing but `delay`, in seconds, which other kinds can have as well). What somebody else answers in the place of
    AWS: "page" (a proxy's HTML page, with `status` 200 unless it says otherwise), "empty" (200 and no body), "stub"
    (200 and `{}` or `<x/>`) and "half" (the call is carried out, and half the text comes as if it were all of it).
    With `after` the call is carried out before it fails, as when an answer gets lost. `code`, `status` and `message`
    replace what the protocol would say.
    """

    kind: Kind
    account: str = ""
    region: str = ""
    service: str = ""
    operation: str = ""
    resource: str = ""
    writing: bool = False
    skip: int = 0
    times: int | None = None
    delay: float = 0.0
    after: bool = False
    code: str = ""
    status: int = 0
    message: str = ""
    id: str = ""
    hits: int = 0


@dataclass(frozen=True)
class Ordered:
    """What one call meets: seconds to wait, then a fault or none."""

    delay: float
    fault: Fault | None


class Faults:
    """The ordered faults, shared by all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._numbers = itertools.count(1)

    def add(self, fault: Fault) -> str:
        """Order a fault; gives its id."""
        with self._lock:
            kept = msgspec.structs.replace(fault, id=fault.id or f"fault-{next(self._numbers)}", hits=0)
            self._faults.append(kept)
            return kept.id

    def remove(self, fault_id: str) -> bool:
        """Take back one fault; False if there is none of this id."""
        with self._lock:
            before = len(self._faults)
            self._faults = [fault for fault in self._faults if fault.id != fault_id]
            return len(self._faults) < before

    def clear(self) -> None:
        """Take back all faults."""
        with self._lock:
            self._faults.clear()

    def listed(self) -> list[Fault]:
        """All faults, also those that have happened as often as they should, with how often that was (`hits`)."""
        with self._lock:
            return [msgspec.structs.replace(fault) for fault in self._faults]

    def take(self, call: Incoming) -> Ordered:
        """What this call meets: every delay that matches, and the first other fault that is due."""
        delay = 0.0
        with self._lock:
            for fault in self._faults:
                if not _matches(fault, call) or not _is_due(fault):
                    continue
                fault.hits += 1
                delay += fault.delay
                if fault.kind != "delay":
                    return Ordered(delay, msgspec.structs.replace(fault))
        return Ordered(delay, None)


def _matches(fault: Fault, call: Incoming) -> bool:
    wanted = (fault.account, fault.region, fault.service, fault.operation)
    having = (call.account, call.region, call.service, call.operation)
    if fault.writing and not call.writes:
        return False
    return all(want in ("", have) for want, have in zip(wanted, having, strict=True)) and fault.resource in call.text


def _is_due(fault: Fault) -> bool:
    if fault.skip > 0:
        fault.skip -= 1
        return False
    return fault.times is None or fault.hits < fault.times
