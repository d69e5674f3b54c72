"""The time span of the usage that Raito Cloud has, in UTC, whatever zone it answers in."""

from datetime import UTC, datetime

import pytest

from raito_pipeline.raito.client import RaitoClient
from raito_pipeline.raito.errors import RaitoRefused
from raito_pipeline.raito.usage_window import usage_window

from .conftest import Answer, ScriptedServer, connection_to

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-01T12:00:00Z", NOON),
        ("2026-03-01T14:00:00+02:00", NOON),
        ("2026-03-01T12:00:00", NOON),
        ("2026-03-01T12:00:00.000000001Z", NOON),
        ("", None),
        (None, None),
        ("0001-01-01T00:00:00Z", None),
    ],
)
def test_the_last_statement(scripted: ScriptedServer, text: str | None, moment: datetime | None) -> None:
    answer = {"usageFirstUsed": "2026-01-01T00:00:00Z", "usageLastUsed": text}
    scripted.on("POST", "/query", Answer({"data": {"dataSource": answer}}))
    with RaitoClient(connection_to(scripted.url, skip_authentication=True)) as client:
        window = usage_window(client, "source-1")

    assert (window.first_used, window.last_used) == (datetime(2026, 1, 1, tzinfo=UTC), moment)
    (request,) = scripted.requests("POST", "/query")
    assert request.json["variables"] == {"id": "source-1"}


@pytest.mark.parametrize("odd", ["yesterday", 5, {"at": 1}, "0001-01-01T00:00:00+14:00"])
def test_what_is_no_time_is_an_error_in_words(scripted: ScriptedServer, odd: object) -> None:
    scripted.on("POST", "/query", Answer({"data": {"dataSource": {"usageFirstUsed": "", "usageLastUsed": odd}}}))
    with (
        RaitoClient(connection_to(scripted.url, skip_authentication=True)) as client,
        pytest.raises(RaitoRefused, match="usageLastUsed is no time"),
    ):
        usage_window(client, "source-1")
