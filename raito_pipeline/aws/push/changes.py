"""The changes that a push can make: one class each, stored as a row of the plan, in an order that follows from them.

A class says what a change needs to be there, what it makes and what it removes (by names such as `role:NAME`), whether
it gives or takes access, and how it is made in AWS. The plan, its explanation, the limits and the changes in AWS all
walk one list of them.
"""

import json
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar, Protocol, final

from raito_pipeline.aws.push.account.state import PushState
from raito_pipeline.aws.push.documents.effects import Effect, effect_of_documents
from raito_pipeline.aws.push.documents.revocations import only_taking
from raito_pipeline.aws.push.documents.statements import alike
from raito_pipeline.aws.push.owners.ownership import ChangedSincePlan, ChangeRefused, Objects
from raito_pipeline.model import PushChange, Tag

Things = frozenset[str]
"""Objects of AWS by a name that is unique in a push, such as `role:NAME` or `policy:NAME`."""
NOTHING: Things = frozenset()


def out_of_points(thing: str) -> str:
    """That `role:NAME` or `ssorole:NAME` is in the policies of access points no more which lose it, as changes name it.

    Once the role is gone S3 gives its unique id in the place of its ARN, and nobody knows those policies again.
    """
    return f"policies of access points without {thing}"


class IamCalls(Protocol):
    """The calls of IAM that changes are made with. `fresh`: what is named was made by this push."""

    def role_tags(self, name: str) -> tuple[Tag, ...] | None: ...
    def role_trust(self, name: str) -> str | None: ...
    def role_boundary(self, name: str) -> str | None: ...
    def set_role_boundary(self, name: str, policy_arn: str) -> None: ...
    def inline_document(self, role: str, policy: str) -> str | None: ...
    def has_attached(self, kind: str, name: str, policy_arn: str) -> bool: ...
    def create_role(self, name: str, request: Mapping[str, Any]) -> bool: ...
    def set_trust(self, name: str, document: str, *, fresh: bool = False) -> None: ...
    def put_inline(self, role: str, policy: str, document: str, *, fresh: bool = False) -> None: ...
    def delete_inline(self, role: str, policy: str) -> None: ...
    def inline_document_of(self, kind: str, name: str, policy: str) -> str | None: ...
    def put_inline_of(self, kind: str, name: str, policy: str, document: str) -> None: ...
    def delete_inline_of(self, kind: str, name: str, policy: str) -> None: ...
    def delete_role(self, name: str) -> None: ...
    def policy_tags(self, arn: str) -> tuple[Tag, ...] | None: ...
    def create_policy(self, name: str, request: Mapping[str, Any]) -> bool: ...
    def policy_document(self, arn: str) -> Any: ...
    def policy_version(self, arn: str) -> str | None: ...
    def new_version(self, arn: str, document: str, *, fresh: bool = False) -> None: ...
    def delete_policy(self, arn: str) -> None: ...
    def attach(self, kind: str, name: str, policy_arn: str, *, fresh: bool = False) -> None: ...
    def detach(self, kind: str, name: str, policy_arn: str) -> None: ...
    def attached_to_role(self, name: str) -> tuple[str, ...]: ...
    def inline_names(self, role: str) -> tuple[str, ...]: ...
    def holders(self, policy_arn: str, *, reserved: bool = False) -> tuple[tuple[str, str], ...]: ...
    def tag(self, kind: str, name: str, tags: Sequence[Mapping[str, str]]) -> None: ...
    def arn(self, kind: str, name: str, path: str = "/") -> str: ...
    def role_arn(self, name: str) -> str | None: ...


class CenterCalls(Protocol):
    """The calls of Identity Center that changes of permission sets are made with, for one account."""

    def tags(self, name: str) -> tuple[Tag, ...] | None: ...
    def arn(self, name: str) -> str | None: ...
    def description(self, name: str) -> str | None: ...
    def policy(self, name: str) -> str | None: ...
    def has(self, name: str, policy_arn: str) -> bool: ...
    def policies(self, name: str) -> tuple[str, ...]: ...
    def assigned(self, name: str) -> tuple[Mapping[str, str], ...]: ...
    def create(self, name: str, request: Mapping[str, Any]) -> bool: ...
    def describe(self, name: str, description: str) -> None: ...
    def tag(self, name: str, tags: Sequence[Mapping[str, str]]) -> None: ...
    def put_policy(self, name: str, document: str) -> None: ...
    def delete_policy(self, name: str) -> None: ...
    def assign(self, name: str, principal: Mapping[str, str]) -> str | None: ...
    def unassign(self, name: str, principal: Mapping[str, str]) -> str | None: ...
    def attach(self, name: str, policy_arn: str) -> None: ...
    def detach(self, name: str, policy_arn: str) -> None: ...
    def provision(self, name: str) -> None: ...
    def other_accounts(self, name: str) -> tuple[str, ...]: ...
    def delete(self, name: str) -> None: ...


class Notes:
    """What people should know of the changes that were made: warnings by access control. Thread-safe."""

    def __init__(self) -> None:
        self._texts: dict[str, dict[str, None]] = {}
        self._lock = threading.Lock()

    def add(self, change: PushChange, text: str) -> None:
        """Warn the access control that asks for a change; the same text once."""
        with self._lock:
            self._texts.setdefault(change.access_control_id, {})[text] = None

    def of(self, access_control_id: str) -> tuple[str, ...]:
        """The warnings of an access control, in the order in which they came."""
        with self._lock:
            return tuple(self._texts.get(access_control_id, ()))


class PointCalls(Protocol):
    """The calls that changes of access points and of their buckets are made with; a point is named by its ARN."""

    def tags(self, arn: str) -> tuple[Tag, ...] | None: ...
    def tag(self, arn: str, tags: Sequence[Mapping[str, str]]) -> None: ...
    def bucket(self, arn: str) -> str | None: ...
    def create(self, arn: str, request: Mapping[str, Any]) -> bool: ...
    def may_take_over(self, arn: str) -> tuple[Tag, ...] | None: ...
    def policy(self, arn: str) -> str | None: ...
    def put_policy(self, arn: str, document: str, *, fresh: bool = False) -> tuple[str, ...]: ...
    def delete_policy(self, arn: str) -> None: ...
    def delete(self, arn: str) -> None: ...
    def reserved_role(self, permission_set: str) -> str | None: ...
    def bucket_policy(self, bucket: str) -> str | None: ...
    def edit_bucket_policy(self, bucket: str, edited: Callable[[str | None], str | None]) -> None: ...


@dataclass(frozen=True, slots=True)
class Aws:
    """What a change works with when it is made: calls of one account, and whose objects are whose."""

    iam: IamCalls
    objects: Objects
    points: PointCalls
    center: CenterCalls | None = None
    """None where the account links no organization"""
    notes: Notes = field(default_factory=Notes)
    no_answer: tuple[type[Exception], ...] = ()
    """what is raised where AWS does not answer a call"""
    again: bool = False
    """true where this very plan was made before: AWS is asked first, and what it has is not written again"""


@dataclass(frozen=True, slots=True)
class Present:
    """What AWS has where a change is made: a document (or an ARN), None where there is nothing."""

    document: str | None


@dataclass(frozen=True)
class Change(ABC):
    """One change, of the row of the plan that holds it. A class without one of its parts does not load."""

    row: PushChange
    KIND: ClassVar[str]
    OPERATION: ClassVar[str]
    EFFECT: ClassVar[Effect | None]
    """what every such change does to the access that people have; None = that follows from its documents"""

    NEW_OBJECT: ClassVar[bool] = False
    """true where it makes an object of a name that somebody else's may have: its tags say whose it is, its documents do
    not. AWS refuses to make what is there, which is compared then"""

    OVERWRITES: ClassVar[bool] = True
    """false where others can have left nothing in its place that it would replace: something is there or it is not"""

    def __init_subclass__(cls) -> None:
        """Raises `TypeError` where the class lacks a part, or is made in a way of its own."""
        lacking = [name for name in ("KIND", "OPERATION", "EFFECT") if not hasattr(cls, name)]
        lacking += [
            name
            for name in ("needs", "makes", "removes", "apply", "current")
            if getattr(cls, name) is getattr(Change, name)
        ]
        lacking += ["take_over"] if cls.NEW_OBJECT and cls.take_over is Change.take_over else []
        if lacking:
            raise TypeError(f"{cls.__name__} lacks {', '.join(lacking)}")
        if cls.carry_out is not Change.carry_out:
            raise TypeError(f"{cls.__name__} has a carry_out of its own, which compares nothing with AWS")

    @property
    def title(self) -> str:
        """What it does: `create of role readers`."""
        return f"{self.row.operation} of {self.row.kind} {self.row.resource}"

    @cached_property
    def effect(self) -> Effect:
        """What it does to the access that people have."""
        return effect_of_documents(self.row.before, self.row.after) if self.EFFECT is None else self.EFFECT

    @property
    def about(self) -> str:
        """Who or what gets or loses it, for people; empty where that does not say what happens."""
        return self.row.resource

    @property
    def revokes(self) -> bool:
        """True where it takes access from people and gives none."""
        return bool(self.effect) and Effect.GIVES not in self.effect

    @property
    def gives_way(self) -> bool:
        """True where something else of its access control takes the place of what goes, which stays until then."""
        return Effect.REMOVES in self.effect

    @property
    @abstractmethod
    def needs(self) -> Things:
        """What has to be there when it is made."""

    @property
    def awaits(self) -> Things:
        """What it can do without, but comes after: those who make it, or need it and give access (an assignment)."""
        return NOTHING

    @property
    @abstractmethod
    def makes(self) -> Things:
        """What is there afterwards and may not have been before."""

    @property
    @abstractmethod
    def removes(self) -> Things:
        """What is gone afterwards."""

    @property
    def through(self) -> Things:
        """The objects through which people get the access that it gives: no others than those that give data alone.

        Everything that it needs and makes, where a class does not say less.
        """
        return self.needs | self.makes

    @property
    def alters(self) -> Things:
        """The objects that are others afterwards: never the identity that pushes, and what gives it its rights.

        Everything that it needs, makes and removes, where a class does not say less.
        """
        return self.needs | self.makes | self.removes

    @property
    def frees(self) -> tuple[str, str] | None:
        """The managed policy (ARN) that somebody has no more, so that what it denies does not hold for them any more.

        And who: `user:`, `group:`, `role:` or `ssorole:NAME`, empty for everybody who has it.
        """
        return None

    @abstractmethod
    def apply(self, aws: Aws) -> None:
        """Make it. Raises `AwsError` where AWS refuses it, `ChangeRefused` where it is not tried."""

    def take_over(self, aws: Aws) -> None:
        """Of a `NEW_OBJECT` that is there: an earlier push made it, which was broken off, or another one was faster.

        Raises as `apply` does.
        """
        raise NotImplementedError(f"{self.title}: it makes no object")

    # -- what AWS has now ----------------------------------------------------------------------------------------------

    @abstractmethod
    def current(self, aws: Aws) -> Present | None:
        """What AWS has now in the place that `before` and `after` are about. Raises `AwsError`.

        None where nothing in AWS says whether it was made. Each look costs a call, so it is made for changes only.
        """

    @property
    def intended(self) -> str | None:
        """What `current` gives once the change is made."""
        return self.row.after

    # -- what it brings to people, or takes along ----------------------------------------------------------------------

    def beside(self, state: PushState) -> Iterable[str] | None:
        """What the plan knows that follows from the change, and is not in its place: what a policy gives that somebody
        gets, what goes with a role. None where nothing does, or where the plan does not know it.
        """
        del state
        return None

    def beside_now(self, aws: Aws) -> Iterable[str]:
        """The same as AWS has it now, less what this push writes itself. Raises `AwsError`, `ChangeRefused`."""
        del aws
        return ()

    @property
    def beside_of(self) -> tuple[str, ...]:
        """What `beside` is about, by a name: it is looked at once in a push."""
        return ("beside", *self.place)

    @property
    def place(self) -> tuple[str, ...]:
        """What `current` looks at, by a name: of several changes in one place AWS has what the last one left."""
        return (self.row.kind, self.row.resource)

    @property
    def holds(self) -> tuple[tuple[str, ...], ...]:
        """Other places that `current` looks at: where this push wrote there, AWS has what it left."""
        return ()

    @property
    def within(self) -> str:
        """The object that its place is part of, as `makes` names it: in one that this push creates is nothing yet."""
        return ""

    @final
    def carry_out(self, aws: Aws) -> None:
        """Make it, unless it is made already; what others changed since the plan is not overwritten.

        Every change goes this way. Raises `AwsError`, `ChangeRefused`, and of the latter `ChangedSincePlan`: then what
        it takes was taken, and it gave nothing.
        """
        try:
            self._carry_out(aws)
        except aws.no_answer:
            with suppress(ChangeRefused, *aws.no_answer):
                self.close(aws)
            raise

    def close(self, aws: Aws) -> None:
        """Where it is to remove an object, and AWS does not do it: nobody has access through that any more.

        Raises as `carry_out` does.
        """
        del aws

    def _carry_out(self, aws: Aws) -> None:
        aws.objects.note_begun(self.place)
        if aws.again and self._was_made(aws):
            pass
        elif not self._may_overwrite(aws) or self._is_as_planned(aws):
            unknown: tuple[type[Exception], ...] = (ChangedSincePlan, *aws.no_answer)
            try:
                self._must_be_known(aws)
            except unknown:
                self.take_away(aws)
                raise
            self.apply(aws)
        aws.objects.note_written(self.place)

    def _was_made(self, aws: Aws) -> bool:
        """Of a plan that was made before: whether AWS has what is otherwise made without a look. Raises as `apply`."""
        if self.OVERWRITES and not self.NEW_OBJECT:
            return False  # it is compared anyway
        try:
            now = self.current(aws) if self.NEW_OBJECT else None
            there = self.is_made(aws) if now is None else now.document is not None
        except aws.no_answer:
            return False  # it is made as it was the first time
        if there and self.NEW_OBJECT:
            self.take_over(aws)
        return there

    @final
    def take_away(self, aws: Aws) -> None:
        """Of a change that gives access and takes some, make what takes: the rest of it is refused.

        Nothing is done for any other. Raises as `carry_out` does.
        """
        both = Effect.GIVES | Effect.TAKES
        after = only_taking(self.row.before, self.row.after) if both in self.effect else None
        if after is not None:
            type(self)(replace(self.row, after=after, beside=None)).carry_out(aws)
            aws.objects.note_only_taken(self.place)

    def _must_be_known(self, aws: Aws) -> None:
        """What follows from it must have been shown; less is no harm. Raises `ChangedSincePlan`, `AwsError`."""
        known, about = self.row.beside, self.beside_of
        if known is None or aws.objects.was_written(about):
            return
        try:
            unknown = self._unknown(aws, frozenset(known))
        except aws.no_answer:
            if self.only_takes(aws):
                return  # who lost access does not keep it because AWS would not say what else there is
            raise
        if unknown:
            raise ChangedSincePlan(self.row)
        aws.objects.note_written(about)

    def _unknown(self, aws: Aws, known: frozenset[str]) -> frozenset[str]:
        """What follows from it now and was not shown, asked again where this push began to write something meanwhile.

        What it writes is no news to it, but an answer may hold what began after the answer was asked for.
        """
        while True:
            begun = aws.objects.begun_so_far()
            unknown = frozenset(self.beside_now(aws)) - known
            if not unknown or aws.objects.begun_so_far() == begun:
                return unknown

    def only_takes(self, aws: Aws) -> bool:
        """True where it takes access, gives none, and no object goes."""
        del aws
        return self.revokes and Effect.REMOVES not in self.effect

    def _may_overwrite(self, aws: Aws) -> bool:
        """False where nothing of others can be in its place."""
        known = aws.objects.was_created(self.within) or any(map(aws.objects.was_written, (self.place, *self.holds)))
        return self.OVERWRITES and not self.NEW_OBJECT and not known

    def _is_as_planned(self, aws: Aws) -> bool:
        """True where AWS has what the plan says is there, false where it has what is intended already.

        A push that was broken off made it then, or somebody by hand. Raises `ChangedSincePlan`, `AwsError`.
        """
        now = self.current(aws)
        if now is None or alike(now.document, self.row.before):
            return True
        self._must_be_intended(now)
        return False

    def require_made(self, aws: Aws) -> None:
        """What AWS would not create, as it is there, must be what is to be made. Raises `ChangedSincePlan`."""
        now = self.current(aws)
        if now is not None:
            self._must_be_intended(now)

    def _must_be_intended(self, now: Present) -> None:
        if not alike(now.document, self.intended):
            raise ChangedSincePlan(self.row)

    def is_made(self, aws: Aws) -> bool:
        """Whether AWS has what the change intends, as far as it says so. Raises `AwsError`."""
        now = None if self.NEW_OBJECT else self.current(aws)
        return now is not None and alike(now.document, self.intended)

    def object_is_there(self, aws: Aws) -> bool:
        """False where what it takes something from is gone as a whole. Raises `AwsError`, `ChangeRefused`."""
        del aws
        return True

    # -- what rows hold ------------------------------------------------------------------------------------------------

    def document(self) -> str:
        """The document that is to be there afterwards. Raises `ChangeRefused`."""
        if not self.row.after:
            raise ChangeRefused(self.row, "the plan gives no document.")
        return self.row.after

    def request(self) -> dict[str, Any]:
        """The members of a request that makes an object. Raises `ChangeRefused`."""
        try:
            request = json.loads(self.row.after or "null")
        except ValueError:
            request = None
        if not isinstance(request, dict):
            raise ChangeRefused(self.row, "the plan gives no JSON object.")
        return request


class UnknownChange(Change):
    """A row that no access provider type can make: of another version of the pipeline, or written by hand."""

    KIND = OPERATION = ""
    EFFECT = Effect.NEITHER
    needs = makes = removes = NOTHING

    def current(self, aws: Aws) -> None:
        """Nothing is asked: it is not made."""
        del aws

    def apply(self, aws: Aws) -> None:
        """Raises `ChangeRefused`."""
        del aws
        raise ChangeRefused(self.row, "this push cannot make such a change.")


def document_text(document: Any) -> str:
    """A document of a request as the text that AWS takes."""
    return document if isinstance(document, str) else json.dumps(document, separators=(",", ":"))
