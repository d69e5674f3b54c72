"""Access providers of policies: managed ones that somebody has, and the inline ones of each user and each group."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Literal

from raito_pipeline.aws.access.account import Account, InlinePolicy, PrincipalKey, labelled
from raito_pipeline.aws.access.basis import TracedProvider
from raito_pipeline.aws.access.external_ids import POLICY
from raito_pipeline.aws.access.limits import may_call_through_services, narrow
from raito_pipeline.aws.access.locks import AWS_MANAGED
from raito_pipeline.aws.access.own_points import ThroughPoints, through_points
from raito_pipeline.aws.access.rows import access_provider
from raito_pipeline.aws.access.who import WhoNames, who_of_principals
from raito_pipeline.aws.policy import Scope, What, what_of
from raito_pipeline.aws.policy.actions import gives_s3
from raito_pipeline.aws.policy.conditions import asks_who_calls
from raito_pipeline.config.patterns import matches_any
from raito_pipeline.model import IamPolicy, is_aws_managed, made_by_raito

TYPE = "aws_policy"
_MOST_READERS = 100
"""principals whom a policy that asks who calls is read for one by one"""


def managed_providers(account: Account, named: Collection[str]) -> Iterator[TracedProvider]:
    """Managed policies that are attached to somebody and are about S3."""
    del named  # nothing has them in its who
    names = account.once(managed_external_ids)
    for policy in kept_policies(account):
        yield _managed(account, policy, names[policy.arn])


def kept_policies(account: Account) -> tuple[IamPolicy, ...]:
    """The managed policies that become access providers."""
    if account.options.aws_access_skip_managed_policies:
        return ()
    return tuple(policy for policy in account.inputs.policies if _wanted(account, policy))


def managed_external_ids(account: Account) -> Mapping[str, str]:
    """The external ids of all managed policies of the account, by ARN."""
    names = Counter(policy.policy_name for policy in account.inputs.policies)
    return {
        policy.arn: external_id(policy, shared_name=names[policy.policy_name] > 1) for policy in account.inputs.policies
    }


def external_id(policy: IamPolicy, *, shared_name: bool) -> str:
    """`policy:NAME`; a policy of AWS whose name a policy of the account has too is called by its ARN."""
    return f"{POLICY}{policy.arn if shared_name and policy.aws_managed else policy.policy_name}"


def _wanted(account: Account, policy: IamPolicy) -> bool:
    options = account.options
    left_out = (
        policy.arn not in account.attached_to
        or (policy.aws_managed and options.aws_access_skip_aws_managed_policies)
        or matches_any(options.aws_access_managed_policy_excludes, policy.policy_name)
        or made_by_raito(policy.tags)
        or (policy.tags is None and not policy.aws_managed and f"{POLICY}{policy.policy_name}" in account.inputs.pushed)
    )
    if left_out:
        return False
    document = account.documents[policy.arn][1]
    return gives_s3(document) or bool(document.problems)


def read_as(account: Account, arn: str) -> PrincipalKey | None:
    """The holder of a managed policy as whom it is read: it asks who calls, and gives each of its holders the same.

    None: it is read as nobody in particular, and what depends on who calls is a reason.
    """
    return account.once(_readings, arn)[0]


def _readings(account: Account, arn: str) -> tuple[PrincipalKey | None, What]:
    holders, document = account.attached_to.get(arn, []), account.documents[arn]
    by_aws, through_services = is_aws_managed(arn), may_call_through_services(account, holders)

    settled = account.once(_through_points, arn).settled

    def read(scope: Scope) -> What:
        scope = replace(scope, written_by_aws=by_aws, settled=settled)
        return what_of([document], scope, through_services=through_services)

    personal = any(each.effect == "Allow" and asks_who_calls(each) for each in document[1].statements)
    if personal and len(holders) <= _MOST_READERS and all(kind != "group" for kind, _ in holders):
        readings = [read(account.scope_of(holder)) for holder in holders]
        if readings and all(each.claims.keys() == readings[0].claims.keys() for each in readings):
            reasons = dict.fromkeys(reason for each in readings for reason in each.reasons)
            return holders[0], What(readings[0].claims, tuple(reasons))
    return None, read(account.scope)


def _through_points(account: Account, arn: str) -> ThroughPoints:
    return through_points(account, [account.documents[arn]], account.attached_to.get(arn, []))


def _managed(account: Account, policy: IamPolicy, name: str) -> TracedProvider:
    holders = account.attached_to[policy.arn]
    _, given = account.once(_readings, policy.arn)
    narrowed = narrow(account, given.claims, holders)
    through, for_all = account.once(_through_points, policy.arn), narrowed.principals == set(holders)
    claims, of_points = through.beside(narrowed.claims, for_all=for_all)
    who = who_of_principals(account, narrowed.principals)
    return access_provider(
        external_id=name,
        name=policy.policy_name,
        naming_hint=policy.policy_name,
        type=TYPE,
        policy=policy.document,
        who=who,
        what=account.items(claims),
        reasons=[*given.reasons, *narrowed.reasons, *of_points, *account.outdated.get(policy.arn, ())],
        tags=policy.tags,
        fixed=AWS_MANAGED if policy.aws_managed else None,
    )


def user_inline_providers(account: Account, named: Collection[str]) -> Iterator[TracedProvider]:
    """The inline policies of each user as one access provider."""
    del named  # nothing has them in its who
    yield from _inline_providers(account, "user")


def group_inline_providers(account: Account, named: Collection[str]) -> Iterator[TracedProvider]:
    """The inline policies of each group as one access provider."""
    del named  # nothing has them in its who
    yield from _inline_providers(account, "group")


def _inline_providers(account: Account, kind: Literal["user", "group"]) -> Iterator[TracedProvider]:
    for (principal, name), policies in account.inline.items():
        if principal == kind and account.options.imports_inline_policies(kind, name):
            yield _inline(account, kind, name, policies)


def _inline(
    account: Account, kind: Literal["user", "group"], name: str, policies: list[InlinePolicy]
) -> TracedProvider:
    holder = (kind, name)
    through_services = may_call_through_services(account, [holder])
    through = through_points(account, labelled(policies), [holder])
    scope = replace(account.scope_of(holder), settled=through.settled)
    given = what_of(labelled(policies), scope, through_services=through_services)
    narrowed = narrow(account, given.claims, [holder])
    claims, of_points = through.beside(narrowed.claims, for_all=holder in narrowed.principals)
    users = tuple(sorted(user for key, user in narrowed.principals if key == "user"))
    groups = tuple(group for key, group in narrowed.principals if key == "group")
    return access_provider(
        external_id=inline_external_id(kind, name, policies),
        name=f"{kind.capitalize()} {name} inline policies",
        type=TYPE,
        policy=documents_text(policies),
        who=WhoNames(users if kind == "user" or users else None, groups if kind == "group" else None),
        what=account.items(claims),
        reasons=[*given.reasons, *narrowed.reasons, *of_points],
    )


def inline_external_id(kind: str, name: str, policies: Iterable[InlinePolicy]) -> str:
    """`user:NAME|inline:P1|P2|`, or the same of a group; the policies are sorted by name."""
    return f"{kind}:{name}|inline:{'|'.join(policy.name for policy in policies)}|"


def documents_text(policies: list[InlinePolicy]) -> str:
    """The documents of inline policies as Raito Cloud shows them: each followed by a line break."""
    return "".join(f"{policy.text}\n" for policy in policies)
