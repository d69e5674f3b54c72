"""From an exported access control to its draft: what of it grants anything, its type, and why nothing is made of it."""

from dataclasses import replace

from raito_pipeline.aws.push.account.state import PushState
from raito_pipeline.aws.push.draft import Draft
from raito_pipeline.aws.push.owners.own_objects import existing
from raito_pipeline.aws.push.pushed_types import PushedTypes
from raito_pipeline.config.groups import PushOptions
from raito_pipeline.model import EMPTY_WHO, AccessControl, made_by_raito

GRANT = "grant"
_NO_GRANTS = frozenset({"deny", "mask", "filter", "filtered"})
"""actions by which people have less access, and none through what was made while it was a grant"""


def drafted(options: PushOptions, types: PushedTypes, control: AccessControl) -> Draft:
    """The access control under its type: that of what it owns, where none is given, else the account's own.

    Where it owns something of another type, it is planned as a new one, which takes the place of the old.
    """
    owned = types.owned_by(control.external_id)
    kind = control.type or owned or ("aws_role" if options.organization is None else "aws_sso_role")
    if owned is None or kind == owned or control.delete:
        return Draft(control, owned if control.delete and owned else kind)
    return Draft(replace(control, external_id=None, actual_name=None), kind, replaces=control)


def as_granted(control: AccessControl, state: PushState) -> AccessControl:
    """The access control as far as it grants something: one that takes access gives nobody anything.

    What another word stands for is not known, and what Raito did not make never came of a grant: nothing of it changes.
    """
    if control.action == GRANT or control.delete:
        return control
    if _came_of_a_grant(control, state):
        return replace(control, who=EMPTY_WHO, what=())
    return replace(control, who_locked=True, inheritance_locked=True, what_locked=True)


def why_not_made(control: AccessControl, state: PushState) -> str | None:
    """Why nothing new can be made of what the export says; None where it can."""
    if control.unreadable:
        return f"it cannot be read: {'; '.join(control.unreadable)}"
    if control.action != GRANT and not control.delete:  # what it made while it was a grant goes with it
        gave = "what it has in AWS stays as it is"
        if _came_of_a_grant(control, state):
            gave = "what it gave while it was a grant is taken away"
        gave = "" if control.external_id is None else f": {gave}"
        return f"action {control.action!r} cannot be made in AWS, only {GRANT!r}{gave}"
    return None


def _came_of_a_grant(control: AccessControl, state: PushState) -> bool:
    """True for one that takes access by its action now, and has an object that Raito made while it was a grant."""
    there = existing(state, control.external_id or "")
    return control.action in _NO_GRANTS and there is not None and made_by_raito(there.tags)
