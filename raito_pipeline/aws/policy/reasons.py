"""Why an access provider is not exactly what AWS gives: a code for what that means, and the words for people."""

import re
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
    """it is about other services, buckets of others or settings that have no permission, and gives no data here"""
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


_PLACE = re.compile(r".*\bstatement \d+(?: \([^()]*\))?: ", re.DOTALL)
_ELEMENTS = tuple(
    (re.compile(pattern), shown)
    for pattern, shown in (
        (r"(Condition|Deny under a condition|Deny of calls with) ?(\(.*?\))?.*", r"\1 \2"),
        (r"(NotResource|NotPrincipal|Deny)\b.*", r"\1"),
        (r"(action|resource)s? \S+(?:, \S+)* (?:is|are) (some objects)\b.*", r"\1: \2"),
        (r"(action|resource)s? \S+(?:, \S+)* (?:is a|are) (single key)s?\b.*", r"\1: \2"),
        (r"(action|resource)s? \S+(?:, \S+)* (?:is of a service|are of services)\b.*", r"\1: of another service"),
        (r"(action|resource)s? \S+(?:, \S+)* (?:matches|match) (no bucket)\b.*", r"\1: matches \2"),
        (r"(action|resource)s? \S+(?:, \S+)* (?:is |are )?(.*?)(?:;.*)?", r"\1: \2"),
        (r"(principals have different access)\b.*", r"\1"),
        (r"(principal) \S+ is (one session)\b.*", r"\1: \2 of a role"),
        (r".*\b(wildcard principal)\b.*", r"\1"),
        (
            r"principal (?:\S+ )?\S+ is (of another account|not known|no user, group or role|whoever).*",
            r"principal: \1",
        ),
        (r"trust policy: (roles?) .* may assume it.*", "trust policy: roles"),
        (r"(trust policy): .* may be (kept|let) .*", r"\1: somebody may be \2"),
        (r"group .* has members who have or may have less of it .*?: (.*)", r"members of a group: \1"),
        (r"(user|group|role) \S+ (is left out|has more of it|has a permissions boundary).*", r"\1 \2"),
        (r"(policy|role|permission set|user|group) \S+ (.*)", r"\1: \2"),
    )
)
"""Which element a reason is about, by how its text begins without its place; the first that fits counts."""


def element(text: str) -> str:
    """What a reason is about: the same for all that say the same of different statements, policies and people."""
    about = _PLACE.sub("", text)
    for pattern, shown in _ELEMENTS:
        if match := pattern.fullmatch(about):
            return match.expand(shown).strip()
    return about


def texts(reasons: Iterable[Reason], code: Code) -> tuple[str, ...]:
    """The texts of one code, each once, in the order in which they come."""
    return tuple(dict.fromkeys(reason.text for reason in reasons if reason.code is code))
