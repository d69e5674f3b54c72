"""What is posted of a failed run, to a server that is really asked."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import dagster as dg
import pytest
from pydantic import SecretStr

from raito_pipeline.config import ConfigError, Options
from raito_pipeline.model import Layer
from raito_pipeline.orchestration.automation import alerts
from raito_pipeline.orchestration.automation.alerts import alert_sensor
from raito_pipeline.orchestration.naming import Naming
from raito_pipeline.orchestration.partitioning.grid import make_grid
from raito_pipeline.orchestration.runs.sync_run import NoTargetOfIt
from raito_pipeline.orchestration.runs.tags import TARGET_TAG, WILL_RETRY_TAG, layer_tags
from tests.orchestration.conftest import FIRST, Loads

ACCOUNT = str(FIRST)
PATH = "/services/T0/hidden-part"
SECRET = "nothing-that-anybody-may-see"


@dataclass
class Webhook:
    """A server that answers with these statuses in turn, and with the last of them from then on."""

    statuses: list[int] = field(default_factory=lambda: [200])
    posted: list[dict[str, object]] = field(default_factory=list)
    asked: int = 0
    url: str = ""


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    kept = Webhook()

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = kept.statuses[min(kept.asked, len(kept.statuses) - 1)]
            kept.asked += 1
            if status == 200:
                kept.posted.append(json.loads(body))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.send_header("Location", f"{kept.url}/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        kept.url = f"http://127.0.0.1:{server.server_address[1]}{PATH}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield kept
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerts, "_PAUSE", 0.0)


@pytest.fixture
def memory() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def telling(loads: Loads, url: str) -> Options:
    options = loads(accounts=1)
    pipeline = options.pipeline.model_copy(update={"alert_webhook": SecretStr(url)})
    target = options.accounts[0].model_copy(update={"api_secret": SecretStr(SECRET)})
    return options.model_copy(update={"pipeline": pipeline, "accounts": (target,)})


def failed(instance: dg.DagsterInstance, why: str, **tags: str) -> dg.ExecuteInProcessResult:
    @dg.op
    def iam() -> None:
        raise dg.Failure(why, allow_retries=False)

    @dg.job
    def sync_account() -> None:
        iam()

    ours = {**layer_tags(Layer.ACCOUNT, ACCOUNT, "s1"), TARGET_TAG: "account-0", **tags}
    return sync_account.execute_in_process(instance=instance, tags=ours, raise_on_error=False)


def tick(
    options: Options,
    result: dg.ExecuteInProcessResult,
    instance: dg.DagsterInstance,
    name: str = "",
    run: dg.DagsterRun | None = None,
) -> str | None:
    """A tick of the sensor on a failed run; what it says instead of having posted."""
    sensor = alert_sensor(options, make_grid(options, Naming(name)))
    assert sensor is not None
    event = next(each for each in result.all_events if each.event_type is dg.DagsterEventType.PIPELINE_FAILURE)
    context = dg.build_run_status_sensor_context(
        sensor_name=sensor.name, dagster_event=event, dagster_instance=instance, dagster_run=run or result.dagster_run
    ).for_run_failure()
    said = sensor(context)
    return None if said is None else said.skip_message


def test_a_failed_run_is_posted_with_what_failed_and_without_secrets(
    loads: Loads, memory: dg.DagsterInstance, webhook: Webhook
) -> None:
    why = f"iam_users {ACCOUNT}: iam:ListUsers was denied\niam_roles {ACCOUNT}: password={SECRET}\n{SECRET}"
    result = failed(memory, why)

    assert tick(telling(loads, webhook.url), result, memory) is None

    [posted] = webhook.posted
    assert posted["accounts"] == [ACCOUNT]
    assert (posted["job"], posted["layer"], posted["sync"]) == ("sync_account", "account", "s1")
    first, reason, *_ = str(posted["text"]).splitlines()
    assert first == f"raito-pipeline: account of {ACCOUNT} (account-0) failed in run {result.run_id[:8]}"
    assert reason == f"iam_users {ACCOUNT}: iam:ListUsers was denied"
    assert SECRET not in str(posted)


def test_a_run_that_was_not_let_in_is_posted_with_the_reason(
    loads: Loads, memory: dg.DagsterInstance, webhook: Webhook
) -> None:
    @dg.resource
    def sync_run() -> None:
        raise NoTargetOfIt(ACCOUNT, "raito.yml")

    @dg.op(required_resource_keys={"sync_run"})
    def iam() -> None:
        """Never begun."""

    @dg.job(resource_defs={"sync_run": sync_run})
    def sync_account() -> None:
        iam()

    tags = layer_tags(Layer.ACCOUNT, ACCOUNT, "s1")
    result = sync_account.execute_in_process(instance=memory, tags=tags, raise_on_error=False)

    assert tick(telling(loads, webhook.url), result, memory) is None

    (reason,) = webhook.posted[0]["reasons"]  # type: ignore[misc]
    assert reason.startswith(f"{ACCOUNT} is of no target of raito.yml any more")


@pytest.mark.parametrize(
    ("tags", "component"),
    [({WILL_RETRY_TAG: "true"}, ""), ({"raito/component": "us"}, ""), ({}, "eu")],
    ids=["tried again", "another component's", "of no component"],
)
def test_what_is_tried_again_and_what_is_of_others_is_not_posted(
    loads: Loads, memory: dg.DagsterInstance, webhook: Webhook, tags: dict[str, str], component: str
) -> None:
    said = tick(telling(loads, webhook.url), failed(memory, "why", **tags), memory, component)

    assert said == "a run that is tried again, or no run of a sync"
    assert webhook.asked == 0


@pytest.mark.parametrize("value", ["true", "false", None])
def test_what_dagster_has_not_decided_yet_is_waited_for(
    loads: Loads, tmp_path: Path, webhook: Webhook, monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    """The event of a failure comes before the tag that says whether the run is tried again."""
    monkeypatch.setattr(alerts, "_ASKS_EACH", 0.01)
    monkeypatch.setattr(alerts, "_DECIDES_WITHIN", 0.2 if value is None else 60.0)
    retries = {"run_retries": {"enabled": True, "max_retries": 1}}
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides=retries) as instance:
        result = failed(instance, "why")
        # as its record is in that moment
        tags = {name: tag for name, tag in result.dagster_run.tags.items() if name != WILL_RETRY_TAG}
        run = result.dagster_run.with_tags(tags).with_status(dg.DagsterRunStatus.FAILURE)
        instance.delete_run(run.run_id)
        instance.add_run(run)
        deciding = threading.Timer(0.05, lambda: value and instance.add_run_tags(run.run_id, {WILL_RETRY_TAG: value}))
        deciding.start()
        said = tick(telling(loads, webhook.url), result, instance, run=run)
        deciding.join()

    assert (said is None, webhook.asked) == ((False, 0) if value == "true" else (True, 1))


@pytest.mark.parametrize(
    ("statuses", "asked", "says"),
    [
        ([503, 429, 200], 3, None),
        ([500], 3, "HTTP 500"),
        ([404], 1, "HTTP 404"),
        ([302, 200], 1, "HTTP 302"),
    ],
)
def test_what_may_pass_is_tried_again_and_a_refusal_is_said_and_not_raised(
    loads: Loads, memory: dg.DagsterInstance, webhook: Webhook, statuses: list[int], asked: int, says: str | None
) -> None:
    webhook.statuses = statuses

    said = tick(telling(loads, webhook.url), failed(memory, "why"), memory)

    assert said == (says and f"alert-webhook (127.0.0.1) did not take it: {says}")
    assert webhook.asked == asked
    assert len(webhook.posted) == statuses.count(200) * (says is None)


def test_nobody_there_is_said_without_the_address(loads: Loads, memory: dg.DagsterInstance) -> None:
    gone = "http://127.0.0.1:9" + PATH  # the port `discard`, where nobody listens

    said = tick(telling(loads, gone), failed(memory, "why"), memory)

    assert said == "alert-webhook (127.0.0.1) did not take it: ConnectionError"


def test_without_the_option_there_is_no_sensor(loads: Loads) -> None:
    options = loads()

    assert alert_sensor(options, make_grid(options)) is None


def test_the_address_has_to_be_https_and_is_never_shown(loads: Loads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAITO_PIPELINE_ALERT_WEBHOOK", f"http://hooks.example{PATH}")
    with pytest.raises(ConfigError, match=r"RAITO_PIPELINE_ALERT_WEBHOOK: .*plain http") as caught:
        loads()
    assert PATH not in str(caught.value)
    monkeypatch.setenv("RAITO_PIPELINE_ALLOW_PLAIN_HTTP", "true")
    assert PATH not in repr(loads())
    monkeypatch.setenv("RAITO_PIPELINE_ALERT_WEBHOOK", f"ftp://hooks.example{PATH}")
    with pytest.raises(ConfigError, match="expected an https:// address") as caught:
        loads()
    assert PATH not in str(caught.value)
