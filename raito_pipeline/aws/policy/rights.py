"""What a part of the pipeline may have to do in AWS: statements of the least policy."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Right:
    """Actions on resources, under the name (`Sid`) of their statement. Rights of one name are one statement."""

    name: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    """ARNs of the partition `aws`"""
    condition: tuple[str, str] | None = None
    """a condition key and the text that it has to have"""


def merged(rights: Iterable[Right]) -> list[Right]:
    """One right a name, in the order in which names come first: all its actions and resources, each once."""
    by_name: dict[str, Right] = {}
    for right in rights:
        had = by_name.get(right.name, Right(right.name, (), ()))
        by_name[right.name] = Right(
            right.name,
            tuple(sorted({*had.actions, *right.actions})),
            tuple(dict.fromkeys((*had.resources, *right.resources))),
            right.condition,
        )
    return [right for right in by_name.values() if right.actions]
