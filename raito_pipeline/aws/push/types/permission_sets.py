"""The plan for access controls that are permission sets: assignments from the who, inline policy from the what.

A permission set belongs to the organization, an access control to one account: a permission set of Raito serves one
account, which its tag names. One that was imported stays others' own; only who has it in the account may be edited.
"""

from raito_pipeline.aws.access.external_ids import PERMISSION_SET, RESERVED_ROLE, permission_set_name
from raito_pipeline.aws.access.policies import TYPE as POLICY_TYPE
from raito_pipeline.aws.push.account.center_state import serves
from raito_pipeline.aws.push.documents import texts
from raito_pipeline.aws.push.documents.effects import Effect, effect_of_documents
from raito_pipeline.aws.push.documents.revocations import only_taking
from raito_pipeline.aws.push.documents.statements import NOTHING, compact, same
from raito_pipeline.aws.push.draft import UNTIL_THEN, Draft, Plans, Refused
from raito_pipeline.aws.push.names import NamingRule
from raito_pipeline.aws.push.types.grants import granted
from raito_pipeline.aws.push.types.permission_set_changes import (
    OTHERS_KEEP_IT,
    Assign,
    CreatePermissionSet,
    CreatePermissionSetPolicy,
    DeletePermissionSet,
    DeletePermissionSetPolicy,
    DescribePermissionSet,
    ProvisionPermissionSet,
    TagPermissionSet,
    Unassign,
    UpdatePermissionSetPolicy,
)
from raito_pipeline.aws.push.types.permission_set_tags import tags_of_permission_set
from raito_pipeline.aws.push.types.references import is_in_account, references_to_nothing
from raito_pipeline.aws.push.types.tag_changes import plan_tags
from raito_pipeline.model import AccessControl, Assignee, PushPermissionSet, Tag, WhoEntry, made_by_raito

PERMISSION_SET_NAMES = NamingRule(characters="A-Za-z0-9+_", split="_", hint=19, longest=32)
"""Permission sets: the hint, prefix and suffix fill 32 characters where the suffix is `_#account#`."""
_LONGEST_DESCRIPTION = 700
_INLINE_LIMIT = 10_240
_INSTEAD = (
    "Grant what is beyond that by an access control of type policy with this permission set in its who: the permission "
    "set references it then, and it is split where it has to be"
)
_INLINE_BYTES = 32_768
"""https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_PutInlinePolicyToPermissionSet.html"""


def plan_permission_set(plans: Plans, draft: Draft) -> None:
    """Plan one permission set. Raises `Refused`."""
    center, control = plans.state.center, draft.control
    if center.problem:
        raise Refused(_unknown(center.problem, control))
    known, imported = center.sets.get(draft.name), _was_imported(control)
    draft.external_id = control.external_id if _is_own(control) else f"{PERMISSION_SET}{draft.name}"
    _warn_of_what_is_ignored(draft, draft.open_who(there=known is not None))
    if known is None and imported:
        raise Refused(f"permission set {draft.name} was imported and is gone from Identity Center")
    if known is None:
        _create(plans, draft)
    elif made_by_raito(known.tags):
        _require_this_account(plans, draft, known)
        _update(plans, draft, known)
    elif imported:
        _who_of_imported(plans, draft, known)
    else:
        raise Refused(f"permission set {draft.name} exists in AWS and was not made by Raito (no tag creator=RAITO)")
    if not draft.rows:
        draft.nothing("permission-set", draft.name, "AWS has it as it was granted")


def delete_permission_set(plans: Plans, draft: Draft) -> None:
    """Plan to remove one permission set. What is gone already needs no change. Raises `Refused`."""
    center, control = plans.state.center, draft.control
    if center.problem:
        raise Refused(_unknown(center.problem, control))
    name = plans.existing(control, PERMISSION_SET)
    known = None if name is None else center.sets.get(permission_set_name(name))
    if known is None or (not made_by_raito(known.tags) and not _was_imported(control)):
        resource = permission_set_name(name or control.actual_name or control.name)
        draft.nothing("permission-set", resource, "it is to be removed, and no permission set of Raito has this name")
        return
    if not made_by_raito(known.tags):
        raise Refused(f"permission set {known.name} was imported: only its who can be edited, and it is not deleted")
    plans.emptied.add(known.name)
    for assignee in known.assigned:
        _unassign(plans, draft, known.name, assignee, "the permission set was removed in Raito Cloud")
    others = sorted({*known.account_ids, *filter(None, [serves(known)])} - {plans.state.account_id})
    if others:
        text = (
            f"permission set {known.name} is in use in {', '.join(others)}: it stays, and nobody has it here any more"
        )
        draft.warnings.append(text)
    else:
        draft.change(DeletePermissionSet, known.name, "it was removed in Raito Cloud", before=known.arn)
    if not draft.rows:
        draft.nothing("permission-set", known.name, "nobody has it in this account, and others use it")


def kept_permission_set_name(plans: Plans, control: AccessControl, current: str) -> str | None:
    """The name that a permission set keeps: its own, since permission sets cannot be renamed."""
    del plans, control
    return current


def _unknown(problem: str, control: AccessControl) -> str:
    """Why nothing is done, and that what is there stays: nobody knows by which ids they have it."""
    return f"{problem.rstrip('.')}{UNTIL_THEN if _is_own(control) else ''}"


# -- the permission set itself -----------------------------------------------------------------------------------------


def _create(plans: Plans, draft: Draft) -> None:
    control = draft.control
    if not control.description.strip():
        raise Refused("a permission set needs a description, and it has none")
    description, warnings = texts.description(control.description, _LONGEST_DESCRIPTION)
    tags, about_tags = tags_of_permission_set(control, plans.state.account_id, plans.options)
    document = _document(plans, draft)
    too_long = _too_long(document)
    if too_long:
        raise Refused(f"{too_long}. {_INSTEAD}")
    draft.warnings += [*warnings, *about_tags]
    if control.external_id:
        draft.warnings.append(f"permission set {draft.name} was gone from AWS, and is made anew")
    _warn_of_shared_names(plans, draft)
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    request = compact({"Description": description, "Tags": listed})
    draft.change(CreatePermissionSet, draft.name, "it was granted in Raito Cloud", after=request)
    if document is not None:
        draft.change(CreatePermissionSetPolicy, draft.name, "what it gives access to", after=document)
    _assign(plans, draft, ())


def _update(plans: Plans, draft: Draft, known: PushPermissionSet) -> None:
    control = draft.control
    _describe(draft, known)
    _tag(plans, draft, known)
    _warn_of_references_to_nothing(plans, draft, known)
    effect = None if control.what_locked else _write_policy(plans, draft, known)
    # The first assignment in an account brings the permission set there by itself.
    if known.assigned and (effect is not None or not is_in_account(plans, known)):
        why = "the account does not have it as it is" if effect is None else "so that the account has it as it is now"
        only_takes = effect is not None and Effect.GIVES not in effect
        draft.change(ProvisionPermissionSet, known.name, why, before=known.arn if only_takes else None, after=known.arn)
    if not control.who_locked:
        _assign(plans, draft, known.assigned)


def _describe(draft: Draft, known: PushPermissionSet) -> None:
    if not draft.control.description.strip():
        draft.leave_out("a permission set needs a description, and it has none: it keeps the one in AWS")
        return
    wanted, warnings = texts.description(draft.control.description, _LONGEST_DESCRIPTION)
    draft.warnings += warnings
    if wanted != known.description:
        why = "its description has changed"
        draft.change(DescribePermissionSet, known.name, why, before=known.description, after=wanted)


def _tag(plans: Plans, draft: Draft, known: PushPermissionSet) -> None:
    alone = not set(known.account_ids) - {plans.state.account_id}
    wanted, warnings = tags_of_permission_set(draft.control, plans.state.account_id, plans.options, mark_account=alone)
    draft.warnings += warnings
    tags = (Tag(key, value) for key, value in wanted.items())
    plan_tags(draft, TagPermissionSet, known.name, known.tags, tags, "its tags have changed")


def _require_this_account(plans: Plans, draft: Draft, known: PushPermissionSet) -> None:
    """Raise `Refused` where the permission set serves another account: it would get this one's who and what."""
    here = plans.state.account_id
    served = serves(known)
    others = [account for account in known.account_ids if account != here]
    remedy = "put #account# into aws-sso-role-prefix or aws-sso-role-suffix, so that each account has its own"
    if served is not None and served != here:
        raise Refused(f"permission set {known.name} is that of account {served}: {remedy}")
    if served is None and others and not _is_own(draft.control):
        raise Refused(f"permission set {known.name} is in use in {', '.join(others)}: {remedy}")
    if others:
        draft.warnings.append(
            f"permission set {known.name} is in use in {', '.join(others)}, too: its description and policies are "
            f"those of one access control for all of them; {remedy}"
        )


# -- what --------------------------------------------------------------------------------------------------------------


def _document(plans: Plans, draft: Draft) -> str | None:
    """The inline policy, None where nothing is granted."""
    policy = granted(plans, draft)
    return None if policy.document["Statement"] == [NOTHING] else policy.text


def _too_long(document: str | None) -> str:
    """Why AWS would not take an inline policy, empty where it would."""
    if document is None or (len(document) <= _INLINE_LIMIT and len(document.encode()) <= _INLINE_BYTES):
        return ""
    return f"its what needs {len(document)} characters, and a permission set has room for {_INLINE_LIMIT}"


def _write_policy(plans: Plans, draft: Draft, known: PushPermissionSet) -> Effect | None:
    """Plan the inline policy; what that does to access, None where it stays as it is."""
    wanted, had = _document(plans, draft), known.inline_policy
    too_long = _too_long(wanted)
    if wanted is not None and too_long:
        draft.leave_out(f"{too_long}: what was taken away goes, and nothing is added. {_INSTEAD}")
        wanted = (only_taking(had, wanted) if had else None) or had or None
    if wanted is None:
        if not had:
            return None
        draft.change(DeletePermissionSetPolicy, known.name, "it gives access to nothing any more", before=had)
        return Effect.TAKES
    if not had:
        draft.change(CreatePermissionSetPolicy, known.name, "what it gives access to", after=wanted)
        return Effect.GIVES
    if same(had, wanted):
        return None
    why = "what it gives access to has changed"
    draft.change(UpdatePermissionSetPolicy, known.name, why, before=had, after=wanted)
    return effect_of_documents(had, wanted)


# -- who ---------------------------------------------------------------------------------------------------------------


def _who_of_imported(plans: Plans, draft: Draft, known: PushPermissionSet) -> None:
    draft.warnings.append(f"permission set {known.name} was imported: only who has it is edited")
    if not draft.control.who_locked:
        _assign(plans, draft, known.assigned)


def _assign(plans: Plans, draft: Draft, assigned: tuple[Assignee, ...]) -> None:
    """Assign those of the who who do not have it yet, then unassign those who have it and are not in the who."""
    wanted, unclear = _wanted(plans, draft)
    had = set(assigned)
    if wanted - had:
        plans.assigned.add(draft.name)
    for assignee in sorted(wanted - had):
        draft.change(Assign, _resource(plans, draft.name, assignee), "they are in the who", after=_as_text(assignee))
    stay = had & (wanted | unclear)
    for assignee in sorted(had - stay):
        why = "they are not in the who any more"
        _unassign(plans, draft, draft.name, assignee, why, others_keep_it=bool(stay))
    if had and not wanted | (had & unclear):
        plans.emptied.add(draft.name)
        draft.warnings.append(
            f"nobody has permission set {draft.name} in this account any more, so AWS removes its role there, and what "
            f"names that role (access points, trust policies) breaks; aws-permissionset-dummy-user keeps it"
        )


def _unassign(
    plans: Plans, draft: Draft, name: str, assignee: Assignee, why: str, *, others_keep_it: bool = False
) -> None:
    before = _as_text(assignee, **({OTHERS_KEEP_IT: True} if others_keep_it else {}))
    draft.change(Unassign, _resource(plans, name, assignee), why, before=before)


def _wanted(plans: Plans, draft: Draft) -> tuple[set[Assignee], set[Assignee]]:
    """Who is to have it, the dummy user where that is nobody; and those of whom a name does not say who is meant."""
    who, dummy = draft.control.who, plans.options.aws_permissionset_dummy_user
    wanted, unclear = set[Assignee](), set[Assignee]()
    for kind, names in (("USER", who.users), ("GROUP", who.groups)):
        for name in dict.fromkeys(names):
            _add(plans, draft, kind, name, wanted, unclear)
    if not wanted and not unclear and dummy:
        _add(plans, draft, "USER", dummy, wanted, unclear)
    return wanted, unclear


def _add(plans: Plans, draft: Draft, kind: str, name: str, wanted: set[Assignee], unclear: set[Assignee]) -> None:
    matching = {Assignee(kind, each) for each in plans.state.center.principals.get((kind, name), ())}
    if len(matching) == 1:
        wanted |= matching
    elif matching:
        unclear |= matching
        draft.leave_out(
            f"{len(matching)} {kind.lower()}s of the identity store are called {name}: it is not known who is meant"
        )
    else:
        draft.leave_out(f"{kind.lower()} {name} is not in the identity store of the organization")


def _resource(plans: Plans, name: str, assignee: Assignee) -> str:
    return f"{name}/{plans.state.center.label(assignee)}"


def _as_text(assignee: Assignee, **more: bool) -> str:
    return compact({"PrincipalType": assignee.principal_type, "PrincipalId": assignee.principal_id, **more})


# -- what people are warned of -----------------------------------------------------------------------------------------


def _is_own(control: AccessControl) -> bool:
    return (control.external_id or "").startswith(PERMISSION_SET)


def _was_imported(control: AccessControl) -> bool:
    """True where the export names it by its reserved role, as an import does."""
    named = (control.external_id or "").removeprefix(PERMISSION_SET)
    return _is_own(control) and RESERVED_ROLE.fullmatch(named) is not None


def _warn_of_references_to_nothing(plans: Plans, draft: Draft, known: PushPermissionSet) -> None:
    making = plans.names(POLICY_TYPE)
    gone = [each for each in references_to_nothing(plans, known) if each.rpartition("/")[2] not in making]
    if gone:
        draft.warnings.append(
            f"it references {', '.join(gone)}, which the account lacks: Identity Center cannot bring it into the "
            f"account as it is until that policy is there again, or the reference is taken away"
        )


def _warn_of_what_is_ignored(draft: Draft, who: WhoEntry) -> None:
    if who.inherit_from:
        entries = ", ".join(who.inherit_from)
        draft.leave_out(f"a permission set cannot hold access providers in its who: {entries}")
    if who.recipients:
        draft.warnings.append("recipients by e-mail address cannot be given access in AWS, and were left out")


def _warn_of_shared_names(plans: Plans, draft: Draft) -> None:
    options = plans.options
    if (
        plans.state.center.is_shared
        and "#account#" not in f"{options.aws_sso_role_prefix}{options.aws_sso_role_suffix}"
    ):
        draft.warnings.append(
            f"several accounts share this organization, and permission set {draft.name} does not name the account: "
            f"put #account# into aws-sso-role-suffix, so that another account can have one of this name"
        )
