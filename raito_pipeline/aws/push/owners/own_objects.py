"""One object, one owner: which access controls of an export may change the object of AWS that they name.

An access control owns what Raito made for it (its tags), and what the last import of this account offered for taking
over. What two of them name, or what belongs to another export, is an error of each: nothing flips between owners.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from raito_pipeline.aws.access.external_ids import ACCESS_POINT, PERMISSION_SET, POLICY, ROLE, permission_set_name
from raito_pipeline.aws.push.account.imported_documents import inline_source
from raito_pipeline.aws.push.account.state import PushState
from raito_pipeline.aws.push.draft import Draft
from raito_pipeline.aws.push.owners.owner_tags import ACCESS_CONTROL, DATA_SOURCE, another_owner, owner_of, owner_tags
from raito_pipeline.aws.push.rules.bounds import Bounds
from raito_pipeline.model import AccessControl, AccessProvider, Tag, WhoEntry, made_by_raito

_OF_ALL = (
    ". Permission sets are of the whole organization: put #account# into aws-sso-role-prefix or aws-sso-role-suffix, "
    "so that each account has its own"
)
_TAGS_ELSEWHERE = (ROLE, POLICY, PERMISSION_SET, ACCESS_POINT)


@dataclass(frozen=True, slots=True)
class Existing:
    """An object of AWS as the stored tables have it."""

    resource: str
    """what changes call it: the name of a role, the ARN of a policy"""
    tags: tuple[Tag, ...] | None


def existing(state: PushState, external_id: str) -> Existing | None:
    """What is stored of the object of an external id; None where there is none."""
    if external_id.startswith(ROLE):
        role = state.roles.get(external_id.removeprefix(ROLE))
        return None if role is None else Existing(role.role_name, role.tags)
    if external_id.startswith(POLICY):
        policy = state.policy(external_id.removeprefix(POLICY))
        return None if policy is None else Existing(policy.arn, policy.tags)
    if external_id.startswith(PERMISSION_SET):
        known = state.center.sets.get(permission_set_name(external_id.removeprefix(PERMISSION_SET)))
        return None if known is None else Existing(known.name, known.tags)
    if external_id.startswith(ACCESS_POINT):
        point = state.points.points.get(external_id.removeprefix(ACCESS_POINT))
        # One without a policy is offered by no import, and nobody has access through it. Its tags say whose it is;
        # where they may not be read, it is as good as gone.
        unknown = point is not None and not point.policy and point.tags is None
        return None if point is None or unknown else Existing(point.arn, point.tags)
    return None


def object_key(external_id: str) -> str:
    """What external ids of one object have in common: IAM compares names without regard to case."""
    if external_id.startswith(PERMISSION_SET):
        return f"{PERMISSION_SET}{permission_set_name(external_id.removeprefix(PERMISSION_SET))}".casefold()
    return external_id.casefold()


def refuse_foreign(
    drafts: Sequence[Draft], prefixes: Mapping[str, str], state: PushState, bounds: Bounds, *, own_only: bool = False
) -> None:
    """Refuse the access controls whose object is not theirs alone, and lock what the import locks of the others."""
    _refuse_shared(drafts, prefixes, state)
    spelled = {f"{ROLE}{name}".casefold(): name for name in state.roles}
    own = (policy.policy_name for policy in state.policies.values() if not policy.aws_managed)
    spelled |= {f"{POLICY}{name}".casefold(): name for name in own}
    for draft in drafts:
        if not draft.refused:
            prefix = prefixes.get(draft.kind, "")
            reason = _not_own(draft, prefix, state, bounds)
            own_id = draft.control.external_id
            if reason is None and own_only and own_id is not None:
                reason = _not_made(own_id, existing(state, own_id))
            if reason is not None:
                draft.refuse(reason)
                continue
            reason = _new_name_taken(draft, prefix, state, bounds) or _other_case(f"{prefix}{draft.name}", spelled)
            if reason is not None and not draft.nothing_new:
                draft.make_nothing(reason)


def _not_made(external_id: str, there: Existing | None) -> str | None:
    """Why what was imported is not taken over; None for what Raito made, and for what is gone."""
    if there is None or made_by_raito(there.tags):
        return None
    return f"{external_id} was not made by Raito, and aws-push-own-only is on: it is not taken over"


def _refuse_shared(drafts: Sequence[Draft], prefixes: Mapping[str, str], state: PushState) -> None:
    """Refuse those that name one object by their external ids, or that would get one name."""
    by_object: dict[str, list[Draft]] = defaultdict(list)
    for draft in drafts:
        named = _new_id(draft, prefixes.get(draft.kind, draft.kind)) if draft.name else ""
        for key in {object_key(text) for text in (draft.owned_id or "", named) if text}:
            by_object[key].append(draft)
    shared = {key: sharing for key, sharing in by_object.items() if len(sharing) > 1}
    owned = {object_key(draft.owned_id) for draft in drafts if draft.owned_id}
    for key in sorted(shared, key=lambda key: (key not in owned, key)):
        _refuse_each(key, shared[key], state)


def _refuse_each(key: str, sharing: Sequence[Draft], state: PushState) -> None:
    """Nothing new is made of them; what none of those that have the object grants goes all the same, by one of them."""
    having = [draft for draft in sharing if object_key(draft.owned_id or "") == key and not draft.refused]
    if len(having) == len(sharing) and all(draft.control.delete for draft in having):
        return  # it goes, and the second time it is gone
    taking = next((each for each in having if _is_named_by_tags(each, state)), having[0] if having else None)
    if len(having) > 1 and taking is not None:
        locked = any(draft.control.delete and draft.control.delete_locked for draft in having)
        if locked or inline_source(taking.owned_id) is not None:  # it is not known what none of them grants
            taking = None
        else:
            _grant_together(taking, [each.replaces or each.control for each in having if not each.control.delete])
    for draft in sharing:
        others = ", ".join(f"{each.control.name!r} ({each.control.id})" for each in sharing if each is not draft)
        reason = f"access control {others} of the export names {key} too: an object has one owner; remove one of them"
        if draft.refused:
            draft.errors += [] if reason in draft.errors else [reason]
        elif draft is taking or draft not in having:
            draft.make_nothing(reason)
        else:
            draft.refuse(reason)


def _is_named_by_tags(draft: Draft, state: PushState) -> bool:
    there = existing(state, draft.owned_id or "")
    return there is not None and owner_of(there.tags)[1] == draft.control.id


def _grant_together(draft: Draft, controls: Sequence[AccessControl]) -> None:
    """Let one access control stand for what several grant together; one that is to be removed grants nothing."""
    if controls and draft.replaces is not None:
        draft.replaces = _all_together(draft.replaces, controls)
    elif controls:
        draft.control = _all_together(draft.control, controls)


def _all_together(control: AccessControl, controls: Sequence[AccessControl]) -> AccessControl:
    """An access control with what several grant."""
    whos = [each.who for each in controls]
    who = WhoEntry(
        tuple(dict.fromkeys(name for each in whos for name in each.users)),
        tuple(dict.fromkeys(name for each in whos for name in each.groups)),
        tuple(dict.fromkeys(name for each in whos for name in each.inherit_from)),
        (),
    )
    return replace(
        control,
        delete=False,
        who=who,
        deleted_who=None,
        what=tuple(dict.fromkeys(item for each in controls for item in each.what)),
        delete_what=(),
        who_locked=any(each.who_locked for each in controls),
        inheritance_locked=any(each.inheritance_locked for each in controls),
        what_locked=any(each.what_locked for each in controls),
    )


def _other_case(external_id: str, spelled: Mapping[str, str]) -> str | None:
    """Why a new object cannot have its name: AWS has one that differs in case only, and takes the two for one."""
    there = spelled.get(external_id.casefold())
    if there is None or external_id.partition(":")[2] in ("", there):
        return None
    return f"AWS has {there}, and takes {external_id} for the same name: upper and lower case do not tell names apart"


def _new_id(draft: Draft, prefix: str) -> str:
    """The external id that an access control will have: one of AWS's own policies is named as it is."""
    own_id = draft.owned_id or ""
    return own_id if own_id.startswith(f"{POLICY}arn:") else f"{prefix}{draft.name}"


def _not_own(draft: Draft, prefix: str, state: PushState, bounds: Bounds) -> str | None:
    """Why the object of an access control is not its own; None where it is, or where it is not there yet."""
    control, own_id = draft.control, draft.owned_id
    wanted, there = owner_tags(bounds.data_source, control), existing(state, own_id or f"{prefix}{draft.name}")
    elsewhere = bounds.claimed_elsewhere.get(object_key(own_id or f"{prefix}{draft.name}"))
    if elsewhere is not None and (there is None or not _is_owner(there.tags, wanted)):
        return f"target {elsewhere} of this account has an access control for {own_id or draft.name} too"
    if own_id is not None:
        reason = _not_owned(control, own_id, there, wanted, bounds)
        others = inline_source(own_id) is not None or (there is not None and not made_by_raito(there.tags))
        if reason is None and others and bounds.imported is not None:
            draft.control = _with_locks(control, bounds.imported.get(own_id))
        return reason
    return None


def _new_name_taken(draft: Draft, prefix: str, state: PushState, bounds: Bounds) -> str | None:
    """Why an access control cannot have the name of its new object; None where it can, or gets none."""
    new_id = _new_id(draft, prefix)
    if not draft.name or new_id == draft.owned_id:
        return None
    return _name_taken(new_id, existing(state, new_id), owner_tags(bounds.data_source, draft.control))


def _not_owned(
    control: AccessControl, external_id: str, there: Existing | None, wanted: Iterable[Tag], bounds: Bounds
) -> str | None:
    """Why what an access control names as its own is not."""
    if there is not None:
        owner = another_owner(there.tags, wanted)
        if owner is not None:
            return f"{external_id} belongs to {owner}, as its tags say"
        if made_by_raito(there.tags) or _is_owner(there.tags, wanted):
            return None
    if bounds.imported is None:
        return None
    offered = bounds.imported.get(external_id)
    if offered is not None:
        locked = "the import of this account keeps it from being taken over (it is locked)"
        return f"{external_id} may not be changed: {locked}" if offered.not_internalizable else None
    if there is None and external_id.startswith(_TAGS_ELSEWHERE):
        return None  # what is gone is made anew by Raito; the others are asked for their tags when they are planned
    if there is not None and there.tags is None:
        if (control.id, external_id) in bounds.pushed:
            return None  # a push made it, or took it over; who lost it does not keep it because nobody says so now
        return f"the tags of {external_id} could not be read, so that it is not known whether Raito made it"
    return (
        f"{external_id} was neither made by Raito (no tag creator=RAITO) nor offered by the last import of this account"
    )


def _is_owner(tags: Iterable[Tag] | None, wanted: Iterable[Tag]) -> bool:
    return bool(tuple(wanted)) and owner_of(tags) == owner_of(wanted)


def _name_taken(external_id: str, there: Existing | None, wanted: tuple[Tag, ...]) -> str | None:
    """Why the name of a new object cannot be used: somebody else has it. What an earlier push made is its own."""
    if there is None or not made_by_raito(there.tags) or not wanted or _is_owner(there.tags, wanted):
        return None  # what Raito did not make at all is refused by its type
    owner = another_owner(there.tags, wanted)
    if owner is not None:
        of_all = external_id.startswith(PERMISSION_SET) and owner_of(there.tags)[0] != owner_of(wanted)[0]
        return f"{external_id} exists and belongs to {owner}, as its tags say{_OF_ALL if of_all else ''}"
    source, control = (tag.value for tag in wanted)
    return (
        f"{external_id} was made by Raito, but no tag says for whom: an access control whose external id names it can "
        f"have it, or give it the tags {DATA_SOURCE}={source} and {ACCESS_CONTROL}={control}"
    )


def _with_locks(control: AccessControl, offered: AccessProvider | None) -> AccessControl:
    """The access control with what the import locks: an export that leaves a lock out does not open it."""
    if offered is None:
        return control
    return replace(
        control,
        who_locked=control.who_locked or offered.who_locked is not None,
        inheritance_locked=control.inheritance_locked or offered.inheritance_locked is not None,
        what_locked=control.what_locked or offered.what_locked is not None,
        delete_locked=control.delete_locked or offered.delete_locked is not None,
    )
