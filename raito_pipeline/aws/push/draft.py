"""One access control on its way to a plan: the changes it needs, its AWS object, and what stands against it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from raito_pipeline.aws.push.account.state import PushState
from raito_pipeline.aws.push.changes import Change
from raito_pipeline.config.groups import PushOptions
from raito_pipeline.model import AccessControl, IamPolicy, PushChange, PushTarget, Tag, WhoEntry

NONE, REFUSE = "none", "refuse"
IDLE = frozenset({NONE, REFUSE})
"""Operations of rows that change nothing: they say why."""
OF_THIS_EXPORT = "ID:"
"""How an entry of a who begins that names another access control of the same export, by its id."""


class Refused(Exception):
    """Nothing is changed for an access control; the text says why, for its feedback."""


UNTIL_THEN = ". Until then it stays as it is, also for those who lost it"
"""how a reason ends for which an object is not touched at all, as nobody knows what is there"""


@dataclass
class Draft:
    """What is planned for one access control."""

    control: AccessControl
    kind: str
    replaces: AccessControl | None = None
    """the access control as it is exported, where its object is of another type and goes once the new one is there"""
    replacing: bool = False
    """true for the deletion of an object whose access control is one of another type now"""
    moved: bool = False
    """true for a further policy that goes because what is still granted of it is in other policies of the same access
    control now"""
    unedited: bool = False
    """true where it was imported and nobody edited it since: it stays as it is"""
    name: str = ""
    """name in AWS, empty after a deletion"""
    nothing_new: str = ""
    """why nothing new is made for it, where what it has in AWS loses what was taken away all the same"""
    external_id: str | None = None
    rows: list[PushChange] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    """why it is refused, or what of its who and what cannot be made, where the rest can"""
    refused: bool = False
    """true where nothing is changed for it"""
    warnings: list[str] = field(default_factory=list)

    @property
    def owned_id(self) -> str | None:
        """The external id of what the access control has in AWS."""
        return (self.replaces or self.control).external_id

    def open_who(self, *, there: bool) -> WhoEntry:
        """The who, less its locked parts where the object is there: what may not be changed is not looked at."""
        control, who = self.control, self.control.who
        if there and control.who_locked:
            who = WhoEntry((), (), who.inherit_from, ())
        return replace(who, inherit_from=()) if there and control.inheritance_locked else who

    def change(
        self, made: type[Change], resource: str, why: str, *, before: str | None = None, after: str | None = None
    ) -> None:
        """Plan a change; its position is given when the plan is whole."""
        self._add(made.OPERATION, made.KIND, resource, why, before, after)

    def nothing(self, kind: str, resource: str, why: str) -> None:
        """Say that nothing is to be changed, and why."""
        self._add(NONE, kind, resource, why)

    def refuse(self, reason: str) -> None:
        """Plan nothing, and say why."""
        self.errors.append(reason)
        self.refused = True
        self.rows.clear()
        self._add(REFUSE, self.kind, self.control.actual_name or self.name or self.control.name, reason)

    def make_nothing(self, reason: str) -> None:
        """Make nothing new, and say why; what it has in AWS loses what was taken away all the same."""
        if self.owned_id is None:
            self.refuse(reason)
        elif not self.nothing_new:
            self.nothing_new = reason
        else:
            self.leave_out(reason)

    def leave_out(self, reason: str) -> None:
        """Say what of the who or the what cannot be made: an error of its own, and the rest is carried out."""
        self.errors.append(reason)

    def _add(
        self, operation: str, kind: str, resource: str, why: str, before: str | None = None, after: str | None = None
    ) -> None:
        control = self.control
        self.rows.append(PushChange(0, control.id, control.name, operation, kind, resource, before, after, why))

    def target(self) -> PushTarget:
        """The row of the access control. A refused one keeps the name it has."""
        control = self.replaces or self.control
        return PushTarget(
            position=control.position,
            access_control_id=control.id,
            access_control_name=control.name,
            type=self.kind,
            actual_name=(control.actual_name or "") if self.refused else self.name,
            external_id=None if self.refused else self.external_id,
            errors=tuple(dict.fromkeys(self.errors)),
            warnings=tuple(dict.fromkeys(self.warnings)),
            refused=self.refused,
        )


@dataclass(frozen=True, slots=True)
class Planned:
    """The AWS object that an access control of this push is, or will be."""

    kind: str
    name: str


@dataclass(frozen=True)
class Plans:
    """What the planning of each access control sees: the account, the options, and what the other ones are."""

    state: PushState
    options: PushOptions
    planned: dict[str, Planned]
    """by access control id, those of refused ones left out"""
    exported: Mapping[str, AccessControl] = field(default_factory=dict)
    """every access control of the export by id"""
    unread_tags: set[str] = field(default_factory=set)
    """ARNs of managed policies whose tags the plan needs, and that were not read"""
    assigned: set[str] = field(default_factory=set)
    """names of permission sets that somebody gets, so that they have a role in the account then"""
    emptied: set[str] = field(default_factory=set)
    """names of permission sets that everybody loses, so that AWS removes their role in the account"""

    def names(self, kind: str) -> frozenset[str]:
        """The names in AWS that access controls of one type have, or will have."""
        return frozenset(each.name for each in self.planned.values() if each.kind == kind)

    def tags_of(self, policy: IamPolicy) -> tuple[Tag, ...] | None:
        """The tags of a managed policy. None where they were not read: whoever plans can then ask for them."""
        if policy.tags is None and not policy.aws_managed:
            self.unread_tags.add(policy.arn)
        return policy.tags

    def named(self, control_id: str, kind: str, prefix: str) -> str | None:
        """The name in AWS of an access control of this export that stays: what it will be, else what it is."""
        plan = self.planned.get(control_id)
        if plan is not None:
            return plan.name if plan.kind == kind else None
        control = self.exported.get(control_id)
        return None if control is None or control.delete else self.existing(control, prefix)

    def removes(self, external_id: str) -> bool:
        """True for what this push is asked to delete, and may."""
        return external_id in self._removed

    @cached_property
    def _removed(self) -> frozenset[str]:
        controls = self.exported.values()
        return frozenset(
            each.external_id for each in controls if each.delete and not each.delete_locked and each.external_id
        )

    def existing(self, control: AccessControl, prefix: str) -> str | None:
        """The name of the AWS object that an access control has by its external id; None where it has none."""
        external_id = control.external_id or ""
        return external_id.removeprefix(prefix) if external_id.startswith(prefix) else None
