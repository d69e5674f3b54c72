"""Which roles users and roles of the account may assume, directly and one after the other."""

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from raito_pipeline.aws.access.account import Account, PrincipalKey
from raito_pipeline.aws.access.assume import assumable

Steps = Mapping[PrincipalKey, Mapping[str, tuple[str, ...]]]
"""by who assumes it, the roles that may be assumed, each with what that depends on (none = it is certain)"""


@dataclass(frozen=True, slots=True)
class RolePath:
    """Roles that are assumed one after the other, and what that depends on."""

    roles: tuple[str, ...]
    conditions: tuple[str, ...]


def paths_from(account: Account, principal: PrincipalKey, begin: RolePath | None = None) -> list[RolePath]:
    """The roles that somebody may get into, each by one path: a certain one where there is one, then a short one.

    `begin` is how somebody who is not of the account becomes the role `principal`; it is the first path then.
    """
    steps = account.once(direct_steps)
    paths = {begin.roles[-1]: begin} if begin else {}
    for certain in (True, False):
        waiting = deque([(principal, begin or RolePath((), ())), *_continued(paths)])
        while waiting:
            who, path = waiting.popleft()
            for role, conditions in steps.get(who, {}).items():
                if role not in paths and ("role", role) != principal and not (certain and conditions):
                    also = tuple(dict.fromkeys((*path.conditions, *conditions)))
                    paths[role] = RolePath((*path.roles, role), also)
                    waiting.append((("role", role), paths[role]))
    return sorted(paths.values(), key=lambda path: (len(path.roles), path.roles))


def _continued(paths: Mapping[str, RolePath]) -> Iterator[tuple[PrincipalKey, RolePath]]:
    return ((("role", role), path) for role, path in list(paths.items()))


def direct_steps(account: Account) -> Steps:
    """Who may assume which role directly."""
    steps: dict[PrincipalKey, dict[str, tuple[str, ...]]] = defaultdict(dict)
    for role, assumers in sorted(assumable(account).items()):
        for principal, depends_on in (*assumers.certain.items(), *assumers.conditional.items()):
            steps[principal].setdefault(role, depends_on)
    return steps
