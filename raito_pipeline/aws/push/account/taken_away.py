"""What an export says was taken away since the last push (`deletedWho`, `deleteWhat`), whoever and whatever is shown.

Of what Raito did not make, a push leaves alone what the import does not show: statements under conditions, or a role
that has less of a policy than others. Raito Cloud may have granted just that, or shown it before somebody wrote a Deny:
then it says that it was taken away, and it goes although nothing shows it now.
"""

from raito_pipeline.aws.access.external_ids import ROLE
from raito_pipeline.aws.access.roles import TYPE as ROLE_TYPE
from raito_pipeline.aws.push.account.imported import Claims
from raito_pipeline.aws.push.account.state import Principal
from raito_pipeline.aws.push.draft import OF_THIS_EXPORT, Draft, Plans


def users_taken_out(plans: Plans, draft: Draft) -> frozenset[str]:
    """The users whom the who lost, by name and through groups, and who are in it in no other way."""
    control = draft.control
    if control.deleted_who is None:
        return frozenset()
    lost, _, _ = plans.state.users_of(control.deleted_who)
    wanted, _, _ = plans.state.users_of(control.who)
    return frozenset(lost - wanted)


def principals_taken_out(plans: Plans, draft: Draft) -> frozenset[Principal]:
    """The users, groups and roles that the who lost, as they were in it, less those that it has."""
    control = draft.control
    if control.deleted_who is None:
        return frozenset()
    lost, wanted = (
        {
            *(("user", name) for name in who.users),
            *(("group", name) for name in who.groups),
            *(("role", name) for entry in who.inherit_from if (name := role_of(plans, entry)) is not None),
        }
        for who in (control.deleted_who, control.who)
    )
    return frozenset(lost - wanted)


def role_of(plans: Plans, entry: str) -> str | None:
    """The name of the role that an entry of a who stands for; None for others."""
    if entry.startswith(OF_THIS_EXPORT):
        return plans.named(entry.removeprefix(OF_THIS_EXPORT), ROLE_TYPE, ROLE)
    return entry.removeprefix(ROLE) if entry.startswith(ROLE) else None


def claims_taken_out(plans: Plans, draft: Draft) -> Claims:
    """What the what lost, less what it has."""
    view, control = plans.state.view, draft.control
    lost = view.claims(control.delete_what)
    return lost - view.claims(control.what) if lost else lost  # most lost nothing, and a what can be long
