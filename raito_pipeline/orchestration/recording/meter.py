"""What a piece of work costs: seconds, and calls of AWS."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg

from raito_pipeline.aws.connection.clients import AwsClients


@dataclass(frozen=True)
class Cost:
    """Time and AWS calls of a piece of work."""

    seconds: float
    calls: Mapping[str, int]

    def metadata(self) -> dict[str, Any]:
        """As Dagster metadata."""
        return {
            "seconds": dg.MetadataValue.float(round(self.seconds, 3)),
            "AWS calls": dg.MetadataValue.int(sum(self.calls.values())),
            "AWS calls by operation": dg.MetadataValue.json(dict(sorted(self.calls.items()))),
        }


class Meter:
    """Measures what a piece of work costs, from its making to `cost()`."""

    def __init__(self, *clients: AwsClients) -> None:
        self._clients = clients
        self._began = time.monotonic()
        self._before = [dict(c.calls) for c in clients]

    def cost(self) -> Cost:
        """Seconds and calls since the meter was made."""
        calls: dict[str, int] = {}
        for before, client in zip(self._before, self._clients, strict=True):
            for name, count in client.calls.copy().items():
                if count > before.get(name, 0):
                    calls[name] = calls.get(name, 0) + count - before.get(name, 0)
        return Cost(time.monotonic() - self._began, calls)
