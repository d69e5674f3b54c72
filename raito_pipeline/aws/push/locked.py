"""What a push leaves undone because a part of an access control is locked: it is said, and nothing of it is made.

A lock may come after an edit, and AWS may have changed beneath it. So what counts is what a push would change without
the lock: where that is nothing, nothing is said.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from raito_pipeline.aws.push.account.imported_documents import inline_source
from raito_pipeline.aws.push.changes import Change
from raito_pipeline.aws.push.draft import Draft, Plans, Refused
from raito_pipeline.aws.push.pushed_types import PushedType, PushedTypes
from raito_pipeline.aws.push.wording import change_in_words
from raito_pipeline.first_few import first_few

_PARTS = {
    "who_locked": "who",
    "inheritance_locked": "inheritance",
    "what_locked": "what",
}
_MOST_LISTED = 3


def warn_of_locks(plans: Plans, types: PushedTypes, draft: Draft) -> None:
    """Say what of an access control is not made because of each of its locks; `draft` is planned already.

    Nothing is said of one for which nothing new is made anyway, which says why, nor of one that is to be removed.
    """
    locks = [name for name in _PARTS if getattr(draft.control, name)]
    if inline_source(draft.owned_id) is not None:  # its what is held to what it is, and said, before it is planned
        locks = [name for name in locks if name != "what_locked"]
    pushed = types.of(draft.kind)
    settled = draft.refused or draft.unedited or draft.nothing_new or draft.control.delete
    if not locks or settled or draft.replaces is not None or not isinstance(pushed, PushedType):
        return
    made = types.changes(draft.rows)
    # What it wants to know beside is not asked for, and who would get or lose a permission set has it as it is planned.
    beside = replace(plans, unread_tags=set(), assigned=set(plans.assigned), emptied=set(plans.emptied))
    for lock in locks:
        opened: dict[str, Any] = {lock: False}
        unlocked = Draft(replace(draft.control, **opened), draft.kind, name=draft.name)
        try:
            pushed.plan(beside, unlocked)
        except Refused:
            continue
        left = list(_beyond(types.changes(unlocked.rows), made))
        said = [line for change in left for line in change_in_words(change) if line != change.title]
        if left:
            listed = first_few(list(dict.fromkeys(said)) or [change.title for change in left], _MOST_LISTED, "; ")
            draft.warnings.append(f"its {_PARTS[lock]} is locked, and stays as AWS has it. Not made: {listed}")


def _beyond(changes: Iterable[Change], made: Iterable[Change]) -> Iterator[Change]:
    """What changes do to access beyond those that are made, one for each place of AWS."""
    had = {change.place: change.row.after for change in made}
    rows = {change.row for change in made}
    whole: dict[tuple[str, ...], Change] = {}
    for change in changes:
        if change.effect and change.row not in rows:
            before = (
                whole[change.place].row.before if change.place in whole else had.get(change.place, change.row.before)
            )
            whole[change.place] = type(change)(replace(change.row, before=before))
    yield from whole.values()
