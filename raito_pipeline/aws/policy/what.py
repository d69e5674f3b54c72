"""What policy documents of one principal allow: permissions on the account, on buckets, folders and files.

Claimed is what the Allow statements give in ordinary calls (`allows.py`), less what the Deny statements take
(`denies.py`). All that is left out, or may be refused, is told in the reasons.
"""

from collections.abc import Iterable, Sequence

from raito_pipeline.aws.policy.allows import allowed
from raito_pipeline.aws.policy.claims import Basis, Claim, Claims, Labelled, Scope, What, add_claim, by_target
from raito_pipeline.aws.policy.denies import after_denies, after_deny
from raito_pipeline.aws.policy.reasons import Code, Reason
from raito_pipeline.aws.policy.services import allowed_through_services

__all__ = [
    "Basis",
    "Claim",
    "Claims",
    "Labelled",
    "Scope",
    "What",
    "add_claim",
    "after_denies",
    "after_deny",
    "allowed",
    "by_target",
    "what_of",
]


def what_of(
    documents: Iterable[Labelled],
    scope: Scope,
    *,
    denies: Sequence[Labelled] = (),
    through_services: bool = False,
) -> What:
    """What the documents of one principal allow together.

    `documents` come with the label that people know them by. `denies` are documents of which only the Deny statements
    count: those that the same principal has elsewhere. `through_services`: also claim what they give in calls that a
    service makes for the principal alone (nothing that limits it may ask for services then).
    """
    allows = allowed_through_services if through_services else allowed
    listed = list(documents)
    answers = [
        [(each, *allows(each, scope)) for each in document.statements if each.effect == "Allow"]
        for _, document in listed
    ]
    claims: dict[Claim, Basis] = {}
    for (label, _), answered in zip(listed, answers, strict=True):
        for statement, given, _ in answered:
            basis = frozenset({(label, statement.label)})
            for claim in given:
                add_claim(claims, claim, basis)
    # What has no name lacks nothing where it is a part of what is claimed, by the same statement or another one.
    beside = scope.beside(claims.keys())
    reasons: list[Reason] = []
    for (label, document), answered in zip(listed, answers, strict=True):
        reasons += [Reason(Code.NARROWER, f"{label}: {problem}") for problem in document.problems]
        for statement, _, why in answered:
            if any(reason.code is Code.NARROWER for reason in why):
                _, why = allows(statement, beside)
            reasons += [reason.at(f"{label}, {statement.label}") for reason in why]
    left, denied = after_denies(claims, [*listed, *denies], scope)
    return What(left, tuple(dict.fromkeys((*reasons, *denied))))
