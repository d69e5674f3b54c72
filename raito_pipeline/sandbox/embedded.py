"""`raito-pipeline sandbox`: starts the embedded estate and, on request, a sync or the Dagster UI on it.

The sync and the UI are processes of their own, which find the estate the way they would find the real one: by the
addresses in the AWS profiles, the AWS SDK's environment variables and `raito-url-override`.
"""

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from raito_pipeline.sandbox.aws.estate import Estate, build_estate
from raito_pipeline.sandbox.aws.profiles import write_aws_profiles
from raito_pipeline.sandbox.aws.server import EmulatedAws
from raito_pipeline.sandbox.compare import compare, show
from raito_pipeline.sandbox.controls import seed_access_controls
from raito_pipeline.sandbox.files import API_USER, DOMAIN, SECRET_VARIABLE, write_environment, write_raito_yml
from raito_pipeline.sandbox.raito.server import LocalRaitoCloud

_UI_PORT = 3000
_INTERRUPTED = 130


@dataclass(frozen=True)
class Embedded:
    """A running embedded estate and how to use it."""

    directory: Path
    estate: Estate
    aws: EmulatedAws
    raito: LocalRaitoCloud
    environment: Mapping[str, str]

    @property
    def config_file(self) -> Path:
        """Its `raito.yml`."""
        return self.directory / "raito.yml"


@contextmanager
def embedded_estate(directory: Path) -> Iterator[Embedded]:
    """Start the emulated AWS and the local Raito Cloud with their state in `directory`; stop both at the end."""
    directory.mkdir(parents=True, exist_ok=True)
    password = _password(directory / "api-secret")
    with EmulatedAws(journal=directory / "aws-changes.jsonl") as aws:
        estate = build_estate()
        client_id = aws.create_user_pool(API_USER, password)
        aws.replay_journal()
        with LocalRaitoCloud(
            directory / "raito-cloud.sqlite", directory / "raito-cloud-files", aws.endpoint_url, client_id, DOMAIN
        ) as raito:
            ids = seed_access_controls(raito, estate)
            profiles = write_aws_profiles(directory / "aws", estate, aws.endpoint_url)
            environment = {
                "AWS_CONFIG_FILE": str(profiles.config.resolve()),
                "AWS_SHARED_CREDENTIALS_FILE": str(profiles.credentials.resolve()),
                "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": aws.endpoint_url,
                "AWS_EC2_METADATA_DISABLED": "true",
                "RAITO_CONFIG_FILE": str((directory / "raito.yml").resolve()),
                SECRET_VARIABLE: password,
            }
            write_raito_yml(directory / "raito.yml", estate, ids, raito.url)
            write_environment(directory / "environment", environment)
            yield Embedded(directory, estate, aws, raito, environment)


def run_sandbox(directory: Path, *, sync: bool, ui: bool) -> int:
    """Start the estate; then sync it once, run the Dagster UI on it, or only wait for Ctrl-C. Gives the exit status."""
    console = Console(soft_wrap=True, highlight=False)
    with _ended_by_signals(), embedded_estate(directory) as embedded:
        _introduce(console, embedded)
        try:
            if sync:
                return _sync(console, embedded)
            if ui:
                return _user_interface(console, embedded)
            _explain(console, embedded)
            threading.Event().wait()
        except KeyboardInterrupt:
            return _INTERRUPTED if sync else 0
    return 0


def _introduce(console: Console, embedded: Embedded) -> None:
    names = ", ".join(account.name for account in embedded.estate.members)
    console.print(f"[bold]Embedded estate[/] in {embedded.directory}: an organization and the accounts {names}")
    console.print(f"  emulated AWS       {embedded.aws.endpoint_url}")
    console.print(f"  local Raito Cloud  {embedded.raito.url}")
    console.print(f"  configuration      {embedded.config_file}")


def _explain(console: Console, embedded: Embedded) -> None:
    console.print("To use it from another terminal:")
    console.print(f"  set -a; . {embedded.directory / 'environment'}; set +a")
    console.print("  raito-pipeline run      [dim]one sync[/]")
    console.print("  dagster dev             [dim]the Dagster UI[/]")
    console.print(f"  aws --profile {embedded.estate.members[0].profile} s3 ls")
    console.print("Ctrl-C ends it; its state stays.")


def _sync(console: Console, embedded: Embedded) -> int:
    """One sync in a process of its own, then what arrived, counted in three places."""
    before = embedded.aws.calls.mark
    status = subprocess.run(
        [sys.executable, "-m", "raito_pipeline.cli", "run"], env={**os.environ, **embedded.environment}, check=False
    ).returncode
    made = embedded.aws.calls.since(before)
    writing = sum(call.writes for call in made)
    console.print(f"{len(made)} AWS calls, {writing} of them writing")
    comparison = compare(embedded.estate, embedded.aws.endpoint_url, embedded.directory / "data", embedded.raito)
    show(console, comparison)
    if status == 0 and not comparison.equal:
        console.print("[red]AWS, the tables and Raito Cloud differ[/]: see the lines marked ✗ above")
        return 1
    return status


def _user_interface(console: Console, embedded: Embedded) -> int:
    """The Dagster UI and daemon in a process of their own, until Ctrl-C."""
    port = _free_port(_UI_PORT)
    console.print(
        f"  Dagster UI         http://127.0.0.1:{port}  [dim](answers after some seconds)[/]; Ctrl-C ends all"
    )
    command = [sys.executable, "-m", "dagster", "dev", "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(command, env={**os.environ, **embedded.environment})
    try:
        return process.wait()
    finally:
        _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Ask a process to end, as Ctrl-C would, and wait for it; Dagster ends its own children then."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """A SIGTERM ends the estate as Ctrl-C does, so that nothing is left running."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    earlier = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, earlier)


def _password(path: Path) -> str:
    """The password of the API user: made once for this directory, readable by its owner alone."""
    if not path.is_file():
        path.touch(mode=0o600)
        path.write_text("Aa1!" + secrets.token_urlsafe(18), encoding="utf-8")
    return path.read_text(encoding="utf-8").strip()


def _free_port(wanted: int) -> int:
    """`wanted` where it is free, else any free port."""
    for port in (wanted, 0):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            found: int = probe.getsockname()[1]
            return found
    raise OSError("no port of 127.0.0.1 is free")
