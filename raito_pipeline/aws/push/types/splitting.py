"""A what that is too long for one document of IAM goes into several: further managed policies beside the first.

A policy NAME is followed by `NAME_2`, `NAME_3`, ... with the same people; a role keeps as much as it has room for in
its inline policy, and gets the rest by managed policies `Raito_Inline_NAME_2`, ... Each is planned as an access control
of its own would be, and has the same owner. Limits:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from raito_pipeline.aws.access.external_ids import POLICY, ROLE
from raito_pipeline.aws.push.account.state import PushState
from raito_pipeline.aws.push.documents.statements import POLICY_LIMIT, ROLE_INLINE_LIMIT, WhatProblem, policy_for
from raito_pipeline.aws.push.draft import Draft
from raito_pipeline.aws.push.owners.own_objects import existing
from raito_pipeline.aws.push.owners.owner_tags import owner_of, owner_tags
from raito_pipeline.aws.push.rules.bounds import Bounds
from raito_pipeline.aws.push.types.role_changes import inline_name
from raito_pipeline.config.groups import PushOptions
from raito_pipeline.model import WhatItem, WhoEntry, made_by_raito

POLICY_TYPE, ROLE_TYPE = "aws_policy", "aws_role"
_NUMBERED = re.compile(r"(?P<stem>.+)_\d+")
MOST_ATTACHED = 10
"""managed policies of one user, group or role, where AWS has not raised the quota"""
Length = Callable[[Sequence[WhatItem]], int]
"""characters of the document that grants some elements of a what"""


Numbered = Mapping[tuple[str | None, str | None], Sequence[str]]
"""names of policies that end in a number, by the data source and the access control that their tags name"""


def numbered_policies(state: PushState) -> Numbered:
    """What may be a further policy of an access control."""
    numbered: dict[tuple[str | None, str | None], list[str]] = {}
    for name, policy in state.policies.items():
        if _NUMBERED.fullmatch(name) and made_by_raito(policy.tags):
            numbered.setdefault(owner_of(policy.tags), []).append(name)
    return numbered


def split(
    draft: Draft, prefix: str, state: PushState, bounds: Bounds, numbered: Numbered, options: PushOptions
) -> list[Draft]:
    """The drafts of the further policies of an access control; its own keeps what fits into the first document.

    What an earlier push split and is not needed any more is a draft that deletes it.
    """
    splits = draft.kind in (POLICY_TYPE, ROLE_TYPE)
    if draft.refused or draft.unedited or not bounds.data_source:
        return []
    if draft.nothing_new:
        return _as_they_are(draft, numbered, bounds)
    if not splits and draft.replaces is None:
        return []
    there = existing(state, f"{prefix}{draft.name}")
    imported = there is not None and not made_by_raito(there.tags)
    chunks = [] if draft.control.delete or imported or not splits else _chunks(draft, state, options)
    if len(chunks) > MOST_ATTACHED:
        draft.leave_out(
            f"its what needs {len(chunks)} policies, and AWS attaches {MOST_ATTACHED} to anybody: grant folders or "
            f"buckets in place of single files, or make several access controls of it"
        )
        # Nothing new fits anywhere; what was taken away goes from each that is there, and so do people.
        return [_part(draft, name, draft.control.what, True) for name in sorted(_earlier(draft, numbered, bounds))]
    stem = inline_name(draft.name) if draft.kind == ROLE_TYPE else draft.name
    further = {f"{stem}_{number}": chunk for number, chunk in enumerate(chunks[1:], start=2)}
    if chunks:
        draft.control = replace(draft.control, what=chunks[0])
        if further:
            draft.warnings.append(f"its what is too long for one policy: the rest is in {', '.join(further)}")
    earlier = set(_earlier(draft, numbered, bounds))
    if draft.control.what_locked and draft.kind == POLICY_TYPE and draft.replaces is None:
        further = dict.fromkeys(sorted(earlier), ())
    parts = [_part(draft, name, chunk, name in earlier) for name, chunk in further.items()]
    return parts + [_part(draft, name, (), True, delete=True) for name in sorted(earlier - further.keys())]


def _as_they_are(draft: Draft, numbered: Numbered, bounds: Bounds) -> list[Draft]:
    """The further policies of an access control that gets nothing new: they lose what was taken away, too."""
    old = draft.replaces or draft.control
    kind = ROLE_TYPE if (old.external_id or "").startswith(ROLE) else POLICY_TYPE
    was = Draft(old, kind)
    parts = [_part(was, name, old.what, True) for name in sorted(_earlier(was, numbered, bounds))]
    for part in parts:
        part.nothing_new = draft.nothing_new
    return parts


def kept_by_refused(drafts: Iterable[Draft], numbered: Numbered, bounds: Bounds) -> Iterator[str]:
    """The external ids of the further policies of refused access controls, which keep them as they are."""
    for draft in drafts:
        if draft.refused or draft.nothing_new:
            names = {draft.name, (draft.owned_id or "").partition(":")[2]} - {""}
            stems = names | set(map(inline_name, names))
            yield from (f"{POLICY}{name}" for name in _of_stems(stems, draft, numbered, bounds))


def _chunks(draft: Draft, state: PushState, options: PushOptions) -> list[tuple[WhatItem, ...]]:
    """The what in parts that fit into one document each; none where it is in one already, or cannot be granted."""

    def length(items: Sequence[WhatItem]) -> int:
        workgroups = options.aws_athena_workgroups
        return len(policy_for(items, state.account_id, options.aws_partition, workgroups).text)

    first = ROLE_INLINE_LIMIT if draft.kind == ROLE_TYPE else POLICY_LIMIT
    try:
        if draft.control.what_locked or length(draft.control.what) <= first:
            return []
        return list(_fitting(sorted(draft.control.what), first, length))
    except WhatProblem:
        return []


def _fitting(items: Sequence[WhatItem], first: int, length: Length) -> Iterator[tuple[WhatItem, ...]]:
    limit, chunk = first, list(items[:1])
    for item in items[1:]:
        if length([*chunk, item]) > limit:
            yield tuple(chunk)
            limit, chunk = POLICY_LIMIT, []
        chunk.append(item)
    yield tuple(chunk)


def _earlier(draft: Draft, numbered: Numbered, bounds: Bounds) -> Iterator[str]:
    """The further policies that earlier pushes made for an access control, also under its old name."""
    names = {draft.name, (draft.control.external_id or "").partition(":")[2]} - {""}
    stems = {inline_name(name) if draft.kind == ROLE_TYPE else name for name in names}
    if draft.replaces is not None:  # what it had as another type goes
        old = (draft.owned_id or "").partition(":")[2]
        stems |= {old, inline_name(old)}
    return _of_stems(stems, draft, numbered, bounds)


def _of_stems(stems: Collection[str], draft: Draft, numbered: Numbered, bounds: Bounds) -> Iterator[str]:
    for name in numbered.get(owner_of(owner_tags(bounds.data_source, draft.control)), ()):
        match = _NUMBERED.fullmatch(name)
        if match and match["stem"] in stems:
            yield name


def further_names(mains: Iterable[str], external_ids: Iterable[str]) -> frozenset[str]:
    """Those of some external ids that are of further policies of a role or policy among `mains` (external ids, too)."""
    stems = {main.removeprefix(POLICY) for main in mains if main.startswith(POLICY)}
    stems |= {inline_name(main.removeprefix(ROLE)) for main in mains if main.startswith(ROLE)}
    numbered = ((each, _NUMBERED.fullmatch(each.removeprefix(POLICY))) for each in external_ids)
    return frozenset(each for each, match in numbered if match and each.startswith(POLICY) and match["stem"] in stems)


def _part(draft: Draft, name: str, what: tuple[WhatItem, ...], there: bool, *, delete: bool = False) -> Draft:
    """The draft of one further policy. Its rows are those of the access control itself."""
    control = draft.control
    who = control.who if draft.kind == POLICY_TYPE else WhoEntry((), (), (f"ID:{control.id}",), ())
    part = replace(
        control,
        type=POLICY_TYPE,
        external_id=f"{POLICY}{name}" if there else None,
        actual_name=name if there else None,
        naming_hint=name,
        who=who,
        deleted_who=control.deleted_who if draft.kind == POLICY_TYPE else None,
        what=what,
        delete=delete,
        delete_locked=False,
        who_locked=control.who_locked and there and draft.kind == POLICY_TYPE,
    )
    return Draft(part, POLICY_TYPE, name="" if delete else name, moved=delete and not control.delete)


def tell(draft: Draft, parts: Sequence[Draft]) -> None:
    """What is wrong with further policies is an error of their access control; one that gets nothing new has said why.

    It is not refused where they lose something.
    """
    if draft.nothing_new:
        for part in parts:
            part.errors.clear()
            if part.refused:
                part.rows.clear()
        if draft.refused and any(part.rows for part in parts):
            old = draft.replaces or draft.control
            draft.rows.clear()
            draft.refused, draft.name, draft.external_id = False, old.actual_name or "", old.external_id
    for part in parts:
        draft.errors += [f"policy {part.control.naming_hint}: {error}" for error in part.errors]
        draft.warnings += part.warnings
