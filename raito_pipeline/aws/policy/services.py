"""Access through a service of AWS: calls that the service makes for whoever has the right to them.

Athena, CloudFormation and others call S3 with the rights of the person who called them; policies know such calls by
`aws:CalledVia` and `aws:ViaAWSService`. Who has a right through a service alone does reach the data, so it is claimed,
with a note. https://docs.aws.amazon.com/IAM/latest/UserGuide/access_forward_access_sessions.html
"""

import re
from collections.abc import Iterator

from raito_pipeline.aws.policy.allows import allowed
from raito_pipeline.aws.policy.claims import Claim, Scope
from raito_pipeline.aws.policy.conditions import Bearing, judge
from raito_pipeline.aws.policy.documents import Statement
from raito_pipeline.aws.policy.reasons import Code, Reason

_KEYS = ("aws:viaawsservice", "aws:calledvia", "aws:calledviafirst", "aws:calledvialast")
_SERVICE = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com(\.cn)?")
_ANY = "another.amazonaws.com"
"""stands for a service that no condition names"""


def asks_for_services(statement: Statement) -> bool:
    """True where a condition asks whether a service makes the call."""
    return any(condition.key.lower() in _KEYS for condition in statement.conditions)


def allowed_through_services(statement: Statement, scope: Scope) -> tuple[set[Claim], list[Reason]]:
    """What an Allow gives in ordinary calls, or else in those that a service makes, and what could not be represented.

    A service is tried where the conditions name it as AWS names services; one that they do not name is tried, too.
    """
    if asks_for_services(statement) and judge(statement, scope.facts).bearing is Bearing.RARELY:
        through = [each for name in _services(statement) if _holds(statement, each := scope.called_through(name))]
        if through:
            answers = [allowed(statement, each) for each in through]
            return set().union(*(given for given, _ in answers)), [*answers[0][1], _note(statement)]
    return allowed(statement, scope)


def _holds(statement: Statement, scope: Scope) -> bool:
    return judge(statement, scope.facts).bearing in (Bearing.ALWAYS, Bearing.USUALLY)


def _services(statement: Statement) -> Iterator[str]:
    named = {value for each in statement.conditions if each.key.lower() in _KEYS for value in each.values}
    begun = {value.removesuffix("*") + "amazonaws.com" for value in named if value.endswith(".*")}
    yield from sorted(name for name in named | begun if _SERVICE.fullmatch(name))
    yield _ANY


def _note(statement: Statement) -> Reason:
    asked = (each for each in statement.conditions if each.key.lower() in _KEYS)
    texts = ", ".join(f"{each.label} {' or '.join(each.values)}" for each in asked)
    only = "it gives access only to calls that a service of AWS makes for whoever has it"
    return Reason(Code.NOTE, f"Condition ({texts}): {only}")
