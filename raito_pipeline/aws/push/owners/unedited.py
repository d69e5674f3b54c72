"""What was imported and nobody edited since: a push leaves all of it as it is, whatever a new object of it would be.

What an import says of an object is less than what its documents hold: Denies, boundaries and control policies elsewhere
narrow it, and people and conditions that it cannot show are left out. So nothing is made anew from it, split, renamed
or put under limits before somebody asks for something else than what was shown.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from raito_pipeline.aws.policy import Claim
from raito_pipeline.aws.push.account.imported import Claims, ImportView
from raito_pipeline.aws.push.account.imported_documents import documents_of, inline_source
from raito_pipeline.aws.push.account.state import PushState
from raito_pipeline.aws.push.account.taken_away import claims_taken_out
from raito_pipeline.aws.push.draft import OF_THIS_EXPORT, Draft, Plans
from raito_pipeline.aws.push.names import NameProblem, Names
from raito_pipeline.aws.push.owners.own_objects import existing
from raito_pipeline.aws.push.owners.owner_tags import named_in_tags, owner_of
from raito_pipeline.model import AccessControl, AccessProvider, WhatItem, made_by_raito


def is_unedited(draft: Draft, plans: Plans) -> bool:
    """True where an access control names what Raito did not make, and says of it what the import of the account says.

    Other data objects, permissions, people, access providers or a type that differs are an edit, as is a deletion, and
    what Raito Cloud says was taken away.
    """
    control, own_id = draft.control, draft.owned_id or ""
    shown = plans.state.view.providers.get(own_id)
    if shown is None or draft.refused or draft.nothing_new or draft.replaces is not None or control.delete:
        return False
    if shown.not_internalizable or shown.type != draft.kind or _was_made_by_raito(plans.state, own_id):
        return False
    if inline_source(own_id) is not None and _is_being_replaced(control, plans):
        return False
    if claims_taken_out(plans, draft):  # the import may not have shown it
        return False
    return _same_what(draft, shown, plans.state) and _same_who(control, shown, plans.exported)


def hold_locked_what(draft: Draft, state: PushState) -> None:
    """Keep the what of imported inline policies as it is shown where it is locked: what takes their place gives it too.

    Other objects stay as they are where their what is locked; of these a new one is written. Said where it was edited.
    """
    own_id, control = draft.owned_id or "", draft.control
    shown = state.view.providers.get(own_id)
    locked = shown is not None and (control.what_locked or shown.what_locked is not None)
    if shown is None or not locked or inline_source(own_id) is None or control.delete:
        return
    if not _same_what(draft, shown, state):
        draft.warnings.append("its what is locked, and stays as AWS has it")
    what = state.view.items(state.view.claims(shown.what))
    draft.control = replace(control, what=what, delete_what=(), what_locked=True)


def leave_as_it_is(draft: Draft) -> None:
    """Plan nothing for an access control that nobody edited, and say why where nothing could be made of an edit."""
    if draft.nothing_new:
        draft.refuse(draft.nothing_new)
        return
    control = draft.control
    draft.name, draft.external_id = control.actual_name or draft.name, control.external_id
    source = inline_source(control.external_id)
    kind = draft.kind.removeprefix("aws_").replace("_", "-") if source is None else "inline-policy"
    resource = draft.name or control.name if source is None else ":".join(source.principal)
    draft.nothing(kind, resource, "nobody edited it since it was imported")


def _was_made_by_raito(state: PushState, external_id: str) -> bool:
    there = existing(state, external_id)
    return there is not None and made_by_raito(there.tags)


def _is_being_replaced(control: AccessControl, plans: Plans) -> bool:
    """True where a push was broken off that had made a policy in the place of the inline ones."""
    try:
        name = Names(plans.options.aws_policy_prefix, plans.options.aws_policy_suffix).give(
            control.naming_hint or control.name
        )
    except NameProblem:
        return False
    policy = plans.state.policies.get(name)
    tags = None if policy is None else plans.tags_of(policy)
    return made_by_raito(tags) and owner_of(tags)[1] == named_in_tags(control)


def _same_what(draft: Draft, shown: AccessProvider, state: PushState) -> bool:
    """Nothing was added, and nothing is lacking but on data objects that the export could not know yet.

    A file or a folder that came into being lately is shown for what documents say of keys, and lacks in the export.
    """
    had, wanted = _given(shown.what), _given(draft.control.what)
    if wanted - had or had == wanted:
        return had == wanted
    view, documents = documents_of(draft.owned_id or "", state)
    lacking = (replace(item, permissions=tuple(_lacking(item, wanted))) for item in shown.what)
    given = frozenset[Claim]().union(
        *(view.given_by(document) | view.through_points_by(document) for document in documents)
    )
    return bool(documents) and not any(_gives(given, claim, view) for claim in view.claims(lacking))


def _gives(given: Claims, claim: Claim, view: ImportView) -> bool:
    """Whether documents give something that lacks in an export, alone or in more: limits elsewhere leave parts of it.

    A file that the export did not name may have come into being since.
    """
    if claim.target.file and claim.target not in view.account.paths.files:
        return claim in given
    return claim.is_among(given)


def _lacking(item: WhatItem, wanted: frozenset[tuple[str, str]]) -> Iterator[str]:
    return (name for name in item.permissions if (item.data_object.full_name, name) not in wanted)


def _given(what: tuple[WhatItem, ...]) -> frozenset[tuple[str, str]]:
    return frozenset((item.data_object.full_name, name) for item in what for name in item.permissions)


def _same_who(control: AccessControl, shown: AccessProvider, exported: Mapping[str, AccessControl]) -> bool:
    who, gone = control.who, control.deleted_who
    if who.recipients or (gone is not None and (gone.users or gone.groups or gone.inherit_from)):
        return False
    return (
        set(who.users) == set(shown.who_users or ())
        and set(who.groups) == set(shown.who_groups or ())
        and {_external_id(entry, exported) for entry in who.inherit_from} == set(shown.who_access_providers or ())
    )


def _external_id(entry: str, exported: Mapping[str, AccessControl]) -> str | None:
    """What an entry of a who stands for; None for an access control that is not there, or new."""
    if not entry.startswith(OF_THIS_EXPORT):
        return entry
    control = exported.get(entry.removeprefix(OF_THIS_EXPORT))
    return None if control is None else control.external_id
