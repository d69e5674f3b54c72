"""Who has an access provider: names for Raito Cloud, and why somebody could not be named."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from raito_pipeline.aws.access.account import Account, PrincipalKey
from raito_pipeline.aws.policy.reasons import Code, Reason


@dataclass(frozen=True)
class WhoNames:
    """The who of an access provider. None = unknown, as in the import file."""

    users: tuple[str, ...] | None = ()
    groups: tuple[str, ...] | None = ()
    access_providers: tuple[str, ...] | None = None
    reasons: tuple[Reason, ...] = field(default=())


def who_of_principals(account: Account, principals: Iterable[PrincipalKey]) -> WhoNames:
    """Users and groups by name, and roles as access providers, less those of `aws-access-role-excludes`."""
    users, groups, providers, reasons = set(), set(), set(), []
    for kind, name in sorted(principals):
        if kind == "user":
            users.add(name)
        elif kind == "group":
            groups.add(name)
        elif account.excludes_role(name):
            left_out = f"role {name} has it too, but aws-access-role-excludes leaves the role out"
            reasons.append(Reason(Code.WHO, left_out))
        else:
            providers.add(account.external_id_of_role(name))
    return WhoNames(tuple(sorted(users)), tuple(sorted(groups)), tuple(sorted(providers)) or None, tuple(reasons))
