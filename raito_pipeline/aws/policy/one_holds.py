"""Whether conditions leave no call out together: one of them holds in every call, whatever its keys are.

Denies are often written in pairs: with MFA and without it, from the office and from elsewhere. Each of them is a
condition that nobody can decide beforehand, and together they refuse everything. What is compared are the texts alone:
that an address lies in two ranges, or that two patterns meet, is not worked out, and counts as not known.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from raito_pipeline.aws.policy.documents import Condition

_MOST_FACTS = 10
"""so many are tried in all combinations (1,024); of more it is not known whether they leave a call out"""
_NEGATED = {
    "stringnotequals": "stringequals",
    "stringnotequalsignorecase": "stringequalsignorecase",
    "stringnotlike": "stringlike",
    "arnnotequals": "arnlike",
    "arnnotlike": "arnlike",
    "notipaddress": "ipaddress",
    "numericnotequals": "numericequals",
    "datenotequals": "dateequals",
}
_OPPOSITE = {
    "numericgreaterthanequals": "numericlessthan",
    "numericgreaterthan": "numericlessthanequals",
    # A call at that very instant would be the only one between them.
    "dategreaterthanequals": "datelessthan",
    "dategreaterthan": "datelessthan",
}
_POSITIVE = {
    *_NEGATED.values(),
    *_OPPOSITE.values(),
    "binaryequals",
}
_SAME = {"arnequals": "arnlike", "datelessthanequals": "datelessthan"}
_TRUTHS = ("true", "false")
_ALWAYS_THERE = {
    "aws:currenttime",
    "aws:epochtime",
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principaltype",
    "aws:requestedregion",
    "aws:securetransport",
    "aws:viaawsservice",
}
"""keys that every call of a user or role has"""

_Fact = tuple[str, ...]
"""something that is so or is not so of a call: that a key is there, or that a comparison of one of its values holds"""
_Call = Mapping[_Fact, bool]


@dataclass(frozen=True, slots=True)
class _ByFacts:
    """A condition by facts. It holds where the key is there and one of `any_of` is so, or none where it is `negated`;
    where the key is missing it is what `missing` says."""

    key: str
    any_of: tuple[_Fact, ...]
    negated: bool
    missing: bool

    def holds(self, call: _Call) -> bool:
        """Whether it holds in a call."""
        if not call[_there(self.key)]:
            return self.missing
        return any(call[fact] for fact in self.any_of) is not self.negated

    @property
    def facts(self) -> Iterator[_Fact]:
        """What it depends on."""
        yield _there(self.key)
        yield from self.any_of


def one_always_holds(statements: Sequence[tuple[Condition, ...]]) -> bool:
    """True where in every call all conditions of one of the statements hold; false also where that is not known."""
    read = [tuple(map(_line, conditions)) for conditions in statements]
    known = [tuple(line for line in lines if line) for lines in read if all(lines)]
    if len(known) < 2:
        return False
    facts = sorted({fact for lines in known for line in lines for fact in line.facts})
    if len(facts) > _MOST_FACTS:
        return False
    for each in product((False, True), repeat=len(facts)):
        call = dict(zip(facts, each, strict=True))
        if any(not call.get(_there(key), True) for key in _ALWAYS_THERE):
            continue
        if not any(all(line.holds(call) for line in lines) for lines in known):
            return False
    return True


def _there(key: str) -> _Fact:
    return ("", key)


def _line(condition: Condition) -> _ByFacts | None:
    """A condition by facts; None where its operator is not known, or it has no values."""
    key = condition.key.lower()
    quantifier, _, operator = condition.operator.lower().rpartition(":")
    if not condition.values or quantifier not in ("", "forallvalues", "foranyvalue"):
        return None
    if operator == "null":
        return _null(key, condition.values)
    optional, name = operator.endswith("ifexists"), operator.removesuffix("ifexists")
    if name == "bool":
        return None if quantifier else _bool(key, condition.values, optional)
    name = _SAME.get(name, name)
    negated = name in _NEGATED
    opposite = name in _OPPOSITE
    positive = _NEGATED.get(name) or _OPPOSITE.get(name, name)
    if positive not in _POSITIVE or (opposite and quantifier):
        return None
    every = quantifier == "forallvalues" or (not quantifier and negated)
    # Of a key of several values "each is one of these" is one fact, "one is one of these" a fact for each of these.
    facts: tuple[_Fact, ...] = tuple((key, positive, value) for value in condition.values)
    if every is not negated:
        facts = ((key, positive, "each", *sorted(condition.values)),)
    if opposite and len(condition.values) > 1:
        return None
    if quantifier == "foranyvalue" and optional:
        return None  # what holds where the key is missing is not documented
    missing = quantifier == "forallvalues" if quantifier else optional or negated
    return _ByFacts(key, facts, negated or opposite, missing)


def _null(key: str, values: tuple[str, ...]) -> _ByFacts:
    wanted = {value.lower() == "true" for value in values}
    return _ByFacts(key, (), negated=False in wanted, missing=True in wanted)


def _bool(key: str, values: tuple[str, ...], optional: bool) -> _ByFacts | None:
    """The values of such a key are `true` and `false`, and nothing else."""
    wanted = {value.lower() for value in values}
    if not wanted <= set(_TRUTHS):
        return None
    if len(wanted) > 1:
        return _ByFacts(key, (), negated=True, missing=optional)
    return _ByFacts(key, ((key, "bool", "true"),), negated="false" in wanted, missing=optional)
