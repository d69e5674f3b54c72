"""What a push says of each access control of the export where nothing was changed for it, and a push in numbers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from raito_pipeline.model import AccessControl, PushResult, PushTarget


def refused_targets(controls: Iterable[AccessControl], reasons: Sequence[str]) -> tuple[PushTarget, ...]:
    """Targets that say that nothing is changed for any access control, and why."""
    return tuple(
        PushTarget(
            position=control.position,
            access_control_id=control.id,
            access_control_name=control.name,
            type=control.type or "",
            actual_name=control.actual_name or "",
            external_id=None,
            errors=tuple(reasons),
            warnings=(),
            refused=True,
        )
        for control in controls
    )


def refused_results(
    controls: Iterable[AccessControl], targets: Iterable[PushTarget], reasons: Sequence[str]
) -> tuple[PushResult, ...]:
    """Results that say that the push stopped before its first change; what the plan refused keeps its own reasons."""
    planned = {target.access_control_id: target for target in targets}
    results = []
    for control in sorted(controls, key=lambda each: each.position):
        target = planned.get(control.id)
        results.append(
            PushResult(
                access_control_id=control.id,
                access_control_name=control.name,
                type=(target.type if target else control.type) or "",
                actual_name=control.actual_name or "",
                external_id=control.external_id,
                changes_made=0,
                changes_failed=0,
                errors=_errors(target, reasons),
                warnings=target.warnings if target else (),
            )
        )
    return tuple(results)


def _errors(target: PushTarget | None, reasons: Sequence[str]) -> tuple[str, ...]:
    if target is None or not target.errors:
        return tuple(reasons)
    return target.errors if target.refused else (*target.errors, *reasons)


@dataclass(frozen=True, slots=True)
class Summary:
    """A push in numbers: access controls, those that failed, and changes in AWS."""

    controls: int
    failed: int
    changes_made: int
    changes_failed: int

    @classmethod
    def of(cls, results: Iterable[PushResult]) -> "Summary":
        """Count the results."""
        listed = tuple(results)
        return cls(
            controls=len(listed),
            failed=sum(bool(result.errors) for result in listed),
            changes_made=sum(result.changes_made for result in listed),
            changes_failed=sum(result.changes_failed for result in listed),
        )
