"""`raito-code-server`: Dagster's code server, whose runs begin with Dagster and this project loaded.

Dagster begins each run of a code server in a new Python, which loads both before it does anything: half of the CPU of a
sync that finds nothing new. Here each run is a fork of a process that has loaded them and does nothing else
(`multiprocessing`'s own `forkserver`). What it is of, `raito.yml` and the modules of a project, a run loads itself.

It takes the arguments of `dagster code-server start`, and may be the `executable_path` of a code location in
`workspace.yaml`. Elsewhere than on Linux runs begin as Dagster has them: a fork there may break what a library loaded.
"""

import multiprocessing
import os
import runpy
import shutil
import sys
from multiprocessing.context import BaseContext

PRELOADED = "raito_pipeline.deploy.preloaded"
_AS_DAGSTER_CALLS_A_PYTHON = ["-m", "dagster"]


def main() -> None:
    """Run Dagster's code server until it is ended; ends as the command `dagster` does."""
    given = sys.argv[1:]
    if given[:2] == _AS_DAGSTER_CALLS_A_PYTHON:
        arguments = given[2:]
        if sys.platform == "linux":
            fork_runs()
    else:
        # What it starts for each load of the code location is this program again.
        sys.executable = shutil.which(sys.argv[0]) or os.path.abspath(sys.argv[0])  # noqa: PTH100
        arguments = ["code-server", "start", *given]
    sys.argv = ["dagster", *arguments]
    runpy.run_module("dagster", run_name="__main__", alter_sys=True)


def fork_runs() -> None:
    """From here on in this process, Dagster gets forks of a loaded process where it asks `multiprocessing` for `spawn`.

    That process loads the module that asks, with all that it imports (Dagster's server), and `PRELOADED`. A project
    that asks gets what it asks for: its modules would be loaded there, once for all runs.
    """
    context_of = multiprocessing.get_context

    def context(method: str | None = None) -> BaseContext:
        asks: str = sys._getframe(1).f_globals.get("__name__", "")
        if method != "spawn" or not asks.startswith("dagster."):
            return context_of(method)
        forks = context_of("forkserver")
        forks.set_forkserver_preload([asks, PRELOADED])
        return forks

    multiprocessing.get_context = context  # type: ignore[assignment]
