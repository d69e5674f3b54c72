"""The terminal that people look at: names from AWS and Raito Cloud are text there, and never commands to it."""

import unicodedata
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.status import Status

_SHOWN = frozenset("\n\t")
_REORDERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""characters that have what follows shown in another order: https://www.unicode.org/reports/tr9/"""
SPINNER = "line"
"""the sign that turns while something is done: of characters that every terminal has"""
_INSTEAD = "\N{REPLACEMENT CHARACTER}"


def printable(text: str) -> str:
    """`text` without characters that move the cursor, colour, rename or reorder what a terminal shows."""
    if text.isprintable():
        return text
    return "".join(_INSTEAD if _commands(character) else character for character in text)


def _encodable(text: str, encoding: str) -> str:
    """`text` with `?` in the place of what a terminal of that encoding cannot show."""
    if text.isascii() or encoding.startswith("utf"):
        return text
    return text.encode(encoding, "replace").decode(encoding)


def _commands(character: str) -> bool:
    return character in _REORDERING or (unicodedata.category(character) == "Cc" and character not in _SHOWN)


def ask(console: Console, question: str) -> str:
    """What a person types at a question. Ctrl-D ends the command as Ctrl-C does: raises `KeyboardInterrupt`."""
    console.print(question, end="", soft_wrap=True)
    try:
        return input().strip()
    except EOFError:
        console.print()
        raise KeyboardInterrupt from None


def agrees(console: Console, question: str) -> bool:
    """Whether a person says yes to a question whose usual answer is no. Raises `KeyboardInterrupt` as `ask` does."""
    return ask(console, f"{question} [y/N] ").lower() in ("y", "yes")


class Terminal(Console):
    """A console that shows whatever it is given as text, in characters that it has. Markup is off unless asked for."""

    def __init__(self, *, markup: bool = False, **more: Any) -> None:
        super().__init__(markup=markup, highlight=False, **more)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """The parts of what is shown: all of them pass here, also those of tables and of progress bars."""
        encoding = self.encoding
        for part in super().render(renderable, options):
            yield part if part.control else Segment(_encodable(printable(part.text), encoding), part.style)

    def status(self, status: RenderableType, *, spinner: str = SPINNER, **more: Any) -> Status:
        """A line with a sign that turns while something is done."""
        return super().status(status, spinner=spinner, **more)
