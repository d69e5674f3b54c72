"""What each claim of an access provider rests on: the documents and statements that give it."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa

from raito_pipeline.aws.policy.resources import PermissionTarget
from raito_pipeline.aws.policy.what import Claim, Claims, by_target
from raito_pipeline.model import AccessBasis, AccessProvider, DataObjectReference, WhatItem
from raito_pipeline.model.batches import one_row_each

Names = Callable[[PermissionTarget], DataObjectReference]
"""what a target is called in Raito Cloud"""
_Given = tuple[PermissionTarget, str, str]
"""a target, and the labels of a document and of a statement"""


@dataclass(frozen=True, slots=True)
class Origin:
    """A statement, and the permissions on one data object that it gives."""

    data_object: str
    document: str
    statement: str
    permissions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TracedWhat:
    """The what of an access provider, and where all of it comes from; both sorted."""

    items: tuple[WhatItem, ...] = ()
    origins: tuple[Origin, ...] = ()


NO_WHAT = TracedWhat()


@dataclass(frozen=True, slots=True)
class TracedProvider:
    """The row of an access provider, and where its what comes from."""

    row: AccessProvider
    origins: tuple[Origin, ...]


def traced(claims: Claims, names: Names) -> TracedWhat:
    """Claims under the full names of their data objects.

    Equal lists of permissions are one object: an account has few of them, and many data objects.
    """
    items = what_items(claims, names)
    lists = {item.permissions: item.permissions for item in items}
    origins = [
        Origin(names(target).full_name, document, statement, lists.setdefault(each, each))
        for (target, document, statement), each in _by_statement(claims).items()
    ]
    origins.sort(key=lambda origin: (origin.data_object, origin.document, origin.statement))
    return TracedWhat(items, tuple(origins))


def what_items(claims: Iterable[Claim], names: Names) -> tuple[WhatItem, ...]:
    """Claims under the full names of their data objects, sorted."""
    lists: dict[tuple[str, ...], tuple[str, ...]] = {}
    return tuple(sorted(WhatItem(names(target), lists.setdefault(each, each)) for target, each in by_target(claims)))


def _by_statement(claims: Claims) -> Mapping[_Given, tuple[str, ...]]:
    permissions: dict[_Given, list[str]] = defaultdict(list)
    for claim in sorted(claims):
        for document, statement in claims[claim]:
            permissions[claim.target, document, statement].append(claim.permission)
    return {given: tuple(names) for given, names in permissions.items()}


def basis_batches(providers: Iterable[TracedProvider]) -> Iterator[pa.RecordBatch]:
    """The rows of `access_basis`, streamed, in the order of the access providers."""
    return one_row_each(AccessBasis, "permission", _rows(providers))


def _rows(providers: Iterable[TracedProvider]) -> Iterator[tuple[AccessBasis, tuple[str, ...]]]:
    for provider in providers:
        for each in provider.origins:
            row = AccessBasis(provider.row.external_id, each.data_object, "", each.document, each.statement)
            yield row, each.permissions
