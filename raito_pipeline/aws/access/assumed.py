"""Which roles users and roles of the account may assume, directly and one after the other."""

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from raito_pipeline.aws.access.account import Account, PrincipalKey
from raito_pipeline.aws.policy import Document, Statement, read_document
from raito_pipeline.aws.policy.principals import Who, who_of_trust
from raito_pipeline.aws.policy.reasons import Code

Steps = Mapping[PrincipalKey, Mapping[str, tuple[str, ...]]]
"""by who assumes it, the roles that may be assumed, each with what that depends on (none = it is certain)"""


@dataclass(frozen=True, slots=True)
class RolePath:
    """Roles that are assumed one after the other, and what that depends on."""

    roles: tuple[str, ...]
    conditions: tuple[str, ...]


def paths_from(account: Account, principal: PrincipalKey, begin: RolePath | None = None) -> list[RolePath]:
    """The roles that somebody may get into, each by one path: a certain one where there is one, then a short one.

    `begin` is how somebody who is not of the account becomes the role `principal`; it is the first path then.
    """
    steps = account.once(assumable)
    found = {begin.roles[-1]: begin} if begin else {}
    for certain in (True, False):
        waiting = deque([(principal, begin or RolePath((), ())), *_continued(found)])
        while waiting:
            who, path = waiting.popleft()
            for role, conditions in steps.get(who, {}).items():
                if role not in found and ("role", role) != principal and not (certain and conditions):
                    also = tuple(dict.fromkeys((*path.conditions, *conditions)))
                    found[role] = RolePath((*path.roles, role), also)
                    waiting.append((("role", role), found[role]))
    return sorted(found.values(), key=lambda path: (len(path.roles), path.roles))


def _continued(found: Mapping[str, RolePath]) -> Iterator[tuple[PrincipalKey, RolePath]]:
    return ((("role", role), path) for role, path in list(found.items()))


def assumable(account: Account) -> Steps:
    """Who may assume which role directly, by the trust policies."""
    steps: dict[PrincipalKey, dict[str, tuple[str, ...]]] = defaultdict(dict)
    for role in sorted(account.inputs.roles, key=lambda role: role.role_name):
        document = read_document(role.trust_policy)
        sure = who_of_trust(document, account.directory)
        doubts = tuple(reason.text for reason in sure.reasons if reason.code is Code.WIDER)
        for principal in _principals(sure):
            steps[principal].setdefault(role.role_name, doubts)
        for who, conditions in _under_conditions(account, document):
            for principal in _principals(who):
                steps[principal].setdefault(role.role_name, (*conditions, *doubts))
    return steps


def _principals(who: Who) -> Iterator[PrincipalKey]:
    yield from (("user", name) for name in sorted(who.users))
    yield from (("role", name) for name in sorted(who.roles))


def _under_conditions(account: Account, document: Document) -> Iterator[tuple[Who, tuple[str, ...]]]:
    """Whom a trust policy names under conditions, and these. Conditions that never hold name nobody."""
    for statement in document.statements:
        if statement.effect == "Allow" and statement.conditions:
            for principal in statement.principals or ():
                alone = replace(statement, principals=(principal,))
                who = _trusted(account, document, alone)
                bare = _trusted(account, document, replace(alone, conditions=()))
                conditions = (each.text for each in who.reasons if each not in bare.reasons)
                because = tuple(dict.fromkeys(conditions))
                if because:
                    yield Who(bare.users - who.users, bare.roles - who.roles), because


def _trusted(account: Account, document: Document, allow: Statement) -> Who:
    """Whom one Allow of a trust policy names, after all of its Denies."""
    denies = (statement for statement in document.statements if statement.effect == "Deny")
    return who_of_trust(Document(document.version, (allow, *denies), ()), account.directory)
