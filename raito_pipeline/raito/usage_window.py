"""The time span of the usage that Raito Cloud already has."""

from dataclasses import dataclass
from datetime import UTC, datetime

from raito_pipeline.raito.client import RaitoClient


@dataclass(frozen=True, slots=True)
class UsageWindow:
    """Start of the first and of the last statement imported so far (UTC); None before the first import."""

    first_used: datetime | None
    last_used: datetime | None


def usage_window(client: RaitoClient, data_source_id: str) -> UsageWindow:
    """Ask for the usage window of a data source. Raises `RaitoError`."""
    answer = client.call("UsageWindow", {"id": data_source_id})
    return UsageWindow(_instant(answer.get("usageFirstUsed")), _instant(answer.get("usageLastUsed")))


def _instant(text: str | None) -> datetime | None:
    if not text:
        return None
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
