"""What a push has to know of each access provider type: how its AWS objects are named, planned, made and removed."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from raito_pipeline.aws.policy.rights import Right
from raito_pipeline.aws.push.changes import Change, UnknownChange
from raito_pipeline.aws.push.draft import IDLE, Draft, Plans
from raito_pipeline.aws.push.names import NamingRule
from raito_pipeline.aws.push.types.tag_changes import TagObject
from raito_pipeline.config import AccountTarget, OrganizationLink, OrganizationTarget
from raito_pipeline.config.groups import PushOptions
from raito_pipeline.model import AccessControl, PushChange

Planner = Callable[[Plans, Draft], None]
"""Adds the changes of one access control to its draft. Raises `Refused`."""
Organization = OrganizationTarget | OrganizationLink
"""an organization, by its own target or as accounts link it"""


@dataclass(frozen=True, kw_only=True)
class PushedType:
    """An access provider type that can be pushed. A type that lacks one of these does not load."""

    order: int
    """its access controls come before those of types with a higher number, where nothing else decides"""
    naming: NamingRule
    affixes: Callable[[PushOptions], tuple[str, str]]
    """prefix and suffix of its names"""
    kept_name: Callable[[Plans, AccessControl, str], str | None]
    """the name that an access control keeps, by the one its external id holds; None where it gets one by its hint"""
    plan: Planner
    delete: Planner
    creates: type[Change]
    """the change that makes the main object of an access control"""
    deletes: type[Change]
    """the change that deletes it: what counts for the limit of deletions"""
    others: tuple[type[Change], ...]
    """all other changes that it plans"""
    rights: Callable[[AccountTarget], Iterable[Right]]
    """what its changes may have to do in AWS"""
    organization_rights: Callable[[Organization], Iterable[Right]]
    """what its changes may have to do in the organization that an account links"""
    named: Callable[[str], str]
    """the name in AWS, by an external id without its prefix"""

    @property
    def changes(self) -> tuple[type[Change], ...]:
        """Every change that it plans."""
        return (self.creates, self.deletes, *self.others)


@dataclass(frozen=True, slots=True)
class NotPushedYet:
    """An access provider type that cannot be pushed yet, or (`why`) never will be."""

    label: str
    """what people call several of them"""
    why: str | None = None

    @property
    def reason(self) -> str:
        """Why an access control of this type is refused."""
        return self.why or f"{self.label} cannot be pushed yet; nothing new is made"


@dataclass(frozen=True)
class PushedTypes:
    """The access provider types of a push, by their type and the prefix of their external ids."""

    types: Mapping[str, PushedType | NotPushedYet]
    prefixes: Mapping[str, str]
    labels: Mapping[str, str] = field(default_factory=dict)
    """what people call an access provider of a type"""

    owners: Mapping[str, str] = field(default_factory=dict)
    """the type of what an external id names, by its prefix"""

    def owned_by(self, external_id: str | None) -> str | None:
        """The type of what an external id names; None where it names nothing that is known."""
        owners = (kind for prefix, kind in self.owners.items() if (external_id or "").startswith(prefix))
        return next(owners, None)

    def of(self, kind: str) -> PushedType | NotPushedYet:
        """A type by its id; one that is not known cannot be pushed yet."""
        return self.types.get(kind, NotPushedYet(kind))

    def label(self, kind: str) -> str:
        """What people call an access provider of a type."""
        return self.labels.get(kind, kind or "access control")

    def order_of(self, kind: str) -> int:
        """The place of a type; those that cannot be pushed come last."""
        pushed = self.of(kind)
        return pushed.order if isinstance(pushed, PushedType) else max(each.order for each in self.pushed.values())

    @cached_property
    def pushed(self) -> Mapping[str, PushedType]:
        """The types that can be pushed, in their order."""
        able = {kind: each for kind, each in self.types.items() if isinstance(each, PushedType)}
        return dict(sorted(able.items(), key=lambda item: item[1].order))

    def changes(self, rows: Iterable[PushChange]) -> list[Change]:
        """The changes that the rows of a plan stand for, less those that change nothing."""
        return [
            self._classes.get((row.kind, row.operation), UnknownChange)(row)
            for row in rows
            if row.operation not in IDLE
        ]

    def creates(self, change: Change) -> bool:
        """True where a change makes the object that an access control is."""
        return type(change) in self._creating

    def deletes(self, change: Change) -> bool:
        """True where a change deletes the object that an access control is."""
        return type(change) in self._deleting

    def tagging(self, kind: str) -> type[TagObject] | None:
        """The change that adds tags to the object of an access control; None where its type has none."""
        pushed = self.of(kind)
        if not isinstance(pushed, PushedType):
            return None
        return next((each for each in pushed.changes if issubclass(each, TagObject)), None)

    @cached_property
    def _classes(self) -> Mapping[tuple[str, str], type[Change]]:
        return {(each.KIND, each.OPERATION): each for kind in self.pushed.values() for each in kind.changes}

    @cached_property
    def _creating(self) -> frozenset[type[Change]]:
        return frozenset(each.creates for each in self.pushed.values())

    @cached_property
    def _deleting(self) -> frozenset[type[Change]]:
        return frozenset(each.deletes for each in self.pushed.values())


@dataclass(frozen=True, slots=True)
class Explained:
    """A row of a plan as people read it."""

    row: PushChange
    access: str
    """whether it gives, takes or removes access; empty where it does none of them"""


def explain(types: PushedTypes, rows: Iterable[PushChange]) -> list[Explained]:
    """The rows of a plan with what each does to the access that people have."""
    listed = list(rows)
    effects = {change.row.position: change.effect.words for change in types.changes(listed)}
    return [Explained(row, effects.get(row.position, "")) for row in listed]
