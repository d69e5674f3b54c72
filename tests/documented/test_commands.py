"""Every command line that a page or a message of ours tells somebody to type is one that the command takes."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from raito_pipeline.cli import COMMANDS, _parser

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").rglob("*.y*ml")]
SOURCES = [*(ROOT / "raito_pipeline").rglob("*.py"), *(ROOT / "assets").rglob("*.py")]
QUOTED = re.compile(r"`(?:\.venv/bin/)?raito-pipeline ([^`]+)`")
LINE = re.compile(r"^(?:\.venv/bin/)?raito-pipeline ([^#\n]+)", re.MULTILINE)
PLACEHOLDER = re.compile(r"\{[^{}]*\}")


def lines() -> Iterator[tuple[str, str]]:
    for file in (*PAGES, *SOURCES):
        text = file.read_text(encoding="utf-8")
        for pattern in (QUOTED, LINE):
            for said in pattern.findall(text):
                # What is broken over two lines, the values of a message, and numbers that somebody is to put in.
                line = " ".join(PLACEHOLDER.sub("VALUE", said.replace('"\n', "\n").replace('f"', "")).split())
                yield (
                    line.removesuffix("...").strip().replace("--accounts-at-once N", "--accounts-at-once 2"),
                    str(file.relative_to(ROOT)),
                )


# A word alone names the command, and the name of an option of a message is not seen here.
LINES = {line: file for line, file in lines() if line.split()[0] in COMMANDS and " " in line and "--VALUE" not in line}


def test_there_are_such_lines() -> None:
    assert {line.split()[0] for line in LINES} >= {"run", "plan", "apply", "info", "forget", "discover"}


@pytest.mark.parametrize(("line", "file"), LINES.items())
def test_the_command_takes_the_line(line: str, file: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = shlex.split(line)
    try:
        _parser(words).parse_args(words)
    except SystemExit:
        pytest.fail(f"{file}: raito-pipeline {line}\n{capsys.readouterr().err}")


def test_make_has_each_target_that_a_page_names() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {target for page in PAGES for target in re.findall(r"`make ([a-z-]+)", page.read_text(encoding="utf-8"))}

    assert {"run", "test", "docs"} <= named <= targets
