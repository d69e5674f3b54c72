"""Who may assume which role: what the trust policy and the policies of the one who assumes it say together.

A trust policy that names a user or role gives it the role, unless a policy of it denies that. One that names the
account leaves it to the policies of its users and roles, one that names everybody (`*`) needs nothing of them. A
permissions boundary has to allow it too, but for users whom the trust policy names by their ARN.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from raito_pipeline.aws.access.account import Account, PrincipalKey
from raito_pipeline.aws.access.limits import PrincipalLimits, limits_of
from raito_pipeline.aws.policy import Document, Statement, read_document
from raito_pipeline.aws.policy.conditions import Bearing, judge
from raito_pipeline.aws.policy.one_request import Sureness, names_action, names_resource
from raito_pipeline.aws.policy.principals import ASSUME_ROLE, Opening, openings, touched, who_of_trust
from raito_pipeline.aws.policy.reasons import Code, Reason
from raito_pipeline.aws.policy.what import Labelled


@dataclass(frozen=True)
class Assumers:
    """Who of the account may assume a role for sure, and why others may, or these may not."""

    users: frozenset[str]
    roles: frozenset[str]
    everybody: bool
    """the trust policy names everybody: `roles` are all that nothing keeps out"""
    reasons: tuple[Reason, ...]


def assumable(account: Account) -> Mapping[str, Assumers]:
    """The roles of the account, each with who may assume it."""
    return {name: assumers(account, name) for name in account.roles}


def assumers(account: Account, role: str) -> Assumers:
    """Who may assume a role of the account."""
    return account.once(_assumers, role)


def users_through_roles(account: Account, role: str) -> frozenset[str]:
    """The users who may assume a role by way of other roles, however many, that they may assume."""
    reached, waiting = {role}, list(assumers(account, role).roles)
    users: set[str] = set()
    while waiting:
        other = waiting.pop()
        if other not in reached:
            reached.add(other)
            users |= assumers(account, other).users
            waiting += assumers(account, other).roles
    return frozenset(users)


class _GivenBy(Enum):
    """How a trust policy lets somebody in."""

    NAME = "by its ARN"
    EVERYBODY = "as everybody"
    ACCOUNT = "as one of the account, where a policy of it allows that"


@dataclass
class _Gathering:
    """Who was found to be let in, and the reasons, each with those whom it is about."""

    users: set[str] = field(default_factory=set)
    roles: set[str] = field(default_factory=set)
    wider: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    who: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def reasons(self) -> Iterator[Reason]:
        for why, names in self.wider.items():
            yield Reason(Code.WIDER, f"trust policy: {', '.join(names)} may be kept from assuming it: {why}")
        for why, names in self.who.items():
            yield Reason(Code.WHO, f"trust policy: {', '.join(names)} may be let assume it: {why}")


def _assumers(account: Account, name: str) -> Assumers:
    role = account.roles[name]
    document = read_document(role.trust_policy)
    named = who_of_trust(document, account.directory)
    opened = openings(document, account.directory)
    found = _Gathering()
    for principal in _principals(account):
        in_trust = named.users if principal[0] == "user" else named.roles
        if principal[1] in in_trust:
            ways = [(_GivenBy.NAME, Sureness.YES, "")]
        else:
            ways = list(_ways(account, principal, document, opened, found)) if opened else []
        _let_in(account, principal, role.arn, ways, found)
    return Assumers(
        frozenset(found.users),
        frozenset(found.roles) - {name},
        any(opening.everybody for opening in opened),
        tuple(dict.fromkeys((*named.reasons, *found.reasons()))),
    )


def _principals(account: Account) -> list[PrincipalKey]:
    users = (("user", user.user_name) for user in account.inputs.users)
    return [*users, *(("role", name) for name in account.roles)]


def _ways(
    account: Account, principal: PrincipalKey, document: Document, opened: Iterable[Opening], found: _Gathering
) -> Iterator[tuple[_GivenBy, Sureness, str]]:
    """How the trust policy lets in somebody whom it does not name."""
    arn = account.arns[principal]
    for statement in document.statements:
        denies = statement.effect == "Deny" and names_action(statement, ASSUME_ROLE)
        if denies and touched(statement, arn, account.inputs.account_id):
            holds = _holds(account, statement, principal)
            if holds is Sureness.YES:
                return
            if holds is Sureness.MAYBE:
                found.wider[f"{statement.label}: {_unsure('Deny under a condition', statement)}"].append(principal[1])
    for opening in opened:
        holds = _holds(account, opening.statement, principal)
        way = _GivenBy.EVERYBODY if opening.everybody else _GivenBy.ACCOUNT
        if holds is not Sureness.NO:
            yield way, holds, f"{opening.statement.label}: {_unsure('Condition', opening.statement)}"


def _let_in(
    account: Account,
    principal: PrincipalKey,
    arn: str,
    ways: Iterable[tuple[_GivenBy, Sureness, str]],
    found: _Gathering,
) -> None:
    """Add somebody whom a trust policy lets in, as far as its own policies have nothing against it."""
    best, why, wider = Sureness.NO, "", []
    for way, holds, condition in ways:
        answer, reason, doubts = _by_own_policies(account, principal, arn, way)
        if min(answer, holds) > best:
            best, wider = min(answer, holds), doubts
            why = reason if answer is Sureness.MAYBE else condition
    if best is Sureness.YES:
        (found.users if principal[0] == "user" else found.roles).add(principal[1])
        for text in wider:
            found.wider[text].append(principal[1])
    elif best is Sureness.MAYBE and principal[0] == "user":
        found.who[why].append(principal[1])


# -- the policies of the one who assumes it ---------------------------------------------------------------------------


def _by_own_policies(
    account: Account, principal: PrincipalKey, arn: str, way: _GivenBy
) -> tuple[Sureness, str, list[str]]:
    """Whether its own policies let somebody assume a role; why it is not sure; what may deny it all the same."""
    rights = account.once(_rights, principal)
    doubts = [reason.text for reason in rights.limits.reasons]
    for label, statement in rights.denies:
        about = _about(account, statement, principal, arn)
        if about is Sureness.YES:
            return Sureness.NO, "", []
        if about is Sureness.MAYBE:
            doubts.append(f"{label}, {statement.label}: {_unsure('Deny under a condition', statement)}")
    answer, why = Sureness.YES, ""
    for allows, binds_named_users in rights.ceilings:
        if binds_named_users or way is not _GivenBy.NAME or principal[0] != "user":
            answer, why = min((answer, why), _allowed(account, principal, arn, allows), key=_by_answer)
    if way is _GivenBy.ACCOUNT:
        own = _allowed(account, principal, arn, rights.allows)
        if own[0] is Sureness.NO and rights.unread:
            own = Sureness.MAYBE, f"{rights.unread[0]}: it may allow it"
        answer, why = min((answer, why), own, key=_by_answer)
    return answer, why, doubts


def _by_answer(each: tuple[Sureness, str]) -> Sureness:
    return each[0]


def _allowed(
    account: Account, principal: PrincipalKey, arn: str, allows: Iterable[tuple[str, Statement]]
) -> tuple[Sureness, str]:
    """Whether one of the statements allows it, and which one where that is not sure."""
    best = Sureness.NO, ""
    for label, statement in allows:
        about = _about(account, statement, principal, arn)
        if about > best[0]:
            best = about, f"{label}, {statement.label}: {_unsure('Condition', statement)}"
        if about is Sureness.YES:
            break
    return best


def _holds(account: Account, statement: Statement, principal: PrincipalKey) -> Sureness:
    """Whether the conditions of a statement hold when somebody assumes a role; a Deny is judged on the safe side."""
    if not statement.conditions:
        return Sureness.YES
    bearing = judge(statement, account.directory.facts_of(account.arns[principal])).bearing
    return (_OF_A_DENY if statement.effect == "Deny" else _OF_AN_ALLOW)[bearing]


def _unsure(what: str, statement: Statement) -> str:
    """Why it is not sure whether a statement applies."""
    conditions = ", ".join(condition.label for condition in statement.conditions)
    return f"{what} ({conditions})" if conditions else "its resource has a policy variable"


def _about(account: Account, statement: Statement, principal: PrincipalKey, arn: str) -> Sureness:
    """Whether a statement applies when somebody assumes a role."""
    facts = account.directory.facts_of(account.arns[principal])
    return min(names_resource(statement, arn, facts), _holds(account, statement, principal))


_OF_AN_ALLOW = {
    Bearing.ALWAYS: Sureness.YES,
    Bearing.USUALLY: Sureness.YES,
    Bearing.RARELY: Sureness.MAYBE,
    Bearing.UNDECIDED: Sureness.MAYBE,
    Bearing.NEVER: Sureness.NO,
}
_OF_A_DENY = {**_OF_AN_ALLOW, Bearing.USUALLY: Sureness.MAYBE, Bearing.RARELY: Sureness.NO}


@dataclass(frozen=True)
class _Rights:
    """The statements of a principal that are about assuming roles."""

    allows: tuple[tuple[str, Statement], ...]
    denies: tuple[tuple[str, Statement], ...]
    ceilings: tuple[tuple[tuple[tuple[str, Statement], ...], bool], ...]
    limits: PrincipalLimits
    unread: tuple[str, ...]


def _rights(account: Account, principal: PrincipalKey) -> _Rights:
    limits = limits_of(account, principal)
    keys = account.identities(principal)
    return _Rights(
        _statements("Allow", (document for key in keys for document in account.policies_of.get(key, ()))),
        _statements("Deny", limits.denies),
        tuple((_statements("Allow", each.documents), each.binds_named_users) for each in limits.ceilings),
        limits,
        tuple(text for key in keys for text in account.unread.get(key, ())),
    )


def _statements(effect: str, documents: Iterable[Labelled]) -> tuple[tuple[str, Statement], ...]:
    return tuple(
        (label, statement)
        for label, document in documents
        for statement in document.statements
        if statement.effect == effect and names_action(statement, ASSUME_ROLE)
    )
