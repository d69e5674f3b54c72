"""The sensor `discover_accounts`: new accounts of the organization become targets, and their partitions are shown.

It is off until somebody turns it on, as it makes things in Raito Cloud. Partitions come from the configuration when
definitions load; so the sensor writes the file of discovered targets and asks the Dagster UI to load the location again
(docs/decisions/0017-discovered-targets.md).
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import dagster as dg
import requests

from raito_pipeline.aws.connection.clients import AwsError, WrongAccount
from raito_pipeline.config import ConfigError, Options
from raito_pipeline.config.edit import NotEditable
from raito_pipeline.orchestration.automation.discovery import (
    DiscoveryPlan,
    DiscoveryVerdict,
    NoDiscovery,
    plan_of,
    work_of,
)
from raito_pipeline.orchestration.config_file import load_configuration
from raito_pipeline.orchestration.naming import Naming
from raito_pipeline.orchestration.resources import Services
from raito_pipeline.raito.errors import RaitoError

NAME = "discover_accounts"
MOST = 50
"""New accounts a tick: a tick has a minute, and each account takes some calls to Raito Cloud. The others come next."""
_SECONDS = 60
_RELOAD = """
mutation Reload($name: String!) {
  reloadRepositoryLocation(repositoryLocationName: $name) {
    __typename
    ... on WorkspaceLocationEntry { locationOrLoadError { __typename ... on PythonError { message } } }
    ... on PythonError { message }
    ... on UnauthorizedError { message }
  }
}
"""


def discover_sensor(options: Options, naming: Naming) -> dg.SensorDefinition | None:
    """The sensor; None where the configuration says nothing of discovery."""
    discovery = options.pipeline.discover
    if discovery is None:
        return None

    def evaluate(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        # The file as it is now: this process may have loaded it long ago.
        said = tick(options.file, lambda: _reloaded(context, discovery.dagster_url), options)
        context.log.info(said)
        return dg.SkipReason(said)

    return dg.SensorDefinition(
        name=naming.of(NAME),
        evaluation_fn=evaluate,
        minimum_interval_seconds=discovery.every_minutes * 60,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description="`pipeline: discover` of raito.yml: new accounts of the organization become targets.",
    )


def tick(file: str, reload: Callable[[], str], shown: Options) -> str:
    """What one tick did, in words. Raises `DiscoveryFailed`, so that Dagster shows the tick as failed.

    The location is loaded again as long as the file has other accounts than those that are `shown`: also where loading
    did not work the last time, where another account failed, and where a command discovered them.
    """
    problem, said = "", ""
    try:
        said = _carried_out(file)
    except (ConfigError, NoDiscovery, AwsError, WrongAccount, RaitoError, NotEditable, OSError) as error:
        problem = str(error)
    reloaded = ""
    with suppress(ConfigError, OSError):  # a file that cannot be read is the problem already
        reloaded = reload() if _accounts(load_configuration(file)) != _accounts(shown) else ""
    text = "; ".join(filter(None, (problem, said, reloaded)))
    if problem:
        raise DiscoveryFailed(text)
    return text


def _carried_out(file: str) -> str:
    """What was done, in words."""
    services = Services(load_configuration(file, only_targets=()))
    plan = plan_of(services)
    if not plan.changes:
        return _counts(plan)
    done = work_of(services, datetime.now(UTC).date()).carry_out(_first(plan))
    added, marked = ", ".join(done.added), ", ".join(done.marked)
    parts = (f"added {added}" if added else "", f"marked {marked}" if marked else "", _counts(plan))
    return "; ".join(filter(None, parts))


def _accounts(options: Options) -> set[tuple[str, bool]]:
    """The partitions of accounts, and whether each is closed."""
    return {(target.partition, target.closed is not None) for target in options.accounts}


class DiscoveryFailed(Exception):
    """A tick could not find accounts, or not make what they need."""


def _first(plan: DiscoveryPlan) -> DiscoveryPlan:
    later = {account.account_id for account in plan.of(DiscoveryVerdict.NEW)[MOST:]}
    return replace(plan, accounts=tuple(one for one in plan.accounts if one.account_id not in later))


def _counts(plan: DiscoveryPlan) -> str:
    counts = {verdict: len(plan.of(verdict)) for verdict in DiscoveryVerdict}
    return ", ".join(f"{count} {verdict.value}" for verdict, count in counts.items() if count) or "no accounts"


def _reloaded(context: dg.SensorEvaluationContext, url: str | None) -> str:
    origin = context.code_location_origin
    return reload_location(url, None if origin is None else origin.location_name)


def reload_location(url: str | None, location: str | None) -> str:
    """Ask the Dagster UI at `url` to load a location again; says what came of it, and what a person has to do."""
    by_hand = "load the code location again to show it"
    if url is None or location is None:
        return f"{by_hand} (`pipeline: discover: dagster-url` does so)"
    try:
        body = {"query": _RELOAD, "variables": {"name": location}}
        answer = requests.post(f"{url}graphql", json=body, timeout=_SECONDS).json()
        entry = answer["data"]["reloadRepositoryLocation"]
        problem = entry.get("message") or (entry.get("locationOrLoadError") or {}).get("message")
        if entry["__typename"] != "WorkspaceLocationEntry":
            problem = problem or entry["__typename"]
    except (requests.RequestException, ValueError, KeyError, TypeError, AttributeError) as error:
        problem = f"{type(error).__name__}"
    if problem:
        return f"the Dagster UI at {url} did not load {location} again ({' '.join(problem.split())[:200]}): {by_hand}"
    return f"{location} was loaded again"
