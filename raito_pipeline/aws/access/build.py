"""From the stored tables of an account to its access providers: rows, sorted, the same for the same account."""

from collections.abc import Iterator

from raito_pipeline.aws.access.account import Account
from raito_pipeline.aws.access.inputs import AccessInputs
from raito_pipeline.aws.access.locks import with_options
from raito_pipeline.aws.access.points import access_point_providers
from raito_pipeline.aws.access.policies import inline_providers, managed_providers
from raito_pipeline.aws.access.roles import role_providers
from raito_pipeline.config.groups import AccessOptions
from raito_pipeline.model import AccessProvider


def build_access_providers(inputs: AccessInputs, options: AccessOptions) -> tuple[AccessProvider, ...]:
    """The access providers of an account, sorted by external id. Never raises: what cannot be read is a reason."""
    account = Account(inputs, options)
    rows = sorted(_all(account), key=lambda row: row.external_id)
    return tuple(with_options(row, options) for row in rows)


def _all(account: Account) -> Iterator[AccessProvider]:
    policies = list(managed_providers(account))
    kept = {external_id for row in policies for external_id in row.who_access_providers or ()}
    yield from policies
    yield from role_providers(account, kept)
    yield from inline_providers(account, "user")
    yield from inline_providers(account, "group")
    yield from access_point_providers(account)
