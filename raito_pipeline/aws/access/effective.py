"""Who really reaches what: users, roles and people of the organization, by themselves and through roles; streamed."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from raito_pipeline.aws.access.account import Account, PrincipalKey
from raito_pipeline.aws.access.assumed import RolePath, paths_from
from raito_pipeline.aws.access.reach import Reach, reach_of
from raito_pipeline.aws.policy import read_document
from raito_pipeline.aws.policy.facts import PrincipalFacts
from raito_pipeline.aws.policy.principals import who_of_trust
from raito_pipeline.aws.policy.resources import ACCOUNT, PermissionTarget
from raito_pipeline.model import EffectiveAccess, IamRole, IamUser, OrgUser
from raito_pipeline.model.batches import one_row_each

_Row = tuple[EffectiveAccess, Sequence[str]]
"""a row, and the permissions that it stands for"""


@dataclass(frozen=True, slots=True)
class _Whom:
    """Somebody as rows name them."""

    type: str
    account: str | None
    id: str
    name: str


def effective_batches(
    account: Account, people: Iterable[OrgUser] = (), neighbours: Iterable[IamUser | IamRole] = ()
) -> Iterator[pa.RecordBatch]:
    """The rows of `effective_access`: users, roles, people of the organization, then `neighbours`, each by name.

    `neighbours` are users and roles of other accounts of the same `raito.yml`, of whom some may assume roles.
    """
    return one_row_each(EffectiveAccess, "permission", _rows(account, people, neighbours))


def _rows(account: Account, people: Iterable[OrgUser], neighbours: Iterable[IamUser | IamRole]) -> Iterator[_Row]:
    home = account.inputs.account_id
    for user in sorted(account.inputs.users, key=lambda row: row.user_name):
        yield from _of_principal(account, ("user", user.user_name), _Whom("user", home, user.user_id, user.user_name))
    for role in sorted(account.inputs.roles, key=lambda row: row.role_name):
        yield from _of_principal(account, ("role", role.role_name), _Whom("role", home, role.role_id, role.role_name))
    assigned = _assigned(account)
    for person in sorted(people, key=lambda row: (row.user_name, row.user_id)):
        roles = {role for each in (person.user_id, *person.group_ids) for role in assigned.get(each, ())}
        yield from _through(account, _Whom("org_user", None, person.user_id, person.user_name), _paths(account, roles))
    yield from _of_neighbours(account, {each.arn: each for each in neighbours})


def _of_principal(account: Account, principal: PrincipalKey, whom: _Whom) -> Iterator[_Row]:
    yield from _reached(account, whom, reach_of(account, principal), RolePath((), ()))
    yield from _through(account, whom, paths_from(account, principal))


def _through(account: Account, whom: _Whom, paths: Iterable[RolePath]) -> Iterator[_Row]:
    for path in paths:
        yield from _reached(account, whom, reach_of(account, ("role", path.roles[-1])), path)


def _of_neighbours(account: Account, neighbours: Mapping[str, IamUser | IamRole]) -> Iterator[_Row]:
    """What trust policies open to users and roles of other accounts, whose own policies have to allow it, too."""
    users = {arn: arn for arn, row in neighbours.items() if isinstance(row, IamUser)}
    others = {arn: arn for arn in neighbours if arn not in users}
    facts = {arn: _facts_of(row) for arn, row in neighbours.items()}
    bounded = {arn for arn, row in neighbours.items() if row.permissions_boundary_arn is not None}
    directory = replace(account.directory, users=users, roles=others, principals=facts, bounded=bounded)
    entered: dict[str, list[str]] = defaultdict(list)
    for role in account.inputs.roles if neighbours else ():
        who = who_of_trust(read_document(role.trust_policy), directory)
        for arn in who.users | who.roles:
            entered[arn].append(role.role_name)
    for arn, roles in sorted(entered.items()):
        row, home = neighbours[arn], arn.split(":")[4]
        asked = f"account {home}: its policies have to let {arn} assume the role, too"
        named = (
            ("user", row.user_id, row.user_name) if isinstance(row, IamUser) else ("role", row.role_id, row.role_name)
        )
        whom = _Whom(named[0], home, *named[1:])
        yield from _through(account, whom, _paths(account, roles, (asked,)))


def _facts_of(row: IamUser | IamRole) -> PrincipalFacts:
    """What is known of somebody of another account, whose options may leave out tags."""
    if isinstance(row, IamUser):
        return PrincipalFacts("user", row.user_name, row.arn, row.user_id)
    return PrincipalFacts("role", row.role_name, row.arn, row.role_id)


def _paths(account: Account, roles: Iterable[str], conditions: tuple[str, ...] = ()) -> list[RolePath]:
    """Where somebody gets who may become each of some roles, which depends on conditions."""
    paths: dict[str, RolePath] = {}
    for role in sorted(roles):
        for path in paths_from(account, ("role", role), RolePath((role,), conditions)):
            last, known = path.roles[-1], paths.get(path.roles[-1])
            if known is None or (len(path.conditions), len(path.roles)) < (len(known.conditions), len(known.roles)):
                paths[last] = path
    return list(paths.values())


def _assigned(account: Account) -> Mapping[str, set[str]]:
    """The reserved roles of the account that people and groups of the identity store may use, by their ids."""
    here = account.inputs.account_id
    reserved: dict[str, list[str]] = defaultdict(list)
    for role in account.roles:
        name = account.permission_set_of(role)
        if name is not None:
            reserved[name].append(role)
    names = {row.arn: row.name for row in account.inputs.permission_sets if here in row.account_ids}
    roles: dict[str, set[str]] = defaultdict(set)
    for row in account.inputs.assignments:
        if row.account_id == here:
            roles[row.principal_id].update(reserved.get(names.get(row.permission_set_arn, ""), ()))
    return roles


def _reached(account: Account, whom: _Whom, reaches: Iterable[Reach], path: RolePath) -> Iterator[_Row]:
    roles = tuple(account.external_id_of_role(role) for role in path.roles)
    for each in reaches:
        conditions = tuple(sorted({*path.conditions, *each.conditions}))
        row = EffectiveAccess(
            principal_type=whom.type,
            principal_account=whom.account,
            principal_id=whom.id,
            principal_name=whom.name,
            data_object=account.reference(each.target).full_name,
            data_object_kind=_kind(each.target),
            bucket=each.target.bucket or None,
            permission="",
            via_roles=path.roles,
            through=tuple(dict.fromkeys((*roles, *each.through))),
            certainty="conditional" if conditions else "certain",
            conditions=conditions,
        )
        yield row, each.permissions


def _kind(target: PermissionTarget) -> str:
    if target == ACCOUNT:
        return "account"
    if target.file:
        return "file"
    return "folder" if target.path else "bucket"
