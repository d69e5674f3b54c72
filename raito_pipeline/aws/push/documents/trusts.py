"""Trust policies that Raito did not write: people come and go, and every condition and other statement stays."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from raito_pipeline.aws.policy import read_document
from raito_pipeline.aws.policy.principals import ASSUME_ROLE
from raito_pipeline.aws.policy.wildcards import matches
from raito_pipeline.aws.push.documents.document_edits import statements_in, with_statements
from raito_pipeline.aws.push.documents.gone_principals import without_gone
from raito_pipeline.aws.push.documents.statements import NOBODY


@dataclass(frozen=True)
class Trust:
    """A trust policy in two steps: without those who lost it, then also with those who got it."""

    narrowed: str
    whole: str
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def edited(document: str, users: Mapping[str, str], shown: Iterable[str], wanted: Iterable[str]) -> Trust:
    """A trust policy after people edited who is in it.

    `users` are all users of the account with their ARNs, `shown` those whom Raito Cloud showed, `wanted` those who are
    to be there. Whoever it did not show keeps what they have; who is gone goes with the first edit.
    """
    gone, come = set(shown) - set(wanted), sorted(set(wanted) - set(shown))
    read = read_document(document)
    if read.problems:
        why = (f"its trust policy cannot be read, and stays as it is: {read.problems[0]}",) if gone or come else ()
        return Trust(document, document, why)
    raw = statements_in(document)
    left = [one for one in raw if one != NOBODY]
    left = [one for one in (_less(each, {users[name] for name in gone if name in users}) for each in left) if one]
    arns = [users[name] for name in come if name in users and not _names(left, users[name])]
    more, problem, warning = _more(left, arns, frozenset(users.values()))
    stays = _who_stays(left, {name: users[name] for name in sorted(gone & users.keys())})
    return Trust(
        _document(document, raw, left),
        _document(document, raw, more),
        tuple(filter(None, (stays, problem))),
        tuple(filter(None, (warning, *(_only_under(left, users[name]) for name in come if name in users)))),
    )


def let_in_by_name(document: str) -> frozenset[str]:
    """The ARNs that a trust policy lets in, under conditions, too; none of one that cannot be read."""
    if read_document(document).problems:
        return frozenset()
    return frozenset(arn for one in statements_in(document) if _lets_in(one) for arn in _aws(one))


def lets_somebody_in(document: str) -> bool:
    """False where no statement of a trust policy lets anybody in."""
    return bool(read_document(document).problems) or any(_lets_in(one) for one in statements_in(document))


def _who_stays(statements: Sequence[Any], gone: Mapping[str, str]) -> str | None:
    """Why people who were taken out may be let in all the same: by a statement that does not name them."""
    accounts = {arn.split(":")[4] for arn in gone.values()}
    let_in = {arn for one in statements if _lets_in(one) for arn in _aws(one)}
    if not gone or not any(arn == "*" or (_is_more_than_one(arn) and accounts & set(arn.split(":"))) for arn in let_in):
        return None
    by = "everybody" if "*" in let_in else "the account, and a policy of theirs allows them to assume it"
    return f"{', '.join(gone)} cannot be taken out by name, because its trust policy lets in {by}: change that in AWS"


def _is_more_than_one(arn: str) -> bool:
    return arn == "*" or arn.isdigit() or arn.endswith(":root")


def _document(document: str, before: Sequence[Any], statements: Sequence[Any]) -> str:
    after = _or_nobody(statements)
    return document if after == before else with_statements(document, _or_nobody(without_gone(statements)))


def _or_nobody(statements: Sequence[Any]) -> list[Any]:
    allows = any(one["Effect"] == "Allow" for one in statements)
    return list(statements) if allows else [*statements, NOBODY]


def _less(statement: Any, arns: set[str]) -> Any | None:
    """A statement without principals; None where nobody is left in it."""
    principal = statement.get("Principal")
    if statement["Effect"] != "Allow" or not isinstance(principal, dict) or "AWS" not in principal:
        return statement
    had = _texts(principal["AWS"])
    left = [arn for arn in had if arn not in arns]
    if left == had:
        return statement
    others = {kind: value for kind, value in principal.items() if kind != "AWS"}
    rest = {**({"AWS": left} if left else {}), **others}
    return {**statement, "Principal": rest} if rest else None


def _only_under(statements: Sequence[Any], arn: str) -> str | None:
    """Why somebody who is to be let in is let in under conditions alone; None for whom no statement names yet."""
    conditions = [one.get("Condition") for one in statements if _lets_in(one) and arn in _aws(one)]
    return _holds_for(arn.rpartition("/")[2], conditions[0]) if conditions and all(conditions) else None


def _holds_for(who: str, condition: Any) -> str:
    return f"{who}: the condition of its trust policy ({json.dumps(condition)}) holds for them too"


def _names(statements: Sequence[Any], arn: str) -> bool:
    """True where somebody is let in by name already, if only under a condition."""
    return any(_lets_in(one) and arn in _aws(one) for one in statements)


def _more(
    statements: Sequence[Any], arns: Sequence[str], users: frozenset[str]
) -> tuple[list[Any], str | None, str | None]:
    """The statements with more people; why they could not be added, and what they should know."""
    if not arns:
        return list(statements), None, None
    conditions = [one.get("Condition") or None for one in statements if _lets_in(one) and _of_people(one, users)]
    distinct = [one for place, one in enumerate(conditions) if one not in conditions[:place]]
    who = ", ".join(arn.rpartition("/")[2] for arn in arns)
    if None not in distinct and len(distinct) > 1:
        why = f"{who} cannot be added to its trust policy, because people are in it under different conditions"
        return list(statements), f"{why}: add them in AWS", None
    condition = None if None in distinct or not distinct else distinct[0]
    added = {"Effect": "Allow", "Principal": {"AWS": list(arns)}, "Action": ASSUME_ROLE}
    if condition is not None:
        added["Condition"] = condition
    place = next((n for n, one in enumerate(statements) if _is_alike(one, added, users)), None)
    listed = list(statements)
    if place is None:
        listed.append(added)
    else:
        had = _aws(listed[place])
        listed[place] = {**listed[place], "Principal": {"AWS": sorted({*had, *arns})}}
    return listed, None, None if condition is None else _holds_for(who, condition)


def _is_alike(one: Any, added: Any, users: frozenset[str]) -> bool:
    principal = one.get("Principal")
    return (
        set(one) - {"Sid"} == set(added)
        and all(one[key] == added[key] for key in ("Effect", "Action"))
        and one.get("Condition") == added.get("Condition")
        and isinstance(principal, dict)
        and set(principal) == {"AWS"}
        and set(_aws(one)) <= users
    )


def _of_people(statement: Any, users: frozenset[str]) -> bool:
    return any(arn in users or _is_more_than_one(arn) for arn in _aws(statement))


def _lets_in(statement: Any) -> bool:
    actions = _texts(statement.get("Action"))
    return statement["Effect"] == "Allow" and any(
        matches(each, ASSUME_ROLE, ignore_case=True, variables=False) for each in actions
    )


def _aws(statement: Any) -> list[str]:
    principal = statement.get("Principal")
    return _texts(principal.get("AWS")) if isinstance(principal, dict) else [principal] if principal else []


def _texts(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())
