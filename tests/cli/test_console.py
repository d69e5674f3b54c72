"""Names from elsewhere on a terminal: whatever stands in them is shown, and does nothing."""

import io

import pytest
from rich.table import Table
from rich.text import Text

from raito_pipeline.cli.console import Terminal, ask, printable

NASTY = "a\x1b[2Jb\x1b]0;title\x07c\rd\x9b31me\u202ef[/]g[bold]h"


def shown(*values: object) -> str:
    file = io.StringIO()
    console = Terminal(file=file, width=200, force_terminal=True, color_system="standard")
    for value in values:
        console.print(value, style="red", soft_wrap=True)
    return file.getvalue()


def table() -> Table:
    result = Table("name")
    result.add_row(NASTY)
    return result


@pytest.mark.parametrize("value", [NASTY, Text(NASTY), table()], ids=["text", "styled text", "cell of a table"])
def test_a_name_gives_no_command_to_the_terminal(value: object) -> None:
    written = shown(value)

    assert "\x1b[31m" in written, "the style of the console itself is there"
    for command in ("\x1b[2J", "\x1b]0;", "\x07", "\r", "\x9b", "\u202e"):
        assert command not in written
    assert "[/]g[bo" in written


def test_what_is_printable_stays_as_it_is() -> None:
    assert printable("报告 – Zoë's\n\tfiles") == "报告 – Zoë's\n\tfiles"
    assert shown("one\ntwo").count("\n") == 2


def test_a_question_without_an_answer_ends_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    console = Terminal(file=io.StringIO())
    monkeypatch.setattr("sys.stdin", io.StringIO(" yes \n"))
    assert ask(console, "Really? ") == "yes"
    with pytest.raises(KeyboardInterrupt):
        ask(console, "Really? ")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_a_terminal_that_lacks_a_character_shows_another_one(encoding: str) -> None:
    bytes_written = io.BytesIO()
    console = Terminal(file=io.TextIOWrapper(bytes_written, encoding=encoding), width=80, force_terminal=True)

    with console.status("looking for 报告"):
        console.print(table())
        console.print("报告")
    console.file.flush()

    assert "??" in bytes_written.getvalue().decode(encoding)
