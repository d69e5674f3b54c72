"""The plan of one account as a value that can be kept, shown and made later: with an id, and as a documented file.

The id follows from what is to be made (export, targets, changes) and from nothing else: two plans of one id are the
same. `docs/how-to/plan-and-apply.md` documents the file.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

import msgspec

from raito_pipeline.model import AccessControl, PushChange, PushOrphan, PushTarget

FORMAT, VERSION = "raito-pipeline plan", 1
_ID_LENGTH = 12
_OF_THE_ID = ("account", "account_id", "controls", "targets", "changes")


class PlanUnreadable(Exception):
    """A file that holds no plan that can be made; the text says why."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(
            f"{place} holds no plan that can be made: {reason}. `raito-pipeline plan --out FILE` writes one."
        )


@dataclass(frozen=True)
class AccountPlan:
    """What a push of one account would do, and what it stands on. Times are UTC."""

    account: str
    """partition key of the account"""
    account_id: str
    target: str
    """name of the target in `raito.yml`"""
    made_at: datetime
    controls: tuple[AccessControl, ...]
    """the export"""
    targets: tuple[PushTarget, ...]
    changes: tuple[PushChange, ...]
    orphans: tuple[PushOrphan, ...] = ()
    """what Raito made and nobody grants any more"""
    made_of: Mapping[str, str] = field(default_factory=dict)
    """version of each table that it was made of"""
    read_at: Mapping[str, datetime] = field(default_factory=dict)
    """when each of these tables was read"""
    caller: str = ""
    """ARN of the identity that is to push: the plan leaves that one as it is"""
    problems: tuple[str, ...] = ()
    """why nothing is planned at all"""
    unshown: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """who has what Raito did not make and was never shown, by external id: the next plan is told of them"""
    recovery: str | None = None
    """the stored export that is applied again; None for a plan of what Raito Cloud exported last"""

    @cached_property
    def id(self) -> str:
        """What the plan is called: the same for the same work."""
        parts = {name: getattr(self, name) for name in _OF_THE_ID}
        return _digest(msgspec.json.encode(parts, order="deterministic"))

    def to_builtins(self) -> dict[str, Any]:
        """As the JSON of a file holds it."""
        fields: dict[str, Any] = msgspec.to_builtins(self)
        return {"id": self.id, **fields}


@dataclass(frozen=True)
class ExportInPlan:
    """The access controls that a kept plan was made of."""

    account: str
    """partition key of the account"""
    controls: tuple[AccessControl, ...]


def to_file(plans: Iterable[AccountPlan]) -> bytes:
    """The file of some plans: JSON, one object."""
    listed = [plan.to_builtins() for plan in plans]
    whole = {"format": FORMAT, "version": VERSION, "plans": listed}
    return msgspec.json.format(msgspec.json.encode(whole), indent=1) + b"\n"


def from_file(content: bytes, place: str) -> tuple[AccountPlan, ...]:
    """The plans of a file. Raises `PlanUnreadable`, also for one that was changed after it was made."""
    try:
        whole = msgspec.json.decode(content)
    except msgspec.DecodeError:
        raise PlanUnreadable(place, "it is no JSON") from None
    if not isinstance(whole, dict) or whole.get("format") != FORMAT:
        raise PlanUnreadable(place, f"its `format` is not {FORMAT!r}")
    if whole.get("version") != VERSION:
        raise PlanUnreadable(place, f"its version is {whole.get('version')!r}, and this program reads {VERSION}")
    return tuple(_plan(each, place) for each in whole.get("plans") or ())


def exports_in(content: bytes) -> tuple[ExportInPlan, ...]:
    """The exports in a file of plans, whichever version wrote it: they are planned anew. None in another file."""
    try:
        whole = msgspec.json.decode(content)
        plans = whole["plans"] if whole["format"] == FORMAT else ()
        return tuple(msgspec.convert(each, ExportInPlan) for each in plans)
    except (msgspec.MsgspecError, TypeError, KeyError):
        return ()


def _plan(given: Any, place: str) -> AccountPlan:
    try:
        plan = msgspec.convert(given, AccountPlan)
    except msgspec.ValidationError as error:
        raise PlanUnreadable(place, str(error)) from None
    if given.get("id") == plan.id:
        return plan
    if given.get("id") == _id_of_before(plan):
        reason = (
            f"plan {given.get('id')} was written by an older version, which did not note what follows from a change"
        )
        raise PlanUnreadable(place, f"{reason}. `raito-pipeline apply --from {place}` plans its export anew")
    raise PlanUnreadable(place, f"plan {given.get('id')} was changed after it was made")


def _id_of_before(plan: AccountPlan) -> str:
    """The id that a plan had before changes said what follows from them (`beside`)."""
    parts = msgspec.to_builtins({name: getattr(plan, name) for name in sorted(_OF_THE_ID)})
    for change in parts["changes"]:
        del change["beside"]
    return _digest(msgspec.json.encode(parts))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:_ID_LENGTH]
