"""Which IAM permissions would repair the calls that AWS denied, taken from what the errors say.

The errors of denied calls pass through tables, Dagster events and the feedback to Raito Cloud as text, so the text is
read here; `raito_pipeline.aws.connection.errors.explain` writes it, and a test holds both together.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

_GRANT = re.compile(r"Grant (?P<action>\S+:\S+) on (?P<resource>.+?) to the credentials\.(?P<more> The same for \d+)?")
_EXPLICIT = re.compile(
    r"(?P<resource>\S+): AWS denied the call \([^)]*\): a policy denies it .*?Take (?P<action>\S+) ou"
)


@dataclass(frozen=True, slots=True, order=True)
class Repair:
    """What to change in the policies of the credentials: `allow` an action, or take it out of an explicit `deny`."""

    action: str
    resource: str
    explicit_deny: bool = False

    def __str__(self) -> str:
        if self.explicit_deny:
            return f"Take {self.action} on {self.resource} out of the Deny of its policy"
        return f"Allow {self.action} on {self.resource}"


def repairs(texts: Iterable[str], least: Iterable[tuple[str, str]] = ()) -> tuple[Repair, ...]:
    """What would repair every denied call that the texts speak of, each once, sorted.

    `least` are (action, resource) of the least policy. Its resource takes the place of the one that a text names where
    the same call was denied for more than that, and where the text names it in words (a policy needs an ARN or `*`).
    """
    patterns: dict[str, list[str]] = defaultdict(list)
    for action, resource in least:
        patterns[action].append(resource)
    repairs_of_texts = {repair for text in texts for repair in _in(text, patterns)}
    everything = {repair for repair in repairs_of_texts if "*" in repair.resource}
    return tuple(sorted(r for r in repairs_of_texts if r in everything or not any(_covers(e, r) for e in everything)))


def _in(text: str, patterns: Mapping[str, Sequence[str]]) -> Iterator[Repair]:
    for match in _GRANT.finditer(text):
        action, resource = match["action"], match["resource"]
        named = resource if resource.startswith("arn:") else "*"
        wide = patterns.get(action, (named,)) if match["more"] or named == "*" else (named,)
        yield from (Repair(action, each) for each in wide)
    for match in _EXPLICIT.finditer(text):
        yield Repair(match["action"], match["resource"], explicit_deny=True)


def _covers(wide: Repair, narrow: Repair) -> bool:
    same = (wide.action, wide.explicit_deny) == (narrow.action, narrow.explicit_deny)
    pattern = ".*".join(re.escape(part) for part in wide.resource.split("*"))
    return same and re.fullmatch(pattern, narrow.resource) is not None
