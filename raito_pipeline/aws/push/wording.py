"""A plan in words: a mark and a sentence for each access control, what happens to whom, and diffs of documents.

It knows no access provider types: marks and effects follow from the classes of the changes, people and data from the
export and the documents.
"""

import difflib
import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from raito_pipeline.aws.push.account_plan import AccountPlan
from raito_pipeline.aws.push.changes import Change
from raito_pipeline.aws.push.documents.effects import Access, Effect, access_of
from raito_pipeline.aws.push.pushed_types import PushedTypes
from raito_pipeline.first_few import first_few
from raito_pipeline.model import AccessControl, PushTarget

ADDED, CHANGED, REMOVED, REFUSED, SAME = "+", "~", "-", "!", "="
MARKS = {ADDED: "added", CHANGED: "changed", REMOVED: "removed", REFUSED: "refused", SAME: "as granted"}
_MOST_LISTED = 3
_NO_CONDITION = "{}"
_OF_A_BUCKET = re.compile(r"^arn:[a-z-]+:s3:::")


@dataclass(frozen=True, slots=True)
class DocumentDiff:
    """The difference of one document, as lines that begin with `+`, `-`, `@@` or a blank."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ControlPlan:
    """What is planned for one access control, for people."""

    id: str
    name: str
    """as it is called in Raito Cloud"""
    mark: str
    head: str
    """type and name in AWS"""
    sentence: str
    details: tuple[str, ...] = ()
    diffs: tuple[DocumentDiff, ...] = ()
    warnings: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    held_back: tuple[str, ...] = field(default=())
    """changes that a limit keeps from being made"""

    @property
    def line(self) -> str:
        """The one line of it: `+ role Sales_readers: 2 users get s3:GetObject on data/sales`."""
        return f"{self.mark} {self.head}: {self.sentence}"

    @property
    def changes(self) -> bool:
        """True where something is changed in AWS."""
        return self.mark in (ADDED, CHANGED, REMOVED)


def in_words(types: PushedTypes, plan: AccountPlan, held_back: Collection[int] = ()) -> tuple[ControlPlan, ...]:
    """Every access control of a plan, in the order of the export. `held_back` are positions of changes."""
    exported = {control.id: control for control in plan.controls}
    own: dict[str, list[Change]] = defaultdict(list)
    for change in types.changes(plan.changes):
        own[change.row.access_control_id].append(change)
    why = {row.access_control_id: row.why for row in plan.changes}
    targets = sorted(plan.targets, key=lambda target: target.position)
    return tuple(
        _control(
            types,
            target,
            exported.get(target.access_control_id),
            [] if target.refused else own[target.access_control_id],
            why.get(target.access_control_id, ""),
            held_back,
        )
        for target in targets
    )


def _control(
    types: PushedTypes,
    target: PushTarget,
    control: AccessControl | None,
    changes: Sequence[Change],
    why: str,
    held_back: Collection[int],
) -> ControlPlan:
    mark = _mark(types, target, changes)
    name = target.actual_name or (control.actual_name if control else "") or target.access_control_name
    lines = tuple(dict.fromkeys(line for change in changes for line in change_in_words(change)))
    return ControlPlan(
        id=target.access_control_id,
        name=target.access_control_name,
        mark=mark,
        head=f"{types.label(target.type)} {name}",
        sentence=_sentence(mark, target, control, lines, why),
        details=(*_who(mark, control), *(lines if mark != ADDED else ()), *_taken_along(types, changes)),
        diffs=tuple(filter(None, map(_diff, changes))),
        warnings=target.warnings,
        errors=target.errors,
        held_back=tuple(change.title for change in changes if change.row.position in held_back),
    )


def _mark(types: PushedTypes, target: PushTarget, changes: Sequence[Change]) -> str:
    if not changes:
        return REFUSED if target.errors else SAME
    creates, deletes = any(map(types.creates, changes)), any(map(types.deletes, changes))
    if creates != deletes:
        return ADDED if creates else REMOVED
    return CHANGED


def _sentence(mark: str, target: PushTarget, control: AccessControl | None, lines: Sequence[str], why: str) -> str:
    if mark == REFUSED:
        return "; ".join(target.errors)
    if mark == SAME or control is None:
        return why or "nothing is to be done"
    if mark == CHANGED:
        return first_few(lines, _MOST_LISTED, "; ") or why
    people, many = who_in_words(control)
    verb = ("get" if many else "gets") if mark == ADDED else ("lose" if many else "loses")
    data = what_in_words(control)
    less = ", less what is not made" if target.errors else ""
    return f"{people} {verb} {data}{less}" if data else f"{people} {verb} it{less}; it gives access to nothing"


def who_in_words(control: AccessControl) -> tuple[str, bool]:
    """The people of an access control, counted, and whether they are several."""
    who = control.who
    counts = (("user", len(who.users)), ("group", len(who.groups)), ("access provider", len(who.inherit_from)))
    counted = [f"{count:,} {noun}{'' if count == 1 else 's'}" for noun, count in counts if count]
    total = sum(count for _, count in counts)
    return " and ".join(counted) or "nobody", total > 1


def what_in_words(control: AccessControl) -> str:
    """What an access control gives: permissions on data objects, those with the same permissions together."""
    by_permissions: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for item in control.what:
        by_permissions[item.permissions].append(_data_object(item.data_object.full_name))
    return " and ".join(
        f"{first_few(permissions, _MOST_LISTED)} on {first_few(names, _MOST_LISTED)}"
        for permissions, names in by_permissions.items()
    )


def _data_object(full_name: str) -> str:
    """`111122223333:eu-west-1:bucket/folder` as people call it; an account as such."""
    return full_name.split(":", 2)[2] if full_name.count(":") >= 2 else f"all of {full_name}"


def _who(mark: str, control: AccessControl | None) -> Iterator[str]:
    if control is None or mark not in (ADDED, REMOVED):
        return
    who = control.who
    for noun, names in (("users", who.users), ("groups", who.groups), ("access providers", who.inherit_from)):
        if names:
            yield f"{noun}: {', '.join(names)}"


def _taken_along(types: PushedTypes, changes: Iterable[Change]) -> Iterator[str]:
    """What goes with an object that is deleted, as its row says."""
    for change in changes:
        if types.deletes(change):
            yield f"{change.title}: {change.row.why}"


# -- one change ----------------------------------------------------------------------------------------------------


def change_in_words(change: Change) -> Iterator[str]:
    """What one change does to whom; what it is where that does not show."""
    row = change.row
    try:
        had, has = access_of(row.before), access_of(row.after)
    except (ValueError, TypeError, KeyError, AttributeError):
        words = change.about.replace(":", " ", 1)
        verb = {Effect.GIVES: "gets it", Effect.TAKES: "loses it"}.get(change.effect)
        yield f"{words} {verb}" if verb and words else change.title
        return
    yield from _accesses(has - had, "gives", "denies")
    yield from _accesses(had - has, "takes", "denies no longer")


def _accesses(accesses: Iterable[Access], allow: str, deny: str) -> Iterator[str]:
    actions: dict[tuple[bool, str, str, str], set[str]] = defaultdict(set)
    for each in accesses:
        actions[each.allows, _principal(each), each.resource or "", each.condition].add(each.action)
    resources: dict[tuple[bool, str, tuple[str, ...], str], list[str]] = defaultdict(list)
    for (allows, who, resource, condition), performed in sorted(actions.items()):
        resources[allows, who, tuple(sorted(performed)), condition].append(_resource(resource))
    for (allows, who, names, condition), places in resources.items():
        on = first_few([place for place in places if place], _MOST_LISTED)
        yield " ".join(
            part
            for part in (
                allow if allows else deny,
                who,
                first_few(names, _MOST_LISTED),
                f"on {on}" if on else "",
                "" if condition == _NO_CONDITION else "under a condition",
            )
            if part
        )


def _principal(access: Access) -> str:
    if access.principal is None:
        return ""
    kind, name = access.principal
    last = name.rpartition(":")[2]
    if kind == "AWS" and "/" in last:
        noun, _, path = last.partition("/")
        return f"{noun} {path.rpartition('/')[2]}"
    return "everybody" if name == "*" else name


def _resource(resource: str) -> str:
    return _OF_A_BUCKET.sub("", resource)


def _diff(change: Change) -> DocumentDiff | None:
    """The difference of the documents of a change; None where it has none."""
    before, after = _pretty(change.row.before), _pretty(change.row.after)
    if before is None or after is None or before == after:
        return None
    lines = list(difflib.unified_diff(before, after, "before", "after", lineterm=""))[2:]
    return DocumentDiff(f"{change.row.operation} {change.row.kind} {change.row.resource}", tuple(lines))


def _pretty(text: str | None) -> list[str] | None:
    """A JSON document in lines; nothing for no document, None for what is none."""
    if text is None:
        return []
    try:
        document = json.loads(text)
    except ValueError:
        return None
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False).splitlines()
