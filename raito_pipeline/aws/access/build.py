"""From the stored tables of an account to its access providers: rows, sorted, the same for the same account."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from raito_pipeline.aws.access.account import Account
from raito_pipeline.aws.access.basis import TracedProvider
from raito_pipeline.aws.access.inputs import AccessInputs
from raito_pipeline.aws.access.locks import with_options
from raito_pipeline.config.groups import AccessOptions
from raito_pipeline.model import AccessProvider

ReadProviders = Callable[[Account, Collection[str]], Iterator[TracedProvider]]
"""The access providers of one type in an account; the collection holds the external ids that are kept because
others have them in their who. Never raises: what cannot be read is a reason of the access provider."""


@dataclass(frozen=True, slots=True)
class ImportedType:
    """How the access providers of one type are read."""

    read: ReadProviders
    named_by_others: bool
    """others may have them in their who, so that they are read after these"""
    keeps_named: bool
    """what its access providers have in their who is kept because of it, also without an S3 policy of its own"""


def build_access_providers(
    inputs: AccessInputs, options: AccessOptions, types: Iterable[ImportedType]
) -> tuple[AccessProvider, ...]:
    """The access providers of an account, sorted by external id. Never raises: what cannot be read is a reason."""
    return tuple(each.row for each in traced_access_providers(Account(inputs, options), types))


def traced_access_providers(account: Account, types: Iterable[ImportedType]) -> tuple[TracedProvider, ...]:
    """The same, with what each claim rests on."""
    providers = sorted(_all(account, types), key=lambda each: each.row.external_id)
    return tuple(replace(each, row=with_options(each.row, account.options)) for each in providers)


def _all(account: Account, types: Iterable[ImportedType]) -> list[TracedProvider]:
    """Those that are in nobody's who first: they name the others."""
    providers: list[TracedProvider] = []
    named: set[str] = set()
    for each in sorted(types, key=lambda each: each.named_by_others):
        read = list(each.read(account, frozenset(named)))
        providers += read
        if each.keeps_named:
            named |= {external_id for one in read for external_id in one.row.who_access_providers or ()}
    return providers
