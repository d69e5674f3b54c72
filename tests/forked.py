"""Processes that begin at once: one process imports what they need, and forks one for each.

Importing takes a process three seconds of CPU, several times what most of these do then. In all else such a process is
one of its own: it has its environment, its files, its signals and its limits, and ends as any Python does.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

COMMAND = "import sys; from raito_pipeline.cli import main; sys.exit(main(sys.argv[1:]))"
"""the script of `raito-pipeline`"""
_FORKER = """
import gc, json, os, sys
import dagster as dg
import raito_pipeline.cli.run, raito_pipeline.orchestration.upload.raito_jobs

# The first instance of a process has many modules imported.
dg.DagsterInstance.ephemeral().dispose()
gc.freeze()
for line in sys.stdin:
    script, sys.argv, environment, folder, files = json.loads(line)
    child = os.fork()
    if child == 0:
        break
    print("begun", child, flush=True)
    print("ended", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
else:
    sys.exit()

for number, file in enumerate(("/dev/null", *files)):
    os.dup2(os.open(file, os.O_RDWR | os.O_CREAT | os.O_TRUNC), number)
os.chdir(folder)
os.environ.clear()
os.environ.update(environment)
exec(compile(script, "script", "exec"), {"__name__": "__main__"})
"""


@dataclass(frozen=True)
class Process:
    """A process that runs; `send` it a signal, or `wait` until it has ended."""

    pid: int
    files: tuple[Path, Path]
    forker: "subprocess.Popen[str]"
    running: list["Process"]

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def wait(self) -> tuple[int, str, str]:
        """Its exit status (below zero: the signal that ended it), and what it printed on stdout and on stderr."""
        status = _told(self.forker, "ended")
        self.running.clear()
        out, err = (file.read_text("utf-8") for file in self.files)
        return status, out, err


@dataclass(frozen=True)
class Forked:
    """Begins processes, one after the other."""

    folder: Path
    forker: "subprocess.Popen[str]"
    running: list[Process] = field(default_factory=list)
    """the one that nobody waited for yet"""

    def begin(self, script: str, *arguments: str, environment: Mapping[str, str] | None = None) -> Process:
        """A script in a process of its own, in a folder where there is no `dagster.yaml`.

        It has the environment of this process unless one is given.
        """
        assert self.forker.stdin is not None
        for left in list(self.running):  # by a test that failed meanwhile
            left.send(signal.SIGKILL)
            left.wait()
        files = self.folder / "stdout", self.folder / "stderr"
        for file in files:
            file.write_text("", "utf-8")  # one that is killed at once has printed nothing
        given = dict(os.environ if environment is None else environment)
        asked = [script, ["script", *arguments], given, str(self.folder), [str(file) for file in files]]
        print(json.dumps(asked), file=self.forker.stdin, flush=True)
        self.running.append(Process(_told(self.forker, "begun"), files, self.forker, self.running))
        return self.running[0]


def _told(forker: "subprocess.Popen[str]", what: str) -> int:
    """What the forker says of a process: never the number of something else, as signals are sent to it."""
    assert forker.stdout is not None
    said, number = forker.stdout.readline().split()
    assert said == what, said
    return int(number)


@contextmanager
def forker(folder: Path) -> Iterator[Forked]:
    """For the time of a `with` block; what the processes print is written to `folder`."""
    with subprocess.Popen(
        [sys.executable, "-c", _FORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Forked(folder, process)
        assert process.stdin is not None
        process.stdin.close()
