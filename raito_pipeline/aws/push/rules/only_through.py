"""What people have through access points alone, by policies that name these: no push makes it access to the bucket.

The import shows it on the bucket, with a note. A new document that Raito writes is about buckets, and would open them
without the access point, to whoever has the document: so it is left out there, and said.
"""

from collections.abc import Iterable
from dataclasses import replace

from raito_pipeline.aws.push.account.imported import Claims, covers
from raito_pipeline.aws.push.account.imported_documents import documents_of
from raito_pipeline.aws.push.draft import Draft, Plans
from raito_pipeline.model import WhatItem

_SAID = (
    "it was had through an access point alone, and is not granted on the bucket itself: grant it on the access point"
)


def without_points(plans: Plans, draft: Draft, what: Iterable[WhatItem]) -> tuple[WhatItem, ...]:
    """A what without what its access control was imported with through access points alone, which is left out."""
    listed = tuple(what)
    alone = _through_points_alone(plans, draft)
    if not alone:
        return listed
    kept = []
    for item in listed:
        left_out = tuple(name for name in item.permissions if not alone.isdisjoint(_of(item, name, plans)))
        if left_out:
            draft.leave_out(f"{', '.join(left_out)} on {item.data_object.full_name}: {_SAID}")
        names = tuple(name for name in item.permissions if name not in left_out)
        kept += [replace(item, permissions=names)] if names else []
    return tuple(kept)


def _of(item: WhatItem, name: str, plans: Plans) -> Claims:
    return plans.state.view.claims([replace(item, permissions=(name,))])


def _through_points_alone(plans: Plans, draft: Draft) -> Claims:
    """What the import shows of the access control that its documents give by the ARNs of access points alone."""
    shown = plans.state.view.what(draft.owned_id or "")
    if not shown or not plans.state.view.account.inputs.access_points:
        return frozenset()
    view, documents = documents_of(draft.owned_id or "", plans.state)
    through = frozenset().union(*(view.through_points_by(document) for document in documents)) & shown
    direct = frozenset().union(*(view.given_by(document) for document in documents)) if through else frozenset()
    return frozenset(claim for claim in through if not any(covers(given, claim) for given in direct))
