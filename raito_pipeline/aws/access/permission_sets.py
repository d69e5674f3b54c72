"""Access providers of permission sets: their reserved roles, who by the assignments of the account."""

from collections.abc import Collection, Iterator

from raito_pipeline.aws.access.account import Account
from raito_pipeline.aws.access.basis import TracedProvider
from raito_pipeline.aws.access.locks import PERMISSION_SET
from raito_pipeline.aws.access.roles import kept_roles, what_of_role
from raito_pipeline.aws.access.rows import access_provider
from raito_pipeline.aws.access.who import WhoNames
from raito_pipeline.aws.policy.reasons import Code, Reason
from raito_pipeline.model import IamRole, OrgPermissionSet, made_by_raito

TYPE = "aws_sso_role"


def permission_set_providers(account: Account, named: Collection[str]) -> Iterator[TracedProvider]:
    """Permission sets whose reserved role is kept as roles are; those that Raito made are left out."""
    for role in kept_roles(account, named):
        name = account.permission_set_of(role.role_name)
        if name is None:
            continue
        known = _find(account, name)
        tags = None if known is None else known.tags
        own = name in account.inputs.pushed_permission_sets if tags is None else made_by_raito(tags)
        if not own:
            yield _provider(account, role, name, known)


def _provider(account: Account, role: IamRole, name: str, known: OrgPermissionSet | None) -> TracedProvider:
    what, documents = what_of_role(account, role)
    return access_provider(
        external_id=account.external_id_of_role(role.role_name),
        name=name,
        naming_hint=name,
        type=TYPE,
        policy=documents,
        who=_assigned(account, name, known),
        what=account.items(what.claims),
        reasons=what.reasons,
        tags=role.tags if known is None else known.tags,
        fixed=PERMISSION_SET,
    )


def _find(account: Account, name: str) -> OrgPermissionSet | None:
    here = account.inputs.account_id
    return next((row for row in account.inputs.permission_sets if row.name == name and here in row.account_ids), None)


def _assigned(account: Account, name: str, known: OrgPermissionSet | None) -> WhoNames:
    if known is None:
        unknown = f"permission set {name} is not among those read of the organization"
        return WhoNames(None, None, None, (Reason(Code.WHO, unknown),))
    users, groups, reasons = set(), set(), []
    for row in account.inputs.assignments:
        if row.account_id != account.inputs.account_id or row.permission_set_arn != known.arn:
            continue
        if row.principal_name is None:
            nobody = f"{row.principal_type.lower()} {row.principal_id} is assigned, but not in the identity store"
            reasons.append(Reason(Code.WHO, nobody))
        elif row.principal_type == "USER":
            users.add(row.principal_name)
        else:
            groups.add(row.principal_name)
    return WhoNames(
        tuple(sorted(users)), tuple(sorted(groups)), None, tuple(sorted(reasons, key=lambda reason: reason.text))
    )
