"""Pushes recorded from the real Raito CLI (`tests/recorded_push/`): their exports, calls and feedback."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from raito_pipeline.model import AccessControl
from raito_pipeline.raito.export import read_export

FOLDER = Path(__file__).parents[2] / "recorded_push"


@dataclass(frozen=True)
class RecordedPush:
    """What the Raito CLI was given, and what it did with it."""

    name: str
    options: dict[str, str]
    """options of the target beyond the usual ones, as they stand in `raito.yml`"""
    controls: tuple[AccessControl, ...]
    feedback: dict[str, dict[str, Any]]
    """by the id of the access control: `actualName`, `externalId`, `errors`, `warnings`"""
    writes: tuple[tuple[str, int], ...]
    """writing calls in their order: operation and HTTP status"""
    permission_sets: dict[str, dict[str, Any]]
    """permission sets afterwards: `assigned`, `references`, `description`, `tags`, and whether they have a policy"""
    policies: dict[str, dict[str, Any]]
    """managed policies afterwards, where they were kept: `users`, `groups`, `roles`, `tags`, number of `versions`"""
    roles: frozenset[str]
    """names of roles afterwards, where they were kept, less those of permission sets"""

    @property
    def operations(self) -> list[str]:
        """The writing operations in their order."""
        return [operation for operation, _ in self.writes]


def recorded(name: str, folder: Path) -> RecordedPush:
    """The recorded push of a name; its export is read as the product reads one, from a file in `folder`."""
    content = json.loads((FOLDER / f"{name}.json").read_text())
    export = folder / f"{name}.yaml"
    export.write_text(json.dumps({"accessProviders": content["export"]}))
    return RecordedPush(
        name,
        dict(yaml.safe_load("\n".join(content["options"])) or {}),
        read_export(export).controls,
        {one["accessId"]: one for one in content["feedback"]},
        tuple((one["operation"], one.get("status", 200)) for one in content["writing_calls"]),
        content["permission_sets_afterwards"],
        content.get("policies_afterwards", {}),
        frozenset(content.get("roles_afterwards", ())),
    )
