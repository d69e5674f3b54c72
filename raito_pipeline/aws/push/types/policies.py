"""The plan for access controls that are managed policies: document from the what, attachments from the who."""

import json
from collections.abc import Iterable
from dataclasses import replace

from raito_pipeline.aws.access.external_ids import POLICY, ROLE, is_reserved, permission_set_name
from raito_pipeline.aws.access.roles import TYPE as ROLE_TYPE
from raito_pipeline.aws.policy import Claim, Statement, read_document
from raito_pipeline.aws.push.account.imported import Claims, ImportView, covers
from raito_pipeline.aws.push.account.imported_documents import InlineSource, as_read, inline_source
from raito_pipeline.aws.push.account.state import Principal
from raito_pipeline.aws.push.account.taken_away import claims_taken_out, principals_taken_out
from raito_pipeline.aws.push.documents.document_edits import Edit, beyond, extended, is_own, narrowed
from raito_pipeline.aws.push.documents.effects import Effect
from raito_pipeline.aws.push.documents.revocations import only_taking
from raito_pipeline.aws.push.documents.statements import NOTHING, POLICY_LIMIT, VERSION, Granted, compact, same
from raito_pipeline.aws.push.draft import OF_THIS_EXPORT, Draft, Plans, Refused
from raito_pipeline.aws.push.owners.replacing import WHY, less
from raito_pipeline.aws.push.types.grants import gives, granted, made_in_iam
from raito_pipeline.aws.push.types.policy_changes import (
    AttachPolicy,
    CreatePolicy,
    DeletePolicy,
    DetachPolicy,
    NewPolicyVersion,
)
from raito_pipeline.aws.push.types.references import is_reference, named_in, plan_no_references, plan_references
from raito_pipeline.aws.push.types.replaced_inline import plan_inline_goes
from raito_pipeline.config.patterns import matches_any
from raito_pipeline.first_few import first_few
from raito_pipeline.model import AccessControl, IamPolicy, made_by_raito

_NOBODY: frozenset[Principal] = frozenset()
_MOST_NAMED = 5
"""permissions that a warning names"""
_ALLOWS_NOTHING = compact({"Version": VERSION, "Statement": [NOTHING]})


def plan_policy(plans: Plans, draft: Draft) -> None:
    """Plan one managed policy. Raises `Refused` where nothing can be done for it."""
    source = inline_source(draft.control.external_id)
    try:
        _plan_whole(plans, draft, source)
    except Refused as error:
        draft.rows.clear()
        if source is not None:
            plan_inline_goes(plans, draft, source, _wanted(plans, draft, source, there=False), None)
        if not draft.rows:
            raise
        draft.leave_out(str(error))
        draft.name, draft.external_id = draft.control.actual_name or "", draft.control.external_id


def _plan_whole(plans: Plans, draft: Draft, source: InlineSource | None) -> None:
    if draft.nothing_new:
        raise Refused(draft.nothing_new)
    _require_read(plans, draft)
    old = _existing(plans, draft.control)
    keeps_name = old is not None and old.policy_name == draft.name
    policy = old if keeps_name else plans.state.policies.get(draft.name)
    if policy is not None and not keeps_name:
        _require_made_by_raito(plans, policy)
    draft.external_id = draft.control.external_id if keeps_name else f"{POLICY}{draft.name}"
    wanted = _wanted(plans, draft, source, there=policy is not None)
    if policy is None:
        if old is None and source is None and draft.control.external_id:
            draft.warnings.append(f"policy {draft.name} was gone from AWS, and is made anew")
        arn = _create(plans, draft)
        _attach(draft, arn, _attachable(plans, draft, arn, wanted))
    else:
        arn = policy.arn
        _update(plans, draft, policy, wanted)
    _references_and_old(plans, draft, arn, old if old is not policy else None, wanted)
    if source is not None:
        plan_inline_goes(plans, draft, source, wanted, arn)
    if not draft.rows:
        draft.nothing("policy", arn, "AWS has it as it was granted")


def _references_and_old(
    plans: Plans, draft: Draft, arn: str, old: IamPolicy | None, wanted: frozenset[Principal]
) -> None:
    """Plan the permission sets that have the policy, and that the one whose place it takes goes."""
    try:
        plan_references(plans, draft, arn, old.arn if old else None)
    except Refused as error:
        draft.leave_out(str(error))
        if old is not None:
            _detach_gone(plans, draft, old, wanted)
        return
    if old is not None:
        _detach_gone(plans, draft, old, wanted)
        _narrow(plans, draft, old)
        _remove(plans, draft, old, f"its name is {draft.name} now")


def delete_policy(plans: Plans, draft: Draft) -> None:
    """Plan to remove one managed policy. What is gone already needs no change. Raises `Refused`."""
    source = inline_source(draft.control.external_id)
    if source is not None:
        plan_inline_goes(plans, draft, source, (), draft.external_id if draft.replacing else None)
        if not draft.rows:
            draft.nothing("inline-policy", ":".join(source.principal), "nothing of it can be removed, or it is gone")
        return
    _require_read(plans, draft)
    policy = _existing(plans, draft.control)
    if policy is None:
        resource = draft.control.actual_name or draft.control.name
        draft.nothing("policy", resource, "it is to be removed, and is gone already")
    elif policy.aws_managed:
        raise Refused(f"policy {policy.policy_name} is managed by AWS and cannot be deleted")
    else:
        _delete(plans, draft, policy)


def _require_read(plans: Plans, draft: Draft) -> None:
    """Raise `Refused` where it is not known what AWS has, because an option leaves it out."""
    option = plans.state.not_read.get("managed policies")
    if option is not None:
        raise Refused(f"{option} is on, so that it is not known what AWS has of it: nothing was changed")
    option = plans.state.not_read.get("policies of AWS")
    name = plans.existing(draft.control, POLICY)
    if option is not None and name is not None and _existing(plans, draft.control) is None:
        raise Refused(
            f"{name} is no policy of the account: it is gone, or one that AWS manages, which {option} leaves out. "
            f"Nothing was changed"
        )


def _require_made_by_raito(plans: Plans, policy: IamPolicy) -> None:
    tags = plans.tags_of(policy)
    if tags is None and not policy.aws_managed:
        raise Refused(f"policy {policy.policy_name} exists in AWS, and its tags could not be read: nothing new is made")
    if not made_by_raito(tags):
        raise Refused(f"policy {policy.policy_name} exists in AWS and was not made by Raito (no tag creator=RAITO)")


def _existing(plans: Plans, control: AccessControl) -> IamPolicy | None:
    name = plans.existing(control, POLICY)
    return None if name is None else plans.state.policy(name)


# -- what ------------------------------------------------------------------------------------------------------------


def _create(plans: Plans, draft: Draft) -> str:
    document = _granted(plans, draft)
    if len(document.text) > POLICY_LIMIT:
        raise Refused(_too_long(document.text))
    request = {"PolicyDocument": json.loads(document.text), **made_in_iam(plans, draft)}
    draft.change(CreatePolicy, draft.name, "it was granted in Raito Cloud", after=compact(request))
    options = plans.options
    return f"arn:{options.aws_partition}:iam::{plans.state.account_id}:policy{options.aws_iam_path}{draft.name}"


def _update(plans: Plans, draft: Draft, policy: IamPolicy, wanted: frozenset[Principal]) -> None:
    ours = _is_raitos(plans, policy)
    if not draft.control.what_locked and not policy.aws_managed:
        after = _raitos_document(plans, draft, policy) if ours else _edited_document(plans, draft, policy)
        if after is not None and not same(policy.document, after):
            why = "what it gives access to has changed"
            draft.change(NewPolicyVersion, policy.arn, why, before=policy.document, after=after)
    attached = plans.state.attached.get(policy.arn, _NOBODY)
    hidden = _NOBODY if ours else _not_shown(plans, draft, attached - wanted)
    untouched = _untouched(plans, draft, attached)
    stay = untouched | hidden
    losing = _open(draft, attached - wanted - stay)
    _warn_of_others(plans, draft, policy.arn, attached - wanted - losing, _open(draft, hidden - untouched))
    _detach(draft, policy.arn, losing, "it is not in the who any more")
    coming = _attachable(plans, draft, policy.arn, _open(draft, wanted - attached))
    _attach(draft, policy.arn, coming)
    if coming and not ours and not policy.aws_managed:
        _warn_of_more(plans, draft, policy)


def _not_shown(plans: Plans, draft: Draft, attached: frozenset[Principal]) -> frozenset[Principal]:
    """Those who have a policy that Raito did not make, and are not in the who as the import says it: they keep it."""
    shown = plans.state.view.principals(_external_id(draft))
    return _NOBODY if shown is None else attached - shown - principals_taken_out(plans, draft)


def _warn_of_others(
    plans: Plans, draft: Draft, arn: str, staying: Iterable[Principal], hidden: Iterable[Principal]
) -> None:
    """Say who keeps a policy without being in the who, as others gave it to them, and gets what is added to it.

    Of those whom the import does not show (`hidden`) that is said although nothing is added.
    """
    widened = any(
        row.resource == arn and row.kind == NewPolicyVersion.KIND and Effect.GIVES in NewPolicyVersion(row).effect
        for row in draft.rows
    )
    if not widened:
        kept = ", ".join(f"{kind} {name}" for kind, name in sorted(hidden))
        if kept:
            draft.warnings.append(f"whom the import does not show in its who keep the policy: {kept}")
        return
    wanted = named_in(plans, draft.control.who.inherit_from)
    sets = {permission_set_name(role) for role in plans.state.reserved_with(arn)} - wanted
    others = [f"{kind} {name}" for kind, name in sorted(staying)] + [f"permission set {name}" for name in sorted(sets)]
    if others:
        draft.warnings.append(
            f"the policy gives more now, also to those who have it without being in its who: {', '.join(others)}"
        )


def _warn_of_more(plans: Plans, draft: Draft, policy: IamPolicy) -> None:
    """Say what those who get a policy that Raito did not make get beside its what: a Deny or a condition hid it."""
    written = [row.after for row in draft.rows if (row.kind, row.resource) == (NewPolicyVersion.KIND, policy.arn)]
    view = as_read(plans.state.view, policy.arn)
    document = read_document(written[-1] or "" if written else policy.document)
    # What a push wrote into it follows from the what, though the import does not show all of it (listings of folders).
    others = (each for each in document.statements if not is_own(each))
    granted_by_it = frozenset[Claim]().union(*(_at_times(view, each) for each in others))
    wanted = view.claims(draft.control.what)
    more = sorted({c.permission for c in granted_by_it if not any(covers(one, c) for one in wanted)})
    if more:
        beside = first_few(more, _MOST_NAMED)
        draft.warnings.append(f"who gets the policy gets what it gives beside its what, too: {beside}")


def _at_times(view: ImportView, statement: Statement) -> Claims:
    """What a statement gives; of one under a condition, of which nothing is shown, what it gives where that holds."""
    claims, _ = view.given(statement)
    return claims or view.given(replace(statement, conditions=()))[0]


def _is_raitos(plans: Plans, policy: IamPolicy) -> bool:
    """True where Raito made it, so that all of it follows from the access control."""
    return made_by_raito(plans.tags_of(policy))


def _external_id(draft: Draft) -> str:
    return draft.control.external_id or draft.external_id or ""


def _raitos_document(plans: Plans, draft: Draft, policy: IamPolicy) -> str | None:
    wanted = _granted(plans, draft).text
    if len(wanted) <= POLICY_LIMIT:
        return wanted
    draft.leave_out(f"{_too_long(wanted)}: what was taken away goes, and nothing is added")
    return only_taking(policy.document, wanted) or policy.document


def _edited_document(plans: Plans, draft: Draft, policy: IamPolicy) -> str | None:
    """The document of a policy that Raito did not make, after what people changed of what it shows of it."""
    view, what = as_read(plans.state.view, policy.arn), draft.control.what
    shown = view.what(_external_id(draft))
    shown = view.given_by(policy.document) if shown is None else shown | claims_taken_out(plans, draft)
    edit = Edit(view, shown, view.claims(what))
    left = narrowed(policy.document, edit, named=f"policy {policy.policy_name}")
    for problem in (*left.problems, *left.still):
        draft.leave_out(problem)
    more = granted(plans, draft, beyond(what, left.gives, view))
    after = extended(left.text, more.document["Statement"] if gives(more) else [])
    if len(after) > POLICY_LIMIT and len(after) > len(policy.document):
        draft.leave_out(f"{_too_long(after)}: what was taken away goes, and nothing is added")
        after = extended(left.text, [])
    return after if json.loads(after)["Statement"] else _ALLOWS_NOTHING


def _granted(plans: Plans, draft: Draft) -> Granted:
    policy = granted(plans, draft)
    if not gives(policy):
        draft.warnings.append("it gives access to nothing; AWS wants a statement, so it has one that allows nothing")
    return policy


def _too_long(text: str) -> str:
    return f"its what needs {len(text)} characters, and AWS takes {POLICY_LIMIT} for a policy"


# -- who -------------------------------------------------------------------------------------------------------------


def _wanted(plans: Plans, draft: Draft, source: InlineSource | None, *, there: bool) -> frozenset[Principal]:
    """Whom the who names. Where it is locked, who has an inline policy keeps what it gives, and nobody else comes."""
    if source is None:
        return _principals(plans, draft, there=there)
    kept = {source.principal} if draft.control.who_locked else _NOBODY
    return _principals(plans, draft, there=True) | kept


def _principals(plans: Plans, draft: Draft, *, there: bool) -> frozenset[Principal]:
    """Whom the who names and AWS knows. Everything else in it is an error of its own."""
    who, state = draft.open_who(there=there), plans.state
    principals: set[Principal] = set()
    for kind, names, known in (("user", who.users, state.users), ("group", who.groups, state.members)):
        principals |= {(kind, name) for name in names if name in known}
        for name in sorted(name for name in names if name not in known):
            draft.leave_out(f"{kind} {name} is not in IAM of the account, and was left out")
    for entry in (each for each in who.inherit_from if not is_reference(plans, each)):
        role = _role(plans, draft, entry)
        if role is not None:
            principals.add(("role", role))
    if who.recipients:
        draft.warnings.append("recipients by e-mail address cannot be given access in AWS, and were left out")
    return frozenset(principals)


def _role(plans: Plans, draft: Draft, entry: str) -> str | None:
    """The name of the role that an entry of the who stands for; None where that is an error."""
    if entry.startswith(OF_THIS_EXPORT):
        name = plans.named(entry.removeprefix(OF_THIS_EXPORT), ROLE_TYPE, ROLE)
        if name is None:
            draft.leave_out(f"{entry} in its who is no role of this export, and was left out")
        return name
    name = entry.removeprefix(ROLE)
    if plans.removes(entry):
        draft.leave_out(f"{entry} in its who is removed by this push, and was left out")
        return None
    if not entry.startswith(ROLE) or (name not in plans.state.roles and name not in plans.names(ROLE_TYPE)):
        draft.leave_out(f"{entry} in its who is no role of the account, and was left out")
        return None
    return name


def _untouched(plans: Plans, draft: Draft, attached: frozenset[Principal]) -> frozenset[Principal]:
    """Roles that have the policy and keep it: those that only AWS changes, and those that options leave out."""
    reserved = {(kind, name) for kind, name in attached if kind == "role" and plans.state.of_aws(name)}
    excluded = {
        (kind, name)
        for kind, name in attached - reserved
        if kind == "role" and matches_any(plans.options.aws_access_role_excludes, name)
    }
    draft.warnings += [
        f"role {name} keeps the policy: aws-access-role-excludes leaves it out" for _, name in sorted(excluded)
    ]
    return frozenset(reserved | excluded)


def _attachable(plans: Plans, draft: Draft, arn: str, principals: Iterable[Principal]) -> frozenset[Principal]:
    """Those that IAM attaches a policy to. A role that only AWS changes is an error, unless it has the policy."""
    attachable = set()
    for kind, name in sorted(principals):
        if kind != "role" or not plans.state.of_aws(name):
            attachable.add((kind, name))
        elif arn not in plans.state.reserved.get(name, ()):
            instead = ": use its permission set" if is_reserved(name) else ""
            draft.leave_out(f"role:{name} in its who is a role that only AWS changes, and was left out{instead}")
    return frozenset(attachable)


def _open(draft: Draft, principals: Iterable[Principal]) -> frozenset[Principal]:
    """Those whose part of the who is not locked."""
    control = draft.control
    return frozenset(
        (kind, name)
        for kind, name in principals
        if not (control.inheritance_locked if kind == "role" else control.who_locked)
    )


def _attach(draft: Draft, arn: str, principals: Iterable[Principal]) -> None:
    for kind, name in sorted(principals):
        draft.change(AttachPolicy, f"{kind}:{name}", "it is in the who", after=arn)


def _detach(draft: Draft, arn: str, principals: Iterable[Principal], why: str) -> None:
    for kind, name in sorted(principals):
        draft.change(DetachPolicy, f"{kind}:{name}", why, before=arn)


# -- deletion --------------------------------------------------------------------------------------------------------


def _delete(plans: Plans, draft: Draft, policy: IamPolicy) -> None:
    """Everybody loses it at once; it goes itself unless a permission set keeps it."""
    why = "it was removed in Raito Cloud"
    if draft.replacing and not _is_raitos(plans, policy):
        draft.leave_out(f"policy {policy.policy_name} stays, because Raito did not make it: its type cannot change")
        return
    if draft.moved:
        why = "what is still granted of it is in another policy now"
        _detach_gone(plans, draft, policy, _principals(plans, draft, there=True))
        _narrow(plans, draft, policy)
    stays = draft.replacing or draft.moved
    attached = () if stays else plans.state.attached.get(policy.arn, _NOBODY)
    _detach(draft, policy.arn, (each for each in attached if not _is_of_aws(plans, each)), why)
    try:
        instead = plans.planned.get(draft.control.id) if stays else None
        plan_no_references(plans, draft, policy.arn, instead.name if instead else None)
    except Refused as error:
        draft.leave_out(f"policy {policy.policy_name} stays: {error}")
        return
    _remove(plans, draft, policy, why)


def _detach_gone(plans: Plans, draft: Draft, old: IamPolicy, wanted: frozenset[Principal]) -> None:
    """Who is not in the who any more loses the old policy at once, the others with the policy itself."""
    attached = plans.state.attached.get(old.arn, _NOBODY)
    gone = frozenset(each for each in attached - wanted if not _is_of_aws(plans, each))
    _detach(draft, old.arn, _open(draft, gone), "it is not in the who any more")


def _narrow(plans: Plans, draft: Draft, old: IamPolicy) -> None:
    """What it gives and is not granted any more goes at once: the policy that takes its place may never come."""
    if draft.control.what_locked:
        return
    # A what that is split is in several policies.
    whole = plans.exported.get(draft.control.id, draft.control).what
    view = as_read(plans.state.view, old.arn)
    after = less(old.document, granted(plans, Draft(draft.control, draft.kind), whole).text, view)
    if after is not None:
        draft.change(NewPolicyVersion, old.arn, WHY, before=old.document, after=after)


def _remove(plans: Plans, draft: Draft, policy: IamPolicy, why: str) -> None:
    holders = sorted(each for each in plans.state.attached.get(policy.arn, _NOBODY) if _is_of_aws(plans, each))
    if holders:
        names = ", ".join(name for _, name in holders)
        draft.leave_out(f"policy {policy.policy_name} stays, because roles that only AWS changes have it: {names}")
        return
    draft.change(DeletePolicy, policy.arn, why, before=policy.document)


def _is_of_aws(plans: Plans, principal: Principal) -> bool:
    return principal[0] == "role" and plans.state.of_aws(principal[1])


def kept_policy_name(plans: Plans, control: AccessControl, current: str) -> str | None:
    """The name that a policy keeps: one that Raito did not make, or that is locked. Else its hint decides."""
    if current.startswith("arn:"):
        return current.rsplit("/", 1)[-1]
    policy = plans.state.policies.get(current)
    imported = control.actual_name is not None and control.actual_name == control.naming_hint
    locked = control.delete_locked  # a policy gets another name by being made anew and deleted
    others = policy is not None and (policy.aws_managed or not made_by_raito(plans.tags_of(policy)))
    return current if imported or locked or others else None
