"""Condition blocks: operators, missing keys, keys of several values.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
"""

import ipaddress
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from tests.aws.evaluator.patterns import Context, matches, substituted

_ARN_FIELDS = 6
_Compare = Callable[[str, str, Context, bool], bool]
"""wanted value, value of the request, context, whether variables are known"""


class UnknownOperator(Exception):
    """An operator that is not among those that AWS documents."""


def hold(conditions: dict[str, Any], context: Context, *, variables: bool) -> bool:
    """Whether all conditions hold. Raises `UnknownOperator`, and `Unresolved` for a variable without a value."""
    return all(
        _holds(operator, context.get(key.lower(), ()), texts(wanted), context, variables)
        for operator, keys in conditions.items()
        for key, wanted in keys.items()
    )


def texts(value: Any) -> list[str]:
    """The values of a key, as text: JSON booleans and numbers count as AWS writes them."""
    listed = value if isinstance(value, list) else [value]
    return [str(one).lower() if isinstance(one, bool) else str(one) for one in listed]


def _holds(operator: str, values: tuple[str, ...], wanted: list[str], context: Context, variables: bool) -> bool:
    if operator.lower() == "null":
        return any((not values) == (one.lower() == "true") for one in wanted)
    quantifier, _, name = operator.rpartition(":")
    if_exists = name.lower().endswith("ifexists")
    name = name[: -len("ifexists")] if if_exists else name
    known = _OPERATORS.get(name.lower())
    if known is None or quantifier.lower() not in ("", "forallvalues", "foranyvalue"):
        raise UnknownOperator(operator)
    negated, compare = known
    if not values:
        return _of_a_missing_key(quantifier.lower(), negated, if_exists)

    def fits(value: str) -> bool:
        return any(compare(one, value, context, variables) for one in wanted) is not negated

    if quantifier.lower() == "foranyvalue":
        return any(map(fits, values))
    if quantifier.lower() == "forallvalues":
        return all(map(fits, values))
    # Without a quantifier a key of several values fits where one of them is wanted; a negated operator where none is.
    return all(map(fits, values)) if negated else any(map(fits, values))


def _of_a_missing_key(quantifier: str, negated: bool, if_exists: bool) -> bool:
    if quantifier:
        return quantifier == "forallvalues"
    return if_exists or negated


def _equals(wanted: str, value: str, context: Context, variables: bool) -> bool:
    return substituted(wanted, context, variables=variables) == value


def _equals_ignoring_case(wanted: str, value: str, context: Context, variables: bool) -> bool:
    return substituted(wanted, context, variables=variables).casefold() == value.casefold()


def _like(wanted: str, value: str, context: Context, variables: bool) -> bool:
    return matches(wanted, value, context, variables=variables)


def _arn(wanted: str, value: str, context: Context, variables: bool) -> bool:
    """ARNs are compared field by field; a `*` does not reach over a colon."""
    one, other = wanted.split(":", _ARN_FIELDS - 1), value.split(":", _ARN_FIELDS - 1)
    if len(one) != _ARN_FIELDS or len(other) != _ARN_FIELDS:
        return False
    return all(matches(a, b, context, variables=variables) for a, b in zip(one, other, strict=True))


def _bool(wanted: str, value: str, context: Context, variables: bool) -> bool:
    return substituted(wanted, context, variables=variables).lower() == value.lower()


def _numeric(compare: Callable[[float, float], bool]) -> _Compare:
    def numeric(wanted: str, value: str, _context: Context, _variables: bool) -> bool:
        try:
            return compare(float(value), float(wanted))
        except ValueError:
            return False

    return numeric


def _date(compare: Callable[[float, float], bool]) -> _Compare:
    def date(wanted: str, value: str, _context: Context, _variables: bool) -> bool:
        try:
            return compare(_seconds(value), _seconds(wanted))
        except ValueError:
            return False

    return date


def _seconds(text: str) -> float:
    if text.isdigit():
        return float(text)
    when = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def _address(wanted: str, value: str, _context: Context, _variables: bool) -> bool:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(wanted, strict=False)
    except ValueError:
        return False


def _same(value: float, wanted: float) -> bool:
    return value == wanted


def _less(value: float, wanted: float) -> bool:
    return value < wanted


def _at_most(value: float, wanted: float) -> bool:
    return value <= wanted


def _more(value: float, wanted: float) -> bool:
    return value > wanted


def _at_least(value: float, wanted: float) -> bool:
    return value >= wanted


_OPERATORS: dict[str, tuple[bool, _Compare]] = {
    "stringequals": (False, _equals),
    "stringnotequals": (True, _equals),
    "stringequalsignorecase": (False, _equals_ignoring_case),
    "stringnotequalsignorecase": (True, _equals_ignoring_case),
    "stringlike": (False, _like),
    "stringnotlike": (True, _like),
    "arnequals": (False, _arn),
    "arnlike": (False, _arn),
    "arnnotequals": (True, _arn),
    "arnnotlike": (True, _arn),
    "bool": (False, _bool),
    "binaryequals": (False, _equals),
    "ipaddress": (False, _address),
    "notipaddress": (True, _address),
}
for _prefix, _make in (("numeric", _numeric), ("date", _date)):
    _OPERATORS |= {
        f"{_prefix}equals": (False, _make(_same)),
        f"{_prefix}notequals": (True, _make(_same)),
        f"{_prefix}lessthan": (False, _make(_less)),
        f"{_prefix}lessthanequals": (False, _make(_at_most)),
        f"{_prefix}greaterthan": (False, _make(_more)),
        f"{_prefix}greaterthanequals": (False, _make(_at_least)),
    }
