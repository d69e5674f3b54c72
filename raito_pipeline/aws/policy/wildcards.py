"""Wildcards of IAM policies: `*` any characters, `?` one character, `${...}` a policy variable.

`${*}`, `${?}` and `${$}` stand for the characters themselves; any other variable is only known when a call is made, so
it matches nothing here for sure, and may match anything.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile

_TOKEN = re.compile(r"\$\{([^}]*)\}|([*?])|(.)", re.DOTALL)
_STAR, _ONE, _VARIABLE = "star", "one", "variable"
_ANYTHING = ".*"
"""a `*` as a regular expression; of a literal `.` or `*` there is a backslash before it"""


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str = ""


@lru_cache(maxsize=65_536)
def _tokens(pattern: str, variables: bool) -> tuple[_Token, ...]:
    if not variables:
        return tuple(_Token(_kind(c), c) for c in pattern)
    tokens = []
    for match in _TOKEN.finditer(pattern):
        variable, wildcard, literal = match.groups()
        if variable is None:
            tokens.append(_Token(_kind(wildcard or literal), wildcard or literal))
        elif variable in ("*", "?", "$"):
            tokens.append(_Token("literal", variable))
        else:
            tokens.append(_Token(_VARIABLE))
    return tuple(tokens)


def _kind(character: str) -> str:
    return {"*": _STAR, "?": _ONE}.get(character, "literal")


def has_wildcard(pattern: str, *, variables: bool = True) -> bool:
    """True where the pattern stands for more than one text."""
    return any(token.kind != "literal" for token in _tokens(pattern, variables))


def literal(pattern: str, *, variables: bool = True) -> str | None:
    """The text that a pattern is where `*` and `?` are plain characters; None where it has a variable."""
    tokens = _tokens(pattern, variables)
    return None if any(token.kind == _VARIABLE for token in tokens) else "".join(token.text for token in tokens)


def beginning(pattern: str, *, variables: bool = True) -> str:
    """What every text begins with that the pattern matches."""
    tokens = takewhile(lambda token: token.kind == "literal", _tokens(pattern, variables))
    return "".join(token.text for token in tokens)


def regex(pattern: str, *, variables: bool = True, slash: str = "/") -> str | None:
    """The pattern as a regular expression in which `.` is any character, with `slash` for a slash.

    None where it has a variable.
    """
    parts = []
    for token in _tokens(pattern, variables):
        if token.kind == _VARIABLE:
            return None
        literal = slash if token.text == "/" else re.escape(token.text)
        parts.append({_STAR: _ANYTHING, _ONE: "."}.get(token.kind) or literal)
    return "".join(parts)


@lru_cache(maxsize=65_536)
def _regex(pattern: str, variables: bool, ignore_case: bool) -> re.Pattern[str] | None:
    """The pattern as a regular expression that takes polynomial time, however many `*` there are.

    What stands between two `*` is looked for once, at the first place where it is: a later one leaves less for what
    follows.
    """
    text = regex(pattern, variables=variables)
    if text is None:
        return None
    begin, *between = text.split(_ANYTHING)
    if between:
        *between, end = between
        text = "".join((begin, *(f"(?>{_ANYTHING}?{each})" for each in between if each), _ANYTHING, end))
    return re.compile(text, re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def matches(pattern: str, text: str, *, ignore_case: bool = False, variables: bool = True) -> bool:
    """True where the pattern matches the whole text for sure (a pattern with a variable never does)."""
    regex = _regex(pattern, variables, ignore_case)
    return regex is not None and regex.fullmatch(text) is not None


@lru_cache(maxsize=262_144)
def after(pattern: str, prefix: str, *, variables: bool = True) -> tuple["Rest", ...]:
    """What the pattern still asks for after each way of reading `prefix`; empty where no text with it can match."""
    tokens = _tokens(pattern, variables)
    states = _closure(tokens, {(0, True)})
    for character in prefix:
        states = _closure(tokens, {nxt for state in states for nxt in _step(tokens, state, character)})
        if not states:
            return ()
    return tuple(Rest(tokens[at:], sure) for at, sure in sorted(states))


_State = tuple[int, bool]
"""how many tokens are read, and whether none of them is a variable"""


def _step(tokens: tuple[_Token, ...], state: _State, character: str) -> list[_State]:
    at, sure = state
    if at >= len(tokens):
        return []
    token = tokens[at]
    if token.kind in (_STAR, _VARIABLE):
        return [(at, sure and token.kind == _STAR)]
    return [(at + 1, sure)] if token.kind == _ONE or token.text == character else []


def _closure(tokens: tuple[_Token, ...], states: set[_State]) -> set[_State]:
    """The states with those that are reached by reading nothing: `*` and variables may be empty."""
    reached = set(states)
    for at, sure in states:
        while at < len(tokens) and tokens[at].kind in (_STAR, _VARIABLE):
            sure = sure and tokens[at].kind == _STAR
            at += 1
            reached.add((at, sure))
    return reached


@dataclass(frozen=True, slots=True)
class Rest:
    """The part of a pattern that is left after a prefix was read.

    `sure` is false where a variable stood for a part of the prefix: with another value it does not match at all.
    """

    tokens: tuple[_Token, ...]
    sure: bool = True

    @property
    def anything(self) -> bool:
        """True where whatever follows is a match for sure."""
        return self.sure and bool(self.tokens) and all(token.kind == _STAR for token in self.tokens)

    @property
    def any_but_nothing(self) -> bool:
        """True where whatever follows is a match for sure, if something does."""
        others = [token for token in self.tokens if token.kind != _STAR]
        return self.sure and len(others) < len(self.tokens) and [each.kind for each in others] in ([], [_ONE])

    @property
    def text(self) -> str | None:
        """The one text that is left, for sure; None where there are wildcards or variables in it."""
        if not self.sure or any(token.kind != "literal" for token in self.tokens):
            return None
        return "".join(token.text for token in self.tokens)

    @property
    def begins(self) -> str:
        """The literal text that whatever follows begins with."""
        return "".join(token.text for token in takewhile(lambda each: each.kind == "literal", self.tokens))

    def pattern(self, *, variables: bool) -> str | None:
        """The rest as a pattern in the language of `variables`; None where it is not sure, or has a variable itself."""
        if not self.sure or any(token.kind == _VARIABLE for token in self.tokens):
            return None
        return "".join(
            f"${{{each.text}}}" if variables and each.kind == "literal" and each.text in ("*", "?", "$") else each.text
            for each in self.tokens
        )

    @property
    def before_anything(self) -> str | None:
        """The literal text before a last `*`; None where the rest is not such a text and a `*`, for sure."""
        if not self.sure:
            return None
        body = self.tokens
        while body and body[-1].kind == _STAR:
            body = body[:-1]
        if len(body) == len(self.tokens) or any(token.kind != "literal" for token in body):
            return None
        return "".join(token.text for token in body)


def covers(pattern: str, prefix: str, *, variables: bool = True) -> bool:
    """True where every text that begins with `prefix` matches, for sure."""
    return any(rest.anything for rest in after(pattern, prefix, variables=variables))


def may_match_below(pattern: str, prefix: str, *, variables: bool = True) -> bool:
    """True where some text that begins with `prefix` may match."""
    return bool(after(pattern, prefix, variables=variables))


def may_match(pattern: str, text: str, *, variables: bool = True) -> bool:
    """True where the text may match: for sure, or with some value of a variable."""
    return any(
        all(token.kind in (_STAR, _VARIABLE) for token in rest.tokens)
        for rest in after(pattern, text, variables=variables)
    )
