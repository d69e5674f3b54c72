"""Whether a statement is about one action on one resource: surely, maybe, or not."""

from enum import IntEnum

from raito_pipeline.aws.policy.documents import Statement
from raito_pipeline.aws.policy.facts import UNKNOWN, Facts
from raito_pipeline.aws.policy.wildcards import has_wildcard, matches, may_match


class Sureness(IntEnum):
    """How sure something is."""

    NO = 0
    MAYBE = 1
    """under a condition, or with some value of a policy variable"""
    YES = 2


def names_action(statement: Statement, action: str) -> bool:
    """True where `Action` or `NotAction` of a statement covers an action."""
    if statement.actions is not None:
        return any(_is(pattern, action) for pattern in statement.actions)
    return not any(_is(pattern, action) for pattern in statement.not_actions or ())


def names_resource(statement: Statement, arn: str, facts: Facts = UNKNOWN) -> Sureness:
    """Whether `Resource` or `NotResource` of a statement covers an ARN; one without either covers everything.

    Policy variables have the values that `facts` know. An Allow gives nothing by a pattern with one that has none, nor
    by what is left beside such a pattern.
    """
    inverse = statement.not_resources is not None
    patterns = statement.not_resources if statement.not_resources is not None else statement.resources
    if patterns is None:
        return Sureness.YES
    if statement.variables:
        if statement.effect == "Allow":
            valued = tuple(pattern for pattern in patterns if not facts.lacks(pattern))
            if inverse and len(valued) < len(patterns):
                return Sureness.NO
            patterns = valued
        patterns = tuple(facts.substituted(pattern) for pattern in patterns)
    sure = any(matches(pattern, arn, variables=statement.variables) for pattern in patterns)
    maybe = sure or any(may_match(pattern, arn, variables=statement.variables) for pattern in patterns)
    if inverse:
        return Sureness.NO if sure else Sureness.MAYBE if maybe else Sureness.YES
    return Sureness.YES if sure else Sureness.MAYBE if maybe else Sureness.NO


def _is(pattern: str, action: str) -> bool:
    if not has_wildcard(pattern, variables=False):
        return pattern.lower() == action.lower()
    return matches(pattern, action, ignore_case=True, variables=False)
