"""How much access people lose by a push, and what of it a limit holds back.

Counted are all changes of all types that take access or remove the object through which people had it: each once, and
where it names people, once for each of them who is not named any more. Of one access control nobody counts twice; and
an object that another one takes the place of takes nothing from those who are granted that.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from raito_pipeline.aws.push.changes import Change
from raito_pipeline.aws.push.documents.effects import Effect, access_of
from raito_pipeline.model import AccessControl, WhoEntry

FEW = 10
"""access controls that may lose access whatever their share is: small accounts change as a whole"""
_PEOPLE = ("user:", "group:", "role:")
COUNT_OPTION, SHARE_OPTION = "max-push-losses", "max-push-loss-share"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a push may take: so many losses (None = any number), and of such a share of access controls."""

    losses: int | None = None
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Losses:
    """What a push takes: how often somebody loses access, the access controls that it is of, and the changes."""

    count: int
    controls: int
    present: int
    """access controls that are in AWS"""
    positions: frozenset[int]

    @classmethod
    def of(cls, changes: Iterable[Change], controls: Iterable[AccessControl]) -> "Losses":
        """Count the changes of a plan. `controls` is the export."""
        losing = [change for change in changes if takes(change)]
        listed = list(controls)
        there = {control.id for control in listed if control.external_id}
        who = {control.id: control.who for control in listed if not control.delete}
        by_control: dict[str, list[Change]] = defaultdict(list)
        for change in losing:
            by_control[change.row.access_control_id].append(change)
        counts = {name: _losses(some, who.get(name)) for name, some in by_control.items()}
        concerned = {name for name, count in counts.items() if count}
        return cls(
            sum(counts.values()),
            len(concerned),
            len(there | concerned),
            frozenset(change.row.position for change in losing),
        )


@dataclass(frozen=True, slots=True)
class HeldBack:
    """The changes that are not made, and why; what gives access is made."""

    positions: frozenset[int] = frozenset()
    reason: str = ""


def takes(change: Change) -> bool:
    """True where a change takes access from somebody, whatever else it does."""
    return bool(change.effect & (Effect.TAKES | Effect.REMOVES))


def _losses(losing: Sequence[Change], who: WhoEntry | None) -> int:
    """How often people lose access by the changes of one access control; `who` is who still has it, None for nobody."""
    removals = [change for change in losing if Effect.REMOVES in change.effect]
    taken = {each for change in losing if change not in removals for each in people(change) or {_place(change)}}
    still = {f"{kind}:{name}" for kind, names in _kinds(who) for name in names}
    gone = {each for change in removals for each in people(change)} - still
    unnamed = {_place(change) for change in removals if not people(change)} if not taken else set()
    return len(taken | gone | unnamed)


def _kinds(who: WhoEntry | None) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return () if who is None else (("user", who.users), ("group", who.groups))


def _place(change: Change) -> str:
    return " ".join(change.place)


def people(change: Change) -> frozenset[str]:
    """Who loses access by a change that takes some, as `user:NAME`; nobody where it names none."""
    if change.about.startswith(_PEOPLE):
        return frozenset({change.about.partition("/")[0]})
    try:
        lost = access_of(change.row.before) - access_of(change.row.after)
    except (ValueError, TypeError, KeyError, AttributeError):
        return frozenset()
    return frozenset(_person(*each.principal) for each in lost if each.allows and each.principal is not None)


def _person(kind: str, name: str) -> str:
    """`user:NAME` for its ARN, and the like; others as documents name them."""
    noun, _, path = name.rpartition(":")[2].partition("/")
    known = kind == "AWS" and f"{noun}:" in _PEOPLE
    return f"{noun}:{path.rpartition('/')[2]}" if known else f"{kind} {name}"


def held_back(
    changes: Sequence[Change], controls: Iterable[AccessControl], limits: Limits, plan_id: str = "ID"
) -> HeldBack:
    """What of a push exceeds the limits: all that takes access, or nothing."""
    losses = Losses.of(changes, controls)
    too_many = limits.losses is not None and losses.count > limits.losses
    too_large = losses.controls > FEW and losses.controls > limits.share * losses.present
    if not too_many and not too_large:
        return HeldBack()
    allowed = f"{COUNT_OPTION} allows {limits.losses}" if too_many else f"{SHARE_OPTION} allows {limits.share:.0%}"
    return HeldBack(
        losses.positions,
        f"held back: the push would take access {losses.count:,} times, from {losses.controls:,} of {losses.present:,} "
        f"access controls, and {allowed}. What gives access is made. If this is right, "
        f"`raito-pipeline apply --plan {plan_id} --with-losses` makes it once, and `pipeline: {{{COUNT_OPTION}: ..., "
        f"{SHARE_OPTION}: ...}}` allows it for good.",
    )
