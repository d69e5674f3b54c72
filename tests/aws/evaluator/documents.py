"""Policy documents as the evaluator holds them. AWS stores valid ones only; one that is not valid says nothing.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

import json
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from tests.aws.evaluator.conditions import UnknownOperator, hold
from tests.aws.evaluator.patterns import Context, Unresolved, matches, plain_match


@dataclass(frozen=True, eq=False)
class Rule:
    """One statement."""

    deny: bool
    principals: dict[str, tuple[str, ...]] | None
    not_principals: dict[str, tuple[str, ...]] | None
    actions: tuple[str, ...]
    all_actions_but: bool
    resources: tuple[str, ...]
    all_resources_but: bool
    conditions: dict[str, Any]
    variables: bool
    named: dict[str, bool] = field(default_factory=dict, repr=False)
    """answers of `names`, kept"""

    def is_about(self, action: str, resource: str | None, context: Context) -> bool:
        """Whether action, resource and conditions fit. A doubt makes a Deny apply, and an Allow not.

        `resource` is None for the policy of a role: it has no `Resource`, and is about the role.
        """
        if not self.names(action):
            return False
        doubts = False
        try:
            if self.conditions and not hold(self.conditions, context, variables=self.variables):
                return False
        except (Unresolved, UnknownOperator):
            doubts = True
        try:
            if resource is not None and not self._is_about_resource(resource, context):
                return False
        except Unresolved:
            doubts = True
        return self.deny or not doubts

    def names(self, action: str) -> bool:
        """Whether the statement is about an action."""
        if action not in self.named:
            self.named[action] = any(plain_match(one, action, True) for one in self.actions) is not self.all_actions_but
        return self.named[action]

    def _is_about_resource(self, resource: str, context: Context) -> bool:
        unresolved = None
        for one in self.resources:
            try:
                if matches(one, resource, context, variables=self.variables):
                    return not self.all_resources_but
            except Unresolved as error:
                unresolved = error
        if unresolved is not None and self.all_resources_but:
            raise unresolved
        return self.all_resources_but


@dataclass(frozen=True, eq=False)
class Policy:
    """A policy document."""

    rules: tuple[Rule, ...]


NOTHING = Policy(())


@lru_cache(maxsize=20_000)
def parse(text: str) -> Policy:
    """A document from its text; what AWS would not have stored says nothing."""
    try:
        content = json.loads(text, object_pairs_hook=_once)
        variables = content.get("Version", "2008-10-17") == "2012-10-17"
        return Policy(tuple(_rule(one, variables) for one in _listed(content["Statement"])))
    except (ValueError, KeyError, TypeError, AttributeError):
        return NOTHING


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("a key is given twice")
    return dict(pairs)


def _rule(one: dict[str, Any], variables: bool) -> Rule:
    if one["Effect"] not in ("Allow", "Deny") or ("Action" in one) == ("NotAction" in one):
        raise ValueError("not a statement")
    return Rule(
        deny=one["Effect"] == "Deny",
        principals=_principals(one.get("Principal")),
        not_principals=_principals(one.get("NotPrincipal")),
        actions=_texts(one.get("Action", one.get("NotAction"))),
        all_actions_but="NotAction" in one,
        resources=_texts(one.get("Resource", one.get("NotResource", "*"))),
        all_resources_but="NotResource" in one,
        conditions=one.get("Condition") or {},
        variables=variables,
    )


def _principals(value: Any) -> dict[str, tuple[str, ...]] | None:
    if value is None:
        return None
    return {"AWS": ("*",)} if value == "*" else {kind: _texts(listed) for kind, listed in value.items()}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(str(one) for one in _listed(value))
