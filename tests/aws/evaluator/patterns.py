"""Patterns of actions, resources and condition values: `*`, `?` and policy variables.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

import re
from collections.abc import Mapping
from functools import lru_cache

Context = Mapping[str, tuple[str, ...]]
"""values of the condition keys of a request; the keys in lower case"""

_VARIABLE = re.compile(r"\$\{([^}]*)\}")


class Unresolved(Exception):
    """A variable that the request has no value for: AWS takes the statement as invalid."""


@lru_cache(maxsize=200_000)
def _compiled(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    text = "".join({"*": ".*", "?": "."}.get(c) or re.escape(c) for c in pattern)
    return re.compile(text, re.DOTALL | (re.IGNORECASE if ignore_case else 0))


@lru_cache(maxsize=1_000_000)
def plain_match(pattern: str, text: str, ignore_case: bool = False) -> bool:
    """Whether a pattern without variables is about a text."""
    return _compiled(pattern, ignore_case).fullmatch(text) is not None


def matches(pattern: str, text: str, context: Context, *, variables: bool, ignore_case: bool = False) -> bool:
    """Whether a pattern is about a text. Raises `Unresolved` for a variable without a value."""
    if not variables or "${" not in pattern:
        return plain_match(pattern, text, ignore_case)
    parts, last = [], 0
    for found in _VARIABLE.finditer(pattern):
        parts += [_wild(pattern[last : found.start()]), re.escape(value_of(found[1], context))]
        last = found.end()
    parts.append(_wild(pattern[last:]))
    return re.fullmatch("".join(parts), text, re.DOTALL | (re.IGNORECASE if ignore_case else 0)) is not None


def substituted(text: str, context: Context, *, variables: bool) -> str:
    """A text in which variables stand for their values and `*` and `?` for themselves."""
    if not variables or "${" not in text:
        return text
    return _VARIABLE.sub(lambda found: value_of(found[1], context), text)


def value_of(name: str, context: Context) -> str:
    """What a variable stands for: `${*}`, `${?}` and `${$}` for the character, others for the key's one value.

    A key of several values cannot be a variable; `${key, 'default'}` has a default.
    """
    if name in ("*", "?", "$"):
        return name
    key, comma, default = name.partition(",")
    values = context.get(key.strip().lower(), ())
    if len(values) == 1:
        return values[0]
    if comma:
        return default.strip().removeprefix("'").removesuffix("'")
    raise Unresolved(name)


def _wild(pattern: str) -> str:
    return "".join({"*": ".*", "?": "."}.get(c) or re.escape(c) for c in pattern)
