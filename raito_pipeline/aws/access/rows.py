"""The row of an access provider, from its parts, with what its claims rest on."""

from collections.abc import Iterable

from raito_pipeline.aws.access.basis import NO_WHAT, TracedProvider, TracedWhat
from raito_pipeline.aws.access.who import WhoNames
from raito_pipeline.aws.policy.reasons import Code, Reason, texts
from raito_pipeline.model import AccessProvider, Tag


def access_provider(
    *,
    external_id: str,
    name: str,
    type: str,  # noqa: A002 - the field's own name
    policy: str,
    who: WhoNames,
    reasons: Iterable[Reason],
    what: TracedWhat = NO_WHAT,
    naming_hint: str = "",
    tags: tuple[Tag, ...] | None = None,
    fixed: str | None = None,
) -> TracedProvider:
    """One row.

    `reasons` say why it is not exactly what AWS gives, `fixed` why its what, name and existence are locked.
    """
    why = tuple(dict.fromkeys((*who.reasons, *reasons)))
    row = AccessProvider(
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
        what=what.items,
        incomplete=any(reason.code.is_incomplete for reason in why),
        incomplete_reasons=tuple(dict.fromkeys(reason.text for reason in why if reason.code.is_incomplete)),
        reasons_wider=texts(why, Code.WIDER),
        reasons_narrower=texts(why, Code.NARROWER),
        reasons_who=texts(why, Code.WHO),
        reasons_elsewhere=texts(why, Code.ELSEWHERE),
        notes=texts(why, Code.NOTE),
        not_internalizable=False,
        who_locked=None,
        inheritance_locked=None,
        what_locked=fixed,
        name_locked=fixed,
        delete_locked=fixed,
        owners_locked=None,
        tags=tags or None,
    )
    return TracedProvider(row, what.origins)
