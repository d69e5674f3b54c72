"""Inline policies of a user or a group that an access control was imported of: a managed policy takes their place.

One that somebody edited gets a managed policy for its who, and the inline ones that it names go; of one that holds what
Raito Cloud does not see, that stays. What was taken away goes whatever becomes of the managed policy.
"""

import json
from collections.abc import Collection, Iterable

from raito_pipeline.aws.push.account.imported import Claims
from raito_pipeline.aws.push.account.imported_documents import InlineSource
from raito_pipeline.aws.push.account.state import Principal
from raito_pipeline.aws.push.documents.document_edits import Edit, narrowed
from raito_pipeline.aws.push.documents.statements import same
from raito_pipeline.aws.push.draft import Draft, Plans
from raito_pipeline.aws.push.owners.replacing import WHY, less
from raito_pipeline.aws.push.types.grants import granted
from raito_pipeline.aws.push.types.policy_changes import (
    DeleteReplacedInline,
    NarrowReplacedInline,
    ReduceReplacedInline,
)
from raito_pipeline.model import WhatItem


def plan_inline_goes(
    plans: Plans, draft: Draft, source: InlineSource, wanted: Collection[Principal], arn: str | None
) -> None:
    """Plan that the inline policies give nothing of what Raito Cloud shows of them any more, and go where that is all.

    For those who still have access this is so once the policy `arn` is there, or what takes its place under another
    type. What is not granted any more goes at once, also where no such policy comes (None): the rest stays then.
    """
    kind, name = source.principal
    option = plans.state.not_read.get(f"inline policies of a {kind}")
    if option is not None:
        draft.leave_out(f"the inline policies of {kind} {name} stay, because {option} is on: they were not read")
        return
    documents = plans.state.inline.get(source.principal, {})
    for each in (each for each in source.names if each in documents):
        document, resource = documents[each], f"{kind}:{name}/{each}"
        if draft.replacing:
            _goes(plans, draft, source, each, arn, (), "what has another type takes its place")
            continue
        if source.principal not in wanted:
            _goes(plans, draft, source, each, None, (), "it was taken away in Raito Cloud")
            continue
        narrower = _still_granted(plans, draft, source, document)
        if narrower is not None:
            draft.change(NarrowReplacedInline, resource, WHY, before=document, after=narrower)
        if arn is not None:
            _goes(plans, draft, source, each, arn, draft.control.what, "a managed policy takes its place")


def _still_granted(plans: Plans, draft: Draft, source: InlineSource, document: str) -> str | None:
    """An inline policy without what is not granted any more; None where that is nothing."""
    if draft.control.what_locked:
        return None
    # A what that is split is in several policies.
    whole = plans.exported.get(draft.control.id, draft.control).what
    wanted = granted(plans, Draft(draft.control, draft.kind), whole).text
    gone = _taken_through_points(plans, draft, source, document, what=whole)
    return less(document, wanted, plans.state.view.of(source.principal), gone)


def _taken_through_points(
    plans: Plans, draft: Draft, source: InlineSource, document: str, what: Iterable[WhatItem]
) -> Claims:
    """What an inline policy was shown to give through access points, and is not granted any more."""
    view = plans.state.view.of(source.principal)
    shown: Claims = view.what(draft.owned_id or "") or frozenset()
    return (view.through_points_by(document) & shown) - view.claims(what)


def _goes(
    plans: Plans,
    draft: Draft,
    source: InlineSource,
    policy: str,
    arn: str | None,
    what: Iterable[WhatItem],
    why: str,
) -> None:
    """Plan that an inline policy goes, less what Raito Cloud does not see in it: for the policy `arn`, or at once.

    Of `what`, which is still granted, it keeps what no other policy can give: access through access points.
    """
    (kind, name), view = source.principal, plans.state.view.of(source.principal)
    document, resource = plans.state.inline[source.principal][policy], f"{kind}:{name}/{policy}"
    called = f"inline policy {policy} of {kind} {name}"
    gone = _taken_through_points(plans, draft, source, document, what)
    edit = Edit(view, view.given_by(document) | gone, frozenset(), is_replaced=True)
    left = narrowed(document, edit, named=called)
    for problem in left.problems:
        draft.leave_out(problem)
    if left.text is None or not json.loads(left.text)["Statement"]:
        draft.change(DeleteReplacedInline, resource, why, before=document, after=arn)
        return
    if not left.problems:
        draft.warnings.append(f"{called} stays, with what Raito Cloud does not see in it")
    if not same(document, left.text):
        reduced = NarrowReplacedInline if arn is None else ReduceReplacedInline
        draft.change(reduced, resource, why, before=document, after=left.text)
