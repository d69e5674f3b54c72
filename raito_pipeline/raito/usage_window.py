"""The time span of the usage that Raito Cloud already has."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from raito_pipeline.raito.client import RaitoClient
from raito_pipeline.raito.errors import RaitoRefused


@dataclass(frozen=True, slots=True)
class UsageWindow:
    """Start of the first and of the last statement imported so far (UTC); None before the first import."""

    first_used: datetime | None
    last_used: datetime | None


def usage_window(client: RaitoClient, data_source_id: str) -> UsageWindow:
    """Ask for the usage window of a data source. Raises `RaitoError`."""
    answer = client.call("UsageWindow", {"id": data_source_id})
    return UsageWindow(_instant(answer, "usageFirstUsed"), _instant(answer, "usageLastUsed"))


def _instant(answer: Mapping[str, Any], name: str) -> datetime | None:
    """The time of a member; None for none, and for the zero time of the service's language, which stands for none."""
    text = answer.get(name)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        known = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise RaitoRefused("UsageWindow", (f"{name} is no time",)) from None
    return known if known.year > 1 else None
