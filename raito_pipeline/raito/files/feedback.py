"""The feedback of a push: one element for every access control of the export, in its order."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from raito_pipeline.model import AccessControl, PushResult
from raito_pipeline.raito.files.writer import ImportFile, write_json_array

NOT_HANDLED = "The push ended before this access control; nothing was changed for it."


def feedback_elements(controls: Iterable[AccessControl], results: Iterable[PushResult]) -> Iterator[dict[str, Any]]:
    """One element an access control, in the order of the export; one without a result gets an error that says so."""
    by_control = {result.access_control_id: result for result in results}
    for control in sorted(controls, key=lambda each: each.position):
        result = by_control.get(control.id)
        yield _unhandled(control) if result is None else _element(result)


def write_feedback(path: Path, controls: Iterable[AccessControl], results: Iterable[PushResult]) -> ImportFile:
    """Write the feedback file."""
    return write_json_array(path, feedback_elements(controls, results))


def _element(result: PushResult) -> dict[str, Any]:
    access = {
        "accessId": result.access_control_id,
        "actualName": result.actual_name,
        "externalId": result.external_id,
        "type": result.type,
        "errors": list(result.errors) or None,
        "warnings": list(result.warnings) or None,
    }
    return {"externalId": result.access_control_id, "access": [access]}


def _unhandled(control: AccessControl) -> dict[str, Any]:
    access = {
        "accessId": control.id,
        "actualName": control.actual_name or "",
        "externalId": control.external_id,
        "type": control.type or "",
        "errors": [NOT_HANDLED],
        "warnings": None,
    }
    return {"externalId": control.id, "access": [access]}
