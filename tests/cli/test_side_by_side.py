"""Processes side by side: all of them, whatever one does; ended together; what came of them in one summary."""

import inspect
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from raito_pipeline.cli.side_by_side import SideBySide, end_with_parent, together
from raito_pipeline.cli.summary import Cause, LayerSummary, Outcome, SyncSummary

_WRITES = """
import json, os, pathlib, signal, sys, time
folder, key = pathlib.Path(sys.argv[1]), sys.argv[2]
def say(outcome="complete", interrupted=False):
    print(json.dumps({"sync": "s", "outcome": outcome, "seconds": 1.0, "storage": "data", "causes": [], "places": [],
        "layers": [{"place": key, "name": "all", "outcome": outcome, "seconds": 1.0}], "interrupted": interrupted}))
def until(name):
    while not (folder / name).exists():
        time.sleep(0.005)
(folder / f"{key} began").touch()
"""


def script(folder: Path, text: str) -> Callable[[str], Sequence[str]]:
    """The command of an account: a few lines in a process of its own."""
    return lambda key: [sys.executable, "-c", _WRITES + textwrap.dedent(text), str(folder), key]


def run(folder: Path, text: str, at_once: int, keys: str) -> tuple[list[SyncSummary | Cause], bool, str]:
    shown = StringIO()
    found, interrupted = SideBySide(script(folder, text), at_once, Console(file=shown)).run(list(keys))
    return list(found), interrupted, shown.getvalue()


def test_so_many_are_under_way_at_once_and_what_they_say_is_shown_by_lines(tmp_path: Path) -> None:
    found, interrupted, shown = run(
        tmp_path,
        """
        print(f"{key}: layer", file=sys.stderr)
        until("b began" if key == "a" else "a began")
        say()
        """,
        2,
        "ab",
    )
    assert (interrupted, [each.outcome for each in found]) == (False, [Outcome.COMPLETE] * 2)
    assert sorted(shown.splitlines()) == ["a: layer", "b: layer"]


def test_one_that_fails_or_dies_does_not_end_the_others(tmp_path: Path) -> None:
    found, _, _ = run(
        tmp_path,
        """
        if key == "a":
            sys.exit("no memory left")
        say("failed" if key == "b" else "complete")
        """,
        1,
        "abc",
    )
    assert found[0] == Cause(Outcome.FAILED, ("a",), "its process ended with status 1: no memory left")
    assert [each.outcome for each in found[1:]] == [Outcome.FAILED, Outcome.COMPLETE]


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Ctrl-C as in a terminal, also where these tests run in the background of a shell, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_ends_each_once_and_begins_no_other(tmp_path: Path) -> None:
    text = """
    ends = []
    signal.signal(signal.SIGINT, lambda *_: ends.append(1))
    (folder / f"{key} ready").touch()
    while not ends:
        time.sleep(0.005)
    time.sleep(0.05)
    say("failed" if len(ends) > 1 else "complete", True)
    """

    def interrupt() -> None:
        while not all((tmp_path / f"{key} ready").exists() for key in "ab"):
            time.sleep(0.005)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    found, interrupted, _ = run(tmp_path, text, 2, "abc")

    assert interrupted
    assert [each.outcome for each in found] == [Outcome.COMPLETE] * 2
    assert not (tmp_path / "c began").exists()


def test_nothing_goes_on_where_the_command_was_killed(tmp_path: Path) -> None:
    """The system closes the pipe of a process that is gone."""
    text = f"""
    import os, threading
    {textwrap.indent(inspect.getsource(end_with_parent), " " * 4).lstrip()}
    end_with_parent()
    try:
        (folder / "ready").touch()
        while True:
            time.sleep(0.005)
    except KeyboardInterrupt:
        sys.exit("ended as by Ctrl-C")
    """
    with subprocess.Popen(script(tmp_path, text)("a"), stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        while not (tmp_path / "ready").exists():
            time.sleep(0.005)
        assert process.stdin is not None
        process.stdin.close()
        assert process.stderr is not None
        assert process.stderr.read() == b"ended as by Ctrl-C\n"


@pytest.mark.usefixtures("ctrl_c")
def test_it_ends_so_where_a_shell_ran_it_in_the_background(tmp_path: Path) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    test_nothing_goes_on_where_the_command_was_killed(tmp_path)


def test_what_was_interrupted_is_not_complete() -> None:
    first = SyncSummary("s", Outcome.COMPLETE, 1.0, "data", (), (), (), False)
    assert together(first, [], interrupted=False, seconds=1.0).outcome is Outcome.COMPLETE
    assert together(first, [], interrupted=True, seconds=1.0).outcome is Outcome.PARTIAL


@pytest.mark.parametrize("interrupted", [False, True])
def test_one_summary_tells_of_all(interrupted: bool) -> None:
    def summary(outcome: Outcome, place: str, *causes: Cause) -> SyncSummary:
        layer = LayerSummary(place, "all", outcome, 1.0)
        return SyncSummary("s", outcome, 1.0, "data", causes, (), (layer,), False)

    expired = Cause(Outcome.FAILED, ("login",), "expired")
    died = Cause(Outcome.FAILED, ("3",), "its process ended with status -9: ")
    parts = [summary(Outcome.PARTIAL, "1", expired), summary(Outcome.COMPLETE, "2", expired), died]

    whole = together(summary(Outcome.COMPLETE, "organization"), parts, interrupted=interrupted, seconds=3.0)

    assert (whole.outcome, whole.status) == (Outcome.FAILED, 130 if interrupted else 1)
    assert (whole.causes, whole.seconds) == ((expired, died), 3.0)
    assert [layer.place for layer in whole.layers] == ["organization", "1", "2"]
    assert SyncSummary.of_json(json.dumps(whole.json())) == whole
