"""How much access people lose by a push, and what of it a limit holds back.

Counted are all changes of all types that take access or remove the object through which people had it: each once, and
where its documents name people, once for each of them who is not named any more.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from raito_pipeline.aws.push.changes import Change
from raito_pipeline.aws.push.effects import Effect, access_of
from raito_pipeline.model import AccessControl

FEW = 10
"""access controls that may lose access whatever their share is: small accounts change as a whole"""
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
        there = {control.id for control in controls if control.external_id}
        concerned = {change.row.access_control_id for change in losing}
        return cls(
            sum(map(people, losing)),
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


def people(change: Change) -> int:
    """How many people lose access by a change that takes some; 1 where its documents do not say."""
    try:
        lost = access_of(change.row.before) - access_of(change.row.after)
    except (ValueError, TypeError, KeyError, AttributeError):
        return 1
    return max(1, len({each.principal for each in lost if each.allows and each.principal is not None}))


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
        f"access controls, and {allowed}. What gives access was made. If this is right, "
        f"`raito-pipeline apply --plan {plan_id} --with-losses` makes it once, and `pipeline: {{{COUNT_OPTION}: ..., "
        f"{SHARE_OPTION}: ...}}` allows it for good.",
    )
