"""Access providers of roles: plain ones by their trust policy, and permission sets by their assignments."""

from collections.abc import Collection, Iterator

from raito_pipeline.aws.access.account import Account, labelled
from raito_pipeline.aws.access.denies import denies_of
from raito_pipeline.aws.access.locks import PERMISSION_SET
from raito_pipeline.aws.access.policies import documents_text
from raito_pipeline.aws.access.rows import access_provider
from raito_pipeline.aws.access.who import WhoNames, boundary_reasons
from raito_pipeline.aws.policy import read_document, what_of
from raito_pipeline.aws.policy.actions import gives_s3
from raito_pipeline.aws.policy.principals import who_of_trust
from raito_pipeline.model import AccessProvider, IamRole, OrgPermissionSet, made_by_raito


def role_providers(account: Account, kept: Collection[str]) -> Iterator[AccessProvider]:
    """Roles whose inline policies are about S3, or that have one of the policies that are kept.

    `kept` are the external ids of the roles that kept managed policies are attached to.
    """
    for role in account.inputs.roles:
        if account.excludes_role(role.role_name) or made_by_raito(role.tags):
            continue
        external_id = account.external_id_of_role(role.role_name)
        documents = [policy.document for policy in account.inline.get(("role", role.role_name), ())]
        if external_id in kept or any(gives_s3(document) or document.problems for document in documents):
            row = _provider(account, role, external_id)
            if row is not None:
                yield row


def _provider(account: Account, role: IamRole, external_id: str) -> AccessProvider | None:
    permission_set = account.permission_set_of(role.role_name)
    known = None if permission_set is None else _find(account, permission_set)
    if known is not None and made_by_raito(known.tags):
        return None
    key = ("role", role.role_name)
    policies = account.inline.get(key, [])
    found = what_of(labelled(policies), account.scope, denies=denies_of(account, key))
    who = _trusted(account, role) if permission_set is None else _assigned(account, permission_set, known)
    return access_provider(
        external_id=external_id,
        name=permission_set or role.role_name,
        naming_hint=permission_set or role.role_name,
        type="aws_role" if permission_set is None else "aws_sso_role",
        policy=documents_text(policies),
        who=who,
        what=account.items(found),
        reasons=[*found.reasons, *boundary_reasons(account, [key])],
        tags=role.tags if known is None else known.tags,
        fixed=None if permission_set is None else PERMISSION_SET,
    )


def _trusted(account: Account, role: IamRole) -> WhoNames:
    who = who_of_trust(read_document(role.trust_policy), account.directory)
    others = [f"trust policy: role {name} may assume it, which the who of a role cannot hold" for name in who.roles]
    return WhoNames(tuple(sorted(who.users)), (), None, (*who.reasons, *sorted(others)))


def _find(account: Account, name: str) -> OrgPermissionSet | None:
    here = account.inputs.account_id
    return next((row for row in account.inputs.permission_sets if row.name == name and here in row.account_ids), None)


def _assigned(account: Account, name: str, known: OrgPermissionSet | None) -> WhoNames:
    if known is None:
        return WhoNames(None, None, None, (f"permission set {name} is not among those read of the organization",))
    users, groups, reasons = set(), set(), []
    for row in account.inputs.assignments:
        if row.account_id != account.inputs.account_id or row.permission_set_arn != known.arn:
            continue
        if row.principal_name is None:
            reasons.append(
                f"{row.principal_type.lower()} {row.principal_id} is assigned, but not in the identity store"
            )
        elif row.principal_type == "USER":
            users.add(row.principal_name)
        else:
            groups.add(row.principal_name)
    return WhoNames(tuple(sorted(users)), tuple(sorted(groups)), None, tuple(sorted(reasons)))
