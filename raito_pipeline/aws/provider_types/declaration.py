"""What every access provider type has to say of itself, and the registry that the rest of the pipeline derives from."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from inspect import isabstract

from raito_pipeline.aws.access.build import ImportedType, ReadProviders
from raito_pipeline.aws.policy.rights import Right
from raito_pipeline.aws.push.pushed_types import NotPushedYet, Organization, PushedType, PushedTypes
from raito_pipeline.config import AccountTarget
from raito_pipeline.model.provider_types import TypeDescription

Target = AccountTarget | Organization


@dataclass(frozen=True, slots=True)
class SameAs:
    """As the access provider type of this id is."""

    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessProviderType:
    """One access provider type, whole. Without one of its parts it does not load (`TypeError`)."""

    name: str
    """what it is called here; each name once"""
    description: TypeDescription | SameAs
    """what Raito Cloud is told of it"""
    external_id_prefix: str
    """how the external ids of its access providers begin"""
    read: ReadProviders
    """its access providers in an account, from the stored tables"""
    keeps_named: bool
    """what its access providers have in their who is imported because of it, also without an S3 policy of its own"""
    read_rights: Callable[[Target], Iterable[Right]]
    """what reading it may have to do in AWS, with the options of a target"""
    push: PushedType | NotPushedYet | SameAs
    """how it is made in AWS"""


class BadType(ValueError):
    """An access provider type that does not fit; the text says which, and why."""


class ProviderTypes:
    """The access provider types, in the order in which Raito Cloud is told of them. Raises `BadType`."""

    def __init__(self, *types: AccessProviderType) -> None:
        self.types = types
        _check_unique("name", (each.name for each in types))
        _check_unique("external id prefix", (each.external_id_prefix for each in types))
        _check_unique("type", (each.type for each in self.descriptions))
        for each in types:
            self._check(each)
        _check_unique("change", (f"{c.OPERATION} {c.KIND}" for push in self.push.pushed.values() for c in push.changes))

    def __iter__(self) -> Iterator[AccessProviderType]:
        return iter(self.types)

    def with_type(self, added: AccessProviderType) -> "ProviderTypes":
        """These and one more."""
        return ProviderTypes(*self.types, added)

    @property
    def descriptions(self) -> tuple[TypeDescription, ...]:
        """What Raito Cloud is told of the types."""
        return tuple(each.description for each in self.types if isinstance(each.description, TypeDescription))

    @cached_property
    def imported(self) -> tuple[ImportedType, ...]:
        """How the types are read."""
        return tuple(
            ImportedType(each.read, named_by_others=_assumed(each), keeps_named=each.keeps_named) for each in self.types
        )

    @cached_property
    def push(self) -> PushedTypes:
        """How the types are made in AWS, by the type that an access control names."""
        own = [(each, each.description, each.push) for each in self.types]
        named = [
            (each, described.type, push)
            for each, described, push in own
            if isinstance(described, TypeDescription) and not isinstance(push, SameAs)
        ]
        return PushedTypes(
            {kind: push for _, kind, push in named},
            {kind: each.external_id_prefix for each, kind, _ in named},
            {kind: each.name for each, kind, _ in named},
            {each.external_id_prefix: described.type for each, described, _ in own},
        )

    def read_rights(self, target: Target) -> Iterator[Right]:
        """What reading all types may have to do in AWS."""
        for each in self.types:
            yield from each.read_rights(target)

    def push_rights(self, target: AccountTarget) -> Iterator[Right]:
        """What making all types may have to do in AWS."""
        for each in self.push.pushed.values():
            yield from each.rights(target)

    def push_rights_in_organization(self, target: Organization) -> Iterator[Right]:
        """What pushes of accounts may have to do in the organization that they link."""
        for each in self.push.pushed.values():
            yield from each.organization_rights(target)

    def _check(self, each: AccessProviderType) -> None:
        known = {described.type for described in self.descriptions}
        if not each.name or not each.external_id_prefix.endswith(":"):
            raise BadType(
                f"access provider type {each.name!r} needs a name, and a prefix of external ids that ends in ':'"
            )
        for part in (each.description, each.push):
            if isinstance(part, SameAs) and part.type not in known:
                raise BadType(f"access provider type {each.name!r} is the same as {part.type!r}, which is none")
        if isinstance(each.push, PushedType):
            for change in each.push.changes:
                if isabstract(change) or not change.KIND or not change.OPERATION:
                    raise BadType(f"access provider type {each.name!r}: {change.__name__} is not a whole change")


def _assumed(each: AccessProviderType) -> bool:
    return isinstance(each.description, TypeDescription) and each.description.can_be_assumed


def _check_unique(what: str, values: Iterable[str]) -> None:
    twice = [value for value, times in Counter(values).items() if times > 1]
    if twice:
        raise BadType(f"two access provider types have the {what} {twice[0]!r}")
