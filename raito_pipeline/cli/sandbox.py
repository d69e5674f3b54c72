"""`raito-pipeline sandbox`: starts the embedded estate and, on request, a sync or the Dagster UI on it.

The sync and the UI are processes of their own, which find the estate the way they would find the real one: by the
addresses in the AWS profiles, the AWS SDK's environment variables and `raito-url-override`.
"""

import argparse
import contextlib
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console

from raito_pipeline.cli.console import Terminal
from raito_pipeline.cli.errors import AlreadyRunning, ExtraMissing
from raito_pipeline.cli.show import show_summary
from raito_pipeline.cli.summary import SyncSummary
from raito_pipeline.sandbox.compare import compare, show
from raito_pipeline.sandbox.embedded import Embedded, embedded_estate
from raito_pipeline.sandbox.occupied import SandboxRunning

_UI_PORT = 3000
_INTERRUPTED = 130
_FOR_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("--directory", type=Path, default=Path(".sandbox"), help="where everything it makes lies")
    then = parser.add_mutually_exclusive_group()
    then.add_argument("--sync", action="store_true", help="sync it once, show what arrived, and end")
    then.add_argument("--ui", action="store_true", help="run the Dagster UI and daemon on it until Ctrl-C")


def execute(given: argparse.Namespace) -> int:
    """Run the command; gives the exit status.

    Raises `AlreadyRunning` where an estate runs in the same directory, `ExtraMissing` where there is no Dagster UI.
    """
    if given.ui and find_spec("dagster_webserver") is None:
        raise ExtraMissing("sandbox --ui", "sandbox", "dagster_webserver")
    try:
        return run_sandbox(given.directory, sync=given.sync, ui=given.ui)
    except SandboxRunning as error:
        raise AlreadyRunning(str(error)) from None


def run_sandbox(directory: Path, *, sync: bool, ui: bool) -> int:
    """Start the estate; then sync it once, run the Dagster UI on it, or only wait for Ctrl-C. Gives the exit status."""
    console = Terminal(soft_wrap=True, markup=True)
    with _for_its_owner_alone(), _ended_by_signals(), embedded_estate(directory) as embedded:
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


@contextmanager
def _for_its_owner_alone() -> Iterator[None]:
    """What is made in the block, also by the processes that it starts, is for whoever runs it."""
    before = os.umask(_FOR_OTHERS)
    try:
        yield
    finally:
        os.umask(before)


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
    ended = subprocess.run(
        [sys.executable, "-m", "raito_pipeline.cli", "run", "--json"],
        env={**os.environ, **embedded.environment},
        stdout=subprocess.PIPE,
        check=False,
    )
    if not ended.stdout:
        return ended.returncode or 1
    result = SyncSummary.of_json(ended.stdout)
    show_summary(console, result)
    made = embedded.aws.calls.since(before)
    console.print(f"{len(made)} AWS calls, {sum(call.writes for call in made)} of them writing")
    comparison = compare(embedded.estate, embedded.aws.endpoint_url, embedded.directory / "data", embedded.raito)
    show(console, comparison)
    if not comparison.equal:
        console.print("[red]AWS, the tables and Raito Cloud differ[/]: see the lines marked ✗ above")
        return ended.returncode or 1
    return ended.returncode


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


def _free_port(wanted: int) -> int:
    """`wanted` where it is free, else any free port."""
    for port in (wanted, 0):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            free: int = probe.getsockname()[1]
            return free
    raise OSError("no port of 127.0.0.1 is free")
