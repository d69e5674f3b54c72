"""What the conditions of a statement come to, by what is known of every call before it is made.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from raito_pipeline.aws.policy import wildcards
from raito_pipeline.aws.policy.documents import Condition, Statement
from raito_pipeline.aws.policy.facts import Facts, Value, Values

_ARN_FIELDS = 6
_OF_THE_CALLER = ("aws:principal", "aws:username", "aws:userid")
_ALL, _ANY = "forallvalues", "foranyvalue"


class Bearing(Enum):
    """What the conditions of a statement come to together."""

    ALWAYS = "always"
    """they hold in every call: as if they were not there"""
    NEVER = "never"
    """they hold in no call: as if the statement was not there"""
    USUALLY = "usually"
    """they hold in an ordinary call; whether in others depends on how these are made"""
    RARELY = "rarely"
    """they do not hold in an ordinary call, but may in one that is made in another way"""
    UNDECIDED = "undecided"
    """they depend on what is not known"""

    @property
    def holds(self) -> bool | None:
        """Whether they hold in ordinary calls, which is what access is shown of; None where that is not known."""
        return None if self is Bearing.UNDECIDED else self in (Bearing.ALWAYS, Bearing.USUALLY)


@dataclass(frozen=True, slots=True)
class Judged:
    """What conditions come to, and those that it comes from (of `ALWAYS` none)."""

    bearing: Bearing
    conditions: tuple[Condition, ...] = ()
    usual: tuple[Condition, ...] = ()
    """those that hold in ordinary calls, and may not in calls that are made in another way"""

    @property
    def labels(self) -> str:
        """The conditions as reasons name them."""
        return ", ".join(condition.label for condition in self.conditions)

    @property
    def texts(self) -> str:
        """The conditions with their values, which say how a call is made."""
        return ", ".join(f"{each.label} {' or '.join(each.values)}" for each in self.conditions)


def judge(statement: Statement, facts: Facts) -> Judged:
    """What the conditions of a statement come to in calls of which some facts are known."""
    if not statement.conditions:
        return Judged(Bearing.ALWAYS)
    sorted_out: dict[Bearing, list[Condition]] = {each: [] for each in Bearing}
    for condition in statement.conditions:
        sorted_out[_judge(condition, facts, statement.variables)].append(condition)
    if sorted_out[Bearing.NEVER]:
        return Judged(Bearing.NEVER, tuple(sorted_out[Bearing.NEVER]))
    if sorted_out[Bearing.RARELY]:
        return Judged(Bearing.RARELY, tuple(sorted_out[Bearing.RARELY]))
    if sorted_out[Bearing.UNDECIDED]:
        return Judged(Bearing.UNDECIDED, tuple(sorted_out[Bearing.UNDECIDED]), tuple(sorted_out[Bearing.USUALLY]))
    if sorted_out[Bearing.USUALLY]:
        return Judged(Bearing.USUALLY, tuple(sorted_out[Bearing.USUALLY]), tuple(sorted_out[Bearing.USUALLY]))
    return Judged(Bearing.ALWAYS)


def asks_who_calls(statement: Statement) -> bool:
    """True where conditions or policy variables of a statement ask who calls."""
    resources = (*(statement.resources or ()), *(statement.not_resources or ()))
    return any("${" in text for text in resources) or any(
        condition.key.lower().startswith(_OF_THE_CALLER) or any("${" in text for text in condition.values)
        for condition in statement.conditions
    )


def _judge(condition: Condition, facts: Facts, variables: bool) -> Bearing:
    known = facts.values(condition.key)
    usual = facts.usual_values(condition.key)
    possible = facts.possible_values(condition.key)
    if possible:
        answers = {_holds(condition, each, facts, variables) for each in possible}
        if len(answers) > 1 or None in answers:
            return Bearing.UNDECIDED
        return Bearing.ALWAYS if True in answers else Bearing.NEVER
    values = known if known is not None else usual
    holds = None if values is None else _holds(condition, values, facts, variables)
    if holds is None:
        return Bearing.UNDECIDED
    if known is not None:
        return Bearing.ALWAYS if holds else Bearing.NEVER
    return Bearing.USUALLY if holds else Bearing.RARELY


def _holds(condition: Condition, values: Values, facts: Facts, variables: bool) -> bool | None:
    """Whether a condition holds for the values of its key; None where that depends on what is not known."""
    if not condition.values:
        return None
    quantifier, _, name = condition.operator.lower().rpartition(":")
    if name == "null":
        return _any((not values) == (wanted.lower() == "true") for wanted in condition.values)
    optional = name.endswith("ifexists")
    known = _OPERATORS.get(name.removesuffix("ifexists"))
    if known is None or quantifier not in ("", _ALL, _ANY):
        return None
    negated, compare = known
    if not values:
        return _of_a_missing_key(quantifier, optional=optional, negated=negated)
    wanted = [facts.substituted(text) if variables else text for text in condition.values]

    def fits(value: Value) -> bool | None:
        matches = _any(compare(text, value, variables) for text in wanted)
        return matches if matches is None or not negated else not matches

    every = quantifier == _ALL or (not quantifier and negated)
    return _all(map(fits, values)) if every else _any(map(fits, values))


def _of_a_missing_key(quantifier: str, *, optional: bool, negated: bool) -> bool | None:
    """Whether a condition holds where the key is missing.

    None of `ForAnyValue:...IfExists`: AWS documents that the one is false then, and the other true.
    """
    if quantifier:
        return True if quantifier == _ALL else None if optional else False
    return optional or negated


def _any(results: Iterable[bool | None]) -> bool | None:
    listed = list(results)
    return True if True in listed else None if None in listed else False


def _all(results: Iterable[bool | None]) -> bool | None:
    listed = list(results)
    return False if False in listed else None if None in listed else True


# -- operators: a wanted text against one value; None where it depends on what is not known ------------------------

_Compare = Callable[[str, Value, bool], bool | None]


def _equals(wanted: str, value: Value, variables: bool) -> bool | None:
    text = wildcards.literal(wanted, variables=variables)
    if text is None:
        return None
    if value.unlike:
        return False if text.startswith(value.text) else None
    if value.open:
        return None if text.startswith(value.text) else False
    return text == value.text


def _equals_ignoring_case(wanted: str, value: Value, variables: bool) -> bool | None:
    return _equals(wanted.casefold(), replace(value, text=value.text.casefold()), variables)


def _like(wanted: str, value: Value, variables: bool) -> bool | None:
    if value.unlike:
        return False if wildcards.beginning(wanted, variables=variables).startswith(value.text) else None
    if value.open:
        if wildcards.covers(wanted, value.text, variables=variables):
            return True
        return None if wildcards.may_match_below(wanted, value.text, variables=variables) else False
    if wildcards.matches(wanted, value.text, variables=variables):
        return True
    return None if wildcards.may_match(wanted, value.text, variables=variables) else False


def _arn(wanted: str, value: Value, variables: bool) -> bool | None:
    """ARNs are compared field by field: a wildcard does not reach over a colon.

    What AWS makes of one that ends too early in a `*` (`*`, `arn:aws:iam::*`) is not documented. In the element
    `Resource` fields that an ARN lacks are `*`, and so it may be here.
    """
    if value.unlike:
        return _like(wanted, value, variables)
    one, other = wanted.split(":", _ARN_FIELDS - 1), value.text.split(":", _ARN_FIELDS - 1)
    lacking = _ARN_FIELDS - len(one)
    if len(other) != _ARN_FIELDS or (lacking and not wanted.endswith("*")):
        return None if "${" in wanted else False
    *others, last = other
    fields = (*map(Value, others), Value(last, value.open))
    fits = _all(_like(a, b, variables) for a, b in zip((*one, *("*" * lacking)), fields, strict=True))
    return None if lacking and fits else fits


def _bool(wanted: str, value: Value, _variables: bool) -> bool | None:
    return None if "${" in wanted or value.unlike else wanted.lower() == value.text.lower()


def _numeric(compare: Callable[[float, float], bool]) -> _Compare:
    def numeric(wanted: str, value: Value, _variables: bool) -> bool | None:
        if value.unlike:
            return None
        try:
            return compare(float(value.text), float(wanted))
        except ValueError:
            return None

    return numeric


def _operators() -> dict[str, tuple[bool, _Compare]]:
    pairs: Sequence[tuple[str, str, _Compare]] = (
        ("stringequals", "stringnotequals", _equals),
        ("stringequalsignorecase", "stringnotequalsignorecase", _equals_ignoring_case),
        ("stringlike", "stringnotlike", _like),
        ("arnequals", "arnnotequals", _arn),
        ("arnlike", "arnnotlike", _arn),
        ("numericequals", "numericnotequals", _numeric(lambda value, wanted: value == wanted)),
    )
    operators: dict[str, tuple[bool, _Compare]] = {}
    for positive, negative, compare in pairs:
        operators[positive], operators[negative] = (False, compare), (True, compare)
    return operators | {
        "bool": (False, _bool),
        "numericlessthan": (False, _numeric(lambda value, wanted: value < wanted)),
        "numericlessthanequals": (False, _numeric(lambda value, wanted: value <= wanted)),
        "numericgreaterthan": (False, _numeric(lambda value, wanted: value > wanted)),
        "numericgreaterthanequals": (False, _numeric(lambda value, wanted: value >= wanted)),
    }


_OPERATORS = _operators()
"""By name in lower case: whether an operator is negated, and its comparison. Others never decide anything."""
