"""The names that the access controls of a push get in AWS: those that exist keep theirs, the others get free ones."""

from collections.abc import Sequence

from raito_pipeline.aws.access.external_ids import POLICY
from raito_pipeline.aws.push.draft import Draft, Plans
from raito_pipeline.aws.push.names import NameProblem, Names
from raito_pipeline.aws.push.owners import owner_tags
from raito_pipeline.aws.push.owners.own_objects import existing
from raito_pipeline.aws.push.pushed_types import PushedType
from raito_pipeline.model import AccessControl, made_by_raito

_ACCOUNT = "#account#"
"""stands for the account id in prefixes and suffixes"""


def name_all(plans: Plans, prefix: str, label: str, pushed: PushedType, drafts: Sequence[Draft]) -> None:
    """Give each access control of one type its name: those that exist keep theirs, the others get free ones.

    A name that is asked for and not given is said; `label` is what people call the type.
    """
    names = _no_names_yet(plans, pushed)
    owned = {draft.control.id: plans.existing(draft.control, prefix) for draft in drafts}
    current = {control: None if name is None else pushed.named(name) for control, name in owned.items()}
    for name in current.values():
        # What an access control has now is nobody else's in this push, also where it is deleted or gets another name.
        if name is not None:
            names.keep(name)
    for draft in drafts:
        if not draft.control.delete and not draft.refused:
            kept = _name_one(plans, pushed, names, draft, current[draft.control.id])
            there = existing(plans.state, draft.control.external_id or "") is not None
            if kept is not None and there and not _is_called(_no_names_yet(plans, pushed), draft.control, kept):
                draft.warnings.append(f"{_why_kept(prefix, label, draft.control)}: it stays {kept} in AWS")
        elif current[draft.control.id] is None and prefix == POLICY:
            _ask_whose(plans, _no_names_yet(plans, pushed), draft.control)


def _no_names_yet(plans: Plans, pushed: PushedType) -> Names:
    before, after = (each.replace(_ACCOUNT, plans.state.account_id) for each in pushed.affixes(plans.options))
    return Names(before, after, rule=pushed.naming)


def _ask_whose(plans: Plans, names: Names, control: AccessControl) -> None:
    """An earlier push may have made a policy and given it to nobody yet: the tags of such ones are not stored."""
    try:
        policy = plans.state.policies.get(names.give(control.naming_hint or control.name, None))
    except NameProblem:
        return
    if policy is not None:
        plans.tags_of(policy)


def _is_called(names: Names, control: AccessControl, name: str) -> bool:
    """True where an object is called as its access control asks for, as far as a name in AWS can tell."""
    hint = control.naming_hint or control.name
    try:
        return name == hint or names.give(hint, name) == name
    except NameProblem:
        return False


def _why_kept(prefix: str, label: str, control: AccessControl) -> str:
    if prefix != POLICY:
        return f"{label}s cannot be renamed"
    locked = "its deletion is locked, and a policy gets another name by being made anew"
    return locked if control.delete_locked else "a policy that Raito did not make is not renamed"


def _name_one(plans: Plans, pushed: PushedType, names: Names, draft: Draft, current: str | None) -> str | None:
    """Name one access control. Gives the name that it keeps whatever it is to be called; None where that counts."""
    control = draft.control
    if draft.unedited or draft.nothing_new:
        # Inline policies have no name of their own, and a policy of AWS may share its name with one of the account.
        draft.name = "" if current is None or current.startswith("arn:") else current
        return None
    kept = None if current is None else pushed.kept_name(plans, control, current)
    try:
        draft.name = kept or names.give(control.naming_hint or control.name, current)
    except NameProblem as error:
        _unnamed(draft, current, str(error))
        return None
    renamed = kept is None and current not in (None, draft.name)
    reason = _taken_by_others(plans, control, draft.name) if renamed else None
    if reason is not None:
        _unnamed(draft, current, reason)
    return kept


def _unnamed(draft: Draft, current: str | None, reason: str) -> None:
    """No new name can be had: what is there keeps its own, and loses what was taken away. Else nothing is made."""
    if current is not None:
        draft.name = current
        draft.leave_out(f"{reason}: it keeps its name {current}")
    else:
        draft.make_nothing(reason)


def _taken_by_others(plans: Plans, control: AccessControl, name: str) -> str | None:
    """Why a policy cannot get another name: somebody else's has it, if only in another case. None where it can."""
    named = (each for each in plans.state.policies.values() if each.policy_name.casefold() == name.casefold())
    there = next((each for each in named if not each.aws_managed), None)
    tags = None if there is None else plans.tags_of(there)
    if there is None or tags is None:
        return None
    _, owner = owner_tags.owner_of(tags)
    if there.policy_name == name and made_by_raito(tags) and owner in (None, owner_tags.named_in_tags(control)):
        return None
    return f"its name would be {name}, and policy {there.policy_name} exists in AWS and is not its own"
