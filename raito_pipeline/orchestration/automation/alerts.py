"""Says outside of Dagster that a run of a sync failed: one POST of JSON to `pipeline: alert-webhook`.

Not of a run that Dagster will try again: only the last try is said. An address that does not answer is said in the
tick of the sensor, and ends nothing: the next failed run is posted again.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import dagster as dg
import requests

from raito_pipeline.config import Options
from raito_pipeline.first_few import first_lines
from raito_pipeline.orchestration.naming import COMPONENT_TAG, Naming
from raito_pipeline.orchestration.partitioning.grid import Grid
from raito_pipeline.orchestration.runs.failures import failure_lines
from raito_pipeline.orchestration.runs.tags import LAYER_TAG, SYNC_TAG, TARGET_TAG, retried, syncs_of
from raito_pipeline.redaction import redact

_MOST_REASONS = 10
_LONGEST = 300
_TRIES = 3
_PAUSE = 1.0
_DECIDES_WITHIN = 20.0
"""seconds that Dagster may take to decide whether it tries a run again: the event of the failure comes first"""
_ASKS_EACH = 0.5
_TIMEOUT = (5.0, 10.0)
"""seconds to connect, and to wait for an answer: the daemon evaluates other sensors meanwhile, in other threads"""


class AlertNotSent(Exception):
    """The webhook did not take an alert. The text does not hold its address, which is a secret."""


@dataclass(frozen=True)
class Alert:
    """What is said of a failed run."""

    run_id: str
    job: str
    layer: str
    accounts: tuple[str, ...]
    targets: str
    sync: str
    reasons: tuple[str, ...]

    @property
    def text(self) -> str:
        """In words."""
        whose = ", ".join(self.accounts) or "no account"
        named = f" ({self.targets})" if self.targets else ""
        lines = [f"raito-pipeline: {self.layer} of {whose}{named} failed in run {self.run_id[:8]}", *self.reasons]
        return "\n".join(lines)

    def json(self) -> dict[str, Any]:
        """As it is posted."""
        return {
            "text": self.text,
            "run_id": self.run_id,
            "job": self.job,
            "layer": self.layer,
            "accounts": list(self.accounts),
            "sync": self.sync,
            "reasons": list(self.reasons),
        }


def alert_sensor(options: Options, grid: Grid) -> dg.SensorDefinition | None:
    """The sensor `alert_of_failed_runs`; None without `alert-webhook`."""
    webhook = options.pipeline.alert_webhook
    if webhook is None:
        return None
    naming, secrets = grid.naming, options.secrets

    @dg.run_failure_sensor(
        name=naming.of("alert_of_failed_runs"),
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=30,
        description="`pipeline: alert-webhook`: posts each run of a sync that failed and is not tried again.",
    )
    def alert_of_failed_runs(context: dg.RunFailureSensorContext) -> dg.SkipReason | None:
        alert = alert_of(context, naming, secrets)
        if alert is None:
            return dg.SkipReason("a run that is tried again, or no run of a sync")
        try:
            post(webhook.get_secret_value(), alert)
        except AlertNotSent as error:
            context.log.error(f"{alert.text.splitlines()[0]}, and nobody was told: {error}")
            return dg.SkipReason(str(error))
        context.log.info(f"posted: {alert.text}")
        return None

    return alert_of_failed_runs


def alert_of(context: dg.RunFailureSensorContext, naming: Naming, secrets: frozenset[str]) -> Alert | None:
    """What is to be said of a failed run; None for one that will be tried again, and for one that is not of a sync."""
    run = context.dagster_run
    ours = LAYER_TAG in run.tags and run.tags.get(COMPONENT_TAG, "") == naming.component
    if not ours or _is_retried(run, context.instance):
        return None
    lines = dict.fromkeys(redact(line, secrets)[:_LONGEST] for line in _reasons(context) if line.strip())
    return Alert(
        run.run_id,
        run.job_name,
        run.tags[LAYER_TAG],
        tuple(syncs_of(run.tags)),
        run.tags.get(TARGET_TAG, ""),
        run.tags.get(SYNC_TAG, ""),
        tuple(first_lines(list(lines), _MOST_REASONS)),
    )


def _is_retried(run: dg.DagsterRun, instance: dg.DagsterInstance) -> bool:
    """Whether Dagster tries it again; one that is not decided in good time is posted."""
    until = time.monotonic() + _DECIDES_WITHIN
    decided = retried(run.status, run.tags, instance)
    while decided is None and time.monotonic() < until:
        time.sleep(_ASKS_EACH)
        now = instance.get_run_by_id(run.run_id) or run
        decided = retried(now.status, now.tags, instance)
    return decided is True


def _reasons(context: dg.RunFailureSensorContext) -> Iterator[str]:
    """The lines by which the steps of the run said what failed; without a step that failed, what Dagster says."""
    for event in context.get_step_failure_events() or [context.failure_event]:
        yield from failure_lines(event)


def post(url: str, alert: Alert) -> None:
    """Post an alert. Raises `AlertNotSent`; what may pass (no connection, 429, 5xx) is tried three times."""
    host, problem = urlsplit(url).hostname, ""
    for attempt in range(_TRIES):
        if attempt:
            time.sleep(_PAUSE * attempt)
        try:
            # A redirect could lead anywhere: it is not followed.
            answer = requests.post(url, json=alert.json(), timeout=_TIMEOUT, allow_redirects=False)
        except requests.RequestException as error:
            problem = type(error).__name__  # its text holds the address
            continue
        if answer.ok and not answer.is_redirect:
            return
        problem = f"HTTP {answer.status_code}"
        if answer.status_code != requests.codes.too_many_requests and answer.status_code < 500:
            break
    raise AlertNotSent(f"alert-webhook ({host}) did not take it: {problem}")
