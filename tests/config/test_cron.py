"""The longest time between two ticks of a cron expression."""

from datetime import timedelta

import pytest

from raito_pipeline.config.cron import longest_interval, normalize


@pytest.mark.parametrize(
    ("expression", "longest"),
    [
        ("@hourly", timedelta(hours=1)),
        ("0 */6 * * *", timedelta(hours=6)),
        ("30 6 * * *", timedelta(days=1)),
        ("0 6,20 * * *", timedelta(hours=14)),
        ("0 6 * * MON-FRI", timedelta(days=3)),
        ("0 6 * * 7", timedelta(days=7)),
        ("0 6,20 * * 1", timedelta(days=6, hours=10)),
        # Either of both kinds of days is enough.
        ("0 0 1,15 * 1", timedelta(days=7)),
        ("0 6 * 1-3 *", timedelta(days=276)),
        ("@yearly", timedelta(days=366)),
        ("0 6 29 2 *", timedelta(days=4 * 365 + 1)),
    ],
)
def test_the_longest_interval(expression: str, longest: timedelta) -> None:
    assert longest_interval(normalize(expression)) == longest
