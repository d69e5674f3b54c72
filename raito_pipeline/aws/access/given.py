"""What single policies give, also under conditions: the beginning of what a principal really reaches.

An access provider claims what its documents give for sure. What they give under a condition is access as well, only not
certain, so here it is claimed beside the other, with its condition.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from raito_pipeline.aws.access.account import Account, PrincipalKey, labelled
from raito_pipeline.aws.access.own_points import left_through_point, on_points, scope_for
from raito_pipeline.aws.access.points import gives_through_points
from raito_pipeline.aws.access.policies import inline_external_id, managed_external_ids
from raito_pipeline.aws.policy import Claim, Scope, Statement
from raito_pipeline.aws.policy.conditions import Bearing, judge
from raito_pipeline.aws.policy.documents import Condition, Document
from raito_pipeline.aws.policy.facts import OF_LISTINGS
from raito_pipeline.aws.policy.permissions import permission
from raito_pipeline.aws.policy.reasons import Code, texts
from raito_pipeline.aws.policy.what import Basis, Claims, Labelled, add_claim, after_denies, allowed

CERTAIN = ""
"""in the place of a condition: there is none"""


@dataclass(frozen=True, slots=True)
class HeldPolicy:
    """A document that a principal has, and the external id that it goes by."""

    external_id: str
    document: Labelled
    doubts: tuple[str, ...] = ()
    """why it may give less than it says: it is not of the version in force"""

    @property
    def key(self) -> tuple[str, str, int]:
        """Documents are compared by identity: each is read once."""
        return self.external_id, self.document[0], id(self.document[1])


def sources_of(account: Account, principal: PrincipalKey) -> Iterator[HeldPolicy]:
    """The policies of a user (with those of its groups) or role, whether they are imported or not."""
    names = account.once(managed_external_ids)
    for key in account.identities(principal):
        policies = account.inline.get(key, [])
        for document in labelled(policies):
            yield HeldPolicy(_inline_external_id(account, key), document)
        for arn in account.managed.get(key, ()):
            if arn in account.documents:
                doubts = (why.text for why in account.outdated.get(arn, ()) if why.code is Code.WIDER)
                yield HeldPolicy(names[arn], account.documents[arn], tuple(doubts))


def _inline_external_id(account: Account, principal: PrincipalKey) -> str:
    kind, name = principal
    if kind == "role":
        return account.external_id_of_role(name)
    return inline_external_id(kind, name, account.inline[principal])


def given(sources: Iterable[HeldPolicy], scope: Scope, denies: Sequence[Statement] = ()) -> Claims:
    """What documents give together. The basis of a claim are pairs of an external id and a condition, or `CERTAIN`.

    `denies` are statements that limit who has them: nothing is given under conditions with which one of them holds.
    """
    claims: dict[Claim, Basis] = {}
    for source in sources:
        label, document = source.document
        for statement in document.statements:
            if statement.effect == "Allow":
                for condition, claimed in _given(statement, f"{label}, {statement.label}", scope, denies):
                    basis = frozenset({(source.external_id, _all_of(source.doubts, condition))})
                    for claim in claimed:
                        add_claim(claims, claim, basis)
    return claims


def given_through_points(
    account: Account, sources: Iterable[HeldPolicy], principal: PrincipalKey
) -> Iterator[tuple[Claims, tuple[str, ...]]]:
    """What documents give a user or role by the ARNs of access points, each with what else it depends on.

    The basis of a claim is as that of `given`: it always has a condition, that calls go through the access point.
    """
    for source in sources:
        for each in on_points(account, [source.document]):
            scope = scope_for(account, each.point, principal)
            through = f"to calls through access point {each.point.arn}"
            for condition, claimed in _given(each.statement, each.place, scope):
                text = _all_of(source.doubts, f"{condition}; {through}" if condition else f"{each.place}: {through}")
                basis = frozenset({(source.external_id, text)})
                claims = {claim: basis for claim in claimed if gives_through_points(claim.permission)}
                left, why = left_through_point(account, each.point, principal, claims)
                yield left, texts(why, Code.WIDER)


def names_points(account: Account, source: HeldPolicy) -> bool:
    """True where a document is about access points of the account."""
    return next(on_points(account, [source.document]), None) is not None


def _all_of(doubts: tuple[str, ...], condition: str) -> str:
    return "; ".join((*doubts, *([condition] if condition else [])))


def _given(
    statement: Statement, label: str, scope: Scope, denies: Sequence[Statement] = ()
) -> Iterator[tuple[str, set[Claim]]]:
    sure, why = allowed(statement, scope)
    yield CERTAIN, sure
    if not statement.conditions or judge(statement, scope.facts).bearing is Bearing.NEVER:
        return
    bare, without = allowed(replace(statement, conditions=()), scope)
    conditions = [each.text for each in why if each.code is Code.NARROWER and each not in without]
    more = _unless_denied(statement, _that_may_hold(statement, bare - sure, scope), denies, scope)
    if conditions and more:
        yield f"{label}: {'; '.join(conditions)}", more


def _that_may_hold(statement: Statement, claims: set[Claim], scope: Scope) -> set[Claim]:
    """Claims under conditions less those whose calls lack what a condition asks of a listing."""
    if not any(each.key.lower() in OF_LISTINGS for each in statement.conditions):
        return claims
    if judge(statement, replace(scope.facts, lists=False)).bearing is not Bearing.NEVER:
        return claims
    rights = ((claim, permission(claim.permission)) for claim in claims)
    return {claim for claim, right in rights if right is not None and right.by_prefix}


def _unless_denied(statement: Statement, claims: set[Claim], denies: Iterable[Statement], scope: Scope) -> set[Claim]:
    """Claims under conditions less what Denies take that ask for some of the same: they hold whenever these do."""
    asked = set(map(_asked, statement.conditions))
    holds = (each for each in denies if each.conditions and asked.issuperset(map(_asked, each.conditions)))
    # A variable may be one in one of the documents, and a text in another.
    holds = (each for each in holds if not any("${" in text for one in each.conditions for text in one.values))
    holding = tuple(replace(each, conditions=()) for each in holds)
    if not holding:
        return claims
    left, _ = after_denies(dict.fromkeys(claims, frozenset()), [("", Document("", holding, ()))], scope)
    return set(left)


def _asked(condition: Condition) -> tuple[str, str, frozenset[str]]:
    """What a condition asks, without regard to how it is written: where the key is missing, no value is among those."""
    operator = condition.operator.lower()
    name = operator.removesuffix("ifexists") if "not" in operator and ":" not in operator else operator
    return name, condition.key.lower(), frozenset(condition.values)
