"""Access providers of roles: who by the trust policy, what by the inline policies."""

from collections.abc import Collection, Iterator
from dataclasses import replace

from raito_pipeline.aws.access.account import Account, labelled
from raito_pipeline.aws.access.assume import Assumers, assumers, users_through_roles
from raito_pipeline.aws.access.basis import TracedProvider
from raito_pipeline.aws.access.limits import limited, may_call_through_services
from raito_pipeline.aws.access.own_points import through_points
from raito_pipeline.aws.access.policies import documents_text, kept_policies
from raito_pipeline.aws.access.rows import access_provider
from raito_pipeline.aws.access.who import WhoNames
from raito_pipeline.aws.policy import What, what_of
from raito_pipeline.aws.policy.actions import gives_s3
from raito_pipeline.aws.policy.reasons import Code, Reason
from raito_pipeline.model import IamRole, made_by_raito

TYPE = "aws_role"


def role_providers(account: Account, named: Collection[str]) -> Iterator[TracedProvider]:
    """Roles of no permission set whose inline policies are about S3, or that others have in their who (`named`)."""
    for role in kept_roles(account, named):
        if account.permission_set_of(role.role_name) is None:
            yield _provider(account, role)


def kept_roles(account: Account, named: Collection[str]) -> Iterator[IamRole]:
    """Roles of any kind that have something about S3 or a kept policy, less those that Raito made or options leave out.

    `named` are the external ids that access providers of other types have in their who.
    """
    attached = {principal for policy in kept_policies(account) for principal in account.attached_to[policy.arn]}
    for role in account.inputs.roles:
        if account.excludes_role(role.role_name) or made_by_raito(role.tags):
            continue
        documents = [policy.document for policy in account.inline.get(("role", role.role_name), ())]
        about_s3 = any(gives_s3(document) or document.problems for document in documents)
        # Also where a boundary leaves it nothing of the policy, which then does not have it in its who.
        kept = ("role", role.role_name) in attached or account.external_id_of_role(role.role_name) in named
        if about_s3 or kept:
            yield role


def what_of_role(account: Account, role: IamRole) -> tuple[What, str]:
    """What the inline policies of a role give within its limits, and their documents as text."""
    key = ("role", role.role_name)
    policies = account.inline.get(key, [])
    through_services = may_call_through_services(account, [key])
    through = through_points(account, labelled(policies), [key])
    scope = replace(account.scope_of(key), settled=through.settled)
    what = what_of(labelled(policies), scope, through_services=through_services)
    left, reasons = limited(account, what.claims, key)
    claims, of_points = through.beside(left, for_all=True)
    return What(claims, (*what.reasons, *reasons, *of_points)), documents_text(policies)


def _provider(account: Account, role: IamRole) -> TracedProvider:
    what, documents = what_of_role(account, role)
    return access_provider(
        external_id=account.external_id_of_role(role.role_name),
        name=role.role_name,
        naming_hint=role.role_name,
        type=TYPE,
        policy=documents,
        who=_trusted(account, role),
        what=account.items(what.claims),
        reasons=what.reasons,
        tags=role.tags,
    )


def _trusted(account: Account, role: IamRole) -> WhoNames:
    who = assumers(account, role.role_name)
    return WhoNames(tuple(sorted(who.users)), (), None, (*who.reasons, *_roles_in(account, role, who)))


def _roles_in(account: Account, role: IamRole, who: Assumers) -> Iterator[Reason]:
    """Roles in a trust policy: a role cannot hold them in its who, nor the users who come by way of them."""
    if not who.roles or who.everybody:  # everybody is a reason already
        return
    names = f"role{'s' if len(who.roles) > 1 else ''} {', '.join(sorted(who.roles))}"
    users = users_through_roles(account, role.role_name) - who.users
    through = f"; users who may assume it by way of roles: {', '.join(sorted(users))}" if users else ""
    yield Reason(Code.WHO, f"trust policy: {names} may assume it, which the who of a role cannot hold{through}")
