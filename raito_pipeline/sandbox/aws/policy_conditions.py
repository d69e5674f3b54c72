"""Conditions of policies, wildcards and policy variables, as AWS reads them.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

import ipaddress
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

Context = Mapping[str, tuple[str, ...]]
"""Values of the condition keys of a call; the keys in lower case."""
_TOKEN = re.compile(r"\$\{([^}]*)\}|([*?])")
_Comparison = Callable[[str, str, Context], bool]


def matches(pattern: str, value: str, context: Context, *, ignore_case: bool = False) -> bool:
    r"""Whether a value is what a pattern with `*`, `?` and variables (`${aws:username}`, `${*}`) stands for."""
    parts, last = [], 0
    for token in _TOKEN.finditer(pattern):
        parts.append(re.escape(pattern[last : token.start()]))
        text = _variable(token[1], context) if token[2] is None else None
        if token[2] is None and text is None:
            return False
        parts.append({"*": ".*", "?": "."}[token[2]] if text is None else re.escape(text))
        last = token.end()
    parts.append(re.escape(pattern[last:]))
    flags = re.DOTALL | (re.IGNORECASE if ignore_case else 0)
    return re.fullmatch("".join(parts), value, flags) is not None


def _variable(name: str, context: Context) -> str | None:
    if name in ("*", "?", "$"):
        return name
    key, _, default = name.partition(",")
    values = context.get(key.strip().lower(), ())
    if values:
        return values[0]
    return default.strip().strip("'") if default else None


def conditions_hold(conditions: Mapping[str, Any], context: Context) -> bool:
    """Whether all conditions of a statement hold; an operator that is not known here does not hold."""
    return all(
        _holds(name, context.get(key.lower(), ()), [str(one) for one in _listed(wanted)], context)
        for name, keys in conditions.items()
        for key, wanted in keys.items()
    )


def _holds(name: str, values: tuple[str, ...], wanted: list[str], context: Context) -> bool:
    if name == "Null":
        return (not values) == (wanted[:1] == ["true"])
    quantifier, _, rest = name.rpartition(":")
    plain = rest.removesuffix("IfExists")
    negated, comparison = _OPERATORS.get(plain, (False, _never))
    if not values:
        return plain != rest or quantifier == "ForAllValues" or (negated and plain in _OPERATORS)

    def fits(value: str) -> bool:
        return any(comparison(one, value, context) for one in wanted) is not negated

    return any(map(fits, values)) if quantifier == "ForAnyValue" else all(map(fits, values))


def _never(_wanted: str, _value: str, _context: Context) -> bool:
    return False


def _same(wanted: str, value: str, context: Context) -> bool:
    # Variables stand for their values here, too, but `*` and `?` for themselves.
    escaped = re.sub(r"(?<!\$\{)[*?]", lambda match: f"${{{match[0]}}}", wanted)
    return matches(escaped, value, context)


def _same_but_case(wanted: str, value: str, context: Context) -> bool:
    return _same(wanted.casefold(), value.casefold(), context)


def _boolean(wanted: str, value: str, _context: Context) -> bool:
    return wanted.lower() == value.lower()


def _numeric(compare: Callable[[float, float], bool]) -> _Comparison:
    def numeric(wanted: str, value: str, _context: Context) -> bool:
        try:
            return compare(float(value), float(wanted))
        except ValueError:
            return False

    return numeric


def _address(wanted: str, value: str, _context: Context) -> bool:
    try:
        return ipaddress.ip_address(value) in ipaddress.ip_network(wanted, strict=False)
    except ValueError:
        return False


_OPERATORS: Mapping[str, tuple[bool, _Comparison]] = {
    "StringEquals": (False, _same),
    "StringNotEquals": (True, _same),
    "StringEqualsIgnoreCase": (False, _same_but_case),
    "StringNotEqualsIgnoreCase": (True, _same_but_case),
    "StringLike": (False, matches),
    "StringNotLike": (True, matches),
    "ArnEquals": (False, matches),
    "ArnLike": (False, matches),
    "ArnNotEquals": (True, matches),
    "ArnNotLike": (True, matches),
    "Bool": (False, _boolean),
    "NumericEquals": (False, _numeric(operator.eq)),
    "NumericNotEquals": (True, _numeric(operator.eq)),
    "NumericLessThan": (False, _numeric(operator.lt)),
    "NumericLessThanEquals": (False, _numeric(operator.le)),
    "NumericGreaterThan": (False, _numeric(operator.gt)),
    "NumericGreaterThanEquals": (False, _numeric(operator.ge)),
    "IpAddress": (False, _address),
    "NotIpAddress": (True, _address),
}
"""By name: whether the comparison is negated, and the comparison of a wanted value with one that the call has."""


def _listed(value: Any) -> list[Any]:
    if isinstance(value, bool):
        return [str(value).lower()]
    return value if isinstance(value, list) else [value]
