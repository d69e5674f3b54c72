"""The row of an access provider, from its parts."""

from collections.abc import Iterable

from raito_pipeline.aws.access.who import WhoNames
from raito_pipeline.model import AccessProvider, Tag, WhatItem


def access_provider(
    *,
    external_id: str,
    name: str,
    type: str,  # noqa: A002 - the field's own name
    policy: str,
    who: WhoNames,
    what: tuple[WhatItem, ...],
    reasons: Iterable[str],
    naming_hint: str = "",
    tags: tuple[Tag, ...] | None = None,
    fixed: str | None = None,
) -> AccessProvider:
    """One row. `reasons` why it is incomplete; `fixed` the reason why its what, name and existence are locked."""
    why = tuple(dict.fromkeys((*who.reasons, *reasons)))
    return AccessProvider(
        external_id=external_id,
        name=name,
        naming_hint=naming_hint,
        actual_name=name,
        type=type,
        action="grant",
        policy=policy,
        who_users=who.users,
        who_groups=who.groups,
        who_access_providers=who.access_providers,
        what=what,
        incomplete=bool(why),
        incomplete_reasons=why,
        not_internalizable=False,
        who_locked=None,
        inheritance_locked=None,
        what_locked=fixed,
        name_locked=fixed,
        delete_locked=fixed,
        owners_locked=None,
        tags=tags or None,
    )
