"""Policy documents that Raito did not write: what was taken away goes, what nobody sees in Raito Cloud stays as it is.

A statement that gives nothing that was taken away stays word for word. Of the others those actions and resources go
that gave it, and what they gave beside it is said anew. What Raito writes into such a document has a `Sid` of its own.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from raito_pipeline.aws.policy import Claim, read_document
from raito_pipeline.aws.policy.actions import permissions_of
from raito_pipeline.aws.policy.claims import patterns
from raito_pipeline.aws.policy.documents import Statement
from raito_pipeline.aws.policy.permissions import permission
from raito_pipeline.aws.policy.reasons import Code
from raito_pipeline.aws.policy.resources import PermissionTarget, touches
from raito_pipeline.aws.policy.wildcards import has_wildcard
from raito_pipeline.aws.push.account.imported import Claims, ImportView, covers
from raito_pipeline.aws.push.documents.statements import NOTHING, VERSION, compact, policy_for
from raito_pipeline.model import WhatItem

_OWN = "Raito"
"""How the `Sid` of a statement begins that a push wrote into a document of somebody else."""


@dataclass(frozen=True)
class NarrowedDocument:
    """What is left of a document: its statements, what they give, and why something could not be taken away."""

    text: str | None
    """the document as it is to be; None where nothing is left of it"""
    gives: Claims
    problems: tuple[str, ...] = ()
    still: tuple[str, ...] = ()
    """where it still gives some of what was taken away, by what nobody sees in Raito Cloud"""


@dataclass(frozen=True)
class Edit:
    """What people changed of a what: what Raito Cloud showed, and what it is to be."""

    imported: ImportView
    shown: Claims
    wanted: Claims
    is_replaced: bool = False
    """true where another document gives what is still granted: not all that goes from this one was taken away"""

    @property
    def removed(self) -> Claims:
        """What was taken away."""
        return self.shown - self.wanted

    def through_points(self, statement: Statement) -> Claims:
        """What of that which is shown a statement gives through access points."""
        return self.imported.through_points(statement) & self.shown

    def given_by(self, document: str) -> Claims:
        """What all statements of a document give, also through access points."""
        through = (self.through_points(statement) for statement in read_document(document).statements)
        return self.imported.given_by(document).union(*through)

    def lost(self, claims: Claims) -> Claims:
        """The claims among these that give something that was taken away."""
        return frozenset(
            claim
            for claim in claims
            if claim in self.removed or (claim not in self.wanted and any(covers(claim, gone) for gone in self.removed))
        )

    def gives_at_times(self, statement: Statement) -> bool:
        """True where a statement would give something that was taken away, were it not for its conditions."""
        if self.is_replaced or not self.removed or not statement.conditions:
            return False
        if all(each.code is Code.NOTE for each in self.imported.given(statement)[1]):
            return False  # the condition never holds
        always = replace(statement, conditions=())
        claims = self.imported.given(always)[0] | self.through_points(always)
        return any(covers(claim, gone) or covers(gone, claim) for claim in claims for gone in self.removed)

    def stays_below(self, claims: Claims) -> Claims:
        """What is still wanted of what these claims cover."""
        return frozenset(kept for kept in self.shown & self.wanted if any(covers(claim, kept) for claim in claims))


def narrowed(document: str, edit: Edit, *, named: str) -> NarrowedDocument:
    """A document without what was taken away, and without what earlier pushes wrote into it.

    `named` is what people call it in the problems.
    """
    read = read_document(document)
    if read.problems:
        gone = edit.removed
        why = (f"{named} stays as it is, because it cannot be read: {read.problems[0]}",) if gone else ()
        return NarrowedDocument(document, edit.given_by(document), why)
    raw = statements_in(document)
    kept: list[Any] = []
    problems: list[str] = []
    for statement in read.statements:
        if not is_own(statement):
            kept += _without(statement, raw[statement.number - 1], edit, named, problems)
    text = document if kept == raw else with_statements(document, kept)
    if not kept:
        return NarrowedDocument(None, frozenset(), tuple(problems))
    return NarrowedDocument(text, edit.given_by(text), tuple(problems), () if problems else _still(text, edit, named))


def extended(document: str | None, granted: Sequence[Any]) -> str:
    """A document with statements that Raito writes into it; None stands for an empty one."""
    own = [{"Sid": f"{_OWN}{number}", **statement} for number, statement in enumerate(granted, 1)]
    base = document or compact({"Version": VERSION, "Statement": []})
    return with_statements(base, [*statements_in(base), *own]) if own or document is None else base


def beyond(what: Iterable[WhatItem], gives: Claims, imported: ImportView) -> tuple[WhatItem, ...]:
    """What of a what is not given yet. What nobody can grant stays in it, so that it is said."""
    items = []
    for item in what:
        missing = tuple(
            name
            for name in item.permissions
            if permission(name) is None
            or not (claims := imported.claims([replace(item, permissions=(name,))]))
            or not all(any(covers(given, claim) for given in gives) for claim in claims)
        )
        if missing:
            items.append(replace(item, permissions=missing))
    return tuple(items)


# -- statements ------------------------------------------------------------------------------------------------------


def _without(statement: Statement, raw: Any, edit: Edit, named: str, problems: list[str]) -> list[Any]:
    """The statements that one becomes."""
    claims, _ = edit.imported.given(statement)
    if not edit.lost(claims | edit.through_points(statement)):
        if edit.gives_at_times(statement):
            problems.append(
                f"{statement.label} of {named} gives what was taken away under a condition, and stays as it is: change "
                f"it in AWS"
            )
        return [raw]
    split = _split(statement, raw, edit)
    if split is None:
        problems.append(
            f"{statement.label} of {named} gives what was taken away together with what Raito Cloud does not see, and "
            f"stays as it is: split it in AWS first"
        )
        return [raw]
    return split


def _still(document: str, edit: Edit, named: str) -> tuple[str, ...]:
    """Why access that was taken away is not all gone: statements give some of it that Raito Cloud does not show."""
    return tuple(
        f"{statement.label} of {named} still gives some of what was taken away ({gone.permission}), by what Raito "
        f"Cloud does not see of it: change it in AWS"
        for statement in read_document(document).statements
        if statement.effect == "Allow" and (gone := _still_given(statement, edit)) is not None
    )


def _still_given(statement: Statement, edit: Edit) -> Claim | None:
    """Something taken away of which a statement gives a part that is not shown; None where there is nothing such."""
    names = permissions_of(statement)
    for claim in sorted(edit.removed):
        if claim.permission not in names:
            continue
        alone = replace(statement, actions=(claim.permission,), not_actions=None)
        for one in [replace(alone, resources=(each,)) for each in alone.resources or ()] or [alone]:
            if _touches(one, claim, edit) and any(each.code is Code.NARROWER for each in edit.imported.given(one)[1]):
                return claim
    return None


def _touches(statement: Statement, gone: Claim, edit: Edit) -> bool:
    """True where a statement about one permission may be about a claim, beside what is still wanted of it."""
    scope, right = edit.imported.scope, permission(gone.permission)
    if right is None:
        return False
    for place in scope.places:
        target = gone.target if gone.target.bucket else PermissionTarget(place.bucket)
        if target.bucket != place.bucket or any(covers(kept, Claim(target, right.name)) for kept in edit.wanted):
            continue
        if statement.not_resources is not None or any(
            pattern.may_be_key(place, target.path) if target.file else touches(pattern, place, target.path, right)
            for pattern in patterns(statement.resources or (), statement, scope)
        ):
            return True
    return False


def _split(statement: Statement, raw: Any, edit: Edit) -> list[Any] | None:
    """A statement without what was taken away; None where it cannot be taken apart."""
    if statement.actions is None or statement.resources is None:
        return None
    kept: dict[str, list[str]] = {action: [] for action in statement.actions}
    anew: set[Any] = set()
    for action in statement.actions:
        for resource in statement.resources:
            one = replace(statement, actions=(action,), resources=(resource,))
            (claims, reasons), through = edit.imported.given(one), edit.through_points(one)
            lost = edit.lost(claims | through)
            if not lost:
                kept[action].append(resource)
            elif through:
                # What is had through an access point alone goes as a whole: Raito has no words for a part of it.
                if lost != through or edit.stays_below(lost) or edit.imported.through_points(one) != through:
                    return None
            elif any(each.code is not Code.NOTE for each in reasons) or has_wildcard(
                action.partition(":")[0], variables=False
            ):
                return None
            else:
                anew |= (claims - lost) | edit.stays_below(lost)
    said = [_under(raw.get("Condition"), one) for one in _said(frozenset(anew), edit.imported)]
    return None if None in said else [*_regrouped(raw, kept), *said]


def _regrouped(raw: Any, kept: dict[str, list[str]]) -> list[Any]:
    actions: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for action, resources in kept.items():
        if resources:
            actions[tuple(resources)].append(action)
    statements = []
    for shared, names in actions.items():
        statements.append({**raw, "Action": names, "Resource": list(shared)})
        raw = {key: value for key, value in raw.items() if key != "Sid"}  # a Sid stands in a document once
    return statements


def _under(condition: Any, statement: Any) -> Any | None:
    """A statement under the condition of the one that it is taken from, too; None where one key had two meanings."""
    both = {name: dict(keys) for name, keys in statement.get("Condition", {}).items()}
    for name, keys in (condition or {}).items():
        had = both.setdefault(name, {})
        if {key.lower() for key in had} & {key.lower() for key in keys}:
            return None
        had.update(keys)
    return {**statement, "Condition": both} if both else statement


def _said(claims: Claims, imported: ImportView) -> list[Any]:
    options = imported.account.options
    document = policy_for(imported.items(claims), imported.account.inputs.account_id, options.aws_partition).document
    return [one for one in document["Statement"] if one != NOTHING]


def is_own(statement: Statement) -> bool:
    """True for a statement that a push wrote into a document of somebody else."""
    number = (statement.sid or "").removeprefix(_OWN)
    return (statement.sid or "").startswith(_OWN) and number.isdigit()


def own_statements(document: str) -> list[Any]:
    """The statements of a document that Raito wrote into it; none of one that cannot be read."""
    read = read_document(document)
    return [] if read.problems else [statements_in(document)[one.number - 1] for one in read.statements if is_own(one)]


def statements_in(document: str) -> list[Any]:
    """The statements of a document, also of one that has a single one outside of a list."""
    statements = json.loads(document)["Statement"]
    return [statements] if isinstance(statements, dict) else list(statements)


def with_statements(document: str, statements: Sequence[Any]) -> str:
    """A document with other statements."""
    return compact({**json.loads(document), "Statement": list(statements)})
