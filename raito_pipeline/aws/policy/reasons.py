"""Why an access provider is not exactly what AWS gives: a code for what that means, and the words for people."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Code(StrEnum):
    """What a reason means for whoever relies on what is shown."""

    WIDER = "wider"
    """what is shown may be more than is given"""
    NARROWER = "narrower"
    """more may be given than is shown"""
    WHO = "who"
    """somebody has it who cannot be named"""
    ELSEWHERE = "elsewhere"
    """it is about other services, and says nothing about S3"""
    NOTE = "note"
    """how calls have to be made (over TLS, say): it keeps nobody and nothing out"""

    @property
    def is_incomplete(self) -> bool:
        """True where an access provider with such a reason is incomplete."""
        return self not in (Code.ELSEWHERE, Code.NOTE)


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason. The text names the document, the statement and the element, and says what follows from it."""

    code: Code
    text: str

    def at(self, place: str) -> "Reason":
        """The same reason, found at a place: a document, or a statement of it."""
        return Reason(self.code, f"{place}: {self.text}")


def texts(reasons: Iterable[Reason], code: Code) -> tuple[str, ...]:
    """The texts of one code, each once, in the order in which they come."""
    return tuple(dict.fromkeys(reason.text for reason in reasons if reason.code is code))
