"""`make rehearsal`: the compose deployment on an estate of many accounts, with what happens to one in a year.

Real Postgres, tables in emulated S3, AWS and Raito Cloud emulated in this process. Three scheduled cycles; in the
second a worker is killed, then an account is discovered; in the third the daemon is killed and started again; then
access is granted in Raito Cloud and pushed. The figures of each cycle are printed as a table and written as JSON.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg2
import yaml
from rich.console import Console
from rich.table import Table

from raito_pipeline.sandbox.aws.estate import EstateSettings
from raito_pipeline.sandbox.controls import seeded_account
from raito_pipeline.sandbox.embedded import Embedded, embedded_estate
from raito_pipeline.sandbox.raito.seed import access_controls_of, data_source_id
from raito_pipeline.storage.lease import LeaseRecord, Leases
from tests.bench.deployment import Deployment, cpu_of, deployment
from tests.bench.pictures import take_pictures
from tests.bench.storage import BUCKET, PROFILE, STORAGE_ACCOUNT, add_storage, environment
from tests.deploy.pool import pool
from tests.deploy.postgres import NoServer, Postgres, postgres

SIZES = EstateSettings(
    users=12, groups=4, roles=42, policies=10, keys=60, tables=8, people=40, organization_groups=6, permission_sets=4,
    log_days=1, unlisted=1,
)  # fmt: skip
_SOON = 130
"""Seconds: the daemon looks once a minute for schedules, and one starts when it is first seen."""
_PATIENCE = 1_800.0


@dataclass
class Cycle:
    """What one cycle took."""

    name: str
    runs: int
    failed: int
    seconds: float
    cpu: dict[str, float]
    aws_calls: int
    aws_writes: int
    storage_calls: int
    storage_writes: int
    database_bytes: int
    events: int
    connections: int
    alerts: int
    notes: list[str] = field(default_factory=list)


@dataclass
class Rehearsal:
    """The estate, the deployment on it, and what was measured so far."""

    embedded: Embedded
    services: Deployment
    server: Postgres
    pool: Postgres | None
    """The connections to it that are kept; None where there is no PgBouncer"""
    alerts: list[dict[str, Any]]
    say: Callable[[str], None]
    cycles: list[Cycle] = field(default_factory=list)

    @property
    def accounts(self) -> list[str]:
        """The accounts that are targets."""
        found = [account.account_id for account in self.embedded.estate.members]
        beside = self.embedded.directory / "raito.discovered.yml"
        known = beside.read_text() if beside.exists() else ""
        return [*found, *(one.account_id for one in self.embedded.estate.unlisted if one.account_id in known)]

    @contextmanager
    def cycle(self, name: str) -> Iterator[str]:
        """A scheduled cycle, from its minute until the last run of its last account; gives its sync id."""
        at = self._soon()
        sync = f"cron-{at:%Y%m%dT%H%M}"
        self.services.settle()
        mark, before, cpu = self.embedded.aws.calls.mark, self._database(), self._cpu()
        alerts, began = len(self.alerts), max(at.timestamp(), time.time())
        self.say(f"{name}: {len(self.accounts)} accounts at {at:%H:%M}")
        yield sync
        self.services.wait(lambda: self._over(sync), f"{name} ends", _PATIENCE)
        records = [record for record in self.services.runs() if record.dagster_run.tags.get("raito/sync") == sync]
        calls = self.embedded.aws.calls.since(mark)
        stored = [call for call in calls if call.account == STORAGE_ACCOUNT]
        asked = [call for call in calls if call.account != STORAGE_ACCOUNT]
        after = self._database()
        self.cycles.append(
            Cycle(
                name,
                len(records),
                sum(record.dagster_run.status is dg.DagsterRunStatus.FAILURE for record in records),
                max(record.end_time or 0 for record in records) - began,
                {part: seconds - cpu.get(part, 0) for part, seconds in self._cpu().items()},
                len(asked),
                sum(call.writes for call in asked),
                len(stored),
                sum(call.writes for call in stored),
                after["bytes"] - before["bytes"],
                after["events"] - before["events"],
                after["connections"] - before["connections"],
                len(self.alerts) - alerts,
            )
        )
        self.say(json.dumps(asdict(self.cycles[-1])))

    def _soon(self) -> datetime:
        """Set `cron` to a minute that is about to come, and load it; gives that minute."""
        while True:
            at = (datetime.now(UTC) + timedelta(seconds=_SOON)).replace(second=0, microsecond=0)
            self.configure(cron=f"{at.minute} * * * *")
            self.services.reload()
            if datetime.now(UTC) < at - timedelta(seconds=62):
                return at

    def configure(self, **options: Any) -> None:
        """Set options of `raito.yml`."""
        file = self.embedded.config_file
        content = yaml.safe_load(file.read_text("utf-8"))
        content.update(options)
        file.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")

    def _over(self, sync: str) -> bool:
        """Whether each account has come to the end of its last layer, and no run of the sync is left."""
        runs = self.runs_of(sync)
        done = {run.tags["raito/account"] for run in runs if run.tags["raito/layer"] == "finish"}
        return done >= set(self.accounts) and all(run.is_finished for run in runs)

    def ended(self, sync: str) -> int:
        """How many runs of a sync have ended."""
        return sum(run.is_finished for run in self.runs_of(sync))

    def runs_of(self, sync: str) -> list[dg.DagsterRun]:
        """The runs of a sync, the oldest first."""
        runs = [record.dagster_run for record in self.services.runs()]
        return [run for run in runs if run.tags.get("raito/sync") == sync]

    def _cpu(self) -> dict[str, float]:
        database = cpu_of(self.server.pid) + (cpu_of(self.pool.pid) if self.pool else 0)
        return {**self.services.cpu(), "postgres": database, "emulated AWS, Raito": time.process_time()}

    def _database(self) -> dict[str, int]:
        """Bytes of the database, events in it, and connections to it so far."""
        reached = psycopg2.connect(host="127.0.0.1", port=self.server.port, user="postgres", dbname="postgres")
        with closing(reached), reached.cursor() as cursor:
            cursor.execute(
                "select pg_database_size(datname), (select count(*) from event_logs), sessions"
                " from pg_stat_database where datname = 'postgres'"
            )
            return dict(zip(("bytes", "events", "connections"), cursor.fetchone(), strict=True))

    def holder(self, account: str, sync: str) -> LeaseRecord | None:
        """The lease of an account, while a run of a sync has it."""
        found = Leases(f"s3://{BUCKET}/raito?profile={PROFILE}").under_way(account)
        held = (
            found is not None and found.state == "held" and found.run_id in {run.run_id for run in self.runs_of(sync)}
        )
        return found if held else None

    def note(self, text: str) -> None:
        """Remember something that happened in the last cycle."""
        self.cycles[-1].notes.append(text)
        self.say(text)


def rehearse(rehearsal: Rehearsal) -> None:
    """The whole story."""
    services, estate = rehearsal.services, rehearsal.embedded.estate
    for name in ("code", "webserver", "daemon", "listen"):
        services.start(name)
    with rehearsal.cycle("first cycle"):
        pass
    with rehearsal.cycle("second cycle, one worker killed") as sync:
        victim = estate.members[0].account_id
        holder = services.wait(lambda: rehearsal.holder(victim, sync), "a run of the account works", _PATIENCE)
        os.kill(holder.owner.pid, signal.SIGKILL)
    _after_the_kill(rehearsal, victim, sync)
    _discover(rehearsal)
    with rehearsal.cycle("third cycle, daemon killed, one account more") as sync:
        services.wait(lambda: rehearsal.ended(sync) > 2, "it is under way", _PATIENCE)
        services.end("daemon", signal.SIGKILL)
        time.sleep(20)
        services.start("daemon")
    _trigger(rehearsal)


def _after_the_kill(rehearsal: Rehearsal, victim: str, sync: str) -> None:
    mine = [run for run in rehearsal.runs_of(sync) if run.tags["raito/account"] == victim]
    said = ", ".join(f"{run.tags['raito/layer']} {run.status.value}" for run in mine)
    rehearsal.note(f"the account of the killed worker: {said}")


def _discover(rehearsal: Rehearsal) -> None:
    """Turn the sensor of discovery on, and wait until the new account is a partition."""
    (account,) = rehearsal.embedded.estate.unlisted
    began = time.time()
    rehearsal.services.turn_on("discover_accounts")
    rehearsal.services.wait(lambda: account.account_id in rehearsal.accounts, "the account is a target")
    rehearsal.services.wait(lambda: "loaded again" in rehearsal.services.ticks("discover_accounts"), "it is shown")
    said = rehearsal.services.ticks("discover_accounts")
    rehearsal.note(f"discovered after {time.time() - began:.0f} s: {said}")


def _trigger(rehearsal: Rehearsal) -> None:
    """Grant access in Raito Cloud, and wait until its push has ended."""
    account = rehearsal.embedded.estate.members[1]
    control = next(one for one in access_controls_of(seeded_account(account), None) if one["type"] == "aws_role")
    control["who"] = {"users": list(account.users[3:5])}
    mark, began = rehearsal.embedded.aws.calls.mark, time.time()
    before = {record.dagster_run.run_id for record in rehearsal.services.runs()}
    rehearsal.embedded.raito.define_access_control(data_source_id(account.account_id), control)

    def pushed() -> list[dg.RunRecord]:
        return [
            record
            for record in rehearsal.services.runs()
            if record.dagster_run.run_id not in before
            and record.dagster_run.tags.get("raito/trigger")
            and record.dagster_run.tags.get("raito/account") == account.account_id
            and record.dagster_run.is_finished
        ]

    (record,) = rehearsal.services.wait(pushed, "what was granted is pushed")
    calls = rehearsal.embedded.aws.calls.since(mark)
    writes = [call.operation for call in calls if call.writes and call.account == account.account_id]
    rehearsal.note(
        f"granted in Raito Cloud: its run began {(record.start_time or 0) - began:.1f} s later, ended "
        f"{(record.end_time or 0) - began:.1f} s later ({record.dagster_run.status.value}), writing {writes}"
    )


@contextmanager
def webhook() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A webhook: its address, and what was posted."""
    posted: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

        def do_POST(self) -> None:
            posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", posted
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _pool(stack: ExitStack, server: Postgres, say: Callable[[str], None]) -> Postgres | None:
    """The pool of connections of compose, where this machine has its program."""
    try:
        return stack.enter_context(pool(server))
    except NoServer as error:
        say(f"without a pool of connections: {error}")
        return None


def show(console: Console, cycles: list[Cycle]) -> None:
    """The figures as a table, and what happened below it."""
    table = Table("", *(cycle.name for cycle in cycles))
    table.add_row("runs (failed)", *(f"{each.runs} ({each.failed})" for each in cycles))
    table.add_row("seconds", *(f"{each.seconds:.0f}" for each in cycles))
    for part in cycles[0].cpu:
        table.add_row(f"CPU seconds: {part}", *(f"{each.cpu.get(part, 0):.0f}" for each in cycles))
    for name in ("aws_calls", "aws_writes", "storage_calls", "storage_writes", "events", "connections", "alerts"):
        table.add_row(name.replace("_", " "), *(f"{getattr(each, name):,}" for each in cycles))
    table.add_row("database, MB more", *(f"{each.database_bytes / 1e6:.1f}" for each in cycles))
    console.print(table)
    for cycle in cycles:
        for note in cycle.notes:
            console.print(f"{cycle.name}: {note}")


def main(given: argparse.Namespace) -> int:
    """Rehearse, print the figures, and write them."""
    console = Console(soft_wrap=True)
    started = time.monotonic()

    def say(text: str) -> None:
        console.print(f"{time.monotonic() - started:5.0f} s  {text}", highlight=False)

    sizes = EstateSettings(**{**asdict(SIZES), "accounts": given.accounts})
    # Ended as by Ctrl-C, so that no service is left, also where it runs in the background.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rehearsal")))
        server = stack.enter_context(postgres())
        embedded = stack.enter_context(embedded_estate(folder / "estate", sizes))
        stack.enter_context(environment(**embedded.environment))
        url, posted = stack.enter_context(webhook())
        add_storage(embedded)
        more = {**embedded.environment, "RAITO_PIPELINE_STORAGE": f"s3://{BUCKET}/raito"}
        more |= {"RAITO_PIPELINE_STORAGE_PROFILE": PROFILE, "RAITO_PIPELINE_ALERT_WEBHOOK": url}
        kept = _pool(stack, server, say)
        services = stack.enter_context(deployment(folder / "dagster", kept or server, more))
        rehearsal = Rehearsal(embedded, services, server, kept, posted, say)
        content = yaml.safe_load(embedded.config_file.read_text())
        content["pipeline"]["discover"]["dagster-url"] = services.url
        embedded.config_file.write_text(yaml.safe_dump(content, sort_keys=False))
        try:
            rehearse(rehearsal)
            if given.pictures:
                for picture in take_pictures(services.url, given.pictures):
                    say(f"a picture of the UI: {picture}")
            if given.keep:
                say(f"the UI is at {services.url}; Ctrl-C ends it")
                threading.Event().wait()
        except KeyboardInterrupt:
            pass
        finally:
            if rehearsal.cycles:
                show(console, rehearsal.cycles)
            for alert in posted:
                console.print(f"alert: {alert['text']}")
            if given.json:
                given.json.write_text(json.dumps([asdict(cycle) for cycle in rehearsal.cycles], indent=1))
    say("the end")
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=20, help="accounts that raito.yml names (at least 3)")
    parser.add_argument("--json", type=Path, help="a file for the figures")
    parser.add_argument("--pictures", type=Path, help="a folder for pictures of the UI, where there is a Chromium")
    parser.add_argument("--keep", action="store_true", help="leave everything running at the end, until Ctrl-C")
    sys.exit(main(parser.parse_args()))
