"""Who may assume which role: what the trust policy and the policies of the one who assumes it say together.

A trust policy that names a user or role gives it the role, unless a policy of it denies that. One that names the
account leaves it to the policies of its users and roles, one that names everybody (`*`) needs nothing of them. A
permissions boundary has to allow it too, but for users whom the trust policy names by their ARN.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum

from raito_pipeline.aws.access.account import Account, PrincipalKey
from raito_pipeline.aws.access.bucket_documents import reach_of
from raito_pipeline.aws.access.limits import PrincipalLimits, limits_of
from raito_pipeline.aws.policy import Document, Statement, read_document
from raito_pipeline.aws.policy.conditions import Bearing, judge
from raito_pipeline.aws.policy.deny_reach import DenyReach, is_account, is_everybody
from raito_pipeline.aws.policy.documents import Condition
from raito_pipeline.aws.policy.facts import Facts
from raito_pipeline.aws.policy.one_holds import one_always_holds
from raito_pipeline.aws.policy.one_request import Sureness, names_action, names_resource
from raito_pipeline.aws.policy.principals import ASSUME_ROLE, openings, who_of_trust
from raito_pipeline.aws.policy.reasons import Code, Reason
from raito_pipeline.aws.policy.what import Labelled


@dataclass(frozen=True)
class Assumers:
    """Who of the account may assume a role, and why that is not exactly so."""

    certain: Mapping[PrincipalKey, tuple[str, ...]]
    """users and roles who may, each with what may keep them out all the same"""
    conditional: Mapping[PrincipalKey, tuple[str, ...]]
    """users and roles who may under conditions, each with these and with what may keep them out"""
    everybody: bool
    """the trust policy names everybody, also outside of the account"""
    reasons: tuple[Reason, ...]

    @property
    def users(self) -> frozenset[str]:
        """The users who may."""
        return frozenset(name for kind, name in self.certain if kind == "user")

    @property
    def roles(self) -> frozenset[str]:
        """The roles that may."""
        return frozenset(name for kind, name in self.certain if kind == "role")


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


@dataclass(frozen=True)
class _Admission:
    """One who may be let in: by which statement, how sure that is, on what it depends, what may deny it."""

    way: _GivenBy
    sure: Sureness
    depends_on: str = ""
    by_own_policies: bool = False
    """whether it is a policy of its own that it depends on"""
    doubts: tuple[str, ...] = ()
    trust_doubts: tuple[str, ...] = ()
    """what of the trust policy may deny it"""

    @property
    def new_doubts(self) -> tuple[str, ...]:
        """Those that reading the names in the trust policy did not give a reason for: see `who_of_trust`."""
        return self.doubts if self.way is _GivenBy.NAME else (*self.trust_doubts, *self.doubts)


def _assumers(account: Account, name: str) -> Assumers:
    role = account.roles[name]
    document = read_document(role.trust_policy)
    opened = openings(document, account.directory)
    certain: dict[PrincipalKey, tuple[str, ...]] = {}
    conditional: dict[PrincipalKey, tuple[str, ...]] = {}
    said: dict[Reason, list[str]] = defaultdict(list)
    everybody = any(opening.everybody for opening in opened)
    for principal in _candidates(account, document, everybody=everybody, with_rights=bool(opened)):
        admission = _case(account, principal, role.arn, document)
        if admission.sure is Sureness.NO or principal == ("role", name):
            continue
        if admission.sure is Sureness.YES:
            certain[principal] = (*admission.trust_doubts, *admission.doubts)
            for doubt in admission.new_doubts:
                said[Reason(Code.WIDER, doubt)].append(principal[1])
        else:
            conditional[principal] = (admission.depends_on, *admission.trust_doubts, *admission.doubts)
            # Whom a statement names under a condition is a reason already: see `named_by`.
            if principal[0] == "user" and (admission.by_own_policies or admission.way is not _GivenBy.NAME):
                said[Reason(Code.WHO, admission.depends_on)].append(principal[1])
    named = who_of_trust(document, account.directory)
    outside = account.directory.facts_of("*")
    everybody = any(each.everybody and judge(each.statement, outside).bearing is not Bearing.NEVER for each in opened)
    reasons = (*named.reasons, *(_said(reason, names) for reason, names in said.items()))
    return Assumers(certain, conditional, everybody, tuple(dict.fromkeys(reasons)))


def _said(reason: Reason, names: Iterable[str]) -> Reason:
    may = "kept from assuming it" if reason.code is Code.WIDER else "let assume it"
    return Reason(reason.code, f"trust policy: {', '.join(names)} may be {may}: {reason.text}")


def _candidates(account: Account, document: Document, *, everybody: bool, with_rights: bool) -> Iterable[PrincipalKey]:
    """Those whom a trust policy may let in: by name, all (`everybody`), or those `with_rights` of their own."""
    if everybody:
        return account.arns
    named = (each.value for statement in _allows(document) for each in statement.principals or ())
    by_arn = account.once(_by_arn)
    by_name = (by_arn[value] for value in named if value in by_arn)
    return dict.fromkeys((*by_name, *(account.once(_with_rights) if with_rights else ())))


def _by_arn(account: Account) -> Mapping[str, PrincipalKey]:
    return {arn: principal for principal, arn in account.arns.items()}


def _with_rights(account: Account) -> tuple[PrincipalKey, ...]:
    """Users and roles with a policy that allows, or may allow, to assume some role."""
    rights = ((principal, account.once(_rights, principal)) for principal in account.arns)
    return tuple(principal for principal, its in rights if its.allows or its.unread)


def _allows(document: Document) -> Iterator[Statement]:
    return (each for each in document.statements if each.effect == "Allow" and names_action(each, ASSUME_ROLE))


def _case(account: Account, principal: PrincipalKey, arn: str, document: Document) -> _Admission:
    """Whether somebody is let in by a trust policy, and has nothing against it in policies of its own."""
    best = _Admission(_GivenBy.NAME, Sureness.NO)
    doubts: list[str] = []
    refused: list[tuple[Condition, ...]] = []
    for statement in document.statements:
        if statement.effect == "Deny" and names_action(statement, ASSUME_ROLE):
            reached = _REACHED[reach_of(account, statement, principal)]
            holds = min(reached, _holds(account, statement, principal))
            if holds is Sureness.YES:
                return best
            if holds is Sureness.MAYBE:
                doubts.append(f"{statement.label}: {_unsure('Deny under a condition', statement)}")
            if reached is Sureness.YES:
                refused += _undecided(account, statement, principal)
    # Denies of the trust policy and of its own policies may leave no call out together.
    if refused and one_always_holds([*refused, *_denied_under(account, principal, arn)]):
        return best
    together: dict[_GivenBy, list[tuple[Condition, ...]]] = defaultdict(list)
    for statement in _allows(document):
        for way in _ways(account, statement, principal):
            admission = _by_statement(account, principal, arn, statement, way)
            if admission.sure is Sureness.MAYBE and not admission.by_own_policies:
                together[way] += _undecided(account, statement, principal)
                if one_always_holds(together[way]):
                    admission = replace(admission, sure=Sureness.YES, depends_on="")
            if admission.sure > best.sure:
                best = admission
    return replace(best, trust_doubts=tuple(doubts))


def _undecided(account: Account, statement: Statement, principal: PrincipalKey) -> list[tuple[Condition, ...]]:
    """The conditions of a statement that depend on what is not known, as one entry; none where they decide it."""
    judged = judge(statement, account.once(_facts, principal))
    return [judged.conditions] if judged.bearing is Bearing.UNDECIDED else []


def _denied_under(account: Account, principal: PrincipalKey, arn: str) -> list[tuple[Condition, ...]]:
    """The conditions under which its own policies surely deny somebody a role, an entry a statement."""
    facts = account.once(_facts, principal)
    denies = (each for _, each in account.once(_rights, principal).denies)
    about = (each for each in denies if names_resource(each, arn, facts) is Sureness.YES)
    return [conditions for each in about for conditions in _undecided(account, each, principal)]


def _ways(account: Account, statement: Statement, principal: PrincipalKey) -> Iterator[_GivenBy]:
    for each in statement.principals or ():
        if each.kind == "AWS" and each.value == account.arns[principal]:
            yield _GivenBy.NAME
        elif is_everybody(each):
            yield _GivenBy.EVERYBODY
        elif is_account(each, account.inputs.account_id):
            yield _GivenBy.ACCOUNT


def _by_statement(
    account: Account, principal: PrincipalKey, arn: str, statement: Statement, way: _GivenBy
) -> _Admission:
    holds = _holds(account, statement, principal)
    if holds is Sureness.NO:
        return _Admission(way, holds)
    own, why, doubts = _by_own_policies(account, principal, arn, way)
    if own is Sureness.MAYBE:
        return _Admission(way, own, why, by_own_policies=True, doubts=tuple(doubts))
    condition = f"{statement.label}: {_unsure('Condition', statement)}" if holds is Sureness.MAYBE else ""
    return _Admission(way, min(own, holds), condition, doubts=tuple(doubts))


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
    if doubts and one_always_holds(_denied_under(account, principal, arn)):
        return Sureness.NO, "", []
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
    together: list[tuple[Condition, ...]] = []
    for label, statement in allows:
        about = _about(account, statement, principal, arn)
        if about is Sureness.MAYBE and names_resource(statement, arn, account.once(_facts, principal)) is Sureness.YES:
            together += _undecided(account, statement, principal)
            about = Sureness.YES if one_always_holds(together) else about
        if about > best[0]:
            best = about, f"{label}, {statement.label}: {_unsure('Condition', statement)}"
        if about is Sureness.YES:
            break
    return best


def _holds(account: Account, statement: Statement, principal: PrincipalKey) -> Sureness:
    """Whether the conditions of a statement hold when somebody assumes a role; a Deny is judged on the safe side."""
    if not statement.conditions:
        return Sureness.YES
    bearing = judge(statement, account.once(_facts, principal)).bearing
    return (_OF_A_DENY if statement.effect == "Deny" else _OF_AN_ALLOW)[bearing]


def _facts(account: Account, principal: PrincipalKey) -> Facts:
    return account.directory.facts_of(account.arns[principal])


def _unsure(what: str, statement: Statement) -> str:
    """Why it is not sure whether a statement applies."""
    conditions = ", ".join(condition.label for condition in statement.conditions)
    return f"{what} ({conditions})" if conditions else "its resource has a policy variable"


def _about(account: Account, statement: Statement, principal: PrincipalKey, arn: str) -> Sureness:
    """Whether a statement applies when somebody assumes a role."""
    named = names_resource(statement, arn, account.once(_facts, principal))
    return min(named, _holds(account, statement, principal)) if named is not Sureness.NO else named


_REACHED = {DenyReach.NO: Sureness.NO, DenyReach.MAYBE: Sureness.MAYBE, DenyReach.SURE: Sureness.YES}
_OF_AN_ALLOW = {
    Bearing.ALWAYS: Sureness.YES,
    Bearing.USUALLY: Sureness.YES,
    Bearing.RARELY: Sureness.MAYBE,
    Bearing.UNDECIDED: Sureness.MAYBE,
    Bearing.NEVER: Sureness.NO,
}
_OF_A_DENY = {**_OF_AN_ALLOW, Bearing.RARELY: Sureness.NO}


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
